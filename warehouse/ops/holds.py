"""Account days held back: a failed check keeps them out of the marts until it passes.

What belongs here: holding and releasing. What does not: checking (`warehouse.quality`), building
(`warehouse.ops.builds`, which leaves held days due). The marts keep what they held of such a day before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from warehouse.connect import Warehouse

_RELEASE = "DELETE FROM ops.held_day WHERE account_id = %s AND report = %s AND day BETWEEN %s AND %s"
_HOLD = """
    INSERT INTO ops.held_day (account_id, day, report, expectation, message, since)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (account_id, day, report, expectation) DO UPDATE SET message = excluded.message
"""
_HELD = """
    SELECT account_id, day, report, expectation, message, since
    FROM ops.held_day ORDER BY account_id, day, report, expectation
"""


@dataclass(frozen=True)
class HeldDay:
    """A day that is kept out of the marts, and why.

    Attributes:
        account_id: Whose.
        day: The account's own.
        report: Whose rows failed.
        expectation: Which check failed.
        message: What is wrong, in a sentence.
        since: When that was found, UTC.
    """

    account_id: int
    day: date
    report: str
    expectation: str
    message: str
    since: datetime


def hold_days(
    warehouse: Warehouse, account_id: int, reports: Iterable[str], since: date, until: date, failed: Sequence[HeldDay]
) -> None:
    """Holds the days that failed, and releases the others of the range, in one transaction.

    Args:
        warehouse: Migrated.
        account_id: Whose days were checked.
        reports: Which reports were checked.
        since: First day checked.
        until: Last day checked.
        failed: What failed there.
    """
    with warehouse.connection() as connection, connection.transaction():
        for report in reports:
            connection.execute(_RELEASE, [account_id, report, since, until])
        for held in failed:
            connection.execute(
                _HOLD, [held.account_id, held.day, held.report, held.expectation, held.message, held.since]
            )


def held_days(warehouse: Warehouse) -> list[HeldDay]:
    """Everything that is held, by account, day and report."""
    with warehouse.connection() as connection:
        return [HeldDay(*row) for row in connection.execute(_HELD)]
