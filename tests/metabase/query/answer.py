"""Results as answers carry them: values as JSON, columns, and what a query that failed says."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg

from tests.metabase.data.types import base_type


def json_value(value: Any, zone: str) -> Any:
    """A value; days become midnights, as Metabase writes them."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent == 0 else float(value)
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=ZoneInfo(zone))
        return aware.astimezone(ZoneInfo(zone)).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        midnight = datetime(value.year, value.month, value.day, tzinfo=ZoneInfo(zone))
        return midnight.isoformat().replace("+00:00", "Z")
    if isinstance(value, time):
        return value.isoformat()
    if isinstance(value, UUID | timedelta):
        return str(value)
    if isinstance(value, dict):
        return json.dumps(value)
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    if isinstance(value, list):
        return [json_value(v, zone) for v in value]
    return value


def columns(cursor: psycopg.AsyncCursor[Any], adapters: Any) -> list[dict[str, Any]]:
    """The columns of a result."""
    found = []
    seen: dict[str, int] = {}
    for column in cursor.description or []:
        seen[column.name] = seen.get(column.name, 0) + 1
        name = column.name if seen[column.name] == 1 else f"{column.name}_{seen[column.name]}"
        info = adapters.types.get(column.type_code)
        database_type = info.name if info else "unknown"
        if info and column.type_code == info.array_oid:
            database_type = f"_{info.name}"
        base = base_type(database_type)
        found.append(
            {
                "name": name,
                "display_name": name,
                "source": "native",
                "base_type": base,
                "effective_type": base,
                "database_type": database_type,
                "semantic_type": None,
                "field_ref": ["field", name, {"base-type": base}],
            }
        )
    return found


def metadata(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Columns as a card's `result_metadata`."""
    return [{k: v for k, v in column.items() if k != "source"} | {"fingerprint": None} for column in found]


def sentence(error: psycopg.Error) -> str:
    """What the JDBC driver says of a database error."""
    diagnosis = error.diag
    text = f"ERROR: {diagnosis.message_primary or str(error).strip()}"
    if diagnosis.message_hint:
        text += f"\n  Hint: {diagnosis.message_hint}"
    if diagnosis.statement_position:
        text += f"\n  Position: {diagnosis.statement_position}"
    return text
