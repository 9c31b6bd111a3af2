"""Which breakdowns may be asked together (section 2.4).

Only the table and its check belong here; what a breakdown does to the numbers is the world's.
"""

from __future__ import annotations

from simulator.server.errors import invalid
from simulator.server.vocabulary import ACTION_BREAKDOWNS, BREAKDOWNS

ASSETS = frozenset(
    {
        "body_asset",
        "title_asset",
        "image_asset",
        "video_asset",
        "link_url_asset",
        "call_to_action_asset",
        "description_asset",
        "ad_format_asset",
    }
)
HOURLY = frozenset(
    {
        "hourly_stats_aggregated_by_advertiser_time_zone",
        "hourly_stats_aggregated_by_audience_time_zone",
    }
)
OPT_IN = frozenset({"impression_device", "hourly_stats_aggregated_by_audience_time_zone", "frequency_value"})
"""Since 2026-08-06 these return no rows unless the account's administrator opted in."""
_PLACEMENT = frozenset({"publisher_platform", "platform_position", "impression_device"})
_ALLOWED_SETS = frozenset(
    frozenset(names)
    for names in (
        ("age", "gender"),
        ("country", "region"),
        # Reason: the table of the fact sheet lacks it, but Airbyte's stock stream of that name asks for it.
        ("publisher_platform", "device_platform"),
        ("publisher_platform", "impression_device"),
        ("publisher_platform", "platform_position"),
        ("publisher_platform", "platform_position", "impression_device"),
        ("app_id", "skan_conversion_id"),
    )
)
_NOT_ALONE = frozenset({"impression_device", "platform_position"})
_CAROUSEL = frozenset({"action_carousel_card_id", "action_carousel_card_name"})
_CAROUSEL_WITH = frozenset(
    frozenset(n) for n in ((), ("impression_device",), ("country",), ("age",), ("gender",), ("age", "gender"))
)


def check(breakdowns: tuple[str, ...], actions: tuple[str, ...], level: str, fields: tuple[str, ...]) -> None:
    """Refuses names and combinations the way the API does.

    Raises:
        GraphError: 100, naming the wrong value or all columns of the wrong combination.
    """
    for name, values, known in (
        ("breakdowns", breakdowns, BREAKDOWNS),
        ("action_breakdowns", actions, ACTION_BREAKDOWNS),
    ):
        for index, value in enumerate(values):
            # Reason: some action breakdowns were always accepted under `breakdowns` too.
            if value not in known and not (name == "breakdowns" and value in ACTION_BREAKDOWNS):
                listed = ", ".join(sorted(known))
                raise invalid(f"{name}[{index}] must be one of the following values: {listed}")
    if "dma" in breakdowns:
        raise invalid("The dma breakdown is deprecated. Please use comscore_market instead.")
    if not _allowed(frozenset(breakdowns), frozenset(actions)):
        columns = ", ".join(dict.fromkeys([*(actions or ("action_type",)), *breakdowns]))
        raise invalid(f"Current combination of data breakdown columns ({columns}) is invalid")
    if "frequency_value" in breakdowns and "reach" not in fields:
        raise invalid("The frequency_value breakdown can only be used with the reach field")
    if level == "account" and (wrong := {"place_page_id", "image_asset", "video_asset"} & set(breakdowns)):
        raise invalid(f"The {min(wrong)} breakdown is not available at the account level")
    if "mmm" in breakdowns and level != "adset":
        raise invalid("The mmm breakdown is only available at the adset level")


def _allowed(breakdowns: frozenset[str], actions: frozenset[str]) -> bool:
    plain = breakdowns - {"action_type", "action_target_id", "action_destination", "action_device", "action_reaction"}
    if plain & _CAROUSEL or actions & _CAROUSEL:
        return plain - _CAROUSEL in _CAROUSEL_WITH
    if "action_device" in actions | breakdowns:
        alone = len(plain) <= 1 and "platform_position" not in plain
        return plain <= _PLACEMENT and (alone or plain in _ALLOWED_SETS)
    if len(plain) <= 1:
        return not plain & _NOT_ALONE
    return plain in _ALLOWED_SETS
