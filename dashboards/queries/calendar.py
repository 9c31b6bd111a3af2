"""The calendar that relative dates are counted in.

What belongs here: today, the start of the week, and arithmetic in calendar units. What does not: how date forms are
written (`dashboards.queries.dates`).
"""

from __future__ import annotations

import calendar as months
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Literal, get_args

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
Unit = Literal["second", "minute", "hour", "day", "week", "month", "quarter", "year"]
Moment = date | datetime

SUB_DAY: frozenset[Unit] = frozenset(("second", "minute", "hour"))
_MONTHS: dict[Unit, int] = {"month": 1, "quarter": 3, "year": 12}
_STEPS: dict[Unit, timedelta] = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
}


@dataclass(frozen=True, slots=True)
class Calendar:
    """What relative dates are counted from.

    Attributes:
        today: The day in the report time zone.
        start_of_week: Metabase's setting of that name.
        zone: The report time zone, in which days of a `timestamptz` begin and end.
        now: The time in the report time zone, without a time zone; needed for forms in hours, minutes and seconds.

    Raises:
        ValueError: The start of the week is no day, or now is not today.
    """

    today: date
    start_of_week: Weekday = "sunday"
    zone: tzinfo = UTC
    now: datetime | None = None

    def __post_init__(self) -> None:
        if self.start_of_week not in get_args(Weekday):
            raise ValueError(f"start_of_week is {self.start_of_week!r}; it is one of {', '.join(get_args(Weekday))}")
        if isinstance(self.today, datetime):
            raise ValueError("today is a date, not a time")  # noqa: TRY004 - a datetime is a date to Python's types
        if self.now is not None and (self.now.tzinfo is not None or self.now.date() != self.today):
            raise ValueError("now must be a time of today, without a time zone")

    @classmethod
    def at(cls, moment: datetime, zone: tzinfo, start_of_week: Weekday = "sunday") -> Calendar:
        """The calendar at a moment (with a time zone), as seen in the report time zone."""
        if moment.tzinfo is None:
            raise ValueError("the moment needs a time zone")
        local = moment.astimezone(zone).replace(tzinfo=None)
        return cls(local.date(), start_of_week, zone, local)

    @property
    def days_before_monday(self) -> int:
        """How many days before Monday a week begins: 0 for Monday, 1 for Sunday, 6 for Tuesday."""
        return -get_args(Weekday).index(self.start_of_week) % 7

    def first(self, moment: Moment, unit: Unit) -> Moment:
        """Where the unit that holds a moment begins; from a day up, a date."""
        if unit in SUB_DAY:
            assert isinstance(moment, datetime)
            cut = {"second": moment.second, "minute": 0, "hour": 0}[unit]
            return moment.replace(microsecond=0, second=cut, minute=0 if unit == "hour" else moment.minute)
        day = day_of(moment)
        if unit == "week":
            return day - timedelta(days=(day.weekday() + self.days_before_monday) % 7)
        if unit == "month":
            return day.replace(day=1)
        if unit == "quarter":
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        return day.replace(month=1, day=1) if unit == "year" else day

    def last(self, moment: Moment, unit: Unit) -> Moment:
        """The last day of the unit that holds a moment; of units below a day, where they begin."""
        first = self.first(moment, unit)
        return first if unit in SUB_DAY else _before(first, unit)


def day_of(moment: Moment) -> date:
    """The day of a moment."""
    return moment.date() if isinstance(moment, datetime) else moment


def shifted(moment: Moment, count: int, unit: Unit) -> Moment:
    """A moment, so many units later; a day that its month does not have becomes the month's last.

    Raises:
        OverflowError: There is no such year.
        ValueError: Likewise.
    """
    if unit in _STEPS:
        return moment + count * _STEPS[unit]
    index = moment.year * 12 + moment.month - 1 + count * _MONTHS[unit]
    year, month = index // 12, index % 12 + 1
    if not date.min.year <= year <= date.max.year:
        raise OverflowError(f"year {year}")
    return moment.replace(year=year, month=month, day=min(moment.day, months.monthrange(year, month)[1]))


def _before(first: Moment, unit: Unit) -> Moment:
    """The day before the next unit begins, without going through a year that does not exist."""
    if unit in _MONTHS:
        end = shifted(first, _MONTHS[unit] - 1, "month")
        return end.replace(day=months.monthrange(end.year, end.month)[1])
    return shifted(first, 6, "day") if unit == "week" else first
