"""Periods in whole days, and the ones before them."""

# ruff: noqa: DTZ001 - times in the report time zone carry none
from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.errors import UnknownDateForm
from dashboards.queries import Exclusion, Period, Weekday, previous_period, resolve

TODAY = date(2026, 3, 4)  # a Wednesday


@pytest.mark.parametrize(
    ("form", "first", "last", "days"),
    [
        ("2026-01-05", "2026-01-05", "2026-01-05", 1),
        ("2026-01-05~2026-01-06", "2026-01-05", "2026-01-06", 2),
        ("2026-01-05T10:00~2026-01-06T11:00", "2026-01-05", "2026-01-06", 2),
        ("past30days", "2026-02-02", "2026-03-03", 30),
        ("lastmonth", "2026-02-01", "2026-02-28", 28),
        ("thisweek", "2026-03-02", "2026-03-08", 7),
        ("2026-01-05~", "2026-01-06", None, None),
        ("2026-01-05T10:00~", "2026-01-05", None, None),
        ("2026-01-05T23:59~", "2026-01-06", None, None),
        ("~2026-01-05", None, "2026-01-04", None),
        ("~2026-01-05T00:00", None, "2026-01-04", None),
        ("~2026-01-05T10:00", None, "2026-01-05", None),
    ],
)
def test_the_days_that_a_form_covers(form: str, first: str | None, last: str | None, days: int | None) -> None:
    found = resolve(form, TODAY, "monday")
    assert isinstance(found, Period)
    assert (found.first and str(found.first), found.last and str(found.last)) == (first, last)
    assert found.days == days


def test_exclusions_and_hours() -> None:
    assert resolve("exclude-days-Sat-Sun", TODAY) == Exclusion("day", (5, 6))
    night = datetime(2026, 3, 4, 1, 30)
    assert resolve("past3hours", TODAY, now=night) == Period(date(2026, 3, 3), TODAY)
    with pytest.raises(UnknownDateForm, match="the time of day"):
        resolve("past3hours", TODAY)


@pytest.mark.parametrize("form", ["9999-12-31~", "~0001-01-01", "tomorrow"])
def test_what_covers_no_day_is_refused(form: str) -> None:
    with pytest.raises(UnknownDateForm):
        resolve(form, TODAY)


@pytest.mark.parametrize(
    ("form", "first", "last"),
    [
        ("today", "2026-03-03", "2026-03-03"),
        ("yesterday", "2026-03-02", "2026-03-02"),
        ("past30days", "2026-01-03", "2026-02-01"),
        ("past30days~", "2026-01-02", "2026-02-01"),
        ("past1weeks", "2026-02-16", "2026-02-22"),
        ("past3months", "2025-09-01", "2025-11-30"),
        ("past3months~", "2025-08-01", "2025-11-30"),
        ("past3days-from-1months", "2026-01-29", "2026-01-31"),
        ("thismonth", "2026-02-01", "2026-02-28"),
        ("lastmonth", "2026-01-01", "2026-01-31"),
        ("thisquarter", "2025-10-01", "2025-12-31"),
        ("lastyear", "2024-01-01", "2024-12-31"),
        ("next7days", "2026-02-26", "2026-03-04"),
        ("2026-01", "2025-12-01", "2025-12-31"),
        ("Q1-2026", "2025-10-01", "2025-12-31"),
        ("2026-01-05", "2026-01-04", "2026-01-04"),
        ("2026-01-05~2026-01-11", "2025-12-29", "2026-01-04"),
        ("2026-02-01~2026-02-28", "2026-01-01", "2026-01-31"),
        ("2026-02-01~2026-03-31", "2025-12-01", "2026-01-31"),
        ("2026-02-01~2026-03-30", "2025-12-05", "2026-01-31"),
        ("9999-12-01~9999-12-31", "9999-11-01", "9999-11-30"),
    ],
)
def test_the_period_before(form: str, first: str, last: str) -> None:
    found = previous_period(form, TODAY, "monday")
    assert found == Period(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    "form",
    [
        *["2026-01-05~", "~2026-01-05", "exclude-days-Mon", "past3hours", "thisminute", "2026-01-05T10:00"],
        *["2026-01-05~2026-01-06T10:00", "0001-01-01", "0001-01-01~0001-02-28", "0001-01"],
    ],
)
def test_forms_that_have_no_period_before(form: str) -> None:
    assert previous_period(form, TODAY, "monday") is None


days = st.dates(date(1000, 1, 1), date(8000, 1, 1))
weekdays: st.SearchStrategy[Weekday] = st.sampled_from(["monday", "sunday", "saturday"])
forms = st.one_of(
    st.builds(
        "{}{}{}s{}".format,
        st.sampled_from(["past", "next"]),
        st.integers(1, 99),
        st.sampled_from(["day", "week", "month", "quarter", "year"]),
        st.sampled_from(["", "~", "-from-3weeks", "-from-2months"]),
    ),
    st.tuples(st.dates(date(4000, 1, 1), date(5000, 1, 1)), st.dates(date(4000, 1, 1), date(5000, 1, 1))).map(
        lambda two: f"{min(two)}~{max(two)}"
    ),
    days.map(str),
    days.map(lambda day: f"{day:%Y-%m}"),
    st.sampled_from(["thisweek", "lastmonth", "thisquarter", "lastyear", "today", "yesterday"]),
)


@given(forms, days, weekdays)
def test_the_period_before_ends_where_the_period_begins(form: str, today: date, start_of_week: Weekday) -> None:
    period, before = resolve(form, today, start_of_week), previous_period(form, today, start_of_week)
    assert isinstance(period, Period)
    assert before is not None
    assert period.first is not None
    assert period.last is not None
    assert before.first is not None
    assert before.last is not None
    assert period.first <= period.last
    assert before.first <= before.last
    assert before.last + timedelta(days=1) == period.first
    in_months = "month" in form or "quarter" in form or "year" in form or period.first.day == 1
    assert in_months or before.days == period.days


@given(st.integers(1, 3000), days)
def test_past_n_days_has_n_days_and_ends_yesterday(count: int, today: date) -> None:
    period, before = resolve(f"past{count}days", today), previous_period(f"past{count}days", today)
    assert isinstance(period, Period)
    assert before is not None
    assert period.days == before.days == count
    assert period.last == today - timedelta(days=1)
