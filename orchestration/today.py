"""Which days of an account a pull of the current day asks for: nothing that Meta cannot have changed.

The arithmetic belongs here. What an account's objects say is asked in `warehouse.ops.today`; pulling is not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from orchestration.due import REFRESH, DayRange, account_today, ranges
from warehouse.ops.today import Activity

#: A day that was pulled more recently is left out: two pulls of which one was late must not ask twice. Below Meta's own
#: 15 minutes, because a pull takes longer one time than another.
SHORTEST_AGE = timedelta(minutes=10)
#: Meta goes on counting after an ad was switched off.
AFTER_CHANGE = timedelta(hours=1)


def current_days(activity: Activity, pulled: Mapping[date, datetime], now: datetime, time_zone: str) -> list[DayRange]:
    """The account's today if ads deliver or did a short while ago, and yesterday until a pull saw it end.

    Args:
        activity: What the objects say.
        pulled: When each day of the hourly report was last pulled.
        now: With a time zone.
        time_zone: The account's.
    """
    zone = ZoneInfo(time_zone)
    today = account_today(now, time_zone)
    yesterday = today - timedelta(days=1)
    midnight = datetime(today.year, today.month, today.day, tzinfo=zone)
    days = []
    last = pulled.get(yesterday)
    if last is not None and last < midnight + REFRESH and now - last >= SHORTEST_AGE:
        days.append(yesterday)
    last = pulled.get(today)
    was_changed = activity.changed_at is not None and activity.changed_at > (last or now) - AFTER_CHANGE
    if (activity.is_delivering or was_changed) and (last is None or now - last >= SHORTEST_AGE):
        days.append(today)
    return ranges(days)
