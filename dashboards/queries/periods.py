"""Periods in whole days: what a date form covers, and what lies before it.

What belongs here: the answers that captions and comparisons need. What does not: conditions on columns
(`dashboards.queries.fields`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dashboards.queries.calendar import SUB_DAY, Calendar, Moment, Unit, Weekday, day_of, shifted
from dashboards.queries.dates import Exclusion, Span, no_such_day, read_form

_DAY = timedelta(days=1)
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Period:
    """Days in a row.

    Attributes:
        first: The first day that belongs to it; None where it has no beginning.
        last: The last day that belongs to it; None where it has no end.
    """

    first: date | None
    last: date | None

    @property
    def days(self) -> int | None:
        """How many days it has; None for one without beginning or end."""
        return None if self.first is None or self.last is None else (self.last - self.first).days + 1


def resolve(
    form: str, today: date, start_of_week: Weekday = "sunday", *, now: datetime | None = None
) -> Period | Exclusion:
    """The days that a date form covers, wholly or in part.

    Args:
        form: As Metabase's date filters write it.
        today: The day in the report time zone.
        start_of_week: Metabase's setting of that name.
        now: The time in the report time zone, without a time zone; needed for forms in hours, minutes and seconds.

    Returns:
        The first and the last day, both included, or what is left out. `2026-01-05~` begins on January 6th and
        `~2026-01-05` ends on the 4th: Metabase takes them as "after" and "before".

    Raises:
        UnknownDateForm: It is none.
    """
    found = read_form(form, Calendar(today, start_of_week, now=now))
    if isinstance(found, Exclusion):
        return found
    if found.start is not None and found.end is not None:
        return Period(day_of(found.start), day_of(found.end))
    try:
        if found.start is not None:
            return Period(day_of(shifted(found.start, 1, _resolution(found.start))), None)
        assert found.end is not None
        return Period(None, day_of(found.end - (_MOMENT if isinstance(found.end, datetime) else _DAY)))
    except OverflowError:
        raise no_such_day(form) from None


def previous_period(form: str, today: date, start_of_week: Weekday = "sunday") -> Period | None:
    """The period of the same length that ends where the one of a date form begins.

    Months, quarters and years are compared with as many whole ones before them, however many days those have; so is a
    range that consists of whole months (2026-02-01~2026-02-28 with January). All else is counted in days: `past30days`
    is compared with the 30 days before these. `thismonth` stands for the whole month, and is compared with a whole one.

    Args:
        form: As Metabase's date filters write it.
        today: The day in the report time zone.
        start_of_week: Metabase's setting of that name.

    Returns:
        The period; None for forms that have no beginning or no end, that leave days out, or that name times of day, and
        where the period would begin before the year 1.

    Raises:
        UnknownDateForm: It is none.
    """
    # Reason: forms in hours need a time to be read at all; which one does not matter, as they have no answer here.
    noon = datetime(today.year, today.month, today.day, 12)  # noqa: DTZ001 - of the report zone
    found = read_form(form, Calendar(today, start_of_week, now=noon))
    if isinstance(found, Exclusion) or found.start is None or found.end is None or found.unit in SUB_DAY:
        return None
    if isinstance(found.start, datetime) or isinstance(found.end, datetime):
        return None
    count, unit = _length(found, found.start, found.end)
    try:
        return Period(day_of(shifted(found.start, -count, unit)), found.start - _DAY)
    except (OverflowError, ValueError):
        return None


def _resolution(moment: Moment) -> Unit:
    return "minute" if isinstance(moment, datetime) else "day"


def _length(span: Span, first: date, last: date) -> tuple[int, Unit]:
    if span.count is not None:
        return span.count, span.unit
    if first.day == 1 and (last == date.max or (last + _DAY).day == 1):
        return (last.year - first.year) * 12 + last.month - first.month + 1, "month"
    return (last - first).days + 1, "day"
