"""What monitoring reads of the platform's state: a handful of cheap queries in one snapshot.

What belongs here: the queries, and their answer as values. What does not: names and form of metrics
(`orchestration.metrics`).

Each query touches an index a few times for each account and report, never all slices: a scrape costs the same after
three years as after a week.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg.rows import namedtuple_row

from warehouse.connect import Warehouse

STATEMENT_TIMEOUT_SECONDS = 5
MISMATCH_DAYS = 92
"""How many days back unreconciled days are counted."""

_SETTINGS = (
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT_SECONDS}s'",
)
_COUNTERS = "SELECT name, labels, value::float8 AS value FROM ops.counter ORDER BY name, labels"
# Reason: DISTINCT would read every slice; this hops from one account and report to the next in the primary key.
_NEWEST = """
    WITH RECURSIVE pair AS (
        (SELECT account_id, report FROM ops.slice ORDER BY account_id, report LIMIT 1)
        UNION ALL
        SELECT following.account_id, following.report
        FROM pair
        CROSS JOIN LATERAL (
            SELECT slice.account_id, slice.report
            FROM ops.slice AS slice
            WHERE (slice.account_id, slice.report) > (pair.account_id, pair.report)
            ORDER BY slice.account_id, slice.report
            LIMIT 1
        ) AS following
    )
    SELECT
        pair.account_id, pair.report, newest.day, newest.pulled_at, newest.source,
        account.payload ->> 'timezone_name' AS time_zone
    FROM pair
    CROSS JOIN LATERAL (
        SELECT slice.day, slice.pulled_at, slice.source
        FROM ops.slice AS slice
        WHERE slice.account_id = pair.account_id AND slice.report = pair.report
        ORDER BY slice.day DESC
        LIMIT 1
    ) AS newest
    LEFT JOIN raw.accounts AS account ON account.account_id = pair.account_id AND account.id = pair.account_id
    ORDER BY pair.account_id, pair.report
"""
_FAILURES = """
    WITH RECURSIVE pair AS (
        (
            SELECT account_id, report FROM ops.quality_result
            WHERE expectation = '*' ORDER BY account_id, report LIMIT 1
        )
        UNION ALL
        SELECT following.account_id, following.report
        FROM pair
        CROSS JOIN LATERAL (
            SELECT found.account_id, found.report
            FROM ops.quality_result AS found
            WHERE found.expectation = '*' AND (found.account_id, found.report) > (pair.account_id, pair.report)
            ORDER BY found.account_id, found.report
            LIMIT 1
        ) AS following
    )
    SELECT
        pair.report,
        count(failed.expectation) FILTER (WHERE failed.severity = 'error') AS errors,
        count(failed.expectation) FILTER (WHERE failed.severity = 'warn') AS warnings
    FROM pair
    CROSS JOIN LATERAL (
        SELECT max(suite.checked_at) AS checked_at
        FROM ops.quality_result AS suite
        WHERE suite.expectation = '*' AND suite.account_id = pair.account_id AND suite.report = pair.report
    ) AS newest
    LEFT JOIN ops.quality_result AS failed
        ON
            failed.account_id = pair.account_id
            AND failed.report = pair.report
            AND failed.checked_at = newest.checked_at
            AND failed.expectation <> '*'
            AND NOT failed.passed
    GROUP BY pair.report
    ORDER BY pair.report
"""
_HELD = "SELECT account_id, count(DISTINCT day) AS days FROM ops.held_day GROUP BY account_id ORDER BY account_id"
_DUE = """
    SELECT count(*) AS slices FROM ops.slice AS slice
    WHERE slice.build_id IS NULL AND NOT EXISTS (
        SELECT FROM ops.held_day AS held WHERE held.account_id = slice.account_id AND held.day = slice.day
    )
"""
_USAGE = """
    SELECT scope, scope_id, usage_type, utilisation::float8 / 100 AS ratio, regain_at, observed_at
    FROM ops.api_usage ORDER BY scope, scope_id, usage_type
"""
_LAST_BUILD = """
    SELECT finished_at, extract(epoch FROM finished_at - started_at)::float8 AS seconds
    FROM ops.mart_build WHERE status = 'succeeded' ORDER BY build_id DESC LIMIT 1
"""
_RUNNING = "SELECT kind, count(*) AS runs FROM ops.run WHERE status = 'running' GROUP BY kind ORDER BY kind"
_HAS_RECONCILIATION = "SELECT to_regclass('marts.mart_reconciliation') IS NOT NULL AS present"
_MISMATCHES = f"""
    SELECT client.account_id, found.days
    FROM ops.client_account AS client
    CROSS JOIN LATERAL (
        SELECT count(*) AS days
        FROM marts.mart_reconciliation AS mart
        WHERE
            mart.account_id = client.account_id
            AND mart.day > current_date - {MISMATCH_DAYS}
            AND mart.status = 'mismatch'
    ) AS found
    ORDER BY client.account_id
"""  # noqa: S608 - a constant


@dataclass(frozen=True)
class Newest:
    """The newest slice of a report of an account.

    Attributes:
        account_id: Whose.
        report: Which.
        day: The account's own.
        pulled_at: When it was last pulled, UTC.
        source: `api` or `import`.
        time_zone: The account's, as Meta names it; None if Meta was never asked.
    """

    account_id: int
    report: str
    day: date
    pulled_at: datetime
    source: str
    time_zone: str | None


@dataclass(frozen=True)
class Usage:
    """A limit of Meta's as it was last seen.

    Attributes:
        account_id: Digits; empty for the app's.
        bucket: Meta's name for the limit.
        ratio: Used share when it was seen; 1 is all.
        observed_at: When, UTC.
        regain_at: Until when calls are refused, UTC; None if they are not.
    """

    account_id: str
    bucket: str
    ratio: float
    observed_at: datetime
    regain_at: datetime | None


@dataclass(frozen=True)
class State:
    """The platform's state at a moment.

    Attributes:
        now: The moment, by the database's clock, UTC.
        counters: Name, labels and value of every total.
        newest: The newest slice of each account and report.
        failures: By report: errors and warnings of the newest check of each account.
        held: Days held back, by account.
        due_slices: Slices that the next build takes in.
        usage: Meta's limits.
        last_build: When the last build that succeeded ended, and how many seconds it took.
        running: Runs under way, by kind.
        mismatches: Unreconciled days of the last `MISMATCH_DAYS`, by account; None before the first build.
    """

    now: datetime
    counters: tuple[tuple[str, Mapping[str, str], float], ...]
    newest: tuple[Newest, ...]
    failures: Mapping[str, tuple[int, int]]
    held: Mapping[int, int]
    due_slices: int
    usage: tuple[Usage, ...]
    last_build: tuple[datetime, float] | None
    running: Mapping[str, int]
    mismatches: Mapping[int, int] | None


def read_state(warehouse: Warehouse) -> State:
    """Reads everything in one snapshot.

    Raises:
        WarehouseError: The database cannot be reached, is at an older schema, or takes longer than
            `STATEMENT_TIMEOUT_SECONDS` over a query.
    """
    with (
        warehouse.connection() as connection,
        connection.transaction(),
        connection.cursor(row_factory=namedtuple_row) as cursor,
    ):
        for setting in _SETTINGS:
            cursor.execute(setting.encode())

        def rows(statement: str) -> list[Any]:
            return list(cursor.execute(statement.encode()))

        last = rows(_LAST_BUILD)
        is_built = rows(_HAS_RECONCILIATION)[0].present
        return State(
            now=rows("SELECT now() AS now")[0].now,
            counters=tuple((row.name, row.labels, row.value) for row in rows(_COUNTERS)),
            newest=tuple(Newest(*row) for row in rows(_NEWEST)),
            failures={row.report: (row.errors, row.warnings) for row in rows(_FAILURES)},
            held={row.account_id: row.days for row in rows(_HELD)},
            due_slices=rows(_DUE)[0].slices,
            usage=tuple(
                Usage(
                    row.scope_id if row.scope == "account" else "",
                    row.usage_type,
                    row.ratio,
                    row.observed_at,
                    row.regain_at,
                )
                for row in rows(_USAGE)
            ),
            last_build=(last[0].finished_at, last[0].seconds) if last else None,
            running={row.kind: row.runs for row in rows(_RUNNING)},
            mismatches={row.account_id: row.days for row in rows(_MISMATCHES)} if is_built else None,
        )
