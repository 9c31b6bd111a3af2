"""Schemas that cards and dashboards share: parameters, mappings, values for parameters."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from tests.metabase.core.schema import Body, NonBlank, OpenMap, PositiveInt
from tests.metabase.query.parameter_types import PARAMETER_TYPES

_TARGETS = frozenset({"dimension", "variable", "text-tag", "field", "expression"})
_KINDS = frozenset({"field", "template-tag", "expression"})


def _type(value: str) -> str:
    if value not in PARAMETER_TYPES:
        raise ValueError("value must be a valid parameter type")
    return value


def _target(value: list[Any]) -> list[Any]:
    """A target: `["dimension", ["template-tag", name]]`, the same with `variable`, or `["text-tag", name]`."""
    if not value or value[0] not in _TARGETS:
        raise ValueError("Invalid parameter :target, must be either :field, :dimension, or :variable")
    if value[0] in {"dimension", "variable"}:
        inner = value[1] if len(value) > 1 else None
        kinds = {"template-tag"} if value[0] == "variable" else _KINDS
        if not isinstance(inner, list) or len(inner) < 2 or inner[0] not in kinds:
            raise ValueError(f"Invalid :{value[0]} target: must be a :field, :template-tag, or :expression")
    return value


ParameterType = Annotated[str, AfterValidator(_type)]
Target = Annotated[list[Any], AfterValidator(_target)]
EmbeddingParams = dict[str, Literal["disabled", "enabled", "locked"]]


class Mapping(Body):
    """Which tag of which card a parameter fills."""

    parameter_id: NonBlank
    target: Target
    card_id: PositiveInt | None = None
    dashcard: OpenMap | None = None


class SourceConfig(Body):
    """Where a parameter's values come from."""

    values: list[Any] | None = None
    card_id: PositiveInt | None = None
    value_field: list[Any] | None = None
    label_field: list[Any] | None = None


class Parameter(Body):
    """A parameter of a dashboard or a card."""

    id: NonBlank
    type: ParameterType
    name: str | None = None
    slug: str | None = None
    section_id: NonBlank | None = None
    default: Any = None
    required: bool | None = None
    is_multi_select: bool | None = None
    filtering_parameters: list[NonBlank] | None = None
    mappings: list[Mapping] | None = None
    target: Target | None = None
    temporal_units: list[str] | None = None
    values_query_type: Literal["none", "list", "search"] | None = None
    values_source_type: Literal["static-list", "card"] | None = None
    values_source_config: SourceConfig | None = None

    model_config = Body.model_config | {
        "alias_generator": lambda name: {
            "section_id": "sectionId",
            "is_multi_select": "isMultiSelect",
            "filtering_parameters": "filteringParameters",
        }.get(name, name)
    }


class ParameterValue(Body):
    """A value for a parameter when a query runs; `id` is required since the hardening of August 2026."""

    id: NonBlank
    value: Any = None
    type: ParameterType | None = None
    target: Target | None = None
    name: NonBlank | None = None
    slug: NonBlank | None = None
    default: Any = None
    required: Any = None
