"""What the checks of raw data found, and what they have seen before."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    # A row with expectation '*' closes each suite of a check; the others are what failed in it. Expectations that
    # passed leave no row: a check of twenty accounts every hour would write millions.
    """
    CREATE TABLE ops.quality_result (
        account_id bigint NOT NULL,
        report text NOT NULL,
        checked_at timestamptz NOT NULL,
        expectation text NOT NULL,
        check_id uuid NOT NULL,
        since date NOT NULL,
        until date NOT NULL,
        severity text NOT NULL CHECK (severity IN ('error', 'warn')),
        passed boolean NOT NULL,
        observed text,
        unexpected_count bigint NOT NULL,
        days date[] NOT NULL,
        examples text[] NOT NULL,
        message text NOT NULL,
        mend text NOT NULL,
        PRIMARY KEY (account_id, report, checked_at, expectation)
    )
    """,
    """
    CREATE VIEW ops.quality_latest AS
    SELECT found.*
    FROM ops.quality_result AS found
    JOIN (
        SELECT account_id, report, max(checked_at) AS checked_at
        FROM ops.quality_result
        WHERE expectation = '*'
        GROUP BY account_id, report
    ) AS newest
        ON
            newest.account_id = found.account_id
            AND newest.report = found.report
            AND newest.checked_at = found.checked_at
    """,
    """
    CREATE TABLE ops.quality_seen (
        account_id bigint NOT NULL,
        report text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('field', 'time_zone')),
        item text NOT NULL,
        first_day date NOT NULL,
        last_day date NOT NULL,
        first_seen_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        is_constant boolean NOT NULL,
        PRIMARY KEY (account_id, report, kind, item)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
