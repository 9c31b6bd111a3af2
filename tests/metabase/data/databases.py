"""Databases: adding, changing, showing, syncing."""

from __future__ import annotations

from typing import Any

from tests.metabase.access.data_permissions import default_for_database, may_see_database, may_see_table, may_write_sql
from tests.metabase.core.call import ID, Call, route
from tests.metabase.core.errors import ApiError, bad_request, forbidden, paid_feature
from tests.metabase.core.ids import timestamp
from tests.metabase.core.schema import OpenMap
from tests.metabase.core.state import Row
from tests.metabase.data import catalog, sync
from tests.metabase.data.connection import Unreachable, check_engine, connect, masked, unmasked
from tests.metabase.data.database_requests import DatabaseChange, Include, NewDatabase, Trial
from tests.metabase.data.metadata import fields_of, shown_field, shown_table, tables_of
from tests.metabase.data.schedules import cron_strings, expanded


async def _trial(call: Call, engine: str, details: OpenMap) -> OpenMap:
    """The details that led to a connection: with TLS where the server has it, as Metabase tries that first."""
    check_engine(engine)
    if call.options.tls:
        details = details | {"ssl": True}
    async with await connect(call.options, details):
        return details


def shown(call: Call, database: Row) -> dict[str, Any]:
    """A database as answers show it: details masked, and for administrators alone."""
    admin = call.user["is_superuser"]
    answer = {name: value for name, value in database.items() if name != "details"} | {
        "native_permissions": "write" if may_write_sql(call.state, call.user, database["id"]) else "none",
        "transforms_permissions": "write" if admin else "none",
        "can_upload": False,
        "features": ["basic-aggregations", "native-parameters", "schemas", "foreign-keys", "nested-queries"],
    }
    if admin:
        answer["details"] = masked(database["details"])
    return answer


def readable(call: Call) -> Row:
    """The database that the path names.

    Raises:
        ApiError: 404 there is none, 403 whoever asks may not see it.
    """
    database = call.row("database")
    if not may_see_database(call.state, call.user, database["id"]):
        raise forbidden()
    return database


def _tables(call: Call, database: Row, *, fields: bool, hidden: bool = False) -> list[dict[str, Any]]:
    state = call.state
    found = [t for t in tables_of(state, database["id"], hidden=hidden) if may_see_table(state, call.user, t)]
    if not fields:
        return [shown_table(t) for t in found]
    return [
        shown_table(t)
        | {"fields": [shown_field(state, f) for f in fields_of(state, t, sensitive=hidden)]}
        | {"segments": [], "metrics": []}
        for t in found
    ]


@route("GET", "/api/database", query=Include)
def listed(call: Call) -> dict[str, Any]:
    """All databases that whoever asks may see, by name."""
    found = []
    for database in sorted(call.state.all("database"), key=lambda d: (d["name"].lower(), d["engine"])):
        if may_see_database(call.state, call.user, database["id"]):
            entry = shown(call, database)
            if call.query.include == "tables":
                entry["tables"] = _tables(call, database, fields=False)
            found.append(entry)
    return {"data": found, "total": len(found)}


@route("POST", "/api/database", access="admin", body=NewDatabase)
async def create(call: Call) -> dict[str, Any]:
    """Adds a database that can be connected to, gives every group its permissions on it, and begins a sync."""
    body = call.body
    if body.is_stub:
        raise bad_request("is_stub may not be set via the API")
    if body.cache_ttl is not None:
        raise paid_feature("The cache TTL database setting")
    try:
        details = await _trial(call, body.engine, body.details)
    except Unreachable as error:
        raise ApiError(400, error.body()) from None
    now = timestamp(call.standin.now())
    columns = {
        "name": body.name,
        "engine": body.engine,
        "details": details,
        "is_full_sync": body.is_full_sync is not False,
        "is_on_demand": bool(body.is_on_demand),
        "auto_run_queries": body.auto_run_queries is not False,
    }
    database = call.state.add(
        "database",
        columns
        | cron_strings(columns, body.schedules, call.state.counted("database") + 1)
        | {
            "description": None,
            "caveats": None,
            "points_of_interest": None,
            "cache_ttl": None,
            "settings": None,
            "refingerprint": None,
            "provider_name": body.provider_name,
            "timezone": "UTC",
            "initial_sync_status": "incomplete",
            "is_sample": False,
            "is_audit": False,
            "is_attached_dwh": False,
            "creator_id": call.user["id"],
            "created_at": now,
            "updated_at": now,
        },
    )
    default_for_database(call.state, database["id"])
    sync.start(call.standin, database)
    return shown(call, database)


@route("POST", "/api/database/validate", access="admin", body=Trial)
async def validate(call: Call) -> dict[str, Any]:
    """Tries a connection and keeps nothing."""
    try:
        details = await _trial(call, call.body.details.engine, call.body.details.details)
    except Unreachable as error:
        return error.body() | {"valid": False}
    return masked(details) | {"valid": True}


@route("GET", f"/api/database/{ID}", query=Include)
def one(call: Call) -> dict[str, Any]:
    """A database."""
    database = readable(call)
    answer = shown(call, database) | {"schedules": expanded(database)}
    if call.user["is_superuser"]:
        answer["can-manage"] = True
    if call.query.include:
        answer["tables"] = _tables(call, database, fields=call.query.include == "tables.fields")
    return answer


@route("PUT", f"/api/database/{ID}", body=DatabaseChange)
async def change(call: Call) -> dict[str, Any]:
    """Changes a database. Details are laid over the stored ones: a key left out stays, a mask keeps its secret."""
    database, body = call.row("database"), call.body
    if not call.user["is_superuser"]:
        raise forbidden()
    if body.is_stub:
        raise bad_request("is_stub may not be set via the API")
    if body.write_data_details is not None:
        raise paid_feature("Writable Connection")
    given = body.given()
    details = database["details"]
    if body.details is not None:
        details = details | unmasked(body.details, details)
    if details != database["details"] or (body.engine or database["engine"]) != database["engine"]:
        try:
            check_engine(body.engine or database["engine"])
            async with await connect(call.options, details):
                database["details"] = details
        except Unreachable as error:
            raise ApiError(400, error.body()) from None
    for name in ("name", "description", "caveats", "points_of_interest", "auto_run_queries", "refingerprint"):
        if given.get(name) is not None:
            database[name] = given[name]
    if given.get("settings"):
        merged = (database["settings"] or {}) | given["settings"]
        database["settings"] = {name: value for name, value in merged.items() if value is not None}
    if body.is_full_sync is not None:
        database["is_full_sync"] = body.is_full_sync
    # Reason: Metabase takes an absent is_on_demand for false.
    database["is_on_demand"] = bool(body.is_on_demand)
    if "provider_name" in given:
        database["provider_name"] = given["provider_name"]
    database |= cron_strings(database, body.schedules, database["id"])
    database["updated_at"] = timestamp(call.standin.now())
    return shown(call, database) | {"schedules": expanded(database)}


@route("DELETE", f"/api/database/{ID}", access="admin")
def delete(call: Call) -> None:
    """Deletes a database with its tables, fields, permissions and cards."""
    database = call.row("database")
    state, number = call.state, database["id"]
    call.standin.cancel(f"sync {number}")
    tables = {t["id"] for t in state.where("table", db_id=number)}
    cards = {c["id"] for c in state.where("card", database_id=number)}
    state.keep_only("field", lambda f: f["table_id"] not in tables)
    state.keep_only("table", lambda t: t["id"] not in tables)
    state.keep_only("data_permission", lambda p: p["db_id"] != number)
    state.keep_only("card", lambda c: c["id"] not in cards)
    state.keep_only("dashcard", lambda d: d["card_id"] not in cards)
    state.delete("database", number)


@route("GET", f"/api/database/{ID}/metadata", query=Include)
def metadata(call: Call) -> dict[str, Any]:
    """A database with its tables and fields."""
    database = readable(call)
    query = call.query
    return shown(call, database) | {
        "tables": _tables(call, database, fields=not query.skip_fields, hidden=query.include_hidden)
    }


def _schemas(call: Call, database: Row) -> list[str]:
    return sorted({t["schema"] for t in _tables(call, database, fields=False)})


@route("GET", f"/api/database/{ID}/schemas")
def schemas(call: Call) -> list[str]:
    """The schemas that have tables."""
    return _schemas(call, readable(call))


@route("GET", f"/api/database/{ID}/schema/{{schema}}")
def schema_tables(call: Call) -> list[dict[str, Any]]:
    """The tables of a schema."""
    database = readable(call)
    if call.path["schema"] not in _schemas(call, database):
        raise ApiError(404, "Not found.")
    return [t for t in _tables(call, database, fields=False) if t["schema"] == call.path["schema"]]


@route("GET", f"/api/database/{ID}/syncable_schemas", access="admin")
async def syncable_schemas(call: Call) -> list[str]:
    """All schemas of the real database."""
    async with await connect(call.options, call.row("database")["details"]) as connection:
        return await catalog.schemas(connection)


@route("GET", f"/api/database/{ID}/healthcheck")
async def healthcheck(call: Call) -> dict[str, Any]:
    """Whether the database answers."""
    try:
        async with await connect(call.options, readable(call)["details"]):
            return {"status": "ok"}
    except Unreachable as error:
        return {"status": "error", "message": str(error), "errors": error.fields}


@route("POST", f"/api/database/{ID}/sync_schema", access="admin")
async def sync_schema(call: Call) -> dict[str, str]:
    """Begins a sync, once the database answers."""
    database = call.row("database")
    try:
        async with await connect(call.options, database["details"]):
            sync.start(call.standin, database)
    except Unreachable as error:
        raise ApiError(422, str(error)) from None
    return {"status": "ok"}


@route("POST", f"/api/database/{ID}/rescan_values", access="admin")
def rescan_values(call: Call) -> dict[str, str]:
    """Values are read when they are asked for, so that a scan has nothing to do."""
    call.row("database")
    return {"status": "ok"}


@route("POST", f"/api/database/{ID}/discard_values", access="admin")
def discard_values(call: Call) -> dict[str, str]:
    """Likewise."""
    call.row("database")
    return {"status": "ok"}
