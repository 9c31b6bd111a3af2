"""Spaces: the agency, which sees all marts, and each client, who sees a part of them under the same names.

What belongs here: what a space is, and a card's SQL for it. What does not: making schemas and logins
(`warehouse.isolation`), running anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from dashboards.queries.lexical import spans

SCHEMA = "marts"
"""The schema that definitions name; for a client its own stands in its place."""

# Reason: a name after a dot is a column's or a table's, and one that goes on is another name.
_BARE = re.compile(r"(?<![\w$.\"])marts(?=\s*\.)", re.IGNORECASE)
_DOT = re.compile(r"\s*\.")
_AFTER = re.compile(r'\s*\.\s*(?:"((?:[^"]|"")+)"|([A-Za-z_][\w$]*))')
_TAG = re.compile(r"\{\{[^{}]*\}\}")
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


@dataclass(frozen=True)
class Connection:
    """How Metabase reaches the warehouse for a space.

    Attributes:
        host: As Metabase sees it.
        port: Of PostgreSQL.
        database: Name of the database.
        user: A role that may read the space's schema and nothing else.
        password: Its password; None where one is drawn and given to the role whenever the connection is made.
        ssl_mode: `require`, `verify-ca`, `verify-full`; None leaves it to Metabase, which tries TLS first.
        root_certificate: Path of the CA's certificate on Metabase's machine, for the `verify-` modes.
    """

    host: str
    port: int
    database: str
    user: str
    password: str | None = field(default=None, repr=False)
    ssl_mode: str | None = None
    root_certificate: str | None = None


@dataclass(frozen=True)
class Space:
    """Who looks at what.

    Attributes:
        key: `agency`, or the client's id; never changes.
        title: What people see.
        schema: Where its marts are.
        connection: How they are reached.
        currency: The one currency of all its money, where there is but one.
        is_client: Whether it is a client's; there is one that is not.
    """

    key: str
    title: str
    schema: str
    connection: Connection
    currency: str | None = None
    is_client: bool = True


def in_schema(sql: str, schema: str) -> str:
    """A card's SQL for the marts of another schema.

    Args:
        sql: With tags; `marts.` before a table is replaced, in strings, comments and tags it stays.
        schema: The schema to read.
    """
    if schema == SCHEMA:
        return sql
    name = schema if _PLAIN.fullmatch(schema) else '"' + schema.replace('"', '""') + '"'
    done, at = [], 0
    for start, end in _qualifiers(sql):
        done += [sql[at:start], name]
        at = end
    return "".join([*done, sql[at:]])


def tables_of(sql: str) -> tuple[str, ...]:
    """The marts that a card's SQL names, in order, each once."""
    found: dict[str, None] = {}
    for _, end in _qualifiers(sql):
        if after := _AFTER.match(sql, end):
            found[after[1].replace('""', '"') if after[1] else after[2].lower()] = None
    return tuple(found)


def _qualifiers(sql: str) -> Iterator[tuple[int, int]]:
    """Where `marts` stands as a schema, in order."""
    outside = list(spans(sql))
    shut = [(one.start, one.end) for one in outside] + [tag.span() for tag in _TAG.finditer(sql)]
    found = [
        match.span() for match in _BARE.finditer(sql) if not any(start <= match.start() < end for start, end in shut)
    ]
    for one in outside:
        before = sql[: one.start].rstrip()
        if sql[one.start : one.end] == f'"{SCHEMA}"' and _DOT.match(sql, one.end) and not before.endswith("."):
            found.append((one.start, one.end))
    yield from sorted(found)
