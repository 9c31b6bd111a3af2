"""Keeping clients apart in the database: a schema of views for each, and a login that reads it and nothing else.

What belongs here: schemas, views, roles, and asking whether the fence is closed. What does not: dashboards, which rest
on it, and where passwords are kept.

`docs/reference/isolation.md` says who sees what, and why it is done this way.
"""

from __future__ import annotations

from warehouse.isolation.doors import Door
from warehouse.isolation.logins import Secret, ensure_agency_login, ensure_login, open_doors, told
from warehouse.isolation.names import AGENCY_ROLE, VIEW_OWNER, role_name, schema_name
from warehouse.isolation.present import clients_with_views
from warehouse.isolation.schemas import ClientSchema, SyncResult, sync_client_schemas

__all__ = [
    "AGENCY_ROLE",
    "VIEW_OWNER",
    "ClientSchema",
    "Door",
    "Secret",
    "SyncResult",
    "clients_with_views",
    "ensure_agency_login",
    "ensure_login",
    "open_doors",
    "role_name",
    "schema_name",
    "sync_client_schemas",
    "told",
]
