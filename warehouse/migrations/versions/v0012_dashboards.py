"""What we made in which Metabase, so that it is found again and told from what people made."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    # No number yet: it was about to be made. `sent` and `seen` are digests by key: what was asked for, and what
    # Metabase showed afterwards.
    op.execute(
        """
        CREATE TABLE ops.metabase_object (
            instance text NOT NULL,
            kind text NOT NULL,
            key text NOT NULL,
            metabase_id bigint,
            fingerprint text,
            sent jsonb NOT NULL DEFAULT '{}',
            seen jsonb NOT NULL DEFAULT '{}',
            secret_salt text,
            secret_digest text,
            changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (instance, kind, key)
        )
        """
    )
