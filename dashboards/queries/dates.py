"""The date forms of Metabase's filters: `2026-01-05`, `past30days~`, `Q1-2026`, `exclude-days-Sat-Sun` and so on.

What belongs here: reading them, and the days and times that they stand for. What does not: SQL
(`dashboards.queries.fields`), comparisons between periods (`dashboards.queries.periods`).

The forms and their meaning are those of Metabase's namespace `query-processor.parameters.dates`, about version 0.61.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, NoReturn, cast, get_args

from dashboards.errors import UnknownDateForm, shown
from dashboards.queries.calendar import SUB_DAY, Calendar, Moment, Unit, day_of, shifted

ExcludedUnit = Literal["hour", "day", "month", "quarter"]

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
FORMS = (
    "a day (`2026-01-05`), a range (`2026-01-05~2026-02-01`, `2026-01-05~`, `~2026-02-01`), either with times "
    "(`2026-01-05T10:30`), a month (`2026-03`), a quarter (`Q1-2026`), `today`, `yesterday`, `thisweek`, `lastmonth`, "
    "`past7days` (with `~` at its end today as well), `past3months-from-1years`, `next2weeks`, or an exclusion "
    "(`exclude-days-Sat-Sun`, `exclude-months-Jan`, `exclude-quarters-1`, `exclude-hours-0-1`)"
)

_UNITS = "|".join(get_args(Unit))
_RELATIVE = re.compile(rf"(past|next)([0-9]+)({_UNITS})s(?:(~)|-from-([0-9]+)({_UNITS})s)?")
_NAMED = re.compile(rf"(this|last)({_UNITS})")
_MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
_QUARTER = re.compile(r"Q([1-4])-([0-9]{4})")
_EXCLUDED = re.compile(r"exclude-(hour|day|month|quarter)s-([-A-Za-z0-9]+)")
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T([0-9]{2})(?::([0-9]{2})(?::([0-9]{2}))?)?)?")


@dataclass(frozen=True, slots=True)
class Span:
    """What a date form stands for, as Metabase counts it: both ends belong to it where both are given.

    A span with one end is open, and that end does not belong to it: `2026-01-05~` is everything after that day.

    Attributes:
        start: Its first day, or time; None for a span without a beginning.
        end: Its last day, or the last second, minute or hour that belongs to it; None for one without an end.
        unit: What it is counted in; of absolute dates `day`, or `minute` where the form begins with a time.
        count: How many units it is long; None where the form names its ends itself.
    """

    start: Moment | None
    end: Moment | None
    unit: Unit
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Parts of the calendar that a date form leaves out.

    Attributes:
        unit: What is left out.
        values: Hours 0 to 23, days 0 (Monday) to 6, months 1 to 12 or quarters 1 to 4, as the form orders them.
    """

    unit: ExcludedUnit
    values: tuple[int, ...]


def read_form(form: str, calendar: Calendar) -> Span | Exclusion:
    """What a date form stands for.

    Args:
        form: As Metabase's date filters write it.
        calendar: What relative forms are counted from.

    Raises:
        UnknownDateForm: No such form, no such day, a range that ends before it begins, or a form in hours, minutes or
            seconds on a calendar that does not tell the time.
    """
    if excluded := _EXCLUDED.fullmatch(form):
        return _exclusion(form, cast(ExcludedUnit, excluded[1]), excluded[2].split("-"))
    try:
        span = _relative(form, calendar) or _absolute(form, calendar)
    except (OverflowError, ValueError):
        raise no_such_day(form) from None
    if span is None:
        _refuse(form, "not a date form", f"write {FORMS}")
    if span.start is not None and span.end is not None and _as_time(span.start) > _as_time(span.end):
        problem = "it ends before it begins" if span.count is None else "it holds no day"
        _refuse(form, problem, "exchange its ends" if span.count is None else "count at least one")
    return span


def read_moment(form: str) -> Moment:
    """A day (`2026-01-05`) or a time (`2026-01-05T10:30`).

    Raises:
        UnknownDateForm: Anything else.
    """
    try:
        moment = _moment(form)
    except ValueError:
        _refuse(form, "there is no such day or time", "look at its parts")
    if moment is None:
        _refuse(form, "neither a day nor a time", "write e.g. `2026-01-05` or `2026-01-05T10:30`")
    return moment


def no_such_day(form: str) -> UnknownDateForm:
    """The error for a form that leads to a day, or a year, that does not exist."""
    return UnknownDateForm("there is no such day", "look at the day, the month and the count", value=shown(form))


def _relative(form: str, calendar: Calendar) -> Span | None:
    today = calendar.today
    if form in ("today", "yesterday"):
        day = today if form == "today" else shifted(today, -1, "day")
        return Span(day, day, "day", 1)
    if named := _NAMED.fullmatch(form):
        unit = cast(Unit, named[2])
        base = _base(form, unit, calendar)
        if named[1] == "last":
            base = shifted(base, -1, unit)
        return Span(calendar.first(base, unit), calendar.last(base, unit), unit, 1)
    if not (counted := _RELATIVE.fullmatch(form)):
        return None
    direction, count, unit = (-1 if counted[1] == "past" else 1), int(counted[2]), cast(Unit, counted[3])
    offset = cast(Unit | None, counted[6])
    base = _base(form, unit, calendar, offset)
    if offset is not None:
        base = shifted(base, direction * int(counted[5]), offset)
    if unit not in SUB_DAY:
        base = day_of(base)
    far, near = shifted(base, direction * count, unit), shifted(base, 0 if counted[4] else direction, unit)
    first, last = (far, near) if direction < 0 else (near, far)
    length = count + 1 if counted[4] else count
    return Span(calendar.first(first, unit), calendar.last(last, unit), unit, length)


def _base(form: str, unit: Unit, calendar: Calendar, offset: Unit | None = None) -> Moment:
    """What a relative form is counted from: today, or now where a unit is shorter than a day."""
    if unit not in SUB_DAY and offset not in SUB_DAY:
        return calendar.today
    if calendar.now is None:
        _refuse(form, "it needs the time of day, which is not known here", "use days or longer units")
    return calendar.now


def _absolute(form: str, calendar: Calendar) -> Span | None:
    if month := _MONTH.fullmatch(form):
        first = date(int(month[1]), int(month[2]), 1)
        return Span(first, calendar.last(first, "month"), "month", 1)
    if quarter := _QUARTER.fullmatch(form):
        first = date(int(quarter[2]), int(quarter[1]) * 3 - 2, 1)
        return Span(first, calendar.last(first, "quarter"), "quarter", 1)
    before, separator, after = form.partition("~")
    start, end = _moment(before), _moment(after)
    if (before and start is None) or (after and end is None) or (start is None and end is None):
        return None
    if not separator:
        end = start
    known = start if start is not None else end
    return Span(start, end, "minute" if isinstance(known, datetime) else "day")


def _moment(text: str) -> Moment | None:
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    day = date.fromisoformat(found[1])
    if found[2] is None:
        return day
    return datetime(day.year, day.month, day.day, int(found[2]), int(found[3] or 0), int(found[4] or 0))  # noqa: DTZ001 - of the report zone


def _exclusion(form: str, unit: ExcludedUnit, words: list[str]) -> Exclusion:
    values = [_excluded(unit, word) for word in words]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        words_for = {
            "hour": "hours are written 0 to 23",
            "day": f"days are written {', '.join(DAYS)}",
            "month": f"months are written {', '.join(MONTHS)}",
            "quarter": "quarters are written 1 to 4",
        }
        _refuse(form, "it excludes what does not exist", words_for[unit])
    return Exclusion(unit, tuple(known))


def _excluded(unit: ExcludedUnit, word: str) -> int | None:
    if unit == "day":
        return DAYS.index(word) if word in DAYS else None
    if unit == "month":
        return MONTHS.index(word) + 1 if word in MONTHS else None
    allowed = range(24) if unit == "hour" else range(1, 5)
    # Reason for the length: a number of thousands of digits is none that anybody means, and slow to read.
    return int(word) if word.isdecimal() and len(word) < 5 and int(word) in allowed else None


def _as_time(moment: Moment) -> datetime:
    if isinstance(moment, datetime):
        return moment
    return datetime.combine(moment, datetime.min.time())


def _refuse(form: str, problem: str, mend: str) -> NoReturn:
    raise UnknownDateForm(problem, mend, value=shown(form))
