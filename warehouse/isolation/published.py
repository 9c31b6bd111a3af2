"""Which tables and views of schema `marts` clients get to see their part of.

What belongs here: reading the catalog. What does not: what a client's view selects (`warehouse.isolation.views`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

from warehouse.isolation.names import MARTS
from warehouse.pool import Connection

REFERENCE = frozenset({"dim_day"})
"""Tables without an account that say the same to everybody. Whatever else has no account is shown to no client."""

ACCOUNT = "account_id"
_ACCOUNT_TYPE = "bigint"

# Reason: dbt names what it only needs for a moment `<model>__dbt_tmp` and `<model>__dbt_backup`.
_MARTS = """
    SELECT
        class.oid::bigint,
        class.relname::text,
        array_agg(attribute.attname::text ORDER BY attribute.attnum),
        array_agg(format_type(attribute.atttypid, attribute.atttypmod) ORDER BY attribute.attnum)
    FROM pg_class AS class
    JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
    WHERE
        class.relnamespace = to_regnamespace(%s)
        AND class.relkind = ANY ('{r,p,v,m}')
        AND class.relname ~ '^(mart|dim|fct)_'
        AND class.relname !~ '__dbt_'
        AND attribute.attnum > 0
        AND NOT attribute.attisdropped
    GROUP BY class.oid
    ORDER BY class.relname COLLATE "C"
"""


@dataclass(frozen=True)
class Mart:
    """A table or view of schema `marts`.

    Attributes:
        oid: The database's number of it: another one once it was dropped and made anew.
        name: Without the schema.
        columns: Name and type of each, in order.
    """

    oid: int
    name: str
    columns: tuple[tuple[str, str], ...]

    @property
    def is_by_account(self) -> bool:
        """Whether each row belongs to an account."""
        return (ACCOUNT, _ACCOUNT_TYPE) in self.columns

    @property
    def is_published(self) -> bool:
        """Whether clients see their part of it, or all of it where it is reference data."""
        return self.is_by_account or self.name in REFERENCE

    @cached_property
    def digest(self) -> str:
        """Differs when it is another table, or its columns are others."""
        return hashlib.sha256(repr((self.oid, self.name, self.columns)).encode()).hexdigest()

    def has(self, column: str) -> bool:
        """Whether it has a column of this name."""
        return any(name == column for name, _ in self.columns)


def read_marts(connection: Connection) -> list[Mart]:
    """All marts, dimensions and facts that there are now, by name; none where nothing was built yet."""
    return [
        Mart(oid, name, tuple(zip(columns, types, strict=True)))
        for oid, name, columns, types in connection.execute(_MARTS, [MARTS])
    ]
