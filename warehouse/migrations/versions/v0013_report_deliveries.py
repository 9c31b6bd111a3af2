"""Reports by e-mail: one row for each report and period, so that each goes out once."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    # `version` goes up with every change: whoever writes says which one was read, so that of two only one succeeds.
    op.execute(
        """
        CREATE TABLE ops.report_delivery (
            client_id text NOT NULL,
            report text NOT NULL,
            first_day date NOT NULL,
            last_day date NOT NULL,
            version int NOT NULL,
            state text NOT NULL CHECK (
                state IN ('writing', 'withheld', 'failed', 'sending', 'sent', 'unsure', 'given_up')
            ),
            reason text NOT NULL DEFAULT '',
            mend text NOT NULL DEFAULT '',
            due_at timestamptz NOT NULL,
            begun_at timestamptz NOT NULL,
            tried_at timestamptz NOT NULL,
            retry_at timestamptz,
            sent_at timestamptz,
            attempts int NOT NULL DEFAULT 0,
            copy int NOT NULL DEFAULT 0,
            message_id text,
            digest text,
            recipients text[] NOT NULL DEFAULT '{}',
            refused jsonb NOT NULL DEFAULT '{}',
            PRIMARY KEY (client_id, report, first_day, last_day),
            CHECK (first_day <= last_day),
            CHECK (state NOT IN ('sending', 'sent', 'unsure') OR message_id IS NOT NULL),
            CHECK (state <> 'sent' OR sent_at IS NOT NULL)
        )
        """
    )
