"""From the parameters of an insights call to a checked `InsightsQuery`, or Meta's error.

Rules of sections 2.1 to 2.7 belong here. Running the query does not, nor do cursors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from simulator.contract import Filter, InsightsQuery, Level, Node
from simulator.server import breakdowns as combos
from simulator.server.dates import (
    BREAKDOWN_MONTHS,
    FREQUENCY_VALUE_MONTHS,
    TOTALS_MONTHS,
    Range,
    account_today,
    months_before,
    preset_range,
)
from simulator.server.errors import invalid, make
from simulator.server.node_fields import FIELDS
from simulator.server.params import (
    Params,
    as_bool,
    as_filters,
    as_int,
    as_list,
    as_names,
    as_object,
    as_range,
    given,
)
from simulator.server.vocabulary import ATTRIBUTION_WINDOWS, DATE_PRESETS, INSIGHTS_FIELDS

LEVELS: tuple[Level, ...] = ("account", "campaign", "adset", "ad")
DEFAULT_LIMIT = 25
WITHDRAWN_WINDOWS = frozenset({"7d_view", "28d_view", "default"})
"""Accepted and answered without values: the first two since 2026-01-12; `default` is what `value` always is."""
REACH_FIELDS = frozenset({"reach", "frequency", "cpp"})


@dataclass(frozen=True)
class InsightsCall:
    """A checked call.

    Attributes:
        query: What to ask the world.
        limit: Rows per page.
        summary: Fields of the `summary` object; None for none.
        opt_in: Whether breakdowns were asked that need the administrator's opt-in.
        old_reach: Whether reach with breakdowns was asked for days beyond 13 months.
    """

    query: InsightsQuery
    limit: int
    summary: tuple[str, ...] | None
    opt_in: bool
    old_reach: bool


def default_fields(level: Level) -> tuple[str, ...]:
    """Returns what a row carries when no `fields` are given: ids down to the level, impressions and spend."""
    ids = ("account_id", "campaign_id", "adset_id", "ad_id")[: LEVELS.index(level) + 1]
    return (*ids, "impressions", "spend")


def parse_limit(params: Params) -> int:
    """Returns rows per page: 25 by default."""
    limit = as_int(params, "limit", DEFAULT_LIMIT, low=1)
    assert limit is not None
    return limit


def parse(
    params: Params, node: Node, account: Mapping[str, Any], at: datetime, *, asynchronous: bool, keep_old_reach: bool
) -> InsightsCall:
    """Returns the checked call.

    Args:
        params: The request's parameters.
        node: The account, campaign, ad set or ad asked.
        account: Data of the account it belongs to (its time zone decides what a day is).
        at: The moment of asking.
        asynchronous: Whether a report run is created.
        keep_old_reach: Whether reach with breakdowns beyond 13 months is granted (a small async quota).

    Raises:
        GraphError: Code 100 naming the parameter; 3018; 1/99 for a level above the node.
    """
    level = _level(params, node)
    fields = _fields(params, level)
    today = account_today(account, at)
    ranges, increment = _time(params, today)
    split = as_names(params, "breakdowns") or as_names(params, "breakdown")
    actions = as_names(params, "action_breakdowns")
    combos.check(split, actions, level, fields)
    if actions and not any("action" in f or "conversion" in f or "roas" in f for f in fields):
        raise invalid("The actions field must be requested when action_breakdowns are given")
    if "mmm" in split and not asynchronous:
        raise invalid("The mmm breakdown is only available in asynchronous reports")
    ranges = _kept(ranges, split, today)
    old = bool(split) and any(since < months_before(today, BREAKDOWN_MONTHS) for since, _ in ranges)
    shown = fields
    if old:
        # Reason: reach and unique counts with breakdowns are kept 13 months and then silently left out.
        shown = tuple(f for f in fields if not f.startswith("unique_"))
        if not keep_old_reach:
            shown = tuple(f for f in shown if f not in REACH_FIELDS)
    windows = as_names(params, "action_attribution_windows")
    for index, window in enumerate(windows):
        if window not in ATTRIBUTION_WINDOWS:
            listed = ", ".join(sorted(ATTRIBUTION_WINDOWS))
            raise invalid(f"action_attribution_windows[{index}] must be one of the following values: {listed}")
    query = InsightsQuery(
        node_id=node.id,
        level=level,
        ranges=ranges,
        time_increment=increment,
        fields=shown,
        breakdowns=split,
        action_breakdowns=actions or ("action_type",),
        windows=tuple(w for w in windows if w not in WITHDRAWN_WINDOWS),
        filters=_filters(params, level),
        sort=_sort(params),
    )
    return InsightsCall(
        query,
        parse_limit(params),
        parse_summary(params, fields),
        bool(combos.OPT_IN & set(split)),
        old and bool(REACH_FIELDS & set(fields)),
    )


def _level(params: Params, node: Node) -> Level:
    own: Level = node.kind if node.kind in LEVELS else "account"  # type: ignore[assignment]
    value = params.get("level")
    if not given(params, "level"):
        return own
    level = next((known for known in LEVELS if known == value), None)
    if level is None:
        raise invalid("level must be one of the following values: ad, adset, campaign, account")
    if LEVELS.index(level) < LEVELS.index(own):
        # Reason: the error reference explains 1/99 by a wrong level.
        raise make("unknown_error_99")
    return level


def _fields(params: Params, level: Level) -> tuple[str, ...]:
    fields = as_names(params, "fields")
    wrong = [f for f in fields if f not in INSIGHTS_FIELDS]
    if wrong:
        raise invalid(
            f"{', '.join(wrong)} is not valid for fields param. please check "
            "https://developers.facebook.com/docs/marketing-api/reference/ads-insights/ for all valid values"
        )
    return fields or default_fields(level)


def _time(params: Params, today: date) -> tuple[tuple[Range, ...], int | Literal["monthly"] | None]:
    """Returns the ranges and the increment; `time_ranges` overrides all others, `time_range` the preset."""
    if given(params, "time_ranges"):
        listed = as_list(params, "time_ranges")
        ranges = tuple(as_range(item, f"time_ranges[{i}]") for i, item in enumerate(listed))
        if not ranges:
            raise invalid("Param time_ranges must not be empty.")
        _horizon(ranges, today)
        return ranges, None
    increment = _increment(params)
    if (single := as_object(params, "time_range")) is not None:
        ranges = (as_range(single, "time_range"),)
        _horizon(ranges, today)
        return ranges, increment
    preset = params.get("date_preset") or "last_30d"
    if not isinstance(preset, str) or preset not in DATE_PRESETS:
        raise invalid(f"date_preset must be one of the following values: {', '.join(sorted(DATE_PRESETS))}")
    return (preset_range(preset, today),), increment


def _horizon(ranges: tuple[Range, ...], today: date) -> None:
    if any(since < months_before(today, TOTALS_MONTHS) for since, _ in ranges):
        raise make("beyond_37_months")


def _increment(params: Params) -> int | Literal["monthly"] | None:
    value = params.get("time_increment")
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not given(params, "time_increment") or value == "all_days":
        return None
    if value == "monthly":
        return "monthly"
    try:
        days = int(str(value))
    except ValueError:
        days = 0
    if not 1 <= days <= 90:
        raise invalid("time_increment must be an integer between 1 and 90, monthly or all_days")
    return days


def _kept(ranges: tuple[Range, ...], split: tuple[str, ...], today: date) -> tuple[Range, ...]:
    """Clips ranges to what is kept of hourly and frequency breakdowns; older days have no rows."""
    months = BREAKDOWN_MONTHS if combos.HOURLY & set(split) else None
    if "frequency_value" in split:
        months = FREQUENCY_VALUE_MONTHS
    if months is None:
        return ranges
    first = months_before(today, months)
    return tuple((max(since, first), until) for since, until in ranges if until >= first)


def _filters(params: Params, level: Level) -> tuple[Filter, ...]:
    filters = as_filters(params)
    for condition in filters:
        owner, _, name = condition.field.rpartition(".")
        kind = {"adgroup": "ad", "": level}.get(owner, owner)
        known = FIELDS[kind] | INSIGHTS_FIELDS if kind in LEVELS else frozenset()
        # Reason: `actions:link_click` and the like name one action type of a metric.
        base = name.partition(":")[0]
        if base not in known | {"id", "impressions", "delivery_info", "action_type", "placement"}:
            raise invalid(
                f"Filtering field '{condition.field}' with operation '{condition.operator.lower()}' is not supported"
            )
    return filters


def _sort(params: Params) -> tuple[str, bool] | None:
    items = as_names(params, "sort")
    if not items:
        return None
    if len(items) > 1:
        raise invalid("Param sort must contain at most one item.")
    text = items[0]
    descending = text.endswith("_descending")
    field = text.removesuffix("_descending").removesuffix("_ascending")
    base = field.partition(":")[0]
    if base not in INSIGHTS_FIELDS:
        raise invalid(f"Sorting by '{text}' is not supported")
    return field, descending


def parse_summary(params: Params, fields: tuple[str, ...]) -> tuple[str, ...] | None:
    """Returns the fields of the `summary` object: those asked, or the row's own with `default_summary`."""
    value = params.get("summary")
    if given(params, "summary") and str(value).lower() != "false":
        if str(value).lower() == "true":
            return fields
        names = as_names(params, "summary")
        wrong = [n for n in names if n not in INSIGHTS_FIELDS]
        if wrong:
            raise invalid(f"{', '.join(wrong)} is not valid for summary param.")
        return names
    return fields if as_bool(params, "default_summary") else None
