"""What requests about cards look like."""

from __future__ import annotations

from typing import Literal

from tests.metabase.content.schemas import EmbeddingParams, Mapping, Parameter
from tests.metabase.core.schema import Body, EntityId, NonBlank, OpenMap, PositiveInt, Query

Kind = Literal["question", "model", "metric"]


class Size(Body):
    """The size of the dashcard that is made with a card."""

    size_x: PositiveInt
    size_y: PositiveInt


class NewCard(Body):
    """A card to make."""

    name: NonBlank
    dataset_query: OpenMap
    display: NonBlank
    visualization_settings: OpenMap
    type: Kind | None = None
    entity_id: NonBlank | None = None
    description: NonBlank | None = None
    parameters: list[Parameter] | None = None
    parameter_mappings: list[Mapping] | None = None
    collection_id: PositiveInt | EntityId | None = None
    collection_position: PositiveInt | None = None
    result_metadata: list[OpenMap] | None = None
    cache_ttl: PositiveInt | None = None
    dashboard_id: PositiveInt | None = None
    dashboard_tab_id: PositiveInt | None = None
    size: Size | None = None
    source_card_id: PositiveInt | None = None


class CardChange(Body):
    """What of a card may change; not its entity_id."""

    name: NonBlank | None = None
    dataset_query: OpenMap | None = None
    display: NonBlank | None = None
    visualization_settings: OpenMap | None = None
    type: Kind | None = None
    description: str | None = None
    parameters: list[Parameter] | None = None
    parameter_mappings: list[Mapping] | None = None
    collection_id: PositiveInt | None = None
    collection_position: PositiveInt | None = None
    collection_preview: bool | None = None
    result_metadata: list[OpenMap] | None = None
    cache_ttl: PositiveInt | None = None
    archived: bool | None = None
    enable_embedding: bool | None = None
    embedding_type: str | None = None
    embedding_params: EmbeddingParams | None = None
    dashboard_id: PositiveInt | None = None
    dashboard_tab_id: PositiveInt | None = None


class CardQuery(Query):
    """In which form to show the query."""

    legacy_mbql: bool | None = None

    model_config = Query.model_config | {"alias_generator": lambda name: name.replace("_", "-")}


class CardFilter(Query):
    """Which cards to list."""

    f: Literal["all", "mine", "archived", "database", "table", "bookmarked", "using_model", "using_segment"] = "all"
    model_id: PositiveInt | None = None
