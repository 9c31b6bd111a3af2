"""The insights fields: what each is made of.

What belongs here: the table from field names to the quantities behind them. What does not: text (`formatter`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from simulator.world.hashing import F64, I64

_ENGAGEMENT = ("link_clicks", "reactions", "comments", "shares", "saves", "video_views")
#: Quantities that are put together from columns of a row.
_COMPOSED: dict[str, tuple[str, ...]] = {
    "post_engagement": _ENGAGEMENT,
    "page_engagement": (*_ENGAGEMENT, "likes"),
    "unique_clicks": ("clicks", "reach"),
    "unique_link_clicks": ("link_clicks", "reach"),
    "video_average": ("video_seconds", "video_plays"),
}


class Ratio(NamedTuple):
    """A number field: `numerator * factor / denominator`, or a count if there is no denominator."""

    numerator: str
    denominator: str | None = None
    factor: float = 1.0


class Stat(NamedTuple):
    """A field that is a list with one action: its type and its number."""

    action_type: str
    ratio: Ratio
    pixel: bool = False
    video: bool = False


SCALARS: dict[str, Ratio] = {
    "impressions": Ratio("impressions"),
    "reach": Ratio("reach"),
    "clicks": Ratio("clicks"),
    "spend": Ratio("spend"),
    "frequency": Ratio("impressions", "reach"),
    "cpc": Ratio("spend", "clicks"),
    "cpm": Ratio("spend", "impressions", 1000.0),
    "cpp": Ratio("spend", "reach", 1000.0),
    "ctr": Ratio("clicks", "impressions", 100.0),
    "inline_link_clicks": Ratio("link_clicks"),
    "inline_link_click_ctr": Ratio("link_clicks", "impressions", 100.0),
    "cost_per_inline_link_click": Ratio("spend", "link_clicks"),
    "inline_post_engagement": Ratio("post_engagement"),
    "cost_per_inline_post_engagement": Ratio("spend", "post_engagement"),
    "unique_clicks": Ratio("unique_clicks"),
    "unique_ctr": Ratio("unique_clicks", "reach", 100.0),
    "cost_per_unique_click": Ratio("spend", "unique_clicks"),
    "unique_inline_link_clicks": Ratio("unique_link_clicks"),
    "unique_inline_link_click_ctr": Ratio("unique_link_clicks", "reach", 100.0),
    "cost_per_unique_inline_link_click": Ratio("spend", "unique_link_clicks"),
}
#: Counts that are returned even when zero; every other zero is left out of the row (fact sheet 2.2).
ALWAYS = frozenset({"impressions", "reach", "clicks", "spend", "frequency"})
#: Fields that disappear with breakdowns on old dates (fact sheet 2.7).
REACH_FIELDS = frozenset(
    {
        "reach",
        "frequency",
        "cpp",
        "unique_clicks",
        "unique_ctr",
        "cost_per_unique_click",
        "unique_inline_link_clicks",
        "unique_inline_link_click_ctr",
        "cost_per_unique_inline_link_click",
    }
)


def _video(column: str) -> Stat:
    return Stat("video_view", Ratio(column), video=True)


STATS: dict[str, Stat] = {
    "outbound_clicks": Stat("outbound_click", Ratio("outbound")),
    "outbound_clicks_ctr": Stat("outbound_click", Ratio("outbound", "impressions", 100.0)),
    "cost_per_outbound_click": Stat("outbound_click", Ratio("spend", "outbound")),
    "website_ctr": Stat("link_click", Ratio("link_clicks", "impressions", 100.0)),
    "video_play_actions": _video("video_plays"),
    "video_p25_watched_actions": _video("video_p25"),
    "video_p50_watched_actions": _video("video_p50"),
    "video_p75_watched_actions": _video("video_p75"),
    "video_p95_watched_actions": _video("video_p95"),
    "video_p100_watched_actions": _video("video_p100"),
    "video_30_sec_watched_actions": _video("video_30s"),
    "video_thruplay_watched_actions": _video("video_thruplay"),
    "video_avg_time_watched_actions": _video("video_average"),
    "cost_per_thruplay": Stat("video_view", Ratio("spend", "video_thruplay"), video=True),
    "purchase_roas": Stat("omni_purchase", Ratio("purchase_value:value", "spend"), pixel=True),
    "website_purchase_roas": Stat(
        "offsite_conversion.fb_pixel_purchase", Ratio("purchase_value:value", "spend"), pixel=True
    ),
}


def columns_of(ratio: Ratio) -> list[str]:
    """The row columns a number needs."""
    names: list[str] = []
    for quantity in (ratio.numerator, ratio.denominator):
        if quantity is not None:
            names += _COMPOSED.get(quantity, (quantity,))
    return names


def quantity(name: str, columns: Mapping[str, I64], minor: int) -> F64:
    """One quantity of every row; money in major units."""
    if name == "spend" or name.startswith("purchase_value:"):
        return columns[name] / minor
    if name in ("unique_clicks", "unique_link_clicks"):
        clicks = columns[_COMPOSED[name][0]]
        found: F64 = np.minimum(np.ceil(clicks * 0.93), columns["reach"]).astype(np.float64)
        return found
    if name == "video_average":
        plays = np.maximum(columns["video_plays"], 1)
        return np.rint(columns["video_seconds"] / plays)
    if name in _COMPOSED:
        total: F64 = np.sum([columns[part] for part in _COMPOSED[name]], axis=0).astype(np.float64)
        return total
    return columns[name].astype(np.float64)


def evaluate(ratio: Ratio, columns: Mapping[str, I64], minor: int) -> tuple[F64, np.ndarray]:
    """A number field of every row, and whether it is defined there."""
    top = quantity(ratio.numerator, columns, minor)
    if ratio.denominator is None:
        return top, top > 0
    bottom = quantity(ratio.denominator, columns, minor)
    defined = bottom > 0
    return np.divide(top * ratio.factor, bottom, out=np.zeros_like(top), where=defined), defined
