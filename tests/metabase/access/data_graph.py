"""The graph of data permissions: reading it with the least permissive values left out, and writing it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.metabase.access.data_permissions import LEVELS, NATIVE, Level, level, set_level
from tests.metabase.access.principals import ADMINISTRATORS, DATA_ANALYSTS
from tests.metabase.core.call import Call, route
from tests.metabase.core.errors import ApiError, bad_request, conflict, paid_feature, server_error
from tests.metabase.core.schema import Body, OpenMap, Query
from tests.metabase.core.state import State

REVISION = "permissions_revision"
_NESTED = frozenset({"download", "data-model"})
"""Kinds that the graph wraps into `{"schemas": ...}`."""
_KEYS = frozenset({*LEVELS, "data", "workspaces"})
_ADMIN = {
    "view-data": "unrestricted",
    "create-queries": NATIVE,
    "download": {"schemas": "full"},
    "data-model": {"schemas": "all"},
    "details": "yes",
    "transforms": "yes",
}
_ANALYST = {"data-model": {"schemas": "all"}}
_ORDER = ("details", "data-model", "download", "transforms", "create-queries", "view-data")


class GraphQuery(Query):
    """How to take a new graph."""

    skip_graph: bool = False
    force: bool = False

    model_config = Query.model_config | {"alias_generator": lambda name: name.replace("_", "-")}


class Graph(Body):
    """A graph, or the part of it to change."""

    groups: OpenMap
    revision: int | None = None
    force: bool | None = None
    sandboxes: list[Any] | None = None
    impersonations: list[Any] | None = None


def graph(state: State, groups: Iterable[int] | None = None, database_id: int | None = None) -> dict[str, Any]:
    """The graph of some groups (of all by default) on one database (on all by default)."""
    databases = [d["id"] for d in state.all("database") if database_id in {None, d["id"]}]
    shown: dict[str, Any] = {}
    for group in sorted(groups) if groups is not None else [g["id"] for g in state.all("group")]:
        entry = {}
        for database in databases:
            if group == ADMINISTRATORS:
                entry[str(database)] = _ADMIN
            elif found := _entry(state, group, database):
                entry[str(database)] = found
        if entry:
            shown[str(group)] = entry
    return {"revision": state.counted(REVISION), "groups": shown}


def _entry(state: State, group: int, database: int) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    for kind, order in LEVELS.items():
        value = _coalesced(level(state, group, database, kind), order[-1])
        if value and value != order[-1]:
            entry[kind] = {"schemas": value} if kind in _NESTED else value
    return entry | _ANALYST if group == DATA_ANALYSTS else entry


def _coalesced(value: Level, least: str) -> Any:
    """Tables of one word become that word for their schema; the least permissive tables are left out."""
    if isinstance(value, str):
        return value
    shown: dict[str, Any] = {}
    for schema, tables in value.items():
        different = set(tables.values())
        if len(different) == 1:
            if different != {least}:
                shown[schema] = different.pop()
        else:
            shown[schema] = {table: word for table, word in tables.items() if word != least}
    return shown


@route("GET", "/api/permissions/graph", access="admin")
def whole(call: Call) -> dict[str, Any]:
    """All groups on all databases."""
    return graph(call.state)


@route("GET", "/api/permissions/graph/db/{id:\\d+}", access="admin")
def of_database(call: Call) -> dict[str, Any]:
    """All groups on one database."""
    return graph(call.state, database_id=call.id())


@route("GET", "/api/permissions/graph/group/{id:\\d+}", access="admin")
def of_group(call: Call) -> dict[str, Any]:
    """One group on all databases."""
    return graph(call.state, [call.id()])


@route("PUT", "/api/permissions/graph", access="admin", body=Graph, query=GraphQuery)
def change(call: Call) -> dict[str, Any]:
    """Sets what the request names and leaves the rest; every accepted request is a new revision."""
    body, state = call.body, call.state
    changes = _decoded(body.groups)
    if body.sandboxes:
        raise paid_feature("Sandboxes")
    if body.impersonations:
        raise paid_feature("Connection impersonation")
    if not (call.query.force or body.force) and body.revision != state.counted(REVISION):
        raise conflict()
    for group, databases in changes.items():
        for database, kinds in databases.items():
            _check(state, group, database, kinds)
    for group, databases in changes.items():
        for database, kinds in databases.items():
            for kind in _ORDER:
                if kind in kinds and group != ADMINISTRATORS:
                    set_level(state, group, database, kind, _expanded(state, database, kind, kinds[kind]))
    state.count_up(REVISION)
    answer: dict[str, Any] = {"revision": state.counted(REVISION)}
    if not call.query.skip_graph:
        answer["groups"] = graph(state, changes)["groups"]
    return answer


def _decoded(groups: OpenMap) -> dict[int, dict[int, dict[str, Any]]]:
    """The request's groups with numbers for keys."""
    decoded: dict[int, dict[int, dict[str, Any]]] = {}
    for group, databases in groups.items():
        if not group.isdigit():
            raise _invalid("it must be keyed by group id.")
        if not isinstance(databases, dict | None) or not all(str(d).isdigit() for d in databases or {}):
            raise _invalid("permissions for a group must be keyed by database id.")
        decoded[int(group)] = {}
        for database, kinds in (databases or {}).items():
            if not isinstance(kinds, dict) or set(kinds) - _KEYS:
                raise _invalid("unrecognized permissions for a database.")
            decoded[int(group)][int(database)] = {k: _word(k, v) for k, v in kinds.items() if k in LEVELS}
    return decoded


def _word(kind: str, value: Any) -> Any:
    """A level of the request, unwrapped and checked."""
    if kind in _NESTED:
        if not isinstance(value, dict) or set(value) - {"schemas", "native"}:
            raise _invalid(f"unrecognized permissions for {kind}.")
        value = value.get("schemas", LEVELS[kind][-1])
    leaves = [value]
    while any(isinstance(leaf, dict) for leaf in leaves):
        leaves = [sub for leaf in leaves for sub in (leaf.values() if isinstance(leaf, dict) else [leaf])]
    if not all(leaf in LEVELS[kind] for leaf in leaves):
        raise _invalid(f"unrecognized permissions for {kind}.")
    return value


def _check(state: State, group: int, database: int, kinds: dict[str, Any]) -> None:
    blocked = kinds.get("view-data") == "blocked"
    if blocked and kinds.get("create-queries") == NATIVE:
        raise _invalid("If you have write access for native queries, you must have data access to all schemas.")
    if blocked:
        raise ApiError(
            402,
            "The blocked permissions functionality is only enabled if you have a premium token with the "
            "advanced-permissions feature.",
        )
    if kinds.get("transforms") == "yes":
        queries = kinds.get("create-queries", level(state, group, database, "create-queries"))
        if queries != NATIVE:
            raise bad_request('Transforms permission requires "Query builder and native" data access for the database.')
    if group == DATA_ANALYSTS and kinds.get("data-model", "all") != "all":
        raise bad_request("You cannot modify the data model permission for the 'Data Analysts' group.")
    if state.get("group", group) is None or state.get("database", database) is None:
        raise server_error(
            'ERROR: insert or update on table "data_permissions" violates foreign key constraint',
            "class org.postgresql.util.PSQLException",
        )


def _expanded(state: State, database: int, kind: str, value: Any) -> Level:
    """A map by schema becomes one by table; tables that it does not name get the least."""
    if isinstance(value, str):
        return value
    expanded: dict[str, dict[str, str]] = {}
    for table in state.where("table", db_id=database):
        schema = table["schema"] or ""
        word = value.get(schema, LEVELS[kind][-1])
        if isinstance(word, dict):
            word = word.get(str(table["id"]), LEVELS[kind][-1])
        expanded.setdefault(schema, {})[str(table["id"])] = word
    return expanded


def _invalid(why: str) -> ApiError:
    return bad_request(f"Cannot parse permissions graph because it is invalid: {why}")
