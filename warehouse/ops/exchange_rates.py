"""Exchange rates (`ops.exchange_rate`).

What belongs here: their columns, and what a change of them makes due. What does not: reading and checking them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from warehouse.ops.mirror import Mirrored
from warehouse.ops.slices import LOCK_MARKS
from warehouse.pool import Connection

EXCHANGE_RATES = Mirrored("exchange_rate", ("target_currency", "currency", "day"), ("rate",))

# Reason: a rate holds from its day on, so yesterday's new rate must not rebuild the years before it. An account whose
# currency is not known yet is taken in, to be safe.
_UNMARK = """
    UPDATE ops.slice SET build_id = NULL
    WHERE
        build_id IS NOT NULL
        AND day >= %(day)s
        AND account_id IN (
            SELECT client.account_id
            FROM ops.client_account AS client
            LEFT JOIN raw.accounts AS account ON account.account_id = client.account_id
            WHERE
                client.reporting_currency = %(target)s
                AND coalesce(account.payload ->> 'currency', %(currency)s) = %(currency)s
        )
"""


def mirror_exchange_rates(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> int:
    """Stores exactly these; days that a changed rate may touch are built again, for accounts that it converts.

    Returns:
        How many rates changed.
    """
    changed = EXCHANGE_RATES.make_equal(connection, rows)
    first: dict[tuple[str, str], date] = {}
    for target, currency, day in changed:
        first[target, currency] = min(day, first.get((target, currency), day))
    if first:
        connection.execute(LOCK_MARKS)
    for (target, currency), day in sorted(first.items()):
        connection.execute(_UNMARK, {"target": target, "currency": currency, "day": day})
    return len(changed)
