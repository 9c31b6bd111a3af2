"""Account days that a failed check keeps out of the marts."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE ops.held_day (
            account_id bigint NOT NULL,
            day date NOT NULL,
            report text NOT NULL,
            expectation text NOT NULL,
            message text NOT NULL,
            since timestamptz NOT NULL,
            PRIMARY KEY (account_id, day, report, expectation)
        )
        """
    )
