"""Who may see what: groups, and the two matrices of permissions, which are read back after every change.

What belongs here: groups of spaces, and permissions on databases and collections. What does not: people, who are put
into groups by an administrator.

In the open-source edition everybody may look at data in principle. So three things keep clients apart: what a group
may ask of a database, what it may open of the collections, and the role with which a database is read; the last is the
one that holds against mistakes in the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.errors import MetabaseFenceOpen, MetabaseRefused
from dashboards.metabase.canonical import Canonical
from dashboards.metabase.client import Metabase
from dashboards.metabase.identity import mark
from dashboards.metabase.ledger import Change, Found, Ledger
from dashboards.spaces import Space
from warehouse.ops.dashboards import ManagedObject

KIND = "group"
_FENCE = "fence"
NOTHING, BUILDER, NATIVE = "no", "query-builder", "query-builder-and-native"
_CONFLICT = 409
_ATTEMPTS = 5
_EVERYBODY = "all-internal-users"
_ADMINISTRATORS = "admin"
Levels = Mapping[tuple[int, int | str], str]
"""Levels by group and database, or by group and collection."""


@dataclass(frozen=True)
class Groups:
    """Groups by what they are.

    Attributes:
        everybody: The group that everybody is in.
        spaces: Groups of spaces, by the space's key; one that a plan would make is not among them.
        others: All further groups that are not administrators', by number.
    """

    everybody: int
    spaces: Mapping[str, int]
    others: Mapping[int, str]


def group_name(space: Space) -> str:
    """What administrators see; a group has no description, so the name holds the mark."""
    return f"{space.title} {mark(space.key)}"


def settle_groups(metabase: Metabase, ledger: Ledger, spaces: Iterable[Space]) -> Groups:
    """Makes or renames the group of each space."""
    rows = metabase.get("permissions/group")
    ours: dict[str, int] = {}
    for space in spaces:
        wanted: Canonical = {"name": group_name(space)}
        row = next((one for one in rows if ledger.is_it(KIND, space.key, one["id"], one.get("entity_id"))), None)
        row = row or next((one for one in rows if one["name"] == wanted["name"]), None)

        def write(found: Found | None, wanted: Canonical = wanted) -> Found:
            if found is None:
                return _found(metabase.post("permissions/group", wanted))
            return _found(metabase.put(f"permissions/group/{found.metabase_id}", wanted))

        settled = ledger.settle(KIND, space.key, space.title, wanted, _found(row) if row else None, write)
        if settled is not None:
            ours[space.key] = settled.metabase_id
    everybody = next((one["id"] for one in rows if one.get("magic_group_type") == _EVERYBODY), 1)
    special = {everybody, *ours.values()}
    others = {
        int(one["id"]): str(one["name"])
        for one in rows
        if one["id"] not in special and one.get("magic_group_type") != _ADMINISTRATORS
    }
    return Groups(int(everybody), ours, others)


def _found(row: Mapping[str, Any]) -> Found:
    return Found(int(row["id"]), row.get("entity_id"), {"name": row["name"]})


def fence_databases(
    metabase: Metabase,
    ledger: Ledger,
    groups: Groups,
    spaces: Iterable[Space],
    databases: Mapping[str, int],
    *,
    only: str | None = None,
) -> None:
    """Everybody may query nothing; the group of a client its own database with the builder, the agency's by SQL.

    Groups that people made keep what they were given, except on a database that was only just made: there Metabase
    gives every group something by itself, and that is taken back.

    Args:
        metabase: An administrator's.
        ledger: What is known.
        groups: From `settle_groups`.
        spaces: All of them.
        databases: Numbers of databases by the space's key.
        only: Key of the one space around whose database the fence is closed; None for all there are.

    Raises:
        MetabaseFenceOpen: The matrix is not what was asked for.
    """
    near = dict(databases) if only is None else {only: databases[only]}
    fresh = _not_fenced_yet(ledger, "database", near)
    own = {space.key: BUILDER if space.is_client else NATIVE for space in spaces}
    clients = {databases[space.key]: space.title for space in spaces if space.is_client and space.key in databases}

    def wanted(graph: Any) -> dict[tuple[int, int | str], str]:
        every = set(near.values())
        if only is None:
            every |= {int(number) for levels in graph["groups"].values() for number in levels}
        matrix: dict[tuple[int, int | str], str] = {(groups.everybody, number): NOTHING for number in every}
        for key, group in groups.spaces.items():
            for number in every:
                matrix[group, number] = own[key] if number == databases.get(key) else NOTHING
        matrix |= {(group, number): NOTHING for group in groups.others for number in fresh}
        return matrix

    def level(graph: Any, group: int, number: int | str) -> Any:
        return (graph["groups"].get(str(group), {}).get(str(number)) or {}).get("create-queries", NOTHING)

    def body(changes: Levels) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for (group, number), word in changes.items():
            entry = {"view-data": "unrestricted", "create-queries": word}
            made.setdefault(str(group), {})[str(number)] = entry
        return made

    graph = _fenced(metabase, ledger, "permissions/graph", "on databases", wanted, level, body)
    _remember_fences(ledger, "database", near)
    for group, name in groups.others.items():
        for number, title in clients.items():
            if level(graph, group, number) != NOTHING and number not in fresh:
                ledger.note(f"Group {name}, which we did not make, may query the data of {title}.")


def fence_collections(
    metabase: Metabase,
    ledger: Ledger,
    groups: Groups,
    spaces: Iterable[Space],
    collections: Mapping[str, int],
) -> None:
    """Everybody opens nothing of the root nor of ours; a client's group its own collection, the agency's all of ours.

    Args:
        metabase: An administrator's.
        ledger: What is known.
        groups: From `settle_groups`.
        spaces: All of them.
        collections: Numbers of our collections by key; those of spaces have the space's key.

    Raises:
        MetabaseFenceOpen: The matrix is not what was asked for.
    """
    fresh = _not_fenced_yet(ledger, "collection", collections)
    matrix: dict[tuple[int, int | str], str] = {(groups.everybody, "root"): "none"}
    agencies = {space.key for space in spaces if not space.is_client}
    for number in collections.values():
        matrix[groups.everybody, number] = "none"
    for key, group in groups.spaces.items():
        matrix[group, "root"] = "none"
        for owner, number in collections.items():
            matrix[group, number] = "read" if owner == key or key in agencies else "none"
    matrix |= {(group, number): "none" for group in groups.others for number in fresh}
    clients = {collections[space.key]: space.title for space in spaces if space.is_client and space.key in collections}

    def level(graph: Any, group: int, number: int | str) -> Any:
        return graph["groups"].get(str(group), {}).get(str(number), "none")

    def body(changes: Levels) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for (group, number), word in changes.items():
            made.setdefault(str(group), {})[str(number)] = word
        return made

    graph = _fenced(metabase, ledger, "collection/graph", "on collections", lambda _: matrix, level, body)
    _remember_fences(ledger, "collection", collections)
    for group, name in groups.others.items():
        for number, title in clients.items():
            if level(graph, group, number) != "none" and number not in fresh:
                ledger.note(f"Group {name}, which we did not make, may open the dashboards of {title}.")


def _not_fenced_yet(ledger: Ledger, kind: str, numbers: Mapping[str, int]) -> frozenset[int]:
    """Those around which no run has closed the fence: made by this one, or by one that was cut off."""
    return frozenset(
        number
        for key, number in numbers.items()
        if not ledger.is_it(_FENCE, f"{kind}/{key}", number, ledger.of(kind, key).fingerprint)
    )


def needs_fence(ledger: Ledger, space: Space, database_id: int) -> bool:
    """Whether no run has closed the fence around a database."""
    return bool(_not_fenced_yet(ledger, "database", {space.key: database_id}))


def _remember_fences(ledger: Ledger, kind: str, numbers: Mapping[str, int]) -> None:
    for key, number in numbers.items():
        ledger.keep(ManagedObject(_FENCE, f"{kind}/{key}", number, ledger.of(kind, key).fingerprint))


def _fenced(
    metabase: Metabase, ledger: Ledger, path: str, title: str, wanted: Any, level: Any, body: Any
) -> dict[str, Any]:
    """Makes a graph hold what is wanted; the graph as it is then."""
    for _ in range(_ATTEMPTS):
        graph: dict[str, Any] = metabase.get(path)
        changes = {place: word for place, word in wanted(graph).items() if level(graph, place[0], place[1]) != word}
        if not changes:
            return graph
        names = tuple(f"group {group}, {number}: {word}" for (group, number), word in changes.items())
        ledger.announce_once(title, Change("update", "permissions", title, names))
        if ledger.is_plan:
            return graph
        try:
            metabase.put(path, {"revision": graph["revision"], "groups": body(changes)})
        except MetabaseRefused as refused:
            # Reason: somebody else changed permissions meanwhile, or our own lost answer did.
            if refused.status != _CONFLICT:
                raise
    raise MetabaseFenceOpen(
        f"Permissions {title} are not what they were set to, {_ATTEMPTS} times in a row",
        "see in Metabase's administration who else changes them, then run this again",
    )
