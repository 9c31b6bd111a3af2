"""What the columns of an export mean, in terms of the API's fields.

What belongs here: one entry per known column, with its kind and its place in an API row. What does not: how the
columns are called in the file (`languages.py`).

Two decisions:
- Ads Manager's "Purchases" (and adds to cart, checkouts, content views, searches, registrations) counts all channels:
  it is the API's `omni_*` action, and the same number is given under the short name that accounts without shops use.
  "Website purchases" counts the pixel alone and is given as `offsite_conversion.fb_pixel_*` only.
- Ratios (CTR, CPC, CPM, cost per result, ROAS) are understood but never used: they are recomputed from summed parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["count", "amount", "decimal", "seconds"]
"""count: a whole number. amount: money in major units. decimal: any number. seconds: also written as h:mm:ss."""


@dataclass(frozen=True)
class Metric:
    """Where a number goes in an API row.

    Attributes:
        kind: How its cells are read.
        plain: Name of a top-level field.
        actions: Action types in `actions`.
        values: Action types in `action_values`.
        stats: Fields that are lists of their own, as (field, action type).
    """

    kind: Kind
    plain: str | None = None
    actions: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    stats: tuple[tuple[str, str], ...] = ()


def _pixel(event: str) -> str:
    return f"offsite_conversion.fb_pixel_{event}"


def _video(field: str, kind: Kind = "decimal") -> Metric:
    return Metric(kind, stats=((field, "video_view"),))


METRICS: dict[str, Metric] = {
    "spend": Metric("amount", "spend"),
    "impressions": Metric("count", "impressions"),
    "reach": Metric("count", "reach"),
    "frequency": Metric("decimal", "frequency"),
    "clicks": Metric("count", "clicks"),
    "link_clicks": Metric("count", "inline_link_clicks", actions=("link_click",)),
    "outbound_clicks": Metric("decimal", stats=(("outbound_clicks", "outbound_click"),)),
    "landing_page_views": Metric("decimal", actions=("landing_page_view",)),
    "content_views": Metric("decimal", actions=("omni_view_content", "view_content")),
    "website_content_views": Metric("decimal", actions=(_pixel("view_content"),)),
    "searches": Metric("decimal", actions=("omni_search", "search")),
    "website_searches": Metric("decimal", actions=(_pixel("search"),)),
    "adds_to_cart": Metric("decimal", actions=("omni_add_to_cart", "add_to_cart")),
    "website_adds_to_cart": Metric("decimal", actions=(_pixel("add_to_cart"),)),
    "checkouts": Metric("decimal", actions=("omni_initiated_checkout", "initiate_checkout")),
    "website_checkouts": Metric("decimal", actions=(_pixel("initiate_checkout"),)),
    "payment_infos": Metric("decimal", actions=("add_payment_info",)),
    "purchases": Metric("decimal", actions=("omni_purchase", "purchase")),
    "website_purchases": Metric("decimal", actions=(_pixel("purchase"),)),
    "purchase_value": Metric("amount", values=("omni_purchase", "purchase")),
    "website_purchase_value": Metric("amount", values=(_pixel("purchase"),)),
    "adds_to_cart_value": Metric("amount", values=("omni_add_to_cart", "add_to_cart")),
    "registrations": Metric("decimal", actions=("omni_complete_registration", "complete_registration")),
    "leads": Metric("decimal", actions=("lead",)),
    "website_leads": Metric("decimal", actions=(_pixel("lead"),)),
    "facebook_leads": Metric("decimal", actions=("onsite_conversion.lead_grouped",)),
    "messaging_conversations": Metric("decimal", actions=("onsite_conversion.messaging_conversation_started_7d",)),
    "app_installs": Metric("decimal", actions=("omni_app_install", "mobile_app_install")),
    "page_engagement": Metric("decimal", actions=("page_engagement",)),
    "post_engagement": Metric("decimal", actions=("post_engagement",)),
    "post_reactions": Metric("decimal", actions=("post_reaction",)),
    "post_comments": Metric("decimal", actions=("comment",)),
    "post_shares": Metric("decimal", actions=("post",)),
    "post_saves": Metric("decimal", actions=("onsite_conversion.post_save",)),
    "page_likes": Metric("decimal", actions=("like",)),
    "video_3s": Metric("decimal", actions=("video_view",)),
    "video_plays": _video("video_play_actions"),
    "thruplays": _video("video_thruplay_watched_actions"),
    "video_p25": _video("video_p25_watched_actions"),
    "video_p50": _video("video_p50_watched_actions"),
    "video_p75": _video("video_p75_watched_actions"),
    "video_p95": _video("video_p95_watched_actions"),
    "video_p100": _video("video_p100_watched_actions"),
    "video_avg_time": _video("video_avg_time_watched_actions", "seconds"),
    "results": Metric("decimal"),
}

NAMES = ("account_name", "campaign_name", "adset_name", "ad_name")
IDS = ("account_id", "campaign_id", "adset_id", "ad_id")
DATES = ("day", "reporting_starts", "reporting_ends")
TEXTS = ("currency", "attribution_setting", "objective", "buying_type", "result_indicator", "result_type")
BREAKDOWNS = ("age", "gender", "country", "platform", "placement", "device_platform", "impression_device")
UNSUPPORTED = ("unsupported_breakdown",)
"""Breakdowns that the warehouse has no table for (region, hour, product, ...): the file is refused."""
UNUSED = ("ratio", "context")
"""Understood and left aside: ratios, and settings such as delivery or budget. Kept under `_columns`, no warning."""

FIELDS = frozenset((*METRICS, *NAMES, *IDS, *DATES, *TEXTS, *BREAKDOWNS, *UNSUPPORTED, *UNUSED))

REPORTS: dict[frozenset[str], tuple[str, tuple[str, ...]]] = {
    frozenset({"age", "gender"}): ("ad_daily__age_gender", ("age", "gender")),
    frozenset({"country"}): ("ad_daily__country", ("country",)),
    frozenset({"platform", "placement", "device_platform", "impression_device"}): (
        "ad_daily__placement",
        ("publisher_platform", "platform_position", "impression_device"),
    ),
}
"""Families of breakdown columns: those a file may combine, with the report and its key columns."""

NOT_ADDITIVE = frozenset({"reach", "frequency", "results"})
"""Top-level fields that are dropped when rows are merged. Reach and frequency are never summed."""
NOT_ADDITIVE_STATS = frozenset({"video_avg_time_watched_actions"})
