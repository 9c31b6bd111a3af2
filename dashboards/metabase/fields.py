"""What Metabase says about columns: descriptions, kinds, and which of them have a list of values.

What belongs here: filling in what nobody has said. What does not: numbers of columns (`dashboards.metabase.databases`).

Metabase takes descriptions from the comments of tables by itself. A client's views have none, so they are filled in for
the tables that dashboards read. What a person wrote stays.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from dashboards.metabase.client import Metabase
from dashboards.metabase.databases import Synced
from dashboards.metabase.ledger import Change, Ledger
from dashboards.spaces import Space

_KINDS = (("thumbnail_url", "type/ImageURL"), ("image_url", "type/ImageURL"), ("_url", "type/URL"))


def fill_in_fields(
    metabase: Metabase,
    ledger: Ledger,
    space: Space,
    synced: Synced,
    listed: Collection[str],
    descriptions: Mapping[str, str],
) -> None:
    """Says what nobody has said.

    Args:
        metabase: An administrator's.
        ledger: What is known.
        space: Whose.
        synced: What Metabase knows.
        listed: Columns whose values are offered as a list, as `table.column`.
        descriptions: By `table.column`, of the tables that matter.
    """
    for name, field in synced.fields.items():
        asked: dict[str, Any] = {}
        if name in descriptions and not field.get("description"):
            asked["description"] = descriptions[name]
        kind = next((kind for end, kind in _KINDS if name.endswith(end)), None)
        if name in descriptions and kind and not field.get("semantic_type"):
            asked["semantic_type"] = kind
        if name in listed and field.get("has_field_values") not in {"list", "auto-list"}:
            asked["has_field_values"] = "list"
        if asked:
            ledger.announce(Change("update", "field", f"{space.title}: {name}", tuple(asked)))
            if not ledger.is_plan:
                metabase.put(f"field/{field['id']}", asked)
