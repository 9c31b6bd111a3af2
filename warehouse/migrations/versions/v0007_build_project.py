"""Which version of the dbt project a build of the marts ran."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.execute("ALTER TABLE ops.mart_build ADD COLUMN project text")
