"""Whether a pull's ad-level rows add up to Meta's account totals, straight after it.

What belongs here: finding days worth asking for again. What does not: what people read about it (dbt's
`mart_reconciliation`).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

from warehouse.connect import Warehouse

_DIFFERING = """
    WITH pulled AS (
        SELECT day FROM ops.slice
        WHERE account_id = %(account_id)s AND {which} AND report IN ('ad_daily', 'account_daily')
        GROUP BY day
        HAVING count(*) = 2
    ),
    ads AS (
        SELECT day, sum(spend) AS spend, sum(impressions) AS impressions, sum(clicks) AS clicks
        FROM raw.insights_ad_daily
        WHERE account_id = %(account_id)s AND day IN (SELECT day FROM pulled)
        GROUP BY day
    ),
    totals AS (
        SELECT day, sum(spend) AS spend, sum(impressions) AS impressions, sum(clicks) AS clicks
        FROM raw.insights_account_daily
        WHERE account_id = %(account_id)s AND day IN (SELECT day FROM pulled)
        GROUP BY day
    )
    SELECT coalesce(ads.day, totals.day), coalesce(ads.spend, 0) - coalesce(totals.spend, 0)
    FROM ads
    FULL JOIN totals ON ads.day = totals.day
    WHERE (coalesce(ads.spend, 0), coalesce(ads.impressions, 0), coalesce(ads.clicks, 0))
        <> (coalesce(totals.spend, 0), coalesce(totals.impressions, 0), coalesce(totals.clicks, 0))
    ORDER BY 1
"""
_OF_RUN = _DIFFERING.format(which="run_id = %(run_id)s")
_OF_DAYS = _DIFFERING.format(which="day BETWEEN %(since)s AND %(until)s")


def unreconciled_days(warehouse: Warehouse, account_id: int, run_id: UUID) -> list[date]:
    """Days of which a run pulled both ads and account totals, and whose sums of spend, impressions or clicks differ."""
    with warehouse.connection() as connection:
        rows = connection.execute(_OF_RUN.encode(), {"account_id": account_id, "run_id": run_id}).fetchall()
    return [row[0] for row in rows]


def differing_days(warehouse: Warehouse, account_id: int, since: date, until: date) -> dict[date, Decimal]:
    """Days whose ads do not add up to Meta's account total, where both are held.

    Args:
        warehouse: Connected.
        account_id: Digits.
        since: First day, the account's own.
        until: Last day, included.

    Returns:
        The spend of the ads less that of the account, in major units of its currency; 0 where other sums differ.
    """
    parameters = {"account_id": account_id, "since": since, "until": until}
    with warehouse.connection() as connection:
        return dict(connection.execute(_OF_DAYS.encode(), parameters).fetchall())
