"""The totals that each pull of a slice leaves in `raw.insight_revision`.

What belongs here: the statements that compute or repeat them. What does not: the slice's own rows.

Totals are summed by the database, in `numeric`, from the rows just stored. Windows are the ones asked for:
an action can also carry ids and devices, which look like numbers and are none.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any

from psycopg import sql

from warehouse.provenance import Provenance
from warehouse.tables import InsightTable

_KEEP_LATEST = """
    ON CONFLICT (account_id, report, day, pulled_at) DO UPDATE SET
        run_id = excluded.run_id,
        source = excluded.source,
        row_count = excluded.row_count,
        impressions = excluded.impressions,
        clicks = excluded.clicks,
        inline_link_clicks = excluded.inline_link_clicks,
        spend = excluded.spend,
        action_totals = excluded.action_totals,
        value_totals = excluded.value_totals
"""
_INSERT = """
    INSERT INTO raw.insight_revision (
        account_id, report, day, pulled_at, run_id, source,
        row_count, impressions, clicks, inline_link_clicks, spend, action_totals, value_totals
    )
"""
REPEAT = (
    _INSERT
    + """
    SELECT
        account_id, report, day, %(pulled_at)s, %(run_id)s, %(source)s,
        row_count, impressions, clicks, inline_link_clicks, spend, action_totals, value_totals
    FROM raw.insight_revision
    WHERE account_id = %(account_id)s AND report = %(report)s AND day = %(day)s
    ORDER BY pulled_at DESC
    LIMIT 1
"""
    + _KEEP_LATEST
)
"""Writes the revision of a pull that changed nothing: the totals of the pull before."""

_COMPUTE = (
    _INSERT
    + """
    SELECT
        %(account_id)s::bigint, %(report)s, %(day)s::date, %(pulled_at)s, %(run_id)s, %(source)s,
        count(*), sum(impressions), sum(clicks), sum(inline_link_clicks), sum(spend), {actions}, {values}
    FROM {table}
    WHERE account_id = %(account_id)s AND day = %(day)s
"""
    + _KEEP_LATEST
)
_TOTALS = """
    (
        SELECT coalesce(jsonb_object_agg(action_type, totals), '{{}}')
        FROM (
            SELECT action_type, jsonb_strip_nulls(jsonb_build_object({pairs})) AS totals
            FROM {table}
            CROSS JOIN jsonb_to_recordset(
                CASE jsonb_typeof(payload -> {field}) WHEN 'array' THEN payload -> {field} ELSE '[]' END
            ) AS action (action_type text, {columns})
            WHERE account_id = %(account_id)s AND day = %(day)s AND action_type IS NOT NULL
            GROUP BY action_type
        ) AS by_type
    )
"""


def parameters(table: InsightTable, account_id: int, day: date, provenance: Provenance) -> dict[str, Any]:
    """Parameters of both statements."""
    return {
        "account_id": account_id,
        "report": table.name,
        "day": day,
        "pulled_at": provenance.pulled_at,
        "run_id": provenance.run_id,
        "source": provenance.source,
    }


@lru_cache(maxsize=256)
def compute(table: InsightTable, windows: tuple[str, ...]) -> sql.Composed:
    """The statement that sums a stored slice into its revision.

    Args:
        table: The slice's table. Action totals are left NULL for breakdown reports (the same actions again, in cells)
            and for period reports (their periods overlap).
        windows: Attribution windows asked for; `value` always comes along.
    """
    if table.breakdowns or table.period:
        actions: sql.Composable = sql.SQL("NULL")
        values: sql.Composable = sql.SQL("NULL")
    else:
        keys = tuple(dict.fromkeys(("value", *windows)))
        actions, values = _totals(table, "actions", keys), _totals(table, "action_values", keys)
    return sql.SQL(_COMPUTE).format(actions=actions, values=values, table=table.identifier)


def _totals(table: InsightTable, field: str, keys: tuple[str, ...]) -> sql.Composed:
    # Reason: read as text and checked, so that one value that is no number is left out instead of failing the slice;
    # not by a pattern, which costs as much as the rest of the statement.
    pairs = sql.SQL(", ").join(
        sql.SQL("{key}, sum(CASE WHEN pg_input_is_valid({column}, 'numeric') THEN {column}::numeric END)").format(
            key=sql.Literal(key), column=sql.Identifier("action", key)
        )
        for key in keys
    )
    columns = sql.SQL(", ").join(sql.SQL("{} text").format(sql.Identifier(key)) for key in keys)
    return sql.SQL(_TOTALS).format(table=table.identifier, pairs=pairs, field=sql.Literal(field), columns=columns)
