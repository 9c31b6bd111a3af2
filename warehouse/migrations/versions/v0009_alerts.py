"""Alerts: one row for each time that a cause was there, and what was told about it on which channel."""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    """
    CREATE TABLE ops.alert (
        alert_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        cause text NOT NULL,
        kind text NOT NULL,
        severity text NOT NULL CHECK (severity IN ('warning', 'error')),
        account_id bigint,
        title text NOT NULL,
        detail text NOT NULL,
        mend text NOT NULL,
        -- What the cause concerns, by subject: {"<subject>": {"account_id", "run_id", "text", "at", "job"}}.
        samples jsonb NOT NULL DEFAULT '{}',
        opened_at timestamptz NOT NULL,
        last_seen_at timestamptz NOT NULL,
        seen_count int NOT NULL DEFAULT 1,
        notified_at timestamptz,
        last_notified_at timestamptz,
        resolved_at timestamptz,
        resolution text CHECK (resolution IN ('gone', 'expired')),
        all_clear_at timestamptz,
        CHECK ((resolved_at IS NULL) = (resolution IS NULL))
    )
    """,
    "CREATE UNIQUE INDEX alert_open ON ops.alert (cause) WHERE resolved_at IS NULL",
    "CREATE INDEX alert_cause ON ops.alert (cause, alert_id)",
    "CREATE INDEX alert_resolved ON ops.alert (resolved_at)",
    # By cause and not by alert: whether a channel still owes an all-clear, and since when it has been silent, outlives
    # a cause that goes and comes back.
    """
    CREATE TABLE ops.alert_delivery (
        cause text NOT NULL,
        channel text NOT NULL,
        alert_id bigint NOT NULL,
        severity text CHECK (severity IN ('warning', 'error')),
        told_at timestamptz,
        told_count int NOT NULL DEFAULT 0,
        cleared_at timestamptz,
        problem text,
        PRIMARY KEY (cause, channel),
        CHECK ((told_count = 0) = (told_at IS NULL)),
        CHECK ((told_count = 0) = (severity IS NULL))
    )
    """,
    # For dashboards that show a client only what concerns its accounts.
    """
    CREATE VIEW ops.alert_account AS
    SELECT alert_id, account_id FROM ops.alert WHERE account_id IS NOT NULL
    UNION
    SELECT alert.alert_id, (sample.value ->> 'account_id')::bigint
    FROM ops.alert AS alert
    CROSS JOIN LATERAL jsonb_each(alert.samples) AS sample
    WHERE sample.value ->> 'account_id' IS NOT NULL
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
