"""The call budget, one for all processes."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    # Reason for the fill factor: the row is rewritten twice a call, and stays on its page if there is room.
    op.execute(
        """
        CREATE TABLE ops.call_budget (
            scope_id text PRIMARY KEY,
            state jsonb NOT NULL
        ) WITH (fillfactor = 20, autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0)
        """
    )
