"""One table per report that ships, stored as the server's profile wants it.

The columns come from `warehouse.tables`, which also makes the tables of reports that users declare. Whoever
changes them there adds a migration that alters every existing `raw.insights_*` table with `IF NOT EXISTS`,
so that it does nothing on a database that was made with the new columns.
"""

from __future__ import annotations

from alembic import op

from warehouse.storage import detect
from warehouse.tables import PRESETS

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    assert connection is not None
    storage = detect(connection)
    for table in PRESETS.values():
        storage.create_insight_table(connection, table)
