"""Filters and groupings on columns of dates and timestamps.

What belongs here: the conditions of the date widgets and the expressions of time groupings, as Metabase makes them for
PostgreSQL. What does not: what a date form means (`dashboards.queries.dates`).

Metabase compares a date column with the days of a form, both included. A column of timestamps it compares with the
times at which those days begin and end: `>=` the first and `<` the one after the last.
"""

from __future__ import annotations

from datetime import datetime, time, timezone, tzinfo
from typing import Any

from dashboards.errors import UnknownDateForm, WrongValue, shown
from dashboards.queries.calendar import Calendar, Moment, Unit, shifted
from dashboards.queries.dates import Exclusion, Span, no_such_day, read_form, read_moment
from dashboards.queries.fragments import Fragment, bound, joined
from dashboards.queries.tags import Tag
from dashboards.queries.values import date_form

UNITS = ("minute", "hour", "day", "week", "month", "quarter", "year")
"""What a time grouping can be set to."""

_EXTRACTED = {"hour": "hour", "day": "dow", "month": "month", "quarter": "quarter"}


def condition(tag: Tag, value: Any, calendar: Calendar) -> Fragment:
    """The condition of a date filter that has a value.

    Raises:
        WrongValue: The value is no text, or the column cannot tell what it excludes.
        UnknownDateForm: It is not a date form.
    """
    assert tag.column is not None
    form = date_form(tag, value)
    is_date = tag.column.kind == "date"
    try:
        # Reason: on a date column, Metabase reads the value of `date/single` as a literal.
        literal_only = is_date and tag.widget == "date/single" and not form.startswith("exclude-")
        if literal_only:
            return tag.column_sql() + " = " + bound(read_moment(form))
        found = read_form(form, calendar)
    except UnknownDateForm as error:
        raise error.named(tag.name) from None
    if isinstance(found, Exclusion):
        return _excluded(tag, found, form)
    if is_date:
        return _of_dates(tag, found)
    try:
        return _of_times(tag, found, calendar)
    except OverflowError:
        raise no_such_day(form).named(tag.name) from None


def grouping(tag: Tag, value: Any, calendar: Calendar) -> Fragment:
    """The expression of a time grouping: its column, cut to a unit; the bare column where there is no value.

    Raises:
        WrongValue: The value is no unit, or one that takes a part out of a date.
    """
    assert tag.column is not None
    column, kind = tag.column_sql(), tag.column.kind
    if value is None:
        return column
    if value not in UNITS:
        known = ", ".join(f"`{unit}`" for unit in UNITS)
        raise WrongValue(
            "not a unit that a time grouping can be set to here",
            f"use one of {known}",
            value=shown(value),
            tag=tag.name,
        )
    if value == "day":
        return column if kind == "date" else column.wrapped("CAST(CAST(", f" AS date) AS {kind})")
    if value == "week" and (days := calendar.days_before_monday):
        return _moved(_truncated(_moved(column, days, kind), "week", kind), -days, kind)
    return _truncated(column, value, kind)


def _of_dates(tag: Tag, span: Span) -> Fragment:
    column = tag.column_sql()
    if span.start is None:
        assert span.end is not None
        return column + " < " + bound(span.end)
    if span.end is None:
        return column + " > " + bound(span.start)
    if span.start == span.end:
        return column + " = " + bound(span.start)
    return column + " BETWEEN " + bound(span.start) + " AND " + bound(span.end)


def _of_times(tag: Tag, span: Span, calendar: Calendar) -> Fragment:
    assert tag.column is not None
    zone = calendar.zone if tag.column.kind == "timestamptz" else None
    bounds = []
    if span.start is not None:
        start = _begins(span.start, zone)
        if span.end is None:
            start = _later(start, _resolution(span.start))
        bounds.append(tag.column_sql() + " >= " + bound(start))
    if span.end is not None:
        end = _begins(span.end, zone)
        if span.start is not None:
            end = _later(end, span.unit if span.unit in ("second", "hour") else _resolution(span.end))
        bounds.append(tag.column_sql() + " < " + bound(end))
    return joined(bounds, " AND ")


def _begins(moment: Moment, zone: tzinfo | None) -> datetime:
    local = moment if isinstance(moment, datetime) else datetime.combine(moment, time())
    if zone is None:
        return local
    # Reason: Metabase goes on with the offset of this moment, so that a day later is 24 hours later, also where the
    # clocks change on that day. What it counts twice or leaves out then, is counted or left out here too.
    offset = local.replace(tzinfo=zone).utcoffset()
    assert offset is not None
    return local.replace(tzinfo=timezone(offset))


def _later(moment: datetime, unit: Unit) -> datetime:
    later = shifted(moment, 1, unit)
    assert isinstance(later, datetime)
    return later


def _resolution(moment: Moment) -> Unit:
    return "minute" if isinstance(moment, datetime) else "day"


def _excluded(tag: Tag, exclusion: Exclusion, form: str) -> Fragment:
    assert tag.column is not None
    if exclusion.unit == "hour" and tag.column.kind == "date":
        mend = "bind the filter to a timestamp, or exclude days, months or quarters"
        raise WrongValue("a date has no hours", mend, value=shown(form), tag=tag.name)
    part = tag.column_sql().wrapped(f"CAST(extract({_EXTRACTED[exclusion.unit]} from ", ") AS integer)")
    conditions = []
    for value in exclusion.values:
        # Reason: PostgreSQL counts days from Sunday, which is 0; ours begin with Monday.
        counted = (value + 1) % 7 if exclusion.unit == "day" else value
        differs = (part + " <> " + bound(counted)).wrapped("(", ")")
        conditions.append((differs + " OR (" + part + " IS NULL)").wrapped("(", ")"))
    return conditions[0] if len(conditions) == 1 else joined(conditions, " AND ").wrapped("(", ")")


def _truncated(column: Fragment, unit: str, kind: str) -> Fragment:
    cut = column.wrapped(f"date_trunc('{unit}', ", ")")
    return cut.wrapped("CAST(", " AS date)") if kind == "date" else cut


def _moved(column: Fragment, days: int, kind: str) -> Fragment:
    moved = column.wrapped("(", f" + INTERVAL '{days} day')")
    return moved.wrapped("CAST(", " AS date)") if kind == "date" else moved
