"""Pieces of SQL with the values that travel beside them.

What belongs here: the only places where a value becomes a parameter and a name becomes SQL. What does not: which value,
which name.

Placeholders are those of psycopg (`%s`, one for each value, in order), so every `%` of the SQL itself is doubled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

Parameter = str | int | Decimal | bool | date | datetime

_PART = r'(?:[A-Za-z_][A-Za-z0-9_]*|"(?:[^"\x00]|"")+")'
_PATH = re.compile(rf"{_PART}(?:\.{_PART}){{0,2}}")


@dataclass(frozen=True, slots=True)
class Fragment:
    """A piece of SQL.

    Attributes:
        sql: Its text, with one `%s` for each parameter.
        params: Its parameters, in order.
    """

    sql: str
    params: tuple[Parameter, ...] = ()

    def __add__(self, other: Fragment | str) -> Fragment:
        if isinstance(other, str):
            return Fragment(self.sql + other, self.params)
        return Fragment(self.sql + other.sql, self.params + other.params)

    def wrapped(self, before: str, after: str) -> Fragment:
        """This piece between two that have no parameters."""
        return Fragment(f"{before}{self.sql}{after}", self.params)


def literal(sql: str) -> Fragment:
    """SQL of the template itself, as it stands."""
    return Fragment(sql.replace("%", "%%"))


def joined(fragments: Iterable[Fragment], separator: str) -> Fragment:
    """Pieces in order, with a separator between them."""
    several = tuple(fragments)
    return Fragment(separator.join(one.sql for one in several), tuple(value for one in several for value in one.params))


def bound(value: Parameter) -> Fragment:
    """A value as a placeholder of the type that Metabase gives it.

    Metabase writes numbers and booleans into the SQL, where PostgreSQL types them by their size, and sends texts as
    varchar and dates as dates. Here all are sent, and the cast names the same type: without it PostgreSQL would guess
    from the surroundings, and a query could work in one place and fail in the other.

    Args:
        value: A text without NUL; a finite number; a boolean; a date; a datetime, with a time zone or without.
    """
    if isinstance(value, str):
        kind = "text"
    elif isinstance(value, bool):
        kind = "boolean"
    elif isinstance(value, int):
        kind = "integer" if -(2**31) <= value < 2**31 else "bigint" if -(2**63) <= value < 2**63 else "numeric"
    elif isinstance(value, Decimal):
        kind = "numeric"
    elif isinstance(value, datetime):
        kind = "timestamp" if value.tzinfo is None else "timestamptz"
    else:
        kind = "date"
    return Fragment(f"CAST(%s AS {kind})", (value,))


def quoted(names: Sequence[str]) -> Fragment:
    """A qualified name, each part in double quotes."""
    return literal(".".join('"' + name.replace('"', '""') + '"' for name in names))


def is_name_path(text: str) -> bool:
    """Whether a text is one to three names joined by dots, plain or in double quotes."""
    return _PATH.fullmatch(text) is not None
