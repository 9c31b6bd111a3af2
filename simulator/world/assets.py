"""Creatives, pixels, custom conversions and split tests as the graph shows them.

What belongs here: objects whose JSON hardly changes. What does not: statuses and budgets (`entities`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from simulator.world import hashing as h
from simulator.world.entities import business_data
from simulator.world.ids import object_id
from simulator.world.model import AccountModel, Study

_CUSTOM = (("Thank-you page", "PURCHASE"), ("Contact form", "LEAD"))
_BODIES = (
    "Made to last, delivered in two days.",
    "Our bestseller is back in stock.",
    "Only this week: free returns on everything.",
    "See why 40,000 customers switched.",
)
_TITLES = ("Shop the collection", "New season, new colours", "Try it for 30 days", "Ships tomorrow")
COUNTS = {"customconversion": len(_CUSTOM), "adspixel": 1}


def _id(model: AccountModel, kind: str, index: int) -> str:
    return object_id(model.seed, model.index, kind, index)


def creative_data(model: AccountModel, ad: int) -> dict[str, Any]:
    """The creative of an ad (one each). In some the text sits only in `object_story_spec`, as at Meta.

    Twins in a split test show the same and lead to different pages.
    """
    key = h.scalar_key("creative", model.key, int(model.ad_twin[ad]))
    page_key = h.scalar_key("creative", model.key, ad)
    body, title = _BODIES[key % len(_BODIES)], _TITLES[key // 7 % len(_TITLES)]
    video, page = bool(model.video[ad]), business_data(model.seed, model.business)["id"]
    image = f"https://images.invalid/{_id(model, 'adcreative', ad)}"
    link = f"https://shop.example/p/{page_key % 900 + 100}"
    story: dict[str, Any] = {"page_id": page}
    if video:
        story["video_data"] = {
            "video_id": str(key % 10**15),
            "message": body,
            "title": title,
            "image_url": image + ".jpg",
        }
    else:
        story["link_data"] = {"link": link, "message": body, "name": title}
    data = {
        "id": _id(model, "adcreative", ad),
        "account_id": model.id,
        "name": f"{model.ad_names[ad]} creative",
        "status": "ACTIVE",
        "object_type": "VIDEO" if video else "SHARE",
        "object_story_spec": story,
        "effective_object_story_id": f"{page}_{key % 10**15}",
        "thumbnail_url": image + "_64.jpg",
        "call_to_action_type": "SIGN_UP" if model.leads[model.ad_adset[ad]] else "SHOP_NOW",
        "url_tags": "utm_source=meta&utm_medium=paid",
    }
    if key % 4:
        data |= {"title": title, "body": body}
    return data | (
        {"video_id": story["video_data"]["video_id"]} if video else {"image_url": image + ".jpg", "link_url": link}
    )


def pixel_data(model: AccountModel, index: int, moment: int) -> dict[str, Any]:
    """The account's pixel; `last_fired_time` lags by up to an hour."""
    identifier = _id(model, "adspixel", index)
    owner = business_data(model.seed, model.business)
    return {
        "id": identifier,
        "name": f"{model.name} pixel",
        "code": f"<!-- pixel {identifier} -->",
        "creation_time": model.clock.iso(model.clock.midnight(model.first_day - 300)),
        "last_fired_time": model.clock.iso(moment // 3600 * 3600),
        "is_unavailable": False,
        "owner_business": {"id": owner["id"], "name": owner["name"]},
        "enable_automatic_matching": True,
        "data_use_setting": "ADVERTISING_AND_ANALYTICS",
    }


def custom_conversion_data(model: AccountModel, index: int, moment: int) -> dict[str, Any]:
    """A custom conversion of the account."""
    name, event = _CUSTOM[index]
    rule = {"and": [{"event": {"eq": "PageView"}}, {"url": {"i_contains": "/thank-you" if index == 0 else "/contact"}}]}
    return {
        "id": _id(model, "customconversion", index),
        "account_id": model.id,
        "name": name,
        "custom_event_type": event,
        "rule": json.dumps(rule),
        "pixel": {"id": _id(model, "adspixel", 0)},
        "event_source_type": "pixel",
        "default_conversion_value": 0,
        "creation_time": model.clock.iso(model.clock.midnight(model.first_day - 200)),
        "first_fired_time": model.clock.iso(model.clock.midnight(model.first_day)),
        "last_fired_time": model.clock.iso(moment // 3600 * 3600),
        "is_archived": False,
        "is_unavailable": False,
        "retention_days": 180,
    }


def study_created(model: AccountModel, study: Study) -> int:
    """The moment a study was set up: a day before it starts."""
    return model.clock.moment(study.first_day - 1, 40_000)


def study_data(model: AccountModel, study: Study) -> dict[str, Any]:
    """A split test. Its winner is not told; compare the cells' insights (fact sheet 6.4)."""
    owner = business_data(model.seed, model.business)
    iso = model.clock.iso
    created = iso(study_created(model, study))
    end = model.clock.midnight(study.last_day + 1)
    return {
        "id": _id(model, "ad_study", study.index),
        "name": study.name,
        "description": f"Two cells by {study.level}, {study.last_day - study.first_day + 1} days",
        "type": "SPLIT_TEST",
        "business": {"id": owner["id"], "name": owner["name"]},
        "start_time": iso(model.clock.midnight(study.first_day)),
        "end_time": iso(end - 1),
        "observation_end_time": iso(end + 28 * 86_400 - 1),
        "created_time": created,
        "updated_time": created,
    }


def cell_data(model: AccountModel, study: Study, cell: int) -> dict[str, Any]:
    """One cell of a split test with the objects in it."""
    share = 100 // len(study.cells)
    members = [{"id": _id(model, study.level, member)} for member in study.cells[cell]]
    return {
        "id": _id(model, "cell", study.index * 8 + cell),
        "name": f"Group {'ABCDEFGH'[cell]}",
        "treatment_percentage": share,
        "control_percentage": 0,
        "ad_entities_count": len(members),
        "campaigns" if study.level == "campaign" else "adsets": {"data": members},
    }


def studies_with(model: AccountModel, kind: str, index: int) -> list[Study]:
    """The split tests that a campaign or ad set takes part in."""
    found = []
    for study in model.studies:
        members = [member for cell in study.cells for member in cell]
        inside = index in members if study.level == kind else False
        if kind == "campaign" and study.level == "adset":
            inside = any(int(model.adset_campaign[member]) == index for member in members)
        if kind == "adset" and study.level == "campaign":
            inside = int(model.adset_campaign[index]) in members
        if inside:
            found.append(study)
    return found


def describe_study(model: AccountModel, study: Study) -> Mapping[str, Any]:
    """What is true about a split test, for `truth`."""
    cells: Sequence[Sequence[str]] = [[_id(model, study.level, member) for member in cell] for cell in study.cells]
    return {
        "id": _id(model, "ad_study", study.index),
        "name": study.name,
        "kind": study.kind,
        "metric": "cvr",
        "cvr_factor_of_second_cell": study.cvr_factor,
        "level": study.level,
        "cells": cells,
        "first_day": date.fromordinal(study.first_day).isoformat(),
        "last_day": date.fromordinal(study.last_day).isoformat(),
    }
