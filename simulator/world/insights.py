"""Plans an insights query: which ads, which periods, which breakdown.

What belongs here: turning a checked query into a result. What does not: computing rows (`rows`), writing them
(`formatter`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from simulator.contract import InsightsQuery, InsightsResult
from simulator.world import cells
from simulator.world.account import AccountWorld
from simulator.world.filters import Conditions, without_text_filters
from simulator.world.formatter import RowFormatter
from simulator.world.ids import Place
from simulator.world.result import EmptyResult, WorldResult, totals
from simulator.world.rows import Rows

_LEVELS = ("account", "campaign", "adset", "ad")


def periods_of(query: InsightsQuery) -> list[tuple[int, int]]:
    """First and last day (ordinals) of every row period, range by range."""
    return [
        period for first, last in query.ranges for period in _cut(first, last, query.time_increment) if first <= last
    ]


def _cut(first: date, last: date, increment: int | str | None) -> Iterator[tuple[int, int]]:
    if increment is None:
        yield first.toordinal(), last.toordinal()
        return
    day = first
    while day <= last:
        if isinstance(increment, int):
            end = day + timedelta(days=increment - 1)
        else:
            end = (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
        end = min(end, last)
        yield day.toordinal(), end.toordinal()
        day = end + timedelta(days=1)


def months_before(day: date, months: int) -> date:
    """The same day of the month some months earlier, or that month's last day."""
    month = day.year * 12 + day.month - 1 - months
    first = date(month // 12, month % 12 + 1, 1)
    last = (first + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


def answer(
    account: AccountWorld | None, place: Place | None, query: InsightsQuery, now: int, moment: int, shuffle: bool
) -> InsightsResult:
    """The result of a query.

    Args:
        account: The account behind the asked node; None gives no rows.
        place: The asked node.
        query: The query.
        now: Time of asking, for names and statuses.
        moment: The last refresh, for numbers.
        shuffle: Whether to scramble rows within blocks.
    """
    if account is None or place is None or place.kind not in _LEVELS:
        return EmptyResult()
    if _LEVELS.index(query.level) < _LEVELS.index(place.kind) or place.number >= account.model.count(place.kind):
        return EmptyResult()
    model = account.model
    breakdown = cells.find_breakdown(model, query.breakdowns) if query.breakdowns else None
    if query.breakdowns and breakdown is None:
        return EmptyResult()
    built = _build(account, place, query, now, moment, breakdown)
    if built is None:
        return EmptyResult()
    rows, conditions, formatter = built

    def summarise(fields: Sequence[str]) -> dict[str, Any]:
        return _summary(account, place, query, fields, now, moment, breakdown)

    return WorldResult(rows, conditions, formatter, query.sort, summarise, shuffle)


def _build(
    account: AccountWorld,
    place: Place,
    query: InsightsQuery,
    now: int,
    moment: int,
    breakdown: cells.Breakdown | None,
) -> tuple[Rows, Conditions, RowFormatter] | None:
    model, timeline = account.model, account.timeline
    conditions = Conditions(model, timeline, now, query.level, query.level != place.kind, query.filters)
    keep = conditions.keep & (model.owner_of_ads(place.kind) == place.number)
    if not keep.any():
        return None
    chosen = model.ad_campaign[np.flatnonzero(keep)]
    span = model.span(int(chosen[0]), int(chosen[-1]))
    periods = periods_of(query)
    # Reason: with breakdowns reach exists for 13 months only, judged by the start of the range (fact sheet 2.7).
    oldest = months_before(date.fromordinal(model.clock.day_of(now)), 13)
    young = [first >= oldest for first, last in query.ranges for _ in _cut(first, last, query.time_increment)]
    formatter = RowFormatter(
        model, timeline, now, query, breakdown, periods, conditions.action_types, lambda period: young[period]
    )
    rows = Rows(
        model, timeline, moment, query.level, span, keep[slice(*span.ads)], periods, breakdown, tuple(formatter.needs)
    )
    return rows, conditions, formatter


def _summary(
    account: AccountWorld,
    place: Place,
    query: InsightsQuery,
    fields: Sequence[str],
    now: int,
    moment: int,
    breakdown: cells.Breakdown | None,
) -> dict[str, Any]:
    asked = replace(query, fields=tuple(fields), filters=without_text_filters(query.filters), sort=None)
    built = _build(account, place, asked, now, moment, breakdown)
    found = {} if built is None else totals(*built)
    dates = {
        "date_start": min(first for first, _ in query.ranges).isoformat(),
        "date_stop": max(last for _, last in query.ranges).isoformat(),
    }
    return {**found, **dates} if found else {}
