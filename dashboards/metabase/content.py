"""Cards and dashboards of a space, brought in line with the definitions.

What belongs here: finding them, comparing, writing. What does not: their bodies (`dashboards.metabase.cards`,
`dashboards.metabase.boards`).

A card is found by its entity id, which is made from our key; Metabase keeps it as long as the card exists. A dashboard
cannot be given one, so it is found by its number and the id that it drew itself, else by our mark in its description.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from dashboards.errors import MetabaseRefused
from dashboards.library import Library
from dashboards.metabase import canonical
from dashboards.metabase.boards import Board, board_body, board_shell, tab_numbers
from dashboards.metabase.cards import WantedCard, card_body
from dashboards.metabase.client import Metabase
from dashboards.metabase.identity import has_mark
from dashboards.metabase.ledger import Found, Ledger
from dashboards.metabase.links import Place
from dashboards.spaces import Space

CARD, DASHBOARD = "card", "dashboard"
_GONE = 404
UNKNOWN = -1
"""Stands in a plan for the number of what is not there yet."""


def cards_present(
    metabase: Metabase, entities: Sequence[str], database_ids: Iterable[int]
) -> dict[str, dict[str, Any]]:
    """Cards by entity id, those in the trash among them.

    Reason for the detour: one request a database shows all cards that are in use, and one more tells which of the rest
    exist; asking for each card would be a request a card.
    """
    found: dict[str, dict[str, Any]] = {}
    wanted = set(entities)
    for number in database_ids:
        for row in metabase.get("card", f="database", model_id=number):
            if row.get("entity_id") in wanted:
                found[row["entity_id"]] = row
    missing = [one for one in entities if one not in found]
    if missing:
        told = metabase.post("eid-translation/translate", {"entity_ids": {"card": missing}}, is_harmless=True)
        for entity, one in told["entity_ids"].items():
            if one.get("status") == "ok":
                found[entity] = metabase.get(f"card/{one['id']}")
    return found


def settle_cards(
    metabase: Metabase,
    ledger: Ledger,
    space: Space,
    cards: Sequence[WantedCard],
    library: Library,
    fields: Mapping[str, int],
    database_id: int,
    collection_id: int,
    present: Mapping[str, dict[str, Any]],
    step: Callable[[str], None],
) -> dict[str, int]:
    """Makes or mends the cards of a space; their numbers by key."""
    numbers: dict[str, int] = {}
    for card in cards:
        body = card_body(card, space, library.shared, fields, database_id=database_id, collection_id=collection_id)
        wanted = canonical.card(body | {"archived": False})
        row = present.get(card.entity_id)

        def write(found: Found | None, body: dict[str, Any] = body, entity: str = card.entity_id) -> Found:
            if found is None:
                return _card(metabase.post("card", {**_given(body), "entity_id": entity}))
            return _card(metabase.put(f"card/{found.metabase_id}", {**body, "archived": False}))

        title = f"{space.title}: {card.placed.card.title}"
        settled = ledger.settle(CARD, card.key, title, wanted, _card(row) if row else None, write)
        numbers[card.key] = settled.metabase_id if settled else UNKNOWN
        step(title)
    return numbers


def _given(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if value is not None}


def _card(row: Mapping[str, Any]) -> Found:
    return Found(int(row["id"]), row.get("entity_id"), canonical.card(row))


def settle_dashboards(
    metabase: Metabase,
    ledger: Ledger,
    space: Space,
    boards: Sequence[Board],
    library: Library,
    cards: Mapping[str, int],
    collection_id: int,
    step: Callable[[str], None],
) -> None:
    """Makes or mends the dashboards of a space.

    First all of them and their tabs, then what is on them: a link names the dashboard and the tab that it leads to.
    """
    items: list[dict[str, Any]] | None = None
    present: dict[str, dict[str, Any] | None] = {}
    for board in boards:
        row = _remembered(metabase, ledger, board)
        if row is None and collection_id != UNKNOWN:
            if items is None:
                items = metabase.get(f"collection/{collection_id}/items", models="dashboard").get("data") or []
            row = _by_mark(metabase, board, items)
        if row is None and not ledger.is_plan:
            ledger.begin(DASHBOARD, board.key, _title(space, board))
            row = metabase.post("dashboard", board_shell(board, collection_id))
            ledger.made(DASHBOARD, board.key, int(row["id"]), row.get("entity_id"))
        present[board.key] = row
    places = {board.definition.key: _place(board, present[board.key]) for board in boards}
    late = [board for board in boards if _lacks_tabs(board, present[board.key])]
    # Reason for the order: dashboards that get new tabs first, so that links of the others know them.
    for board in [*late, *(one for one in boards if one not in late), *late]:
        row = present[board.key]
        body = board_body(board, library, cards, places, row, collection_id)
        wanted = canonical.dashboard(body)

        def write(found: Found | None, body: dict[str, Any] = body, board: Board = board) -> Found:
            assert found is not None
            answer = metabase.put(f"dashboard/{found.metabase_id}", body)
            present[board.key] = answer
            places[board.definition.key] = _place(board, answer)
            return _dashboard(answer)

        ledger.settle(DASHBOARD, board.key, _title(space, board), wanted, _dashboard(row) if row else None, write)
    for board in boards:
        step(_title(space, board))


def _title(space: Space, board: Board) -> str:
    return f"{space.title}: {board.definition.dashboard.title}"


def _place(board: Board, row: Mapping[str, Any] | None) -> Place:
    if row is None:
        return Place(UNKNOWN, {})
    return Place(int(row["id"]), tab_numbers(board, row.get("tabs") or []))


def _lacks_tabs(board: Board, row: Mapping[str, Any] | None) -> bool:
    return row is not None and len(tab_numbers(board, row.get("tabs") or [])) < len(board.tab_titles)


def _remembered(metabase: Metabase, ledger: Ledger, board: Board) -> dict[str, Any] | None:
    known = ledger.of(DASHBOARD, board.key)
    row = _read(metabase, known.metabase_id) if known.metabase_id is not None else None
    return row if row is not None and row.get("entity_id") == known.fingerprint else None


def _by_mark(metabase: Metabase, board: Board, items: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """One that is not remembered: its making was cut off, or the memory is new."""
    number = next((item["id"] for item in items if has_mark(item.get("description"), board.key)), None)
    return _read(metabase, int(number)) if number is not None else None


def _read(metabase: Metabase, number: int) -> dict[str, Any] | None:
    try:
        row: dict[str, Any] = metabase.get(f"dashboard/{number}")
    except MetabaseRefused as refused:
        if refused.status != _GONE:
            raise
        return None
    return row


def _dashboard(row: Mapping[str, Any]) -> Found:
    return Found(int(row["id"]), row.get("entity_id"), canonical.dashboard(row))
