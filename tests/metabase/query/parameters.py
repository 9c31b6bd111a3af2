"""Values for template tags: which of the given ones a tag takes, its defaults, and the SQL that comes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from tests.metabase.core.state import Row, State
from tests.metabase.query.filters import Binder, Given, Moment, condition, number
from tests.metabase.query.mbql import tags_of
from tests.metabase.query.parameter_types import allowed, allowed_for
from tests.metabase.query.template import Optional, Param, Part, QueryError, parse

_MISSING = object()
"""A tag that has no value."""


@dataclass(frozen=True)
class Compiled:
    """SQL with `$1`-placeholders, and their values."""

    sql: str
    values: list[Any]


def template_parameters(query: dict[str, Any]) -> list[dict[str, Any]]:
    """The parameters that the template tags of a query stand for."""
    found = []
    for tag in tags_of(query).values():
        kind, widget = tag["type"], tag.get("widget-type")
        if kind in {"card", "snippet", "table"}:
            continue
        filtering = kind in {"dimension", "temporal-unit"}
        raw = {"date": "date/single", "text": "string/=", "number": "number/=", "boolean": "boolean/="}
        found.append(
            {
                "id": tag["id"],
                "type": widget if kind == "dimension" and widget != "none" else raw.get(kind, "category"),
                "target": ["dimension" if filtering else "variable", ["template-tag", tag["name"]]],
                "name": tag["display-name"],
                "slug": tag["name"],
            }
            | ({"default": tag["default"]} if "default" in tag else {})
        )
    return found


def check_card_parameters(card_id: int, query: dict[str, Any], given: Iterable[dict[str, Any]]) -> None:
    """Refuses parameters that the card has no template tag for, or of a type that its tag does not take.

    Raises:
        QueryError: The request is refused as a whole.
    """
    tags = tags_of(query)
    for parameter in given:
        name = parameter.get("name") or _target_name(parameter.get("target"), tags)
        tag = tags.get(name or "")
        if tag is None:
            shown = f'"{name}"' if name else "nil"
            raise QueryError(
                f"Invalid parameter: Card {card_id} does not have a template tag named {shown}.", "invalid-parameter"
            )
        check_type(parameter["type"], widget_of(tag), name or "")


def check_type(given: str, widget: str, name: str) -> None:
    """Refuses a type that the widget does not take.

    Raises:
        QueryError: It does not.
    """
    if not allowed_for(given, widget):
        kinds = ", ".join(f":{kind}" for kind in allowed(widget))
        raise QueryError(
            f'Invalid parameter type :{given} for parameter "{name}". Parameter type must be one of: {kinds}',
            "invalid-parameter",
        )


def widget_of(tag: dict[str, Any]) -> str:
    """The type of parameter that a tag takes."""
    widget = tag.get("widget-type")
    return str(widget) if tag["type"] == "dimension" and widget != "none" else str(tag["type"])


def _target_name(target: Any, tags: dict[str, Any]) -> str | None:
    """The tag that a target points to, by name or by id."""
    if isinstance(target, list) and len(target) > 1 and isinstance(target[1], list) and target[1][0] == "template-tag":
        pointer = target[1][1]
        if isinstance(pointer, dict):
            return next((name for name, tag in tags.items() if tag["id"] == pointer.get("id")), None)
        return str(pointer)
    return None


def compile_sql(state: State, query: dict[str, Any], given: list[dict[str, Any]], moment: Moment) -> Compiled:
    """A query's SQL with the values put in.

    Raises:
        QueryError: A value is missing, does not fit, or a field filter's field is not there.
    """
    tags = tags_of(query)
    bind = Binder()
    values = {name: _value(state, tag, _targeting(tag, tags, given)) for name, tag in tags.items()}
    sql, missing = _joined(state, parse(query["stages"][0]["native"]), values, bind, moment, optional=False)
    if missing:
        names = " ".join(f'"{name}"' for name in missing)
        raise QueryError(
            f"Cannot run the query: missing required parameters: #{{{names}}}", "missing-required-parameter"
        )
    return Compiled(sql.strip(), bind.values)


def _targeting(tag: dict[str, Any], tags: dict[str, Any], given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The given parameters that point to a tag: to a field filter as a dimension, to others as a variable."""
    kind = "dimension" if tag["type"] in {"dimension", "temporal-unit"} else "variable"
    return [
        p
        for p in given
        if isinstance(p.get("target"), list)
        and p["target"][0] == kind
        and _target_name(p["target"], tags) == tag["name"]
    ]


def _absent(value: Any) -> bool:
    return value is None or (isinstance(value, list) and all(v is None for v in value))


def _required(tag: dict[str, Any]) -> QueryError:
    return QueryError(
        f"You'll need to pick a value for '{tag['display-name']}' before this query can run.",
        "missing-required-parameter",
    )


@dataclass(frozen=True)
class _Filter:
    """A field filter with its field and what was given for it, if anything was."""

    field: Row
    column: str
    given: list[Given]


def _value(state: State, tag: dict[str, Any], given: list[dict[str, Any]]) -> Any:
    if tag["type"] == "dimension":
        field = state.get("field", tag["dimension"][2])
        table = state.get("table", field["table_id"]) if field else None
        if field is None or table is None or not field["active"]:
            raise QueryError(
                f'Error determining value for parameter "{tag["name"]}": '
                f"Can't find field with ID: {tag['dimension'][2]}",
                "invalid-parameter",
            )
        column = tag.get("alias") or ".".join(_quoted(n) for n in (table["schema"], table["name"], field["name"]))
        return _Filter(field, column, _filter_values(tag, given))
    if tag["type"] in {"text", "number", "date", "boolean"}:
        return _raw_value(tag, given)
    raise QueryError(f"the stand-in does not know template tags of type {tag['type']}", "unsupported-feature")


def _filter_values(tag: dict[str, Any], given: list[dict[str, Any]]) -> list[Given]:
    """What was given; else the default, but only where nothing was given at all or a value is required."""
    options = tag.get("options") or {}
    some = [p for p in given if not _absent(p.get("value"))]
    if some:
        return [Given(p["type"], p["value"], options) for p in some]
    default = [Given(tag["widget-type"], tag["default"], options)] if tag.get("default") is not None else []
    if given and not tag.get("required"):
        return []
    if not default and tag.get("required"):
        raise _required(tag)
    return default


def _raw_value(tag: dict[str, Any], given: list[dict[str, Any]]) -> Any:
    some = [p["value"] for p in given if p.get("value") is not None]
    if len({repr(value) for value in some}) > 1:
        raise QueryError(
            f"Multiple conflicting values were given for '{tag['display-name']}'",
            "multiple-conflicting-parameter-values",
        )
    if some:
        value = some[0]
    elif given and not tag.get("required"):
        return _MISSING
    elif tag.get("default") is not None:
        value = tag["default"]
    elif tag.get("required"):
        raise _required(tag)
    else:
        return _MISSING
    return [_typed(tag["type"], v) for v in value] if isinstance(value, list) else _typed(tag["type"], value)


def _typed(kind: str, value: Any) -> Any:
    if kind == "number":
        return number(value)
    if kind == "date":
        try:
            return datetime.fromisoformat(value) if "T" in str(value) else date.fromisoformat(str(value))
        except ValueError:
            raise QueryError(f"Unable to parse temporal literal '{value}'", "invalid-parameter") from None
    if kind == "text" and not isinstance(value, bool):
        return str(value)
    return value


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _joined(
    state: State, parts: Iterable[Part], values: dict[str, Any], bind: Binder, moment: Moment, *, optional: bool
) -> tuple[str, list[str]]:
    """The SQL of some parts, and the tags in them that have no value."""
    sql, missing = "", []
    for part in parts:
        if isinstance(part, str):
            sql += part
        elif isinstance(part, Optional):
            kept = len(bind.values)
            inner, lacking = _joined(state, part.parts, values, bind, moment, optional=True)
            if lacking:
                del bind.values[kept:]
            else:
                sql += inner
        elif isinstance(part, Param):
            text = _written(values.get(part.name, _MISSING), bind, moment, optional=optional)
            if text is None:
                missing.append(part.name)
            else:
                sql += text
    return sql, missing


def _written(value: Any, bind: Binder, moment: Moment, *, optional: bool) -> str | None:
    if value is _MISSING:
        return None
    if not isinstance(value, _Filter):
        return ", ".join(bind.add(v) for v in value) if isinstance(value, list) else bind.add(value)
    if not value.given:
        return None if optional else "1 = 1"
    parts = [condition(value.column, value.field, given, bind, moment) for given in value.given]
    return parts[0] if len(parts) == 1 else f"({' AND '.join(parts)})"
