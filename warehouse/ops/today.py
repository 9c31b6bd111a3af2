"""The current day of an account: whether anything can have changed on it, and who pulls it.

What belongs here: what the objects held say about delivery, and the lock of a pull. What does not: which days are
pulled (`orchestration.today`), rows (`warehouse.loader`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg

from warehouse.connect import Warehouse
from warehouse.errors import from_database_error

#: How long after its end an ad's delivery may still be counted by Meta.
ENDED_WITHIN = timedelta(hours=1)

# Reason for the statuses that people set, and not the effective ones: when a campaign is switched on again Meta changes
# the effective status of its ads, but not their time of update, so a pull of what was updated does not bring them.
_MOMENT = """
    CASE WHEN pg_input_is_valid({text}, 'timestamptz') THEN ({text})::timestamptz END
"""
_ACTIVITY = f"""
    WITH active AS (
        SELECT FROM raw.ads AS ad
        JOIN raw.adsets AS ad_set
            ON ad_set.account_id = ad.account_id AND ad_set.id::text = ad.payload ->> 'adset_id'
        JOIN raw.campaigns AS campaign
            ON campaign.account_id = ad.account_id AND campaign.id::text = ad.payload ->> 'campaign_id'
        WHERE
            ad.account_id = %(account_id)s
            AND 'ACTIVE' = ALL (ARRAY[ad.status, ad_set.status, campaign.status])
            AND coalesce({_MOMENT.format(text="ad_set.payload ->> 'start_time'")} <= %(now)s, true)
            AND coalesce({_MOMENT.format(text="ad_set.payload ->> 'end_time'")} > %(ended)s, true)
            AND coalesce({_MOMENT.format(text="campaign.payload ->> 'stop_time'")} > %(ended)s, true)
        LIMIT 1
    )
    SELECT
        EXISTS (SELECT FROM active),
        (
            SELECT max(updated_time)
            FROM (
                SELECT updated_time FROM raw.campaigns WHERE account_id = %(account_id)s
                UNION ALL
                SELECT updated_time FROM raw.adsets WHERE account_id = %(account_id)s
                UNION ALL
                SELECT updated_time FROM raw.ads WHERE account_id = %(account_id)s
            ) AS objects
        )
"""  # noqa: S608 - constants
_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"


@dataclass(frozen=True)
class Activity:
    """What the objects of an account say.

    Attributes:
        is_delivering: Whether an ad is switched on, with all that is above it, and its time has come and not gone.
        changed_at: When any campaign, ad set or ad last changed, UTC; None without objects.
    """

    is_delivering: bool
    changed_at: datetime | None


def account_activity(warehouse: Warehouse, account_id: int, now: datetime) -> Activity:
    """Whether an account can be delivering at a moment, as far as the warehouse knows.

    Args:
        warehouse: Connected.
        account_id: Digits.
        now: With a time zone.
    """
    parameters = {"account_id": account_id, "now": now, "ended": now - ENDED_WITHIN}
    with warehouse.connection() as connection:
        row = connection.execute(_ACTIVITY, parameters).fetchone()
    assert row is not None
    return Activity(bool(row[0]), row[1])


@contextmanager
def current_day_lock(warehouse: Warehouse, account_id: int) -> Iterator[bool]:
    """Whether this process may pull the account's current day: of several that try at once, one may.

    It is let go at the end of the block, and with the process.
    """
    session = warehouse.session()
    try:
        row = session.execute(_TRY_LOCK, [f"meta-ads current day {account_id}"]).fetchone()
        yield bool(row and row[0])
    except psycopg.Error as error:
        raise from_database_error(error) from error
    finally:
        session.close()
