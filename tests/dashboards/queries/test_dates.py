"""Date forms: what Metabase's own tests expect of them, what is refused, and properties."""

# ruff: noqa: DTZ001 - times in the report time zone carry none
from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.errors import UnknownDateForm
from dashboards.queries.calendar import Calendar, Weekday
from dashboards.queries.dates import Exclusion, Span, read_form

# The clock of Metabase's tests: a Tuesday, week beginning on Sunday.
NOW = datetime(2016, 6, 7, 12, 13, 55)
CALENDAR = Calendar(NOW.date(), now=NOW)

RANGES = """
    Q1-2016                    2016-01-01           2016-03-31
    2016-02                    2016-02-01           2016-02-29
    2016-04-18                 2016-04-18           2016-04-18
    2016-04-18~2016-04-23      2016-04-18           2016-04-23
    2016-04-18T10:30:00~2016-04-23T10:30:00 2016-04-18T10:30:00 2016-04-23T10:30:00
    2016-04-18T10:30~2016-04-23T16 2016-04-18T10:30:00 2016-04-23T16:00:00
    2016-04-18~                2016-04-18           -
    ~2016-04-18                -                    2016-04-18
    today                      2016-06-07           2016-06-07
    yesterday                  2016-06-06           2016-06-06
    past30seconds              2016-06-07T12:13:25  2016-06-07T12:13:54
    past5minutes~              2016-06-07T12:08:00  2016-06-07T12:13:00
    past3hours                 2016-06-07T09:00:00  2016-06-07T11:00:00
    past3days                  2016-06-04           2016-06-06
    past3days~                 2016-06-04           2016-06-07
    past7days                  2016-05-31           2016-06-06
    past30days                 2016-05-08           2016-06-06
    past1weeks                 2016-05-29           2016-06-04
    past2weeks~                2016-05-22           2016-06-11
    past2months                2016-04-01           2016-05-31
    past2months~               2016-04-01           2016-06-30
    past13months               2015-05-01           2016-05-31
    past2quarters              2015-10-01           2016-03-31
    past2quarters~             2015-10-01           2016-06-30
    past1years                 2015-01-01           2015-12-31
    past1years~                2015-01-01           2016-12-31
    past16years                2000-01-01           2015-12-31
    next45seconds              2016-06-07T12:13:56  2016-06-07T12:14:40
    next20minutes              2016-06-07T12:14:00  2016-06-07T12:33:00
    next6hours                 2016-06-07T13:00:00  2016-06-07T18:00:00
    next3days                  2016-06-08           2016-06-10
    next3days~                 2016-06-07           2016-06-10
    next7days                  2016-06-08           2016-06-14
    next2weeks                 2016-06-12           2016-06-25
    next2months                2016-07-01           2016-08-31
    next2months~               2016-06-01           2016-08-31
    next2quarters              2016-07-01           2016-12-31
    next2quarters~             2016-04-01           2016-12-31
    next13months               2016-07-01           2017-07-31
    next1years                 2017-01-01           2017-12-31
    next1years~                2016-01-01           2017-12-31
    next16years                2017-01-01           2032-12-31
    thissecond                 2016-06-07T12:13:55  2016-06-07T12:13:55
    thisminute                 2016-06-07T12:13:00  2016-06-07T12:13:00
    thishour                   2016-06-07T12:00:00  2016-06-07T12:00:00
    thisday                    2016-06-07           2016-06-07
    thisweek                   2016-06-05           2016-06-11
    thismonth                  2016-06-01           2016-06-30
    thisquarter                2016-04-01           2016-06-30
    thisyear                   2016-01-01           2016-12-31
    lastsecond                 2016-06-07T12:13:54  2016-06-07T12:13:54
    lasthour                   2016-06-07T11:00:00  2016-06-07T11:00:00
    lastday                    2016-06-06           2016-06-06
    lastweek                   2016-05-29           2016-06-04
    lastmonth                  2016-05-01           2016-05-31
    lastquarter                2016-01-01           2016-03-31
    lastyear                   2015-01-01           2015-12-31
    past1days-from-0days       2016-06-06           2016-06-06
    past1months-from-0months   2016-05-01           2016-05-31
    past1months-from-36months  2013-05-01           2013-05-31
    past1years-from-36months   2012-01-01           2012-12-31
    past3days-from-3years      2013-06-04           2013-06-06
    past3months-from-2months   2016-01-01           2016-03-31
    past1days-from-13hours     2016-06-05           2016-06-05
    next2days-from-1months     2016-07-08           2016-07-09
    next1months-from-36months  2019-07-01           2019-07-31
    next3days-from-3years      2019-06-08           2019-06-10
    next7hours-from-13months   2017-07-07T13:00:00  2017-07-07T19:00:00
"""


def span(form: str, calendar: Calendar = CALENDAR) -> Span:
    found = read_form(form, calendar)
    assert isinstance(found, Span)
    return found


@pytest.mark.parametrize("row", [line.split() for line in RANGES.strip().splitlines()], ids=lambda row: row[0])
def test_metabases_expectations(row: list[str]) -> None:
    form, first, last = row
    found = span(form)
    assert [one.isoformat() if one else "-" for one in (found.start, found.end)] == [first, last]


@pytest.mark.parametrize(
    ("start_of_week", "first"),
    [
        *[("sunday", 21), ("monday", 22), ("tuesday", 16), ("wednesday", 17)],
        *[("thursday", 18), ("friday", 19), ("saturday", 20)],
    ],
)
def test_weeks_begin_where_metabases_setting_says(start_of_week: Weekday, first: int) -> None:
    calendar = Calendar(date(2021, 3, 1), start_of_week)
    found = span("past1weeks", calendar)
    assert (found.start, found.end) == (date(2021, 2, first), date(2021, 2, first) + timedelta(days=6))
    assert span("thisweek", calendar).start == date(2021, 2, first) + timedelta(days=7)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("exclude-hours-0", Exclusion("hour", (0,))),
        ("exclude-hours-0-23", Exclusion("hour", (0, 23))),
        ("exclude-quarters-2-3-4", Exclusion("quarter", (2, 3, 4))),
        ("exclude-days-Fri-Tue", Exclusion("day", (4, 1))),
        ("exclude-months-Dec-Apr-Sep", Exclusion("month", (12, 4, 9))),
    ],
)
def test_exclusions(form: str, expected: Exclusion) -> None:
    assert read_form(form, CALENDAR) == expected


@pytest.mark.parametrize(
    "form",
    [
        *["", " today", "Today", "tomorrow", "past7day", "past-7days", "pastdays", "past7days~ ", "past7milliseconds"],
        *["2026", "2026-1-5", "2026-01-05 10:30", "2026-01-05T10:30Z", "2026-01-05T10:30:00.5", "~", "2026-01-05~~"],
        *["2026-01-05~x", "Q5-2026", "Q1-26", "2026-01-05T10:30+01:00", "past7days-from-1", "past1weeks~-from-1weeks"],
        *["exclude-hours-", "exclude-minutes-15", "exclude-none", "exclude-years-2020", "past７days", "2026-01-05\n"],
    ],
)
def test_unknown_forms_are_told_with_those_that_there_are(form: str) -> None:
    with pytest.raises(UnknownDateForm, match="not a date form") as caught:
        read_form(form, CALENDAR)
    assert repr(form) in str(caught.value)
    assert "`past7days`" in caught.value.mend


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("2026-13", "no such day"),
        ("2026-02-30", "no such day"),
        ("0000-01-01", "no such day"),
        ("2026-01-05T25:00", "no such day"),
        ("past9999years", "no such day"),
        (f"past{'9' * 5000}days", "no such day"),
        ("next999999999weeks", "no such day"),
        ("2026-02-01~2026-01-05", "ends before it begins"),
        ("2026-02-01T10:00~2026-02-01", "ends before it begins"),
        ("past0days", "holds no day"),
        ("next0months", "holds no day"),
        ("exclude-hours-24", "0 to 23"),
        ("exclude-hours-1-", "0 to 23"),
        ("exclude-days-Friday", "Mon, Tue"),
        ("exclude-months-April", "Jan, Feb"),
        ("exclude-quarters-Q1", "1 to 4"),
        (f"exclude-hours-{'1' * 5000}", "0 to 23"),
    ],
)
def test_forms_that_name_nothing(form: str, said: str) -> None:
    with pytest.raises(UnknownDateForm, match=said):
        read_form(form, CALENDAR)


@pytest.mark.parametrize("form", ["past3hours", "thisminute", "lastsecond", "past1days-from-2hours"])
def test_forms_in_hours_need_the_time(form: str) -> None:
    with pytest.raises(UnknownDateForm, match="the time of day"):
        read_form(form, Calendar(date(2026, 1, 5)))


def test_a_calendar_knows_the_day_in_its_zone() -> None:
    moment = datetime(2016, 6, 7, 3, tzinfo=UTC)
    assert Calendar.at(moment, ZoneInfo("US/Pacific")).today == date(2016, 6, 6)
    assert Calendar.at(moment, ZoneInfo("Asia/Tokyo")).now == datetime(2016, 6, 7, 12)
    with pytest.raises(ValueError, match="time zone"):
        Calendar.at(datetime(2016, 6, 7), UTC)
    with pytest.raises(ValueError, match="start_of_week is 'montag'"):
        Calendar(date(2026, 1, 1), "montag")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="not a time"):
        Calendar(datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="a time of today"):
        Calendar(date(2026, 1, 1), now=datetime(2026, 1, 2))


days = st.dates(date(1000, 1, 1), date(8000, 1, 1))
weekdays: st.SearchStrategy[Weekday] = st.sampled_from(
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
)
calendars = st.builds(
    lambda today, week, time: Calendar(today, week, now=datetime.combine(today, time)), days, weekdays, st.times()
)
units = st.sampled_from(["second", "minute", "hour", "day", "week", "month", "quarter", "year"])
counts = st.integers(1, 400)


@given(calendars, st.sampled_from(["past", "next"]), counts, units, units)
def test_an_offset_of_nothing_changes_nothing(
    calendar: Calendar, direction: str, count: int, unit: str, offset: str
) -> None:
    plain = f"{direction}{count}{unit}s"
    assert read_form(plain, calendar) == read_form(f"{plain}-from-0{offset}s", calendar)


@given(calendars, st.sampled_from(["past", "next"]), counts, units)
def test_the_current_unit_is_added_by_a_tilde_and_nothing_else(
    calendar: Calendar, direction: str, count: int, unit: str
) -> None:
    without, current = span(f"{direction}{count}{unit}s", calendar), span(f"this{unit}", calendar)
    with_it = span(f"{direction}{count}{unit}s~", calendar)
    past = direction == "past"
    assert (with_it.start, with_it.end) == ((without.start, current.end) if past else (current.start, without.end))
    assert without.start <= without.end  # type: ignore[operator]
    assert with_it.count == count + 1


@given(calendars, counts, st.sampled_from(["day", "week", "month", "quarter", "year"]))
def test_units_follow_each_other_without_a_gap(calendar: Calendar, count: int, unit: str) -> None:
    past, current, to_come = (
        span(form, calendar) for form in (f"past{count}{unit}s", f"this{unit}", f"next{count}{unit}s")
    )
    one = timedelta(days=1)
    assert past.end + one == current.start  # type: ignore[operator]
    assert current.end + one == to_come.start  # type: ignore[operator]
    assert current.start <= calendar.today <= current.end  # type: ignore[operator]


@given(st.text(st.sampled_from("pastnexhilq0123456789-~:TQdays wkomru"), max_size=24), calendars)
def test_any_text_is_a_form_or_is_refused(text: str, calendar: Calendar) -> None:
    found: Span | Exclusion | None = None
    with suppress(UnknownDateForm):
        found = read_form(text, calendar)
    if isinstance(found, Span) and found.start is not None and found.end is not None:
        assert str(found.start) <= str(found.end)
