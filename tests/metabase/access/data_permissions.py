"""Data permissions: what each group may do on each database, what a new database and a new group get.

Belongs here: levels, storage, defaults, what a user may do. The graph that the API shows is in `data_graph`.
A level is a word for the whole database, or a map of schema to table id to word.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.metabase.access.principals import ALL_USERS, group_ids
from tests.metabase.core.state import Row, State

Level = str | dict[str, dict[str, str]]
LEVELS: dict[str, tuple[str, ...]] = {
    "view-data": ("unrestricted", "legacy-no-self-service", "blocked"),
    "create-queries": ("query-builder-and-native", "query-builder", "no"),
    "download": ("full", "limited", "none"),
    "data-model": ("all", "none"),
    "details": ("yes", "no"),
    "transforms": ("yes", "no"),
}
"""Levels by kind, from the most to the least permissive. The least one is what an absent entry means."""
NATIVE = "query-builder-and-native"


def level(state: State, group_id: int, database_id: int, kind: str) -> Level:
    """The level of a group."""
    row = state.first("data_permission", group_id=group_id, db_id=database_id, kind=kind)
    found: Level = row["level"] if row else LEVELS[kind][-1]
    return found


def set_level(state: State, group_id: int, database_id: int, kind: str, value: Level) -> None:
    """Sets a level and what it implies."""
    row = state.first("data_permission", group_id=group_id, db_id=database_id, kind=kind)
    if row:
        row["level"] = value
    else:
        state.add("data_permission", {"group_id": group_id, "db_id": database_id, "kind": kind, "level": value})
    if kind == "create-queries" and isinstance(value, str):
        if value != "no" and level(state, group_id, database_id, "view-data") != "unrestricted":
            set_level(state, group_id, database_id, "view-data", "unrestricted")
        if value != NATIVE:
            set_level(state, group_id, database_id, "transforms", "no")


def words(value: Level) -> set[str]:
    """All words in a level."""
    if isinstance(value, str):
        return {value}
    return {word for tables in value.values() for word in tables.values()}


def _lowest(kind: str, found: set[str], otherwise: str) -> str:
    order = LEVELS[kind]
    return max(found, key=order.index) if found else otherwise


def default_for_database(state: State, database_id: int) -> None:
    """What every group gets on a new database: the lowest level that it has on any, else everything.

    Tenants' groups get nothing, and administrators need no entry.
    """
    for group in state.all("group"):
        if group["magic_group_type"] == "admin" or group["is_tenant_group"]:
            continue
        held = {
            kind: {
                word
                for row in state.where("data_permission", group_id=group["id"], kind=kind)
                for word in words(row["level"])
            }
            for kind in ("create-queries", "download")
        }
        _store_defaults(
            state,
            group["id"],
            database_id,
            _lowest("create-queries", held["create-queries"], NATIVE),
            _lowest("download", held["download"], "full"),
        )


def default_for_group(state: State, group: Row) -> None:
    """What a new group gets on every database: the lowest of what All Users has on that one."""
    for database in state.all("database"):
        held = {kind: words(level(state, ALL_USERS, database["id"], kind)) for kind in ("create-queries", "download")}
        _store_defaults(
            state,
            group["id"],
            database["id"],
            _lowest("create-queries", held["create-queries"], NATIVE),
            _lowest("download", held["download"], "full"),
        )


def _store_defaults(state: State, group_id: int, database_id: int, queries: str, download: str) -> None:
    set_level(state, group_id, database_id, "view-data", "unrestricted")
    set_level(state, group_id, database_id, "create-queries", queries)
    set_level(state, group_id, database_id, "download", download)


def _levels_of(state: State, user: Row, database_id: int) -> Iterator[Level]:
    for group in group_ids(state, user):
        yield level(state, group, database_id, "create-queries")


def may_write_sql(state: State, user: Row, database_id: int) -> bool:
    """Whether a user may run and save SQL of their own on a database."""
    return user["is_superuser"] or NATIVE in set(map(_hashable, _levels_of(state, user, database_id)))


def may_see_database(state: State, user: Row, database_id: int) -> bool:
    """Whether a user sees a database at all: who may query some of it does."""
    if user["is_superuser"]:
        return True
    return any(words(value) - {"no"} for value in _levels_of(state, user, database_id))


def may_see_table(state: State, user: Row, table: Row) -> bool:
    """Whether a user sees a table."""
    if user["is_superuser"]:
        return True
    for value in _levels_of(state, user, table["db_id"]):
        word: Any = value
        if isinstance(value, dict):
            word = value.get(table["schema"] or "", {}).get(str(table["id"]), "no")
        if word != "no":
            return True
    return False


def _hashable(value: Level) -> str:
    return value if isinstance(value, str) else ""
