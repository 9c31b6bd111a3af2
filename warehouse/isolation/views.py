"""What a client's view of a mart selects.

What belongs here: the definition, and the fingerprint by which a view is known to be up to date. What does not: when
views are made (`warehouse.isolation.schemas`).

The accounts stand in the view as constants. Measured on PostgreSQL 18 with 440,000 rows of 100 accounts: the planner
then knows how many rows a client has and reads them by the primary key; a semi-join with `ops.client_account` takes up
to twice as long over all days, and a condition on `client_id` beside the accounts makes it expect a twentieth of the
rows (docs/reference/isolation.md).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from warehouse.isolation.names import MARTS
from warehouse.isolation.published import ACCOUNT, Mart

_DEFINITION = 1
"""Raise it whenever `View.statement` changes: views that stand are then replaced."""

_CLIENT, _CLIENT_NAME = "client_id", "client_name"


@dataclass(frozen=True)
class View:
    """A client's view of a mart.

    Attributes:
        schema: The client's.
        mart: What it shows a part of.
        client_id: Of the client.
        accounts: Whose rows it shows, in order.
    """

    schema: str
    mart: Mart
    client_id: str
    accounts: tuple[int, ...]

    @property
    def name(self) -> str:
        """Like the mart's, so that the same SQL runs for the agency and for each client."""
        return self.mart.name

    @property
    def fingerprint(self) -> str:
        """Differs when the view would be another one, or its mart is another table."""
        parts = [str(_DEFINITION), self.mart.digest]
        if self.mart.is_by_account:
            parts += [self.client_id, ",".join(map(str, self.accounts))]
        return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]

    def statement(self) -> sql.Composed:
        """`CREATE OR REPLACE VIEW`.

        Reason for `security_barrier`: a function in somebody's query that tells its arguments, be it in an error, is
        then called for no row of another account.
        """
        rows = sql.SQL("SELECT {} FROM {} AS mart").format(
            sql.SQL(", ").join(self._column(name, sql_type) for name, sql_type in self.mart.columns),
            sql.Identifier(MARTS, self.mart.name),
        )
        if self.mart.is_by_account:
            listed = sql.Literal("{" + ",".join(map(str, self.accounts)) + "}")
            rows += sql.SQL(" WHERE mart.{} = ANY ({}::bigint[])").format(sql.Identifier(ACCOUNT), listed)
        return sql.SQL("CREATE OR REPLACE VIEW {} WITH (security_barrier = true) AS {}").format(
            sql.Identifier(self.schema, self.name), rows
        )

    def _column(self, name: str, sql_type: str) -> sql.Composed:
        column = sql.SQL("mart.{}").format(sql.Identifier(name))
        if not self.mart.is_by_account or name not in (_CLIENT, _CLIENT_NAME):
            return column
        # Reason: rows of an account that moved keep the old client's id and name where nothing builds them again.
        if name == _CLIENT:
            own = sql.SQL("{}::{}").format(sql.Literal(self.client_id), sql.SQL(sql_type))
        elif self.mart.has(_CLIENT):
            own = sql.SQL("CASE WHEN mart.{} = {} THEN {} END").format(
                sql.Identifier(_CLIENT), sql.Literal(self.client_id), column
            )
        else:
            own = sql.SQL("NULL::{}").format(sql.SQL(sql_type))
        return sql.SQL("{} AS {}").format(own, sql.Identifier(name))


def views_of(schema: str, client_id: str, accounts: Sequence[int], marts: Sequence[Mart]) -> list[View]:
    """The views of a client, in the order of the marts."""
    return [View(schema, mart, client_id, tuple(accounts)) for mart in marts if mart.is_published]
