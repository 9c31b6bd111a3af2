"""What checks found and saw, in `ops`.

What belongs here: writing and reading `ops.quality_result` and `ops.quality_seen`. What does not: checking.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from psycopg.rows import dict_row

from warehouse.connect import Warehouse
from warehouse.quality.model import ENTITIES, Outcome, QualityResult

SUITE = "*"
"""Stands for a whole suite among the expectations: the row that says it was run, and whether it passed."""

_WRITE = """
    INSERT INTO ops.quality_result (
        account_id, report, checked_at, expectation, check_id, since, until,
        severity, passed, observed, unexpected_count, days, examples, message, mend
    )
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
# Reason: a backfill checks old days after new ones, so neither day may go backwards.
_SEE = """
    INSERT INTO ops.quality_seen AS seen (
        account_id, report, kind, item, first_day, last_day, first_seen_at, last_seen_at, is_constant
    )
    SELECT account_id, %(report)s, %(kind)s, item, first_day, last_day, %(now)s, %(now)s, is_constant
    FROM unnest(
        %(accounts)s::bigint[], %(items)s::text[], %(firsts)s::date[], %(lasts)s::date[], %(constants)s::boolean[]
    ) AS found (account_id, item, first_day, last_day, is_constant)
    ON CONFLICT (account_id, report, kind, item) DO UPDATE SET
        first_day = least(seen.first_day, excluded.first_day),
        last_day = greatest(seen.last_day, excluded.last_day),
        last_seen_at = greatest(seen.last_seen_at, excluded.last_seen_at),
        is_constant = seen.is_constant AND excluded.is_constant
"""
_HELD = """
    SELECT account_id, array_agg(DISTINCT report), bool_or(source = 'api') FROM ops.slice GROUP BY account_id
"""
_WINDOWS = """
    SELECT report, array_agg(DISTINCT name ORDER BY name)
    FROM (SELECT DISTINCT report, attribution_windows FROM ops.slice) AS held
    CROSS JOIN unnest(held.attribution_windows) AS asked (name)
    GROUP BY report
"""
_LATEST = """
    SELECT
        account_id, report, checked_at, expectation, check_id, since, until,
        severity, passed, observed, unexpected_count, days, examples, message, mend
    FROM ops.quality_latest
    WHERE %(accounts)s::bigint[] IS NULL OR account_id = ANY(%(accounts)s)
    ORDER BY account_id, report, expectation
"""
_LATEST_ERRORS = """
    SELECT account_id, report, message, mend
    FROM ops.quality_latest
    WHERE severity = 'error' AND NOT passed AND NOT expectation = ANY(%s)
    ORDER BY account_id, report, expectation
"""


def write(warehouse: Warehouse, result: QualityResult) -> None:
    """Keeps what a check found: a row per failure, and one per account and report that says the suite was run."""
    head = (result.check_id, result.since, result.until)
    rows = []
    for (account_id, report), outcomes in by_suite(result.outcomes).items():
        errors = [outcome for outcome in outcomes if not outcome.passed and outcome.severity == "error"]
        warnings = [outcome for outcome in outcomes if not outcome.passed and outcome.severity == "warn"]
        days = sorted({day for outcome in errors for day in outcome.days})
        message = f"{len(outcomes)} expectations, {len(errors)} errors, {len(warnings)} warnings"
        end = Outcome(account_id, report, SUITE, "error", not errors, None, len(errors), tuple(days), (), message)
        rows += [
            (
                account_id,
                report,
                result.checked_at,
                outcome.expectation,
                *head,
                outcome.severity,
                outcome.passed,
                outcome.observed,
                outcome.unexpected_count,
                list(outcome.days),
                list(outcome.examples),
                outcome.message,
                outcome.mend,
            )
            for outcome in (end, *errors, *warnings)
        ]
    with warehouse.connection() as connection, connection.transaction(), connection.cursor() as cursor:
        cursor.executemany(_WRITE, rows)


def by_suite(outcomes: Iterable[Outcome]) -> dict[tuple[int, str], list[Outcome]]:
    """Outcomes grouped by account and report, in order."""
    found: dict[tuple[int, str], list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault((outcome.account_id, outcome.report), []).append(outcome)
    return found


def remember_fields(warehouse: Warehouse, report: str, rows: Sequence[Sequence[Any]], now: datetime) -> None:
    """Notes which fields a report's rows have: account, field, first day, last day, whether every row had it."""
    _see(warehouse, report, "field", rows, now)


def remember_time_zones(warehouse: Warehouse, rows: Iterable[tuple[int, str, date]], now: datetime) -> None:
    """Notes the time zone of each account: account, time zone, the account's day."""
    _see(warehouse, ENTITIES, "time_zone", [(account, zone, day, day, True) for account, zone, day in rows], now)


def reports_held(warehouse: Warehouse) -> dict[int, tuple[frozenset[str], bool]]:
    """For each account the reports of which something is held, and whether any of it came from the API."""
    with warehouse.connection() as connection:
        return {row[0]: (frozenset(row[1]), row[2]) for row in connection.execute(_HELD)}


def windows_held(warehouse: Warehouse) -> dict[str, list[str]]:
    """The attribution windows that each report's slices were pulled with."""
    with warehouse.connection() as connection:
        return dict(connection.execute(_WINDOWS).fetchall())


def latest(warehouse: Warehouse, accounts: Sequence[int] | None = None) -> list[dict[str, Any]]:
    """What the newest check of each account and report found.

    Returns:
        Rows of `ops.quality_latest` as dictionaries; the row with expectation `*` says that the suite was run.
    """
    parameters = {"accounts": None if accounts is None else list(accounts)}
    with warehouse.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        return list(cursor.execute(_LATEST, parameters))


def latest_errors(warehouse: Warehouse, without: Iterable[str] = ()) -> list[tuple[int, str, str, str]]:
    """What the newest check of each account and report found that must not be used: account, report, message, mend.

    Args:
        warehouse: Migrated.
        without: Expectations that somebody else looks after.
    """
    with warehouse.connection() as connection:
        return connection.execute(_LATEST_ERRORS, [[SUITE, *without]]).fetchall()


def _see(warehouse: Warehouse, report: str, kind: str, rows: Sequence[Sequence[Any]], now: datetime) -> None:
    if not rows:
        return
    accounts, items, firsts, lasts, constants = zip(*sorted(rows, key=lambda row: (row[0], row[1])), strict=True)
    parameters = {
        "report": report,
        "kind": kind,
        "now": now,
        "accounts": list(accounts),
        "items": list(items),
        "firsts": list(firsts),
        "lasts": list(lasts),
        "constants": list(constants),
    }
    with warehouse.connection() as connection:
        connection.execute(_SEE, parameters)
