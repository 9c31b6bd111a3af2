"""Collections: one for the agency, one for each client below `Clients`.

What belongs here: making, naming and placing them. What does not: who may open them (`dashboards.metabase.fences`).

A collection is ours if its number and its entity id are those that we remember, or if its description bears our mark.
One by the same name that a person made is left alone, and ours is made beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.errors import MetabaseRefused
from dashboards.metabase import canonical
from dashboards.metabase.client import Metabase
from dashboards.metabase.identity import has_mark, marked
from dashboards.metabase.ledger import Found, Ledger
from dashboards.spaces import Space

KIND = "collection"
CLIENTS = "clients"
"""Key of the collection that those of clients lie in; no client is called that by `clients.yml`'s rules of keys."""
_GONE = 404


@dataclass(frozen=True)
class _Wanted:
    key: str
    name: str
    about: str
    parent: str | None


def _all(spaces: Iterable[Space]) -> Iterator[_Wanted]:
    several = list(spaces)
    for space in several:
        if not space.is_client:
            yield _Wanted(space.key, space.title, "Dashboards on the data of all clients.", None)
    if any(space.is_client for space in several):
        yield _Wanted(CLIENTS, "Clients", "One collection for each client, which that client alone may open.", None)
    for space in several:
        if space.is_client:
            yield _Wanted(space.key, space.title, f"Dashboards of {space.title}.", CLIENTS)


def settle_collections(metabase: Metabase, ledger: Ledger, spaces: Iterable[Space]) -> dict[str, int]:
    """Makes or mends the collections; their numbers by key, without those that a plan would make."""
    rows = [row for row in metabase.get("collection") if row["id"] != "root"]
    numbers: dict[str, int] = {}
    for one in _all(spaces):
        parent = numbers.get(one.parent) if one.parent else None
        asked = {"name": one.name, "description": marked(one.about, one.key), "parent_id": parent}
        # Reason: without `archived` a change also restores; it is said, so that what we ask for is what we compare.
        wanted = canonical.collection(asked | {"archived": False})
        found = _find(metabase, ledger, one, parent, rows)

        def write(present: Found | None, asked: Mapping[str, Any] = asked) -> Found:
            if present is None:
                return _found(metabase.post("collection", {k: v for k, v in asked.items() if v is not None}))
            # Reason: the answer of a change may come from before a move; what counts is read again.
            metabase.put(f"collection/{present.metabase_id}", {**asked, "archived": False})
            return _found(metabase.get(f"collection/{present.metabase_id}"))

        settled = ledger.settle(KIND, one.key, one.name, wanted, found, write)
        if settled is not None:
            numbers[one.key] = settled.metabase_id
    return numbers


def _find(
    metabase: Metabase, ledger: Ledger, one: _Wanted, parent: int | None, rows: list[dict[str, Any]]
) -> Found | None:
    known = ledger.of(KIND, one.key)
    for row in rows:
        if ledger.is_it(KIND, one.key, row["id"], row.get("entity_id")):
            return _found(row)
    if known.metabase_id is not None:
        # Reason: the list leaves out what is in the trash.
        try:
            row = metabase.get(f"collection/{known.metabase_id}")
        except MetabaseRefused as refused:
            if refused.status != _GONE:
                raise
        else:
            if row.get("entity_id") == known.fingerprint:
                return _found(row)
    for row in rows:
        is_personal = row.get("personal_owner_id") or row.get("is_personal")
        if not is_personal and has_mark(row.get("description"), one.key) and _found(row).shows["parent_id"] == parent:
            return _found(row)
    return None


def _found(row: Mapping[str, Any]) -> Found:
    return Found(int(row["id"]), row.get("entity_id"), canonical.collection(row))
