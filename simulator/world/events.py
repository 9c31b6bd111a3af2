"""The action types: which events they count and which names share an event.

What belongs here: the catalogue of action types. What does not: counting (`metrics`) and text (`formatter`).

Types overlap on purpose, as at Meta: `omni_purchase`, `purchase` and the pixel's type carry the same events, and
`page_engagement` contains `post_engagement`, which contains `link_click` (fact sheet 2.2). Never add them up.
"""

from __future__ import annotations

from typing import NamedTuple

from simulator.world.ids import object_id
from simulator.world.model import AccountModel


class Event(NamedTuple):
    """What happened, under which action types it is listed, and where it is counted.

    `column` is a row column without windows, or the event part of `event:window` columns if `windowed`. `pixel`
    events happen off Meta.
    """

    column: str
    types: tuple[str, ...]
    windowed: bool = False
    pixel: bool = False


_LINK_CLICK = Event("link_clicks", ("link_click",))
_PURCHASE = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
_LEAD = ("lead", "offsite_conversion.fb_pixel_lead")


def _stage(name: str, omni: str) -> Event:
    return Event(name, (omni, name, f"offsite_conversion.fb_pixel_{name}"), windowed=True, pixel=True)


def events_of(model: AccountModel) -> list[Event]:
    """The events that rows of an account report."""
    if not model.full_actions:
        return [
            _LINK_CLICK,
            Event("lpv", ("landing_page_view",), windowed=True, pixel=True),
            Event("purchase", _PURCHASE, windowed=True, pixel=True),
            Event("lead", _LEAD, windowed=True, pixel=True),
        ]
    custom = f"offsite_conversion.custom.{object_id(model.seed, model.index, 'customconversion', 0)}"
    return [
        _LINK_CLICK,
        Event("reactions", ("post_reaction",)),
        Event("comments", ("comment",)),
        Event("shares", ("post",)),
        Event("saves", ("onsite_conversion.post_save",)),
        Event("likes", ("like",)),
        Event("video_views", ("video_view",)),
        Event("post_engagement", ("post_engagement",)),
        Event("page_engagement", ("page_engagement",)),
        Event("lpv", ("landing_page_view", "omni_landing_page_view"), windowed=True, pixel=True),
        _stage("view_content", "omni_view_content"),
        _stage("add_to_cart", "omni_add_to_cart"),
        _stage("initiate_checkout", "omni_initiated_checkout"),
        Event(
            "purchase", (*_PURCHASE, "onsite_web_purchase", "web_in_store_purchase", custom), windowed=True, pixel=True
        ),
        Event("lead", _LEAD, windowed=True, pixel=True),
    ]
