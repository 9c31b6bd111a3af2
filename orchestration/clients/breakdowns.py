"""What Meta's table of breakdowns says about a combination.

What belongs here: documented combinations, opt-ins and retired names. What does not: refusing: the table is
incomplete, so a combination that it lacks is asked as it is, with a warning (fact sheet, breakdowns).
"""

from __future__ import annotations

from collections.abc import Sequence

RETIRED = {"dma": "comscore_market"}
"""Breakdowns that Meta stopped, each with what replaced it (dma: 2026-06-22, in all versions)."""

OPT_IN = ("impression_device", "hourly_stats_aggregated_by_audience_time_zone", "frequency_value")
"""Since 2026-08-06 these return no rows and no error until the account's administrator opts in."""

HOURLY = ("hourly_stats_aggregated_by_advertiser_time_zone", "hourly_stats_aggregated_by_audience_time_zone")

_PLACEMENT = (
    {"publisher_platform"},
    {"publisher_platform", "impression_device"},
    {"publisher_platform", "platform_position"},
    {"publisher_platform", "platform_position", "impression_device"},
)
_ASSETS = ("ad_format", "body", "call_to_action", "description", "image", "link_url", "title", "video")
_SINGLE = (
    *("age", "gender", "country", "region", "product_id", "comscore_market", "frequency_value", "place_page_id"),
    *("user_segment_key", "mmm", *HOURLY, *(f"{asset}_asset" for asset in _ASSETS)),
)
_DOCUMENTED = frozenset(frozenset(group) for group in ({"age", "gender"}, *_PLACEMENT, *({name} for name in _SINGLE)))


def is_documented(breakdowns: Sequence[str]) -> bool:
    """Whether Meta's table has this combination; true for none at all."""
    return not breakdowns or frozenset(breakdowns) in _DOCUMENTED


def needs_opt_in(breakdowns: Sequence[str]) -> list[str]:
    """Those that stay empty, without an error, until an account's administrator allows them."""
    return [name for name in breakdowns if name in OPT_IN]
