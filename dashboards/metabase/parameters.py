"""Filters in Metabase's two forms: a dashboard's parameters, and the template tags of a card.

What belongs here: those, and how one fills the other. What does not: what a filter means (`dashboards.queries`).

The id of a dashboard's parameter is our key, on every dashboard, so that links hand values on and subscriptions
survive: Metabase archives a subscription whose parameter is gone, and writes to whoever made it.
"""

from __future__ import annotations

from typing import Any

from dashboards.metabase.identity import tag_id
from dashboards.model import FIELD_FILTERS, Filter

_LISTED = frozenset({"string/=", "number/="})
_PARAMETERS = {"text": "string/=", "number": "number/="}
"""What a dashboard calls plain variables; tags call them `text` and `number`."""


def is_variable(one: Filter) -> bool:
    """Whether its value stands for itself in the SQL, and not for a condition."""
    return one.type not in FIELD_FILTERS


def _value(one: Filter, text: str) -> Any:
    if one.type not in {"number", "number/="}:
        return text
    number = float(text)
    return int(number) if number.is_integer() else number


def parameter(key: str, one: Filter, default: str | None) -> dict[str, Any]:
    """A filter as a parameter of a dashboard.

    Args:
        key: Ours, which is its id and what addresses of dashboards call it.
        one: The filter.
        default: What it is on this dashboard until somebody chooses; None for nothing.
    """
    kind = _PARAMETERS.get(one.type, one.type)
    made: dict[str, Any] = {
        "id": key,
        "slug": key,
        "name": one.title,
        "type": kind,
        "sectionId": kind.partition("/")[0],
    }
    if default is not None:
        made["default"] = [_value(one, default)] if kind in _LISTED else default
        if is_variable(one):
            made["required"] = True  # Reason: the SQL has no meaning without a value.
    if is_variable(one):
        made["isMultiSelect"] = False
    if one.choices is None:
        return made
    if one.choices.values:
        made |= {
            "values_query_type": "list",
            "values_source_type": "static-list",
            "values_source_config": {"values": list(one.choices.values)},
        }
    elif one.choices.column == one.column:
        made["values_query_type"] = "list"
    return made


def tag(key: str, one: Filter, entity: str, field_id: int | None) -> dict[str, Any]:
    """A filter as a template tag of a card, in MBQL 5.

    Args:
        key: Ours, which is what stands between the braces.
        one: The filter.
        entity: The card's entity id.
        field_id: Of the column that a field filter compares.
    """
    made: dict[str, Any] = {"id": tag_id(entity, key), "name": key, "display-name": one.title}
    if is_variable(one):
        made["type"] = one.type
        if one.default is not None:
            made |= {"default": _value(one, one.default), "required": True}
        return made
    made |= {"type": "dimension", "dimension": ["field", {}, field_id], "widget-type": one.type}
    if one.default is not None:
        # Reason: a bare text as a default of such a widget makes the query fail.
        made["default"] = [_value(one, one.default)] if one.type in _LISTED else one.default
    return made


def target(key: str, one: Filter) -> list[Any]:
    """What a parameter of a dashboard fills in a card."""
    return ["variable" if is_variable(one) else "dimension", ["template-tag", key]]


def card_parameter(key: str, one: Filter, entity: str) -> dict[str, Any]:
    """The parameter of a card that stands for its tag."""
    kind = _PARAMETERS.get(one.type, one.type)
    made: dict[str, Any] = {
        "id": tag_id(entity, key),
        "type": kind,
        "target": target(key, one),
        "name": one.title,
        "slug": key,
    }
    if one.default is not None:
        made["default"] = [_value(one, one.default)] if kind in _LISTED else one.default
    return made
