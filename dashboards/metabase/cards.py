"""A card of a definition as Metabase's card: its native query, its tags, its chart.

What belongs here: the body of a request. What does not: sending it (`dashboards.metabase.converge`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dashboards.errors import DashboardError
from dashboards.library import PlacedCard
from dashboards.metabase.charts import Chart, chart_of
from dashboards.metabase.identity import entity_id
from dashboards.metabase.parameters import card_parameter, is_variable, tag
from dashboards.model import Shared
from dashboards.queries import tags_in
from dashboards.spaces import Space, in_schema

SHARED_KEY = "shared"
"""Stands for a dashboard's key in the keys of cards that all dashboards of a space share."""


@dataclass(frozen=True)
class WantedCard:
    """A card that a space shall have.

    Attributes:
        key: `space/dashboard/card`.
        placed: What it is made of.
        columns: What its SQL returns, in order.
        filters: The filters that its SQL uses, in order.
    """

    key: str
    placed: PlacedCard
    columns: tuple[str, ...]
    filters: tuple[str, ...]

    @property
    def entity_id(self) -> str:
        """By which it is found again."""
        return entity_id(self.key)


def wanted_card(space: Space, dashboard: str, placed: PlacedCard, columns: Sequence[str]) -> WantedCard:
    """A card of a definition, for a space."""
    names = tuple(dict.fromkeys(use.name for use in tags_in(placed.sql)))
    return WantedCard(f"{space.key}/{dashboard}/{placed.card.key}", placed, tuple(columns), names)


def card_body(
    card: WantedCard,
    space: Space,
    shared: Shared,
    fields: Mapping[str, int],
    *,
    database_id: int,
    collection_id: int,
) -> dict[str, Any]:
    """What to ask Metabase for.

    Args:
        card: Which one.
        space: Whose.
        shared: Filters, usual titles and formats.
        fields: Metabase's numbers of columns, by `table.column` of the space's schema.
        database_id: Of the space's connection.
        collection_id: Of the space's collection.

    Raises:
        DashboardError: A filter's column is not among the fields.
    """
    placed = card.placed
    chart = chart_of(placed.card, shared, card.columns, space.currency)
    tags = {}
    for name in card.filters:
        one = shared.filters[name]
        field_id = None if is_variable(one) else fields.get(str(one.column))
        if field_id is None and not is_variable(one):
            raise DashboardError(
                f"space `{space.key}`: Metabase knows no column {one.column} in schema {space.schema}",
                "build the marts, give the role the right to read them, then run this again",
            )
        tags[name] = tag(name, one, card.entity_id, field_id)
    stage: dict[str, Any] = {"lib/type": "mbql.stage/native", "native": _sql(placed.sql, space, chart)}
    if tags:
        stage["template-tags"] = tags
    return {
        "name": placed.card.title,
        "description": placed.card.about,
        "type": "question",
        "display": chart.display,
        "visualization_settings": chart.settings,
        "collection_id": collection_id,
        "parameters": [card_parameter(name, shared.filters[name], card.entity_id) for name in card.filters],
        "dataset_query": {"lib/type": "mbql/query", "database": database_id, "stages": [stage]},
    }


def _sql(sql: str, space: Space, chart: Chart) -> str:
    text = in_schema(sql.rstrip(), space.schema)
    if not chart.only:
        return text
    listed = ", ".join(f'"{name}"' for name in chart.only)
    inner = "\n".join(f"    {line}" if line else "" for line in text.splitlines())
    # Reason for the line break before the bracket: the last line may end in a comment.
    return f"select {listed}\nfrom (\n{inner}\n) as answer"
