"""The change history of an account, as Meta lists it.

What belongs here: the form of an activity. What does not: when changes happen (`schedule`, `world`).
"""

from __future__ import annotations

import json
from typing import Any

from simulator.world.ids import object_id
from simulator.world.model import AccountModel
from simulator.world.timeline import Event, Timeline

_ACTORS = (("100042", "Mara Lindqvist"), ("100077", "Ads Manager API"))
_TYPES = {"campaign": "CAMPAIGN_GROUP", "adset": "AD_SET", "ad": "AD"}
_NOUN = {"campaign": "campaign", "adset": "ad_set", "ad": "ad"}
_VERBS = {"status": "run_status", "daily_budget": "budget", "lifetime_budget": "budget", "bid_amount": "bidding"}
_BUDGETS = frozenset({"daily_budget", "lifetime_budget", "spend_cap", "bid_amount"})


def _event_type(event: Event) -> str:
    noun = _NOUN[event.kind]
    if event.attribute == "status" and event.old is None:
        return "create_campaign_group" if event.kind == "campaign" else f"create_{noun}"
    if event.attribute == "name" and event.kind == "ad":
        return "update_ad_friendly_name"
    return f"update_{noun}_{_VERBS.get(event.attribute, event.attribute)}"


def list_activities(model: AccountModel, timeline: Timeline, since: int, until: int) -> list[dict[str, Any]]:
    """Changes from `since` up to `until` (moments), newest first.

    `extra_data` is a JSON string with `old_value` and `new_value` (budgets: minor units and `currency`).
    """
    found = []
    for event in timeline.events:
        if not since <= event.time <= until:
            continue
        created = event.attribute == "status" and event.old is None
        if event.old is None and not created:
            continue  # Reason: first values belong to the creation and are no change of their own.
        extra: dict[str, Any] = {"old_value": event.old, "new_value": event.new}
        if event.attribute in _BUDGETS:
            extra |= {"currency": model.currency, "type": event.attribute}
        actor_id, actor_name = _ACTORS[event.actor]
        found.append(
            {
                "event_time": model.clock.iso(event.time),
                "event_type": _event_type(event),
                "object_id": object_id(model.seed, model.index, event.kind, event.number),
                "object_name": timeline.value(event.kind, event.number, "name", event.time),
                "object_type": _TYPES[event.kind],
                "actor_id": actor_id,
                "actor_name": actor_name,
                "extra_data": json.dumps({} if created else extra),
            }
        )
    return found[::-1]
