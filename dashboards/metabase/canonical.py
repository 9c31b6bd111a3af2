"""One form for what is asked for and for what Metabase shows, so that they can be compared.

What belongs here: for each kind of object, the keys that are ours and the one spelling of their values. What does not:
what to do about a difference (`dashboards.metabase.converge`).

Requests are never made from an answer. Answers carry keys of their own, two shapes of template tags, and queries in
MBQL 4 or 5.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

Canonical = dict[str, Any]
_PARAMETER = (
    *("id", "type", "name", "slug", "sectionId", "default", "required", "filteringParameters"),
    *("values_query_type", "values_source_type", "values_source_config", "target"),
)
_TAG = ("id", "type", "display-name", "widget-type", "default")


def digests(one: Canonical) -> dict[str, str]:
    """A digest of each key."""
    return {key: hashlib.sha256(_text(value).encode()).hexdigest()[:16] for key, value in one.items()}


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def card(raw: Mapping[str, Any]) -> Canonical:
    """A card."""
    return {
        **_plain(raw, "name", "type", "display", "collection_id"),
        "description": raw.get("description") or None,
        "archived": bool(raw.get("archived")),
        "dataset_query": query(raw.get("dataset_query") or {}),
        "parameters": [_parameter(one) for one in raw.get("parameters") or []],
        "visualization_settings": _settings(raw.get("visualization_settings")),
    }


def dashboard(raw: Mapping[str, Any]) -> Canonical:
    """A dashboard with its tabs and cards; where it stands in its list and the numbers of its parts do not count."""
    tabs = raw.get("tabs") or []
    places = {tab["id"]: number for number, tab in enumerate(tabs)}
    cards = [_dashcard(one, places) for one in raw.get("dashcards") or []]
    return {
        **_plain(raw, "name", "collection_id", "collection_position", "width"),
        "description": raw.get("description") or None,
        "archived": bool(raw.get("archived")),
        "auto_apply_filters": raw.get("auto_apply_filters") is not False,
        "parameters": [_parameter(one) for one in raw.get("parameters") or []],
        "tabs": [tab["name"] for tab in tabs],
        "dashcards": sorted(cards, key=_text),
    }


def collection(raw: Mapping[str, Any]) -> Canonical:
    """A collection; what it lies in is told by `location` in answers and by `parent_id` in requests."""
    parent = raw.get("parent_id")
    if "location" in raw:
        above = [part for part in str(raw["location"] or "").split("/") if part]
        parent = int(above[-1]) if above else None
    return {
        "name": raw.get("name"),
        "description": raw.get("description") or None,
        "parent_id": parent,
        "archived": bool(raw.get("archived")),
    }


def database(raw: Mapping[str, Any], like: Mapping[str, Any]) -> Canonical:
    """A database, as far as a request names its details; the password is not compared, it is shown masked."""
    details = raw.get("details") or {}
    schedules = raw.get("schedules") or {}
    return {
        **_plain(raw, "name", "engine"),
        "is_full_sync": raw.get("is_full_sync") is not False,
        "is_on_demand": bool(raw.get("is_on_demand")),
        "auto_run_queries": raw.get("auto_run_queries") is not False,
        "details": {key: details.get(key) for key in sorted(like["details"]) if key != "password"},
        "schedules": {
            kind: {key: (schedules.get(kind) or {}).get(key) for key in sorted(wanted)}
            for kind, wanted in like["schedules"].items()
        },
    }


def query(raw: Mapping[str, Any]) -> Canonical:
    """A native query, from MBQL 4 or 5; anything else as it is."""
    if raw.get("type") == "native":
        native = raw.get("native") or {}
        return _native(raw.get("database"), native.get("query"), native.get("template-tags"))
    stages = raw.get("stages") or []
    if len(stages) == 1 and str(stages[0].get("lib/type")) == "mbql.stage/native":
        return _native(raw.get("database"), stages[0].get("native"), stages[0].get("template-tags"))
    return dict(raw)


def _native(database_id: Any, sql: Any, tags: Any) -> Canonical:
    listed = tags.values() if isinstance(tags, Mapping) else tags or []
    return {"database": database_id, "native": sql, "tags": {str(one["name"]): _tag(one) for one in listed}}


def _tag(raw: Mapping[str, Any]) -> Canonical:
    made = {key: raw[key] for key in _TAG if raw.get(key) is not None}
    if raw.get("required"):
        made["required"] = True
    field = raw.get("dimension")
    if isinstance(field, list) and len(field) > 1:
        # Reason: MBQL 4 has the number before the options, MBQL 5 behind them.
        made["field"] = next((part for part in field[1:] if isinstance(part, int | str)), None)
    return made


def _parameter(raw: Mapping[str, Any]) -> Canonical:
    made = {key: raw[key] for key in _PARAMETER if raw.get(key) not in (None, False, [])}
    if raw.get("isMultiSelect") is False:
        made["isMultiSelect"] = False
    if "target" in made:
        made["target"] = _target(made["target"])
    return made


def _target(raw: Any) -> Any:
    """Without the options that newer versions put behind it."""
    return [_target(part) for part in raw if not isinstance(part, Mapping)] if isinstance(raw, list) else raw


def _dashcard(raw: Mapping[str, Any], places: Mapping[Any, int]) -> Canonical:
    mappings = [
        {key: one.get(key) for key in ("parameter_id", "card_id")} | {"target": _target(one.get("target"))}
        for one in raw.get("parameter_mappings") or []
    ]
    return {
        **_plain(raw, "card_id", "row", "col", "size_x", "size_y"),
        "tab": places.get(raw.get("dashboard_tab_id")),
        "series": [one["id"] for one in raw.get("series") or []],
        "parameter_mappings": sorted(mappings, key=_text),
        "visualization_settings": _settings(raw.get("visualization_settings")),
    }


def _settings(raw: Any) -> Any:
    """Visualisation settings without what is not set; keys of columns in one spelling."""
    if isinstance(raw, list):
        return [_settings(one) for one in raw]
    if not isinstance(raw, Mapping):
        return raw
    return {_key(key): _settings(value) for key, value in raw.items() if value is not None}


def _key(key: str) -> str:
    if not key.startswith("["):
        return key
    try:
        return json.dumps(json.loads(key), separators=(",", ":"))
    except ValueError:
        return key


def _plain(raw: Mapping[str, Any], *keys: str) -> Canonical:
    return {key: raw.get(key) for key in keys}
