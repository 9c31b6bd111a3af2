"""Alembic's environment: runs on the connection it is given, in `config.attributes["connection"]`."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

connection: Connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table_schema="ops", transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
