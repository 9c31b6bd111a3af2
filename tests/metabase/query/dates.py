"""What the values of date filters mean: `past30days`, `thismonth`, `2026-03`, `2026-01-01~2026-01-31` and the rest.

Relative values count from a moment that is given; nothing here reads a clock.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tests.metabase.query.template import QueryError

_UNITS = "second|minute|hour|day|week|month|quarter|year"
_PAST_OR_NEXT = re.compile(rf"(past|next)(\d+)({_UNITS})s(?:(~)|-from-(\d+)({_UNITS})s)?")
_LAST_OR_THIS = re.compile(rf"(last|this)({_UNITS})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")
_QUARTER = re.compile(r"Q([1-4])-(\d{4})")
_MOMENT = r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?)?"
_SPAN = re.compile(rf"({_MOMENT})?~({_MOMENT})?")
_ONE = re.compile(_MOMENT)
EXCLUDED = re.compile(r"exclude-(hours|days|months|quarters)-([-\w]+)")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FINE = {"second": timedelta(seconds=1), "minute": timedelta(minutes=1), "hour": timedelta(hours=1)}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
Point = date | datetime


@dataclass(frozen=True)
class Range:
    """From `start` to `end`, both included; None is open. `unit` is what one step of it is."""

    start: Point | None
    end: Point | None
    unit: str = "day"


def read(value: str, now: datetime, first_weekday: str = "sunday") -> Range:
    """The range that a value means.

    Raises:
        QueryError: It means none.
    """
    try:
        found = _relative(value, now, first_weekday) or _absolute(value)
    except ValueError:
        found = None
    if found is None:
        raise QueryError(f"Don't know how to parse date param '{value}' — invalid format", "invalid-parameter")
    return found


def _relative(value: str, now: datetime, first_weekday: str) -> Range | None:
    today = now.date()
    if value in {"today", "yesterday"}:
        day = today - timedelta(days=value == "yesterday")
        return Range(day, day)
    if match := _LAST_OR_THIS.fullmatch(value):
        unit = match[2]
        at = _moved(_at(unit, now), unit, -1 if match[1] == "last" else 0)
        return _whole(at, at, unit, first_weekday)
    if match := _PAST_OR_NEXT.fullmatch(value):
        direction, count, unit = (-1 if match[1] == "past" else 1), int(match[2]), match[3]
        at = _at(unit, now)
        if match[6]:
            # Reason: an offset may be finer than the unit, and then the moment keeps its time.
            at = _at(unit, _moment(_moved(now, match[6], direction * int(match[5]))))
        near = _moved(at, unit, 0 if match[4] else direction)
        far = _moved(at, unit, direction * count)
        return _whole(min(near, far), max(near, far), unit, first_weekday)
    return None


def _moment(point: Point) -> datetime:
    return point if isinstance(point, datetime) else datetime(point.year, point.month, point.day)  # noqa: DTZ001


def _at(unit: str, now: datetime) -> Point:
    return now if unit in _FINE else now.date()


def _moved(point: Point, unit: str, count: int) -> Point:
    if unit in _FINE:
        return _moment(point) + _FINE[unit] * count
    if unit in _MONTHS:
        months = point.year * 12 + point.month - 1 + _MONTHS[unit] * count
        year, month = divmod(months, 12)
        return point.replace(year=year, month=month + 1, day=min(point.day, _last_day(year, month + 1)))
    return point + timedelta(days=count * (7 if unit == "week" else 1))


def _last_day(year: int, month: int) -> int:
    after = date(year + month // 12, month % 12 + 1, 1)
    return (after - timedelta(days=1)).day


def _whole(start: Point, end: Point, unit: str, first_weekday: str) -> Range:
    """From the beginning of the first unit to the end of the last one."""
    if unit == "day":
        return Range(start, end, unit)
    if unit in _FINE:
        return Range(_cleared(_moment(start), unit), _cleared(_moment(end), unit), unit)
    if unit == "week":
        return Range(_week(start, first_weekday), _week(end, first_weekday) + timedelta(days=6), unit)
    months = _MONTHS[unit]
    first = start.replace(month=(start.month - 1) // months * months + 1, day=1)
    last_month = (end.month - 1) // months * months + months
    return Range(first, end.replace(month=last_month, day=_last_day(end.year, last_month)), unit)


def _week(point: Point, first_weekday: str) -> Point:
    """The first day of the week."""
    return point - timedelta(days=(point.weekday() - _WEEKDAYS.index(first_weekday)) % 7)


def _cleared(moment: datetime, unit: str) -> datetime:
    """The beginning of the second, minute or hour."""
    seconds = moment.replace(microsecond=0)
    if unit == "second":
        return seconds
    minutes = seconds.replace(second=0)
    return minutes if unit == "minute" else minutes.replace(minute=0)


def _absolute(value: str) -> Range | None:
    if match := _MONTH.fullmatch(value):
        day = date(int(match[1]), int(match[2]), 1)
        return _whole(day, day, "month", "sunday")
    if match := _QUARTER.fullmatch(value):
        day = date(int(match[2]), int(match[1]) * 3, 1)
        return _whole(day, day, "quarter", "sunday")
    if _ONE.fullmatch(value):
        point, unit = _point(value)
        return Range(point, point, unit)
    match = _SPAN.fullmatch(value)
    if match and (match[1] or match[2]):
        points = [_point(text) if text else (None, "day") for text in match.groups()]
        return Range(points[0][0], points[1][0], points[0][1] if match[1] else points[1][1])
    return None


def _point(text: str) -> tuple[Point, str]:
    if "T" in text:
        return datetime.fromisoformat(text), "minute"
    return date.fromisoformat(text), "day"
