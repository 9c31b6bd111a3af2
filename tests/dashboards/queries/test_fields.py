"""Field filters and time groupings: their SQL, compared with what Metabase's own tests expect."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboards.errors import WrongValue
from dashboards.queries import Calendar, Column, Tag
from tests.dashboards.queries.samples import AT, AT_TZ, CALENDAR, DAY, NAME, OPEN, PRICE, filtered, readable, run

# Metabase's namespace for these: driver.sql.parameters.substitute-test, with PostgreSQL's names and LIKE since 0.59.
V, P, O = '"public"."venues"."name"', '"public"."venues"."price"', '"public"."venues"."open"'  # noqa: E741


@pytest.mark.parametrize(
    ("widget", "column", "value", "sql", "params"),
    [
        ("string/=", NAME, ["foo"], f"({V} = ?)", ["foo"]),
        ("string/=", NAME, ["a", "b", "c"], f"(({V} = ?) OR ({V} = ?) OR ({V} = ?))", ["a", "b", "c"]),
        ("string/=", NAME, ["a", None], f"(({V} = ?) OR ({V} IS NULL))", ["a"]),
        ("string/=", PRICE, ["5"], f"({P} = ?)", [5]),
        ("string/!=", NAME, ["a"], f"(({V} <> ?) OR ({V} IS NULL))", ["a"]),
        (
            "string/!=",
            NAME,
            ["a", "b"],
            f"((({V} <> ?) OR ({V} IS NULL)) AND (({V} <> ?) OR ({V} IS NULL)))",
            ["a", "b"],
        ),
        ("string/!=", NAME, [None, "a"], f"(({V} IS NOT NULL) AND (({V} <> ?) OR ({V} IS NULL)))", ["a"]),
        ("string/contains", NAME, ["foo"], f"({V} LIKE ? ESCAPE '\\')", ["%foo%"]),
        ("string/contains", NAME, ["5%_\\"], f"({V} LIKE ? ESCAPE '\\')", ["%5\\%\\_\\\\%"]),
        (
            "string/contains",
            NAME,
            ["a", "b"],
            f"(({V} LIKE ? ESCAPE '\\') OR ({V} LIKE ? ESCAPE '\\'))",
            ["%a%", "%b%"],
        ),
        (
            "string/does-not-contain",
            NAME,
            ["foo"],
            f"(NOT ({V} LIKE ? ESCAPE '\\') OR ({V} IS NULL))",
            ["%foo%"],
        ),
        (
            "string/does-not-contain",
            NAME,
            ["a", "b"],
            f"((NOT ({V} LIKE ? ESCAPE '\\') OR ({V} IS NULL)) AND (NOT ({V} LIKE ? ESCAPE '\\') OR ({V} IS NULL)))",
            ["%a%", "%b%"],
        ),
        ("string/starts-with", NAME, ["foo"], f"({V} LIKE ? ESCAPE '\\')", ["foo%"]),
        ("string/ends-with", NAME, ["foo"], f"({V} LIKE ? ESCAPE '\\')", ["%foo"]),
        ("number/=", PRICE, [1, "2", 3], f"(({P} = ?) OR ({P} = ?) OR ({P} = ?))", [1, 2, 3]),
        ("number/!=", PRICE, [1], f"(({P} <> ?) OR ({P} IS NULL))", [1]),
        ("number/>=", PRICE, [1], f"({P} >= ?)", [1]),
        ("number/<=", PRICE, ["1.5"], f"({P} <= ?)", [Decimal("1.5")]),
        ("number/between", PRICE, [1, 3], f"{P} BETWEEN ? AND ?", [1, 3]),
        ("number/between", PRICE, [1, None], f"({P} >= ?)", [1]),
        ("number/between", PRICE, [None, "3"], f"({P} <= ?)", [3]),
        ("boolean/=", OPEN, [False], f"({O} = ?)", [False]),
        ("boolean/=", OPEN, ["true", False], f"(({O} = ?) OR ({O} = ?))", [True, False]),
        ("id", PRICE, "5", f"{P} = ?", [5]),
        ("id", PRICE, 5, f"{P} = ?", [5]),
        ("id", PRICE, [5, "6"], f"{P} IN (?, ?)", [5, 6]),
        ("id", PRICE, "5,6", f"{P} IN (?, ?)", [5, 6]),
        ("category", NAME, "a,b", f"{V} = ?", ["a,b"]),
        ("category", NAME, ["a"], f"{V} IN (?)", ["a"]),
        ("category", OPEN, True, f"{O} = ?", [True]),
        ("location/country", NAME, ["DE"], f"{V} IN (?)", ["DE"]),
    ],
)
def test_field_filters(widget: str, column: Column, value: Any, sql: str, params: list[Any]) -> None:
    assert readable(run("where {{x}}", filtered(widget, column), value)) == (f"where {sql}", params)


def test_patterns_that_ignore_capitals() -> None:
    tag = filtered("string/does-not-contain", NAME, case_sensitive=False)
    assert readable(run("{{x}}", tag, ["FOO"])) == (
        f"(NOT (LOWER({V}) LIKE ? ESCAPE '\\') OR ({V} IS NULL))",
        ["%foo%"],
    )


C, T = '"public"."checkins"."date"', '"public"."orders"."at"'


@pytest.mark.parametrize(
    ("widget", "value", "on_a_date", "of_dates", "of_times"),
    [
        ("date/single", "2016-07-01", f"{C} = ?", ["2016-07-01"], ["2016-07-01", "2016-07-02"]),
        ("date/all-options", "2016-07-01", f"{C} = ?", ["2016-07-01"], ["2016-07-01", "2016-07-02"]),
        ("date/range", "2016-07-01~2016-08-01", "", ["2016-07-01", "2016-08-01"], ["2016-07-01", "2016-08-02"]),
        ("date/month-year", "2016-07", "", ["2016-07-01", "2016-07-31"], ["2016-07-01", "2016-08-01"]),
        ("date/quarter-year", "Q1-2016", "", ["2016-01-01", "2016-03-31"], ["2016-01-01", "2016-04-01"]),
        ("date/all-options", "~2016-07-01", f"{C} < ?", ["2016-07-01"], [None, "2016-07-01"]),
        ("date/all-options", "2016-07-01~", f"{C} > ?", ["2016-07-01"], ["2016-07-02", None]),
        ("date/range", "yesterday", f"{C} = ?", ["2016-06-06"], ["2016-06-06", "2016-06-07"]),
        ("date/relative", "past7days", "", ["2016-05-31", "2016-06-06"], ["2016-05-31", "2016-06-07"]),
        ("date/relative", "thisweek", "", ["2016-06-05", "2016-06-11"], ["2016-06-05", "2016-06-12"]),
        ("date/relative", "thisyear", "", ["2016-01-01", "2016-12-31"], ["2016-01-01", "2017-01-01"]),
        ("date/relative", "lastmonth", "", ["2016-05-01", "2016-05-31"], ["2016-05-01", "2016-06-01"]),
        (
            "date/all-options",
            "2016-07-01T10:20:00",
            f"{C} = ?",
            ["2016-07-01T10:20"],
            ["2016-07-01T10:20", "2016-07-01T10:21"],
        ),
        ("date/all-options", "~2016-07-01T10:20", f"{C} < ?", ["2016-07-01T10:20"], [None, "2016-07-01T10:20"]),
        ("date/all-options", "2016-07-01T10:20~", f"{C} > ?", ["2016-07-01T10:20"], ["2016-07-01T10:21", None]),
        (
            "date/all-options",
            "2016-07-01~2016-07-02T10:20",
            "",
            ["2016-07-01", "2016-07-02T10:20"],
            ["2016-07-01", "2016-07-02T10:21"],
        ),
        ("date/all-options", "past1hours", f"{C} = ?", ["2016-06-07T11"], ["2016-06-07T11", "2016-06-07T12"]),
        (
            "date/all-options",
            "past1seconds",
            f"{C} = ?",
            ["2016-06-07T11:59:59"],
            ["2016-06-07T11:59:59", "2016-06-07T12"],
        ),
        (
            "date/all-options",
            "past2minutes",
            "",
            ["2016-06-07T11:58", "2016-06-07T11:59"],
            ["2016-06-07T11:58", "2016-06-07T12"],
        ),
    ],
)
def test_dates_and_times(
    widget: str, value: str, on_a_date: str, of_dates: list[str], of_times: list[str | None]
) -> None:
    def moment(text: str) -> date | datetime:
        return datetime.fromisoformat(text) if "T" in text else date.fromisoformat(text)

    of_date = run("{{x}}", filtered(widget, DAY), value)
    assert readable(of_date) == (on_a_date or f"{C} BETWEEN ? AND ?", [moment(one) for one in of_dates])

    wanted = " AND ".join(f"{T} {operator} ?" for operator, one in zip((">=", "<"), of_times, strict=True) if one)
    times = [datetime.fromisoformat(one) for one in of_times if one]
    plain = run("{{x}}", filtered(widget, AT), value)
    assert readable(plain) == (wanted, times)
    assert "AS timestamp)" in plain.sql
    zoned = run("{{x}}", filtered(widget, AT_TZ), value)
    assert readable(zoned) == (wanted, [one.replace(tzinfo=UTC) for one in times])
    assert "AS timestamptz)" in zoned.sql


def test_exclusions() -> None:
    tag = filtered("date/all-options", DAY)
    month = f"CAST(extract(month from {C}) AS integer)"
    assert readable(run("{{x}}", tag, "exclude-months-Jan")) == (f"(({month} <> ?) OR ({month} IS NULL))", [1])
    both = f"((({month} <> ?) OR ({month} IS NULL)) AND (({month} <> ?) OR ({month} IS NULL)))"
    assert readable(run("{{x}}", tag, "exclude-months-Jan-Feb")) == (both, [1, 2])
    assert run("{{x}}", tag, "exclude-days-Mon-Sun-Sat").params == (1, 0, 6)
    assert run("{{x}}", filtered("date/single", AT), "exclude-hours-0-23").params == (0, 23)
    with pytest.raises(WrongValue, match="a date has no hours"):
        run("{{x}}", tag, "exclude-hours-0")


def test_days_of_a_zone_that_changes_its_clocks_last_24_hours_as_in_metabase() -> None:
    calendar = Calendar(date(2026, 3, 29), zone=ZoneInfo("Europe/Berlin"))
    winter = timezone(timedelta(hours=1))
    found = run("{{x}}", filtered("date/single", AT_TZ), "2026-03-29", calendar=calendar)
    assert found.params == (datetime(2026, 3, 29, tzinfo=winter), datetime(2026, 3, 30, tzinfo=winter))
    range_ = run("{{x}}", filtered("date/range", AT_TZ), "2026-03-28~2026-03-30", calendar=calendar)
    assert range_.params == (
        datetime(2026, 3, 28, tzinfo=winter),
        datetime(2026, 3, 31, tzinfo=timezone(timedelta(hours=2))),
    )


@pytest.mark.parametrize(
    ("unit", "on_a_date", "on_a_timestamp"),
    [
        (None, "c", "c"),
        ("day", "c", "CAST(CAST(c AS date) AS timestamp)"),
        ("month", "CAST(date_trunc('month', c) AS date)", "date_trunc('month', c)"),
        (
            "week",
            "CAST((CAST(date_trunc('week', CAST((c + INTERVAL '1 day') AS date)) AS date) + INTERVAL '-1 day')"
            " AS date)",
            "(date_trunc('week', (c + INTERVAL '1 day')) + INTERVAL '-1 day')",
        ),
    ],
)
def test_time_groupings(unit: str | None, on_a_date: str, on_a_timestamp: str) -> None:
    for column, wanted in ((DAY, on_a_date), (AT, on_a_timestamp)):
        tag = Tag("x", "temporal-unit", column, alias="c")
        assert run("[[{{x}}, ]]count(*)", tag, unit).sql == f"{wanted}, count(*)"
    monday = Calendar(CALENDAR.today, "monday")
    assert (
        run("{{x}}", Tag("x", "temporal-unit", AT, alias="c"), "week", calendar=monday).sql == "date_trunc('week', c)"
    )


def test_an_alias_stands_for_the_column_everywhere() -> None:
    tag = filtered("string/!=", NAME, alias="v.name")
    assert readable(run("{{x}}", tag, ["a"])) == ("((v.name <> ?) OR (v.name IS NULL))", ["a"])
