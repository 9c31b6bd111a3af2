"""The two forms of a native query: MBQL 5, which Metabase keeps and answers, and the legacy form.

Queries of the query builder are kept as they come; this stand-in does not run them.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.metabase.core.errors import ApiError
from tests.metabase.core.schema import Body, NonBlank, OpenMap, parse
from tests.metabase.query.parameter_types import RAW_TYPES, TAG_TYPES, WIDGETS

_FIELD_PARTS = 3
"""`["field", options, id]`, in the legacy form `["field", id, options]`."""


class Tag(Body):
    """A template tag."""

    id: str | None = None
    name: NonBlank
    type: str
    default: Any = None
    required: bool | None = None
    dimension: list[Any] | None = None
    options: OpenMap | None = None
    alias: str | None = None
    card_id: int | None = None
    snippet_id: int | None = None
    snippet_name: str | None = None
    display_name: NonBlank
    widget_type: str | None = None

    model_config = Body.model_config | {"alias_generator": lambda name: name.replace("_", "-")}


def _refused(message: str) -> ApiError:
    return ApiError(400, {"errors": {"dataset_query": message}, "specific-errors": {"dataset_query": [message]}})


def normalized(query: OpenMap) -> OpenMap:
    """A query in the form that is kept.

    Raises:
        ApiError: 400, it is no query, or its template tags are none.
    """
    if not isinstance(query.get("database"), int):
        raise _refused("value must be a query with a :database")
    if "stages" in query:
        if query.get("lib/type") != "mbql/query" or not isinstance(query["stages"], list) or not query["stages"]:
            raise _refused('value must be a query of the "lib/type" "mbql/query" with stages')
        return query | {"stages": [_stage(stage) for stage in query["stages"]]}
    if query.get("type") == "native" and isinstance(query.get("native"), dict):
        native = query["native"]
        stage = {"lib/type": "mbql.stage/native", "native": native.get("query"), **_rest(native)}
        return {"lib/type": "mbql/query", "database": query["database"], "stages": [_stage(stage)]}
    if query.get("type") == "query" and isinstance(query.get("query"), dict):
        stage = {"lib/type": "mbql.stage/mbql", **query["query"]}
        return {"lib/type": "mbql/query", "database": query["database"], "stages": [stage]}
    raise _refused("value must be a query in MBQL 5 or in the legacy form")


def _rest(native: OpenMap) -> OpenMap:
    return {name: value for name, value in native.items() if name != "query"}


def _stage(stage: Any) -> OpenMap:
    if not isinstance(stage, dict):
        raise _refused("a stage must be a map")
    if stage.get("lib/type") != "mbql.stage/native":
        return stage
    if not isinstance(stage.get("native"), str):
        raise _refused("a native stage must have its SQL as a text")
    tags = stage.get("template-tags") or {}
    if isinstance(tags, list):
        tags = {tag.get("name"): tag for tag in tags if isinstance(tag, dict)}
    kept = {"lib/type": "mbql.stage/native", "native": stage["native"]}
    if tags:
        kept["template-tags"] = {name: _tag(name, tag) for name, tag in tags.items()}
    return kept


def _tag(name: Any, tag: Any) -> OpenMap:
    if not isinstance(tag, dict):
        raise _refused("a template tag must be a map")
    try:
        model, _ = parse(Tag, tag)
    except ApiError as error:
        raise ApiError(400, {"errors": {"dataset_query": {"template-tags": {str(name): error.body}}}}) from None
    if model.name != name:
        raise _refused("keys in template tag map must match the :name of their values")
    if model.type not in TAG_TYPES:
        raise _refused(f"template tag {name}: no type {model.type!r}")
    kept = model.given()
    kept.setdefault("id", str(uuid4()))
    if model.type == "dimension":
        if model.widget_type not in WIDGETS:
            raise _refused(f"template tag {name}: Valid template tag :widget-type")
        kept["dimension"] = _field(name, model.dimension)
    elif model.type in RAW_TYPES:
        kept.pop("dimension", None)
    return kept


def _field(name: str, reference: Any) -> list[Any]:
    """A reference to a field in the order of MBQL 5, with the uuid that Metabase adds."""
    if isinstance(reference, list) and len(reference) == _FIELD_PARTS and reference[0] == "field":
        first, second = reference[1:]
        if isinstance(first, dict) and isinstance(second, int):
            return ["field", {"lib/uuid": str(uuid4())} | first, second]
        if isinstance(first, int) and (second is None or isinstance(second, dict)):
            return ["field", {"lib/uuid": str(uuid4())} | (second or {}), first]
    raise _refused(f'template tag {name}: a dimension must be ["field", {{}}, <id>]')


def is_native(query: OpenMap) -> bool:
    """Whether a kept query is SQL."""
    return bool(query["stages"][0].get("lib/type") == "mbql.stage/native")


def tags_of(query: OpenMap) -> dict[str, OpenMap]:
    """The template tags of a kept query, by name."""
    tags: dict[str, OpenMap] = query["stages"][0].get("template-tags") or {}
    return tags


def shown(query: OpenMap, shape: str) -> OpenMap:
    """A kept query as answers carry it, template tags as a map or as a list."""
    stages = []
    for stage in query["stages"]:
        tags = stage.get("template-tags")
        stages.append(stage | {"template-tags": list(tags.values())} if tags and shape == "list" else stage)
    return query | {"stages": stages}


def legacy(query: OpenMap) -> OpenMap:
    """A kept query in the legacy form."""
    stage = query["stages"][0]
    if not is_native(query):
        return {
            "database": query["database"],
            "type": "query",
            "query": {k: v for k, v in stage.items() if k != "lib/type"},
        }
    native: OpenMap = {"query": stage["native"]}
    if tags := stage.get("template-tags"):
        native["template-tags"] = {name: _legacy_tag(tag) for name, tag in tags.items()}
    return {"database": query["database"], "type": "native", "native": native}


def _legacy_tag(tag: OpenMap) -> OpenMap:
    if "dimension" not in tag:
        return tag
    _, options, field = tag["dimension"]
    options = {name: value for name, value in options.items() if name != "lib/uuid"}
    return tag | {"dimension": ["field", field, options or None]}
