"""Partitions: which account, which day.

What belongs here: the definitions, and what their keys mean. What does not: which days are due (`orchestration.due`).

A day is the account's own, whatever its time zone: a label, never a window of UTC. So that the label of today exists
for every account on earth, days begin where the date line has them begin first.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

import dagster as dg

from orchestration.due import DayRange, ranges

ACCOUNT_DIMENSION, DAY_DIMENSION = "account", "day"
MONTHS_KEPT = 37  # Source: fact sheet, retention and finality: Meta answers for 37 months.

#: One key for each account, `act_<digits>`; the sensor `new_accounts` adds them.
ACCOUNTS = dg.DynamicPartitionsDefinition(name="meta_account")


def first_day(today: date) -> date:
    """The first of the month that lies as far back as Meta answers."""
    months = today.year * 12 + today.month - 1 - (MONTHS_KEPT - 1)
    return date(months // 12, months % 12 + 1, 1)


DAYS = dg.DailyPartitionsDefinition(
    start_date=first_day(datetime.now(UTC).date()).isoformat(),
    timezone="Etc/GMT-14",  # the sign is POSIX's: this is UTC+14
    end_offset=1,
)
ACCOUNT_DAYS = dg.MultiPartitionsDefinition({ACCOUNT_DIMENSION: ACCOUNTS, DAY_DIMENSION: DAYS})


def account_key(account_id: int) -> str:
    """The partition of an account."""
    return f"act_{account_id}"


def account_of(key: str) -> int:
    """The account of a partition."""
    return int(key.removeprefix("act_"))


def account_day_key(account_id: int, day: date) -> dg.MultiPartitionKey:
    """The partition of an account's day."""
    return dg.MultiPartitionKey({ACCOUNT_DIMENSION: account_key(account_id), DAY_DIMENSION: day.isoformat()})


def account_ranges(keys: Iterable[str]) -> dict[int, list[DayRange]]:
    """Days of each account, as ranges; `keys` are those of a run over accounts and days."""
    found: dict[int, list[date]] = {}
    for key in keys:
        parts = ACCOUNT_DAYS.get_partition_key_from_str(key).keys_by_dimension
        found.setdefault(account_of(parts[ACCOUNT_DIMENSION]), []).append(date.fromisoformat(parts[DAY_DIMENSION]))
    return {account_id: ranges(days) for account_id, days in sorted(found.items())}
