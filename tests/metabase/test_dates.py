"""What values of date filters mean, counted from Friday 2026-11-20 at noon, a minute and a second."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metabase.query.dates import Range, read
from tests.metabase.query.template import QueryError

NOW = datetime.fromisoformat("2026-11-20T12:01:01")


def _day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.mark.parametrize(
    ("value", "start", "end"),
    [
        ("today", "2026-11-20", "2026-11-20"),
        ("yesterday", "2026-11-19", "2026-11-19"),
        ("past1days", "2026-11-19", "2026-11-19"),
        ("past30days", "2026-10-21", "2026-11-19"),
        ("past30days~", "2026-10-21", "2026-11-20"),
        ("past7days-from-7days", "2026-11-06", "2026-11-12"),
        ("past2weeks", "2026-11-01", "2026-11-14"),
        ("past2weeks~", "2026-11-01", "2026-11-21"),
        ("past1months", "2026-10-01", "2026-10-31"),
        ("past12months~", "2025-11-01", "2026-11-30"),
        ("past1quarters", "2026-07-01", "2026-09-30"),
        ("past1years", "2025-01-01", "2025-12-31"),
        ("past1months-from-1years", "2025-10-01", "2025-10-31"),
        ("next7days", "2026-11-21", "2026-11-27"),
        ("next1months~", "2026-11-01", "2026-12-31"),
        ("thisday", "2026-11-20", "2026-11-20"),
        ("thisweek", "2026-11-15", "2026-11-21"),
        ("lastweek", "2026-11-08", "2026-11-14"),
        ("thismonth", "2026-11-01", "2026-11-30"),
        ("lastmonth", "2026-10-01", "2026-10-31"),
        ("lastquarter", "2026-07-01", "2026-09-30"),
        ("thisyear", "2026-01-01", "2026-12-31"),
        ("2026-02", "2026-02-01", "2026-02-28"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("Q1-2026", "2026-01-01", "2026-03-31"),
        ("2026-11-03", "2026-11-03", "2026-11-03"),
        ("2026-11-01~2026-11-03", "2026-11-01", "2026-11-03"),
        ("~2026-11-03", None, "2026-11-03"),
        ("2026-11-03~", "2026-11-03", None),
    ],
)
def test_ranges_of_days(value: str, start: str | None, end: str | None) -> None:
    found = read(value, NOW)
    assert (found.start, found.end) == (_day(start) if start else None, _day(end) if end else None)


def test_finer_units_keep_the_time() -> None:
    hour = datetime.fromisoformat("2026-11-20T12:00")
    assert read("past3hours", NOW) == Range(hour - timedelta(hours=3), hour - timedelta(hours=1), "hour")
    assert read("thisminute", NOW).start == datetime.fromisoformat("2026-11-20T12:01")
    assert read("2026-11-20T10:30~2026-11-20T11:00", NOW).unit == "minute"


def test_a_month_back_from_its_last_day_is_the_month_before() -> None:
    assert read("lastmonth", datetime.fromisoformat("2026-03-31")) == Range(
        _day("2026-02-01"), _day("2026-02-28"), "month"
    )


def test_weeks_begin_where_they_are_told_to() -> None:
    assert read("thisweek", NOW, "monday").start == _day("2026-11-16")
    assert read("thisweek", NOW, "saturday").start == _day("2026-11-14")


@pytest.mark.parametrize(
    "value", ["", "~", "whenever", "past30", "past30day", "pastdays", "2026-13", "2026-02-30", "Q5-2026", "20261120"]
)
def test_nonsense_is_refused(value: str) -> None:
    with pytest.raises(QueryError):
        read(value, NOW)


@given(
    st.datetimes(datetime.fromisoformat("2000-01-01"), datetime.fromisoformat("2060-01-01")),
    st.sampled_from(["past", "next"]),
    st.integers(1, 40),
    st.sampled_from(["day", "week", "month", "quarter", "year"]),
    st.sampled_from(["", "~"]),
)
def test_ranges_are_in_order_and_hold_today_only_with_a_tilde(
    now: datetime, word: str, count: int, unit: str, suffix: str
) -> None:
    found = read(f"{word}{count}{unit}s{suffix}", now)
    assert found.start is not None
    assert found.end is not None
    assert found.start <= found.end
    assert (found.start <= now.date() <= found.end) == (suffix == "~")


@given(st.text(max_size=30))
def test_any_text_is_a_range_or_refused(value: str) -> None:
    try:
        found = read(value, NOW)
    except QueryError:
        return
    assert found.start is not None or found.end is not None
