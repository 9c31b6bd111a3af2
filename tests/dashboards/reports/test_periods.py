"""Days of reports."""

from __future__ import annotations

from datetime import date, timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.reports.model import Period, PeriodName
from dashboards.reports.periods import day_count, lengths_differ, period_of

DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))
NAMES = st.sampled_from(get_args(PeriodName))
ONE = timedelta(days=1)


@pytest.mark.parametrize(
    ("name", "today", "first", "last", "before_first", "before_last"),
    [
        ("yesterday", "2026-11-09", "2026-11-08", "2026-11-08", "2026-11-07", "2026-11-07"),
        ("last_7_days", "2026-11-11", "2026-11-04", "2026-11-10", "2026-10-28", "2026-11-03"),
        ("last_28_days", "2026-03-01", "2026-02-01", "2026-02-28", "2026-01-04", "2026-01-31"),
        ("last_week", "2026-11-09", "2026-11-02", "2026-11-08", "2026-10-26", "2026-11-01"),
        ("last_week", "2026-11-15", "2026-11-02", "2026-11-08", "2026-10-26", "2026-11-01"),
        ("last_week", "2027-01-04", "2026-12-28", "2027-01-03", "2026-12-21", "2026-12-27"),
        ("last_month", "2026-03-31", "2026-02-01", "2026-02-28", "2026-01-01", "2026-01-31"),
        ("last_month", "2026-01-01", "2025-12-01", "2025-12-31", "2025-11-01", "2025-11-30"),
    ],
)
def test_days(name: PeriodName, today: str, first: str, last: str, before_first: str, before_last: str) -> None:
    expected = Period(*map(date.fromisoformat, (first, last, before_first, before_last)))
    assert period_of(name, date.fromisoformat(today)) == expected


@given(NAMES, DAYS)
def test_both_periods_are_whole_and_touch_each_other(name: PeriodName, today: date) -> None:
    found = period_of(name, today)
    assert found.before_first <= found.before_last == found.first - ONE
    assert found.first <= found.last < today


@given(NAMES, DAYS)
def test_only_months_may_differ_in_length(name: PeriodName, today: date) -> None:
    found = period_of(name, today)
    assert not lengths_differ(found) or name == "last_month"


@given(DAYS)
def test_weeks_are_of_iso_and_months_of_the_calendar(today: date) -> None:
    week, month = period_of("last_week", today), period_of("last_month", today)
    assert (week.first.isoweekday(), week.last.isoweekday()) == (1, 7)
    assert today.isocalendar()[:2] == (week.last + ONE).isocalendar()[:2]
    assert (month.first.day, (month.last + ONE).day, month.before_first.day) == (1, 1, 1)
    assert (month.last + ONE).replace(day=1) == today.replace(day=1)


@given(NAMES, DAYS)
def test_a_day_later_it_is_the_same_period_or_one_without_a_gap(name: PeriodName, today: date) -> None:
    found, next_one = period_of(name, today), period_of(name, today + ONE)
    if name.startswith(("yesterday", "last_7", "last_28")):
        assert next_one.last == found.last + ONE
    else:
        assert next_one == found or next_one.first == found.last + ONE
    assert day_count(found.first, found.last) in {"yesterday": {1}, "last_7_days": {7}, "last_28_days": {28}}.get(
        name, {7} if name == "last_week" else {28, 29, 30, 31}
    )
