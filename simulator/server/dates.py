"""Date presets and retention horizons, in the account's days (sections 2.1 and 2.7).

Only calendar arithmetic belongs here.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

TOTALS_MONTHS = 37
BREAKDOWN_MONTHS = 13
FREQUENCY_VALUE_MONTHS = 6
Range = tuple[date, date]


def account_today(account: Mapping[str, Any], at: datetime) -> date:
    """Returns the day it is in the account's time zone."""
    return at.astimezone(ZoneInfo(str(account.get("timezone_name") or "UTC"))).date()


def months_before(day: date, months: int) -> date:
    """Returns the same day so many months earlier, or the last day of that month."""
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def preset_range(name: str, today: date) -> Range:
    """Returns both included ends of a preset; `last_nd` ends yesterday.

    Raises:
        KeyError: No such preset.
    """
    yesterday = today - timedelta(days=1)
    month = today.replace(day=1)
    quarter = date(today.year, 3 * ((today.month - 1) // 3) + 1, 1)
    monday = today - timedelta(days=today.weekday())
    sunday = today - timedelta(days=(today.weekday() + 1) % 7)
    if name.startswith("last_") and name.endswith("d") and name[5:-1].isdigit():
        return today - timedelta(days=int(name[5:-1])), yesterday
    last_month = months_before(month, 1)
    last_quarter = months_before(quarter, 3)
    horizon = months_before(today, TOTALS_MONTHS)
    return {
        "today": (today, today),
        "yesterday": (yesterday, yesterday),
        "this_month": (month, today),
        "last_month": (last_month, month - timedelta(days=1)),
        "this_quarter": (quarter, today),
        "last_quarter": (last_quarter, quarter - timedelta(days=1)),
        "this_year": (date(today.year, 1, 1), today),
        "last_year": (date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
        "this_week_mon_today": (monday, today),
        "this_week_sun_today": (sunday, today),
        "last_week_mon_sun": (monday - timedelta(days=7), monday - timedelta(days=1)),
        "last_week_sun_sat": (sunday - timedelta(days=7), sunday - timedelta(days=1)),
        "maximum": (horizon, today),
        "data_maximum": (horizon, today),
    }[name]
