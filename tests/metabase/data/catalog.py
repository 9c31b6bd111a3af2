"""What a database holds, as its own catalog tells the role that asks: tables, columns, keys."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import translate
from typing import Any

import psycopg

_TABLES = """
SELECT c.oid, n.nspname, c.relname, obj_description(c.oid, 'pg_class')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_'
  AND n.nspname <> 'information_schema'
  AND has_schema_privilege(n.oid, 'USAGE')
  AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'))
ORDER BY n.nspname, c.relname
"""
_COLUMNS = """
SELECT a.attrelid, a.attname, CASE t.typtype WHEN 'e' THEN 'enum:' ELSE '' END || t.typname, a.attnum, a.attnotnull,
  col_description(a.attrelid, a.attnum),
  a.attidentity <> '' OR coalesce(pg_get_expr(d.adbin, d.adrelid), '') ~ '^nextval'
FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""
_KEYS = """
SELECT contype, conrelid, conkey[1], confrelid, confkey[1] FROM pg_constraint
WHERE conrelid = ANY(%s) AND contype IN ('p', 'f') AND cardinality(conkey) = 1
"""
_SCHEMAS = """
SELECT nspname FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND has_schema_privilege(oid, 'USAGE') ORDER BY nspname
"""


@dataclass
class Column:
    """A column; `target` is schema, table and column of its foreign key."""

    name: str
    type: str
    position: int
    required: bool
    comment: str | None
    automatic: bool
    primary: bool = False
    target: tuple[str, str, str] | None = None


@dataclass
class Table:
    """A table or view."""

    schema: str
    name: str
    comment: str | None
    columns: list[Column]


async def read(connection: psycopg.AsyncConnection[Any], details: dict[str, Any]) -> list[Table]:
    """The tables that the role may read, within the schema filter of the details."""
    wanted = schema_filter(details)
    rows = [row for row in await _all(connection, _TABLES) if wanted(row[1])]
    oids = [row[0] for row in rows]
    tables = {oid: Table(schema, name, comment, []) for oid, schema, name, comment in rows}
    columns: dict[tuple[int, int], Column] = {}
    for oid, name, kind, number, required, comment, automatic in await _all(connection, _COLUMNS, oids):
        column = columns[oid, number] = Column(name, kind, number - 1, required, comment, automatic)
        tables[oid].columns.append(column)
    for kind, oid, number, other, other_number in await _all(connection, _KEYS, oids):
        if kind == "p":
            columns[oid, number].primary = True
        elif (other, other_number) in columns:
            target = tables[other]
            columns[oid, number].target = (target.schema, target.name, columns[other, other_number].name)
    return list(tables.values())


async def schemas(connection: psycopg.AsyncConnection[Any]) -> list[str]:
    """All schemas that the role may use, whatever the filter says."""
    return [row[0] for row in await _all(connection, _SCHEMAS)]


async def _all(connection: psycopg.AsyncConnection[Any], query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    cursor = await connection.execute(query, parameters or None)
    return await cursor.fetchall()


def schema_filter(details: dict[str, Any]) -> Any:
    """A predicate over schema names: all, those of an inclusion, those not of an exclusion; `*` is the wildcard."""
    kind = details.get("schema-filters-type", "all")
    patterns = [p.strip() for p in str(details.get("schema-filters-patterns") or "").split(",") if p.strip()]
    regexes = [re.compile(translate(p.replace("[", "[[]").replace("?", "[?]"))) for p in patterns]

    def named(schema: str) -> bool:
        return any(regex.match(schema) for regex in regexes)

    if kind == "inclusion":
        return named
    if kind == "exclusion":
        return lambda schema: not named(schema)
    return lambda _: True
