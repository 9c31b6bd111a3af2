"""Putting away what the definitions and the spaces no longer ask for.

What belongs here: cards, dashboards and collections of ours, which go to the trash, from which a person can take them.
What does not: databases and groups: Metabase has no trash for them, and with a database it would delete every question
that anybody ever asked of it. They are named, for a person to remove.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from typing import Any

from dashboards.errors import MetabaseRefused
from dashboards.metabase.access import Credentials, come_in
from dashboards.metabase.client import Metabase
from dashboards.metabase.collections import CLIENTS
from dashboards.metabase.content import cards_present
from dashboards.metabase.converge import Outcome, Wish, wanted_keys
from dashboards.metabase.identity import entity_id
from dashboards.metabase.ledger import Change, Ledger
from warehouse.ops.dashboards import ManagedObject, MetabaseObjects

_GONE = 404
_ORDER = ("dashboard", "card", "collection")
_KEPT = {"database": "database", "group": "group"}


def prune(
    metabase: Metabase,
    credentials: Credentials,
    objects: MetabaseObjects,
    wish: Wish,
    *,
    is_plan: bool = False,
    tell: Callable[[Change], None] = lambda _: None,
) -> Outcome:
    """Archives what is ours and no longer asked for.

    Args:
        metabase: Nobody's yet.
        credentials: To come in with.
        objects: What we made there before.
        wish: What there shall be.
        is_plan: Look only.
        tell: Called with each change before it is made.

    Raises:
        MetabaseError: Whatever stops it; the next run goes on.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        if not is_plan:
            stack.enter_context(objects.alone())
        return _prune(metabase, credentials, Ledger(objects, is_plan, tell), wish, began)


def _prune(metabase: Metabase, credentials: Credentials, ledger: Ledger, wish: Wish, began: float) -> Outcome:
    notes = come_in(metabase, credentials, may_write=not ledger.is_plan)
    wanted = wanted_keys(wish)
    ours = {(one.kind, one.metabase_id) for one in ledger.known.values()}
    gone = [one for one in ledger.known.values() if one.key not in wanted.get(one.kind, {one.key})]
    for one in sorted(gone, key=_turn):
        if one.kind in _KEPT:
            ledger.note(f"The {one.kind} of {one.key} is left as it is; remove it in Metabase if nobody needs it.")
        else:
            _put_away(metabase, ledger, one, ours)
    return Outcome(
        tuple(ledger.changes), (*notes, *ledger.notes), metabase.requests, metabase.writes, time.monotonic() - began
    )


def _turn(one: ManagedObject) -> tuple[int, bool, str, str]:
    """What lies in a collection comes before it, the one that holds the clients' last."""
    order = _ORDER.index(one.kind) if one.kind in _ORDER else len(_ORDER)
    return order, one.key == CLIENTS, one.kind, one.key


def _put_away(metabase: Metabase, ledger: Ledger, one: ManagedObject, ours: set[tuple[str, int | None]]) -> None:
    row = _find(metabase, one)
    if row is not None and not row.get("archived"):
        foreign = _foreign(metabase, int(row["id"]), ours) if one.kind == "collection" else []
        if foreign:
            # Reason: what it lies in has to stay as well, since the trash takes everything below along.
            ours.discard((one.kind, one.metabase_id))
            ledger.note(f"Collection {row['name']} stays: people keep {', '.join(foreign[:3])} in it.")
            return
        ledger.announce(Change("archive", one.kind, str(row["name"]), ("archived",)))
        if not ledger.is_plan:
            metabase.put(f"{one.kind}/{row['id']}", {"archived": True})
    ledger.forget(one.kind, one.key)


def _find(metabase: Metabase, one: ManagedObject) -> Mapping[str, Any] | None:
    if one.kind == "card":
        entity = entity_id(one.key)
        return cards_present(metabase, [entity], []).get(entity)
    if one.metabase_id is None:
        return None
    try:
        row: Mapping[str, Any] = metabase.get(f"{one.kind}/{one.metabase_id}")
    except MetabaseRefused as refused:
        if refused.status != _GONE:
            raise
        return None
    return row if row.get("entity_id") == one.fingerprint else None


def _foreign(metabase: Metabase, number: int, ours: Collection[tuple[str, int | None]]) -> list[str]:
    """What is in a collection of ours that is neither ours nor in the trash."""
    items = metabase.get(f"collection/{number}/items").get("data") or []
    return [str(item["name"]) for item in items if (item["model"], item["id"]) not in ours]
