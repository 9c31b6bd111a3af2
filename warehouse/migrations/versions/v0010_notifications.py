"""What Meta's webhooks said, and what was done about it."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    # Reason for the digest: Meta repeats deliveries, and each change must be stored once.
    op.execute(
        """
        CREATE TABLE ops.notification (
            notification_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            object text,
            account_id bigint,
            field text,
            event_time timestamptz,
            payload jsonb,
            body bytea,
            digest bytea NOT NULL UNIQUE,
            state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'asked', 'ignored', 'unknown')),
            reason text,
            run_key text,
            asked_at timestamptz
        )
        """
    )
    op.execute("CREATE INDEX notification_new ON ops.notification (notification_id) WHERE state = 'new'")
    op.execute("CREATE INDEX notification_received ON ops.notification (received_at)")
