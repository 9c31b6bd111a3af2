"""Which days a report is about.

What belongs here: from a period's name to days, and to the days that they are compared with. What does not: whether
those days are complete (`orchestration.reports`), how they are written (`dashboards.reports.phrases`).

| name | days | compared with |
|---|---|---|
| `yesterday` | the day before today | the day before it |
| `last_7_days` | the seven days before today | the seven days before them |
| `last_28_days` | the 28 days before today | the 28 days before them |
| `last_week` | Monday to Sunday of the week before this one (ISO 8601) | the week before it |
| `last_month` | the calendar month before this one | the whole month before it |

Months differ in length: February is compared with the 31 days of January, and `lengths_differ` is true, which a report
says. All others are as long as what they are compared with.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from dashboards.reports.model import Period, PeriodName

_DAY = timedelta(days=1)
_ROLLING: Mapping[PeriodName, int] = {"yesterday": 1, "last_7_days": 7, "last_28_days": 28}


def period_of(name: PeriodName, today: date) -> Period:
    """The days of a period that are over when `today` begins.

    Args:
        name: Which period.
        today: A day of the report's time zone; never part of the period.
    """
    if name == "last_month":
        last = today.replace(day=1) - _DAY
        first = last.replace(day=1)
        before_last = first - _DAY
        return Period(first, last, before_last.replace(day=1), before_last)
    if name == "last_week":
        last = today - timedelta(days=today.isoweekday())
        return _with_as_many_before(last, 7)
    return _with_as_many_before(today - _DAY, _ROLLING[name])


def day_count(first: date, last: date) -> int:
    """How many days these are, both ends included."""
    return (last - first).days + 1


def lengths_differ(period: Period) -> bool:
    """Whether the period is compared with more days or with fewer."""
    return day_count(period.first, period.last) != day_count(period.before_first, period.before_last)


def _with_as_many_before(last: date, days: int) -> Period:
    first = last - (days - 1) * _DAY
    return Period(first, last, first - days * _DAY, first - _DAY)
