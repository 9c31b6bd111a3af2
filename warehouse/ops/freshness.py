"""How far the pulls of each account have come.

What belongs here: which days of which account were pulled when, for who watches over it. What does not: when that is
too late (`orchestration.alerts.causes`); days held and missing, for people (`marts.mart_freshness`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from warehouse.connect import Warehouse

# Reason: by account and report the newest few rows of the key's index; all slices of all accounts are too many to look
# at every minute.
_PULLS = """
    SELECT account.account_id, newest.day, max(newest.pulled_at)
    FROM raw.accounts AS account
    CROSS JOIN unnest(%(reports)s::text[]) AS wanted (report)
    CROSS JOIN LATERAL (
        SELECT slice.day, slice.pulled_at
        FROM ops.slice AS slice
        WHERE slice.account_id = account.account_id AND slice.report = wanted.report AND slice.source = 'api'
        ORDER BY slice.day DESC
        LIMIT %(days)s
    ) AS newest
    GROUP BY account.account_id, newest.day
"""
_ACCOUNTS = """
    SELECT
        account.account_id,
        coalesce(client.account_name, account.name, ''),
        coalesce(client.client_name, ''),
        account.payload ->> 'timezone_name'
    FROM raw.accounts AS account
    LEFT JOIN ops.client_account AS client ON client.account_id = account.account_id
    ORDER BY account.account_id
"""


@dataclass(frozen=True)
class WatchedAccount:
    """An account of the warehouse.

    Attributes:
        account_id: Digits as a number.
        name: As the user or Meta calls it.
        client_name: Whose it is; empty where unknown.
        time_zone: As Meta names it; None where unknown.
    """

    account_id: int
    name: str
    client_name: str
    time_zone: str | None


def watched_accounts(warehouse: Warehouse) -> list[WatchedAccount]:
    """Every account that was ever seen at Meta."""
    with warehouse.connection() as connection:
        return [WatchedAccount(*row) for row in connection.execute(_ACCOUNTS)]


def newest_pulls(warehouse: Warehouse, reports: Iterable[str], days: int = 40) -> dict[int, dict[date, datetime]]:
    """When the newest days of each account were last pulled from Meta, UTC.

    Args:
        warehouse: Migrated.
        reports: Of these the newest pull of a day counts.
        days: How many of the newest days of each report are looked at.
    """
    found: dict[int, dict[date, datetime]] = {}
    with warehouse.connection() as connection:
        for account_id, day, pulled_at in connection.execute(_PULLS, {"reports": list(reports), "days": days}):
            found.setdefault(account_id, {})[day] = pulled_at
    return found
