"""Which days of a report are due.

The arithmetic of days belongs here: first pulls, gaps, the restatement window. Pulling does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from orchestration.clients import PlannedReport

# Reason: Meta refreshes insights every 15 minutes (fact sheet, retention and finality); asking sooner buys nothing.
REFRESH = timedelta(minutes=15)
DayRange = tuple[date, date]


def account_today(now: datetime, time_zone: str) -> date:
    """Today in the account's time zone, given a moment with any time zone."""
    return now.astimezone(ZoneInfo(time_zone)).date()


def due_days(
    planned: PlannedReport, pulled: Mapping[date, datetime], now: datetime, time_zone: str, *, again: bool = False
) -> list[date]:
    """Days that should be pulled now, oldest first, up to the account's yesterday.

    A day is due when it was never pulled, or when it was last pulled before it could be final and Meta may have
    refreshed it since.

    Args:
        planned: How far back, and for how many days numbers still change.
        pulled: When each day was last pulled.
        now: With time zone.
        time_zone: The account's.
        again: Also what was pulled within the last minutes.
    """
    zone = ZoneInfo(time_zone)
    yesterday = account_today(now, time_zone) - timedelta(days=1)
    days = [yesterday - timedelta(days=n) for n in reversed(range(planned.history_days))]
    due = []
    for day in days:
        last = pulled.get(day)
        if last is None:
            due.append(day)
            continue
        settled = last.astimezone(zone).date() > day + timedelta(days=planned.restatement_days)
        fresh = now - last < REFRESH and not again
        if not settled and not fresh:
            due.append(day)
    return due


def each_day(since: date, until: date) -> Iterator[date]:
    """Every day from the first to the last, both included."""
    for offset in range((until - since).days + 1):
        yield since + timedelta(days=offset)


def ranges(days: Iterable[date]) -> list[DayRange]:
    """Runs of consecutive days as (first, last), oldest first."""
    found: list[DayRange] = []
    for day in sorted(days):
        if found and day - found[-1][1] == timedelta(days=1):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found
