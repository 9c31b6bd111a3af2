"""Where clicks lead, in Metabase's words: `click_behavior` of a card on a dashboard.

What belongs here: that. A card with SQL of its own has no drill-through in Metabase, so every way on is written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.library import Definition, Library
from dashboards.metabase.columns import column_key
from dashboards.model import Card, Link


@dataclass(frozen=True)
class Place:
    """A dashboard to lead to.

    Attributes:
        dashboard_id: Metabase's number.
        tabs: Numbers of its tabs by our keys; none where it has one alone, or they are not known yet.
    """

    dashboard_id: int
    tabs: Mapping[str, int]


def clicks(card: Card, definition: Definition, library: Library, places: Mapping[str, Place]) -> dict[str, Any]:
    """What a click on a card does, as `visualization_settings` of its place on a dashboard.

    Args:
        card: What is clicked.
        definition: The dashboard that it stands on.
        library: All dashboards.
        places: Where dashboards are, by key; one that is not there cannot be led to.
    """
    behaviours = {
        column: made
        for column, link in card.links.items()
        if (made := _behaviour(link, definition, library, places)) is not None
    }
    if not behaviours:
        return {}
    if card.chart == "table":
        return {"column_settings": {column_key(name): {"click_behavior": made} for name, made in behaviours.items()}}
    # Reason: a chart has one behaviour for whatever is clicked.
    return {"click_behavior": next(iter(behaviours.values()))}


def _behaviour(
    link: Link, definition: Definition, library: Library, places: Mapping[str, Place]
) -> dict[str, Any] | None:
    if link.url is not None:
        return {"type": "link", "linkType": "url", "linkTemplate": "{{" + link.url + "}}"}
    assert link.dashboard is not None
    place = places.get(link.dashboard)
    if place is None:
        return None
    offered = library.dashboards[link.dashboard].dashboard.filters
    mapping: dict[str, Any] = {}
    for key in link.keep:
        if key in offered and key in definition.dashboard.filters:
            source = {"type": "parameter", "id": key, "name": library.shared.filters[key].title}
            mapping[key] = _filled(key, source)
    for key, column in link.filters.items():
        mapping[key] = _filled(key, {"type": "column", "id": column, "name": column})
    made: dict[str, Any] = {
        "type": "link",
        "linkType": "dashboard",
        "targetId": place.dashboard_id,
        "parameterMapping": mapping,
    }
    if link.tab is not None and link.tab in place.tabs:
        made["tabId"] = place.tabs[link.tab]
    return made


def _filled(key: str, source: dict[str, str]) -> dict[str, Any]:
    return {"id": key, "source": source, "target": {"type": "parameter", "id": key}}
