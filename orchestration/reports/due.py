"""When a report is sent, and for which days.

What belongs here: the arithmetic of schedules and periods. What does not: whether it was sent already
(`orchestration.reports.deliver`), asking for it (`orchestration.defs.reports`).

A schedule fires in the report's time zone. On the day on which clocks go forward, an hour that there is not fires when
the gap is over; on the day on which they go back, an hour that comes twice fires the first time (Debian's cron).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from cronsim import CronSim

from dashboards.reports.model import Period, PeriodName
from dashboards.reports.periods import period_of
from orchestration.clients.models import Client, EmailReport
from orchestration.errors import ConfigurationError

# Reason: among the hours that come twice, the last firing may be later by the clock on the wall than now is.
_LONGEST_SHIFT = timedelta(hours=3)


@dataclass(frozen=True)
class Due:
    """A report that is to be sent.

    Attributes:
        client: Whose.
        report: Which.
        period: Of which days.
        at: When it was due, UTC.
    """

    client: Client
    report: EmailReport
    period: Period
    at: datetime

    @property
    def name(self) -> str:
        """For messages and tags: `acme/weekly`."""
        return f"{self.client.id}/{self.report.name}"


def last_firing(report: EmailReport, now: datetime) -> datetime:
    """The newest moment, not after now, at which the schedule fired; in the report's time zone."""
    here = now.astimezone(ZoneInfo(report.time_zone))
    return next(moment for moment in _backwards(report, here + _LONGEST_SHIFT) if moment <= now)


def next_firing(report: EmailReport, now: datetime) -> datetime:
    """The first moment after now at which the schedule fires; in the report's time zone."""
    here = now.astimezone(ZoneInfo(report.time_zone))
    return next(moment for moment in CronSim(report.schedule, here - _LONGEST_SHIFT) if moment > now)


def newest_due(client: Client, report: EmailReport, now: datetime) -> Due:
    """The newest period whose time has come. Older ones are never asked for: nobody wants a week of old reports.

    The days are counted from the moment at which the schedule fired, however late it is looked at.
    """
    fired = last_firing(report, now)
    return Due(client, report, period_of(_name(report), fired.date()), fired.astimezone(UTC))


def ending(client: Client, report: EmailReport, last_day: date | None, now: datetime) -> Due:
    """The period that ends on a day, or the newest one that is over, whatever the schedule says.

    Raises:
        ConfigurationError: No such period ends on that day, or the day is not over.
    """
    today = now.astimezone(ZoneInfo(report.time_zone)).date()
    name = _name(report)
    if last_day is None:
        return Due(client, report, period_of(name, today), now)
    period = period_of(name, last_day + timedelta(days=1))
    if period.last != last_day:
        raise ConfigurationError(
            f"No period `{name}` ends on {last_day}.", f"take {period.last}, or another day on which one ends"
        )
    if last_day >= today:
        raise ConfigurationError(
            f"{last_day} is not over in {report.time_zone}.", f"take {period_of(name, today).last} or an earlier day"
        )
    return Due(client, report, period, now)


def _backwards(report: EmailReport, here: datetime) -> Iterator[datetime]:
    return CronSim(report.schedule, here, reverse=True)


def _name(report: EmailReport) -> PeriodName:
    name: PeriodName = report.period  # type: ignore[assignment] # Reason: `values.Period` admits no other.
    return name
