"""The cards and tabs on a dashboard: replacing them as a whole, and showing them.

The rules are Metabase's: a positive id updates, any other creates, what is left out is deleted; tabs are only looked at
where dashcards come along; nothing is moved or fitted.
"""

from __future__ import annotations

from typing import Any

from tests.metabase.content.cards import shown as shown_card
from tests.metabase.content.collections import readable
from tests.metabase.core.call import Call
from tests.metabase.core.errors import archived, bad_request, forbidden, not_found, server_error
from tests.metabase.core.ids import new_entity_id, timestamp
from tests.metabase.core.state import Row

_DEFAULTS: dict[str, Any] = {
    "card_id": None,
    "action_id": None,
    "dashboard_tab_id": None,
    "parameter_mappings": [],
    "visualization_settings": {},
    "inline_parameters": [],
    "series": [],
}


def replace(call: Call, dashboard: Row, dashcards: list[dict[str, Any]], tabs: list[dict[str, Any]]) -> None:
    """Makes these the dashboard's tabs and cards.

    Raises:
        ApiError: 400 a dashcard without a tab where there are several; 404 a card that is not there or is archived;
            403 one that may not be read; 500 a tab that is not there.
    """
    if len(tabs) == 1:
        dashcards = [d | {"dashboard_tab_id": _tab_of(d, tabs[0]["id"])} for d in dashcards]
    if tabs and any(d.get("dashboard_tab_id") is None for d in dashcards):
        raise bad_request("This dashboard has tab, makes sure every card has a tab")
    _check_cards(call, dashboard, dashcards)
    numbers = _replace_tabs(call, dashboard, tabs)
    present = {row["id"]: row for row in call.state.where("dashcard", dashboard_id=dashboard["id"])}
    tab_ids = {row["id"] for row in call.state.where("tab", dashboard_id=dashboard["id"])}
    for dashcard in dashcards:
        tab = numbers.get(dashcard.get("dashboard_tab_id"), dashcard.get("dashboard_tab_id"))  # type: ignore[arg-type]
        if tab is not None and tab not in tab_ids:
            raise server_error(
                'ERROR: insert or update on table "report_dashboardcard" violates foreign key constraint '
                '"fk_report_dashboardcard_ref_dashboard_tab_id"',
                "class org.postgresql.util.PSQLException",
            )
        _store(call, dashboard, dashcard | {"dashboard_tab_id": tab}, present)
    kept = {d["id"] for d in dashcards}
    call.state.keep_only("dashcard", lambda row: row["id"] not in present or row["id"] in kept)


def _tab_of(dashcard: dict[str, Any], only: int) -> int:
    tab = dashcard.get("dashboard_tab_id")
    return only if tab is None else int(tab)


def _replace_tabs(call: Call, dashboard: Row, tabs: list[dict[str, Any]]) -> dict[int, int]:
    """Stores the tabs in the order of the list; the new ids by those in the request. Cards of deleted tabs go too."""
    present = {row["id"]: row for row in call.state.where("tab", dashboard_id=dashboard["id"])}
    numbers: dict[int, int] = {}
    now = timestamp(call.standin.now())
    for position, tab in enumerate(tabs):
        row = present.get(tab["id"])
        if row is None:
            row = call.state.add(
                "tab", {"dashboard_id": dashboard["id"], "entity_id": new_entity_id(), "created_at": now}
            )
        row |= {"name": tab["name"], "position": position, "updated_at": now}
        numbers[tab["id"]] = row["id"]
    gone = set(present) - set(numbers.values())
    call.state.keep_only("tab", lambda row: row["id"] not in gone)
    call.state.keep_only("dashcard", lambda row: row["dashboard_tab_id"] not in gone)
    return numbers


def _references(dashcard: dict[str, Any]) -> set[int]:
    found = {card["id"] for card in dashcard.get("series") or []}
    if dashcard.get("card_id") is not None:
        found.add(dashcard["card_id"])
    return found


def _check_cards(call: Call, dashboard: Row, dashcards: list[dict[str, Any]]) -> None:
    """Cards that are new to the dashboard must be there, readable and not archived."""
    present = {row["id"]: row for row in call.state.where("dashcard", dashboard_id=dashboard["id"])}
    known = {number for row in present.values() for number in _references(row)}
    for dashcard in dashcards:
        for number in _references(dashcard):
            card = call.state.get("card", number)
            if number not in known:
                if card is None:
                    raise not_found()
                if not readable(call, card["collection_id"]):
                    raise forbidden()
            if dashcard["id"] not in present and card is not None and card["archived"]:
                raise archived()


def _store(call: Call, dashboard: Row, dashcard: dict[str, Any], present: dict[int, Row]) -> None:
    now = timestamp(call.standin.now())
    values = {name: value for name, value in dashcard.items() if name != "id" and value is not None}
    row = present.get(dashcard["id"])
    if row is None:
        columns = {"dashboard_id": dashboard["id"], "entity_id": new_entity_id(), "created_at": now}
        row = call.state.add("dashcard", columns | _DEFAULTS)
        dashcard["id"] = row["id"]
    # Reason: a dashcard sent without its card_id has none afterwards, without a word.
    row |= values | {"card_id": dashcard.get("card_id"), "dashboard_tab_id": dashcard["dashboard_tab_id"]}
    row["updated_at"] = now


def shown_dashcards(call: Call, dashboard: Row) -> list[dict[str, Any]]:
    """The dashcards in the order in which they were made, each with its card; one that may not be read is an id."""
    return [
        row
        | {
            "card": _card(call, row["card_id"]),
            "series": [_card(call, card["id"]) for card in row["series"]],
            "collection_authority_level": None,
        }
        for row in call.state.where("dashcard", dashboard_id=dashboard["id"])
    ]


def _card(call: Call, number: int | None) -> dict[str, Any] | None:
    card = call.state.get("card", number)
    if card is None:
        # Reason: cards without a query (headings, text) are shown with an empty card.
        return {"query_average_duration": None} if number is None else None
    if not readable(call, card["collection_id"]):
        return {"id": card["id"]}
    return shown_card(call, card) | {"query_average_duration": None, "download_perms": "full"}


def shown_tabs(call: Call, dashboard: Row) -> list[dict[str, Any]]:
    """The tabs in their order."""
    return sorted(call.state.where("tab", dashboard_id=dashboard["id"]), key=lambda tab: int(tab["position"]))
