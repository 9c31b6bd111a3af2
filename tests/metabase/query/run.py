"""Running a query on its database: 2,000 rows at most, read only, and never an HTTP error for what the SQL does."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg

from tests.metabase.core.call import Call
from tests.metabase.core.ids import timestamp
from tests.metabase.data.connection import Unreachable, connect
from tests.metabase.query.answer import columns, json_value, metadata, sentence
from tests.metabase.query.filters import Moment
from tests.metabase.query.mbql import is_native
from tests.metabase.query.parameters import Compiled, compile_sql
from tests.metabase.query.template import QueryError

MOST_ROWS = 2000
"""Rows of a native query that the API answers; the rest is cut off without a word in the status."""


@dataclass
class Outcome:
    """What became of a query; `error` tells whether it failed."""

    compiled: Compiled | None = None
    columns: list[dict[str, Any]] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    truncated: bool = False
    error: str | None = None
    kind: str | None = None


def zone_of(call: Call) -> str:
    """The time zone of results: the report time zone, else UTC."""
    return str(call.options.env_settings.get("report-timezone") or call.state.settings.get("report-timezone") or "UTC")


def moment_of(call: Call) -> Moment:
    """What relative dates count from."""
    now = call.standin.now().astimezone(ZoneInfo(zone_of(call))).replace(tzinfo=None, microsecond=0)
    return Moment(now, str(call.state.settings.get("start-of-week", "sunday")), zone_of(call))


async def execute(
    call: Call, query: dict[str, Any], given: list[dict[str, Any]], limit: int | None = MOST_ROWS
) -> Outcome:
    """Runs a kept query; whatever goes wrong is in the outcome."""
    database = call.state.get("database", query["database"])
    if database is None:
        return Outcome(error=f"Database {query['database']} does not exist.", kind="invalid-query")
    if not is_native(query):
        return Outcome(error="the stand-in runs native queries alone", kind="unsupported-feature")
    outcome = Outcome()
    try:
        outcome.compiled = compile_sql(call.state, query, given, moment_of(call))
        async with await connect(call.options, database["details"]) as connection:
            await _fill(outcome, connection, zone_of(call), limit)
    except QueryError as error:
        outcome.error, outcome.kind = str(error), error.kind
    except Unreachable as error:
        outcome.error, outcome.kind = str(error), "db"
    except psycopg.Error as error:
        outcome.error, outcome.kind = sentence(error), "invalid-query"
    return outcome


async def _fill(outcome: Outcome, connection: psycopg.AsyncConnection[Any], zone: str, limit: int | None) -> None:
    assert outcome.compiled is not None
    await connection.execute("SET default_transaction_read_only TO on")
    await connection.execute("SELECT set_config('TimeZone', %s, false)", [zone])
    cursor = psycopg.AsyncRawCursor(connection)
    await cursor.execute(outcome.compiled.sql.encode(), outcome.compiled.values or None)
    if cursor.description is None:
        raise QueryError("Select statement did not produce a ResultSet for native query", "invalid-query")
    outcome.columns = columns(cursor, connection.adapters)
    rows = await (cursor.fetchall() if limit is None else cursor.fetchmany(limit + 1))
    outcome.truncated = limit is not None and len(rows) > limit
    outcome.rows = [[json_value(value, zone) for value in row] for row in rows[:limit]]


async def described(call: Call, query: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The columns that a query returns with its defaults, or None where it does not run."""
    outcome = await execute(call, query, [], limit=1)
    return metadata(outcome.columns) if outcome.error is None else None


def answered(call: Call, query: dict[str, Any], outcome: Outcome, began: float, **extra: Any) -> dict[str, Any]:
    """The body of an answer, which is 202 whether the query completed or failed."""
    native = {"query": outcome.compiled.sql, "params": outcome.compiled.values} if outcome.compiled else None
    common = {
        "database_id": query["database"],
        "started_at": timestamp(datetime.now(UTC)),
        "json_query": query,
        "running_time": int((time.monotonic() - began) * 1000),
        "average_execution_time": None,
        "cached": None,
        **extra,
    }
    if outcome.error is not None:
        return common | {
            "status": "failed",
            "class": "class clojure.lang.ExceptionInfo",
            "error": outcome.error,
            "error_type": outcome.kind,
            "row_count": 0,
            "via": [],
            "stacktrace": [],
            "data": {"rows": [], "cols": []},
        }
    data = {
        "rows": outcome.rows,
        "cols": outcome.columns,
        "native_form": _shown(native),
        "results_timezone": zone_of(call),
        "results_metadata": {"columns": metadata(outcome.columns)},
    }
    if outcome.truncated:
        data["rows_truncated"] = MOST_ROWS
    return common | {"status": "completed", "row_count": len(outcome.rows), "data": data}


def _shown(native: dict[str, Any] | None) -> dict[str, Any] | None:
    if native is None:
        return None
    return native | {"params": [str(v) if not isinstance(v, int | float | bool | str) else v for v in native["params"]]}
