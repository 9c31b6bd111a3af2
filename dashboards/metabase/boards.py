"""A dashboard of a definition as Metabase's dashboard: parameters, tabs, and cards on the grid.

What belongs here: the body of a request, with the numbers of what is there already, so that it stays the same thing.
What does not: sending it (`dashboards.metabase.converge`).

Metabase replaces tabs and dashcards as a whole: what has a number it knows is changed, what has none is made, the rest
is deleted. Nothing is moved or fitted there, so rows and columns are counted here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.library import Definition, Library
from dashboards.metabase.cards import WantedCard
from dashboards.metabase.identity import marked
from dashboards.metabase.links import Place, clicks
from dashboards.metabase.parameters import parameter, target
from dashboards.model import GRID, Card, Row

_HEADING_HEIGHT = 1


@dataclass(frozen=True)
class Board:
    """A dashboard that a space shall have.

    Attributes:
        key: `space/dashboard`.
        definition: What it is made of.
        cards: Its cards by key, those of the context among them.
    """

    key: str
    definition: Definition
    cards: Mapping[str, WantedCard]

    @property
    def tab_titles(self) -> list[str]:
        """Of its tabs in order; a dashboard with one page has none."""
        tabs = self.definition.dashboard.tabs
        return [tab.title for tab in tabs] if len(tabs) > 1 else []


def board_shell(board: Board, collection_id: int) -> dict[str, Any]:
    """What to ask for to make it; it is empty then."""
    dashboard = board.definition.dashboard
    return {
        "name": dashboard.title,
        "description": marked(dashboard.about, board.key),
        "collection_id": collection_id,
        "collection_position": _position(board),
    }


def _position(board: Board) -> int:
    return max(1, board.definition.dashboard.order)


def tab_numbers(board: Board, present: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Numbers of the tabs that are there, by our keys: by title first, then by their place."""
    tabs = board.definition.dashboard.tabs
    if len(tabs) <= 1:
        return {}
    left = list(present)
    found: dict[str, int] = {}
    for tab in tabs:
        same = next((one for one in left if one["name"] == tab.title), None)
        if same is not None:
            found[tab.key] = int(same["id"])
            left.remove(same)
    for tab in tabs:
        if tab.key not in found and left:
            found[tab.key] = int(left.pop(0)["id"])
    return found


def board_body(
    board: Board,
    library: Library,
    numbers: Mapping[str, int],
    places: Mapping[str, Place],
    present: Mapping[str, Any] | None,
    collection_id: int,
) -> dict[str, Any]:
    """What to ask for so that the dashboard is as its definition says.

    Args:
        board: Which one.
        library: All dashboards, for links.
        numbers: Metabase's numbers of cards, by key.
        places: Where the dashboards of the space are.
        present: The dashboard as Metabase shows it now; None for one that is not there yet.
        collection_id: Of the space's collection.
    """
    dashboard = board.definition.dashboard
    filters = library.shared.filters
    known_tabs = tab_numbers(board, (present or {}).get("tabs") or [])
    tab_ids = {tab.key: known_tabs.get(tab.key, -number) for number, tab in enumerate(dashboard.tabs, 1)}
    has_tabs = len(dashboard.tabs) > 1
    dashcards = list(_dashcards(board, library, numbers, places, tab_ids if has_tabs else {}))
    _keep_numbers(dashcards, (present or {}).get("dashcards") or [])
    return {
        **board_shell(board, collection_id),
        "archived": False,
        "width": "full",
        "auto_apply_filters": True,
        "parameters": [
            parameter(key, filters[key], dashboard.defaults.get(key, filters[key].default)) for key in dashboard.filters
        ],
        "tabs": [{"id": tab_ids[tab.key], "name": tab.title} for tab in dashboard.tabs] if has_tabs else [],
        "dashcards": dashcards,
    }


def _dashcards(
    board: Board,
    library: Library,
    numbers: Mapping[str, int],
    places: Mapping[str, Place],
    tab_ids: Mapping[str, int],
) -> Iterator[dict[str, Any]]:
    for tab in board.definition.dashboard.tabs:
        for place in _placed([*library.shared.context, *tab.rows]):
            one: dict[str, Any] = {"dashboard_tab_id": tab_ids.get(tab.key), "series": [], "inline_parameters": []}
            one |= place.box
            if isinstance(place.what, Card):
                wanted = board.cards[place.what.key]
                card_id = numbers[wanted.key]
                yield one | {
                    "card_id": card_id,
                    "visualization_settings": clicks(place.what, board.definition, library, places),
                    "parameter_mappings": [
                        # Reason: without its card_id a mapping is kept and filters nothing.
                        {"parameter_id": key, "card_id": card_id, "target": target(key, library.shared.filters[key])}
                        for key in wanted.filters
                        if key in board.definition.dashboard.filters
                    ],
                }
            else:
                yield one | {"card_id": None, "visualization_settings": place.what, "parameter_mappings": []}


@dataclass(frozen=True)
class _Placed:
    """A card, or the settings of a heading or a text, and its box on the grid."""

    what: Card | dict[str, Any]
    box: dict[str, int]


def _placed(rows: Sequence[Row]) -> Iterator[_Placed]:
    top = 0
    for row in rows:
        if row.heading is not None:
            yield _Placed(_virtual("heading", row.heading), _box(top, 0, GRID, _HEADING_HEIGHT))
            top += _HEADING_HEIGHT
        left = 0
        for card in row.cards:
            what = card if isinstance(card, Card) else _virtual("text", card.text)
            yield _Placed(what, _box(top, left, card.width, row.height))
            left += card.width
        top += row.height


def _box(top: int, left: int, width: int, height: int) -> dict[str, int]:
    return {"row": top, "col": left, "size_x": width, "size_y": height}


def _virtual(display: str, text: str) -> dict[str, Any]:
    empty: dict[str, Any] = {"name": None, "dataset_query": {}, "visualization_settings": {}, "archived": False}
    return {"virtual_card": {"display": display, **empty}, "text": text}


def _keep_numbers(dashcards: list[dict[str, Any]], present: Sequence[Mapping[str, Any]]) -> None:
    """Gives each dashcard the number of the one that it is: subscriptions name dashcards by number."""
    left = list(present)

    def take(one: dict[str, Any], *keys: str) -> None:
        for other in left:
            if "id" not in one and all(other.get(key) == one.get(key) for key in keys):
                one["id"] = int(other["id"])
                left.remove(other)
                return

    # Reason for several rounds: what has not moved keeps its number before anything else may take it.
    for keys in (("card_id", "dashboard_tab_id", "row", "col"), ("card_id", "dashboard_tab_id"), ("card_id",)):
        for one in dashcards:
            if one["card_id"] is not None or len(keys) > 1:
                take(one, *keys)
    for number, one in enumerate(dashcards, 1):
        one.setdefault("id", -number)
