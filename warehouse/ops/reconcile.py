"""Whether a pull's ad-level rows add up to Meta's account totals, straight after it.

What belongs here: finding days worth asking for again. What does not: what people read about it (dbt's
`mart_reconciliation`).
"""

from __future__ import annotations

from datetime import date
from uuid import UUID

from warehouse.connect import Warehouse

_UNRECONCILED = """
    WITH pulled AS (
        SELECT day FROM ops.slice
        WHERE account_id = %(account_id)s AND run_id = %(run_id)s AND report IN ('ad_daily', 'account_daily')
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
    SELECT coalesce(ads.day, totals.day)
    FROM ads
    FULL JOIN totals ON ads.day = totals.day
    WHERE (coalesce(ads.spend, 0), coalesce(ads.impressions, 0), coalesce(ads.clicks, 0))
        <> (coalesce(totals.spend, 0), coalesce(totals.impressions, 0), coalesce(totals.clicks, 0))
    ORDER BY 1
"""


def unreconciled_days(warehouse: Warehouse, account_id: int, run_id: UUID) -> list[date]:
    """Days of which a run pulled both ads and account totals, and whose sums of spend, impressions or clicks differ."""
    with warehouse.connection() as connection:
        rows = connection.execute(_UNRECONCILED, {"account_id": account_id, "run_id": run_id}).fetchall()
    return [row[0] for row in rows]
