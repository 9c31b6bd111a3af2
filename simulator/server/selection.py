"""Field selection: `fields=id,name,cells{id,adsets.limit(5){id}}` parsed and applied to a node.

Parsing and projecting belong here. Which objects an edge holds comes from the world; which fields a kind has, from
`node_fields`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simulator.contract import Node, World
from simulator.server.errors import GraphError, invalid, make
from simulator.server.graph import GraphRequest
from simulator.server.node_fields import DEFAULTS, FIELDS, TYPE_NAMES
from simulator.server.params import as_list, epoch

_TOKEN = re.compile(r"\s*([A-Za-z0-9_]+|[{}(),.]|[^\s])")
_LEVELS = frozenset({"account", "campaign", "adset", "ad"})
HIDDEN = frozenset({"DELETED", "ARCHIVED"})
EXPANDABLE = frozenset(
    {
        "campaigns",
        "adsets",
        "ads",
        "adcreatives",
        "ad_studies",
        "customconversions",
        "adspixels",
        "cells",
        "objectives",
        "campaign",
        "adset",
        "creative",
        "business",
        "pixel",
        "adaccounts",
        "owned_ad_accounts",
        "client_ad_accounts",
    }
)
"""Names that may be expanded although they are no plain field."""


@dataclass(frozen=True)
class Field:
    """One selected field.

    Attributes:
        inner: What is selected inside it; None for its default.
        limit: Its `.limit(n)`.
        arguments: Other modifiers, e.g. `.date_preset(yesterday)`, as parameters of an expanded edge.
    """

    name: str
    inner: tuple[Field, ...] | None = None
    limit: int | None = None
    arguments: tuple[tuple[str, str], ...] = ()


def parse(value: Any) -> tuple[Field, ...]:
    """Returns the selection of a `fields` parameter, text or JSON array.

    Raises:
        GraphError: 2500 when the syntax is broken.
    """
    if value is None or value == "":
        return ()
    if isinstance(value, str) and value.lstrip().startswith("["):
        value = as_list({"fields": value}, "fields")
    if isinstance(value, list):
        value = ",".join(str(v) for v in value)
    words = _TOKEN.findall(str(value))
    found, rest = _fields(words, 0)
    if rest != len(words):
        raise _syntax(words[rest])
    return tuple(found)


def _syntax(word: str) -> GraphError:
    return GraphError(2500, f"Syntax error \"Expected end of string instead of '{word}'.\" in the field expansion.")


def _fields(words: Sequence[str], at: int) -> tuple[list[Field], int]:
    found: list[Field] = []
    while at < len(words) and words[at] not in "})":
        if words[at] == ",":
            at += 1
            continue
        name = words[at]
        if not re.fullmatch(r"\w+", name):
            raise _syntax(name)
        field, at = _suffixes(name, words, at + 1)
        if all(f.name != name for f in found):
            found.append(field)
    return found, at


def _suffixes(name: str, words: Sequence[str], at: int) -> tuple[Field, int]:
    """Reads `{...}`, `.fields(...)`, `.limit(n)` and other modifiers behind a name, in any order."""
    inner: tuple[Field, ...] | None = None
    limit: int | None = None
    arguments: list[tuple[str, str]] = []
    while at < len(words) and words[at] in "{.":
        modifier = "fields"
        if words[at] == ".":
            if at + 2 >= len(words) or words[at + 2] != "(":
                raise _syntax(".")
            modifier, at = words[at + 1], at + 2
        if modifier == "fields":
            listed, at = _fields(words, at + 1)
            inner = tuple(listed)
        else:
            end = next((i for i in range(at, len(words)) if words[i] == ")"), len(words))
            text = "".join(words[at + 1 : end])
            if modifier == "limit" and text.isdigit():
                limit = int(text)
            else:
                arguments.append((modifier, text))
            at = end
        if at >= len(words) or words[at] not in "})":
            raise _syntax("end of string")
        at += 1
    return Field(name, inner, limit, tuple(arguments)), at


def kind_of(node: Node) -> str:
    """Returns the kind for field names; cells and objectives share the world's kind with their study."""
    if node.kind == "ad_study":
        if "treatment_percentage" in node.data:
            return "cell"
        if "is_primary" in node.data:
            return "objective"
    return node.kind


def _parameters(field: Field) -> dict[str, Any]:
    """Returns the parameters of an expanded edge; only names can be selected inside a row."""
    found: dict[str, Any] = dict(field.arguments)
    if field.inner:
        found["fields"] = [f.name for f in field.inner]
    if field.limit is not None:
        found["limit"] = field.limit
    return found


class Projector:
    """Applies selections to nodes for one request.

    Attributes:
        insights: Answers `insights{...}` inside a selection, given a node and parameters; None where it is no field.
    """

    def __init__(
        self,
        world: World,
        request: GraphRequest,
        insights: Callable[[Node, dict[str, Any]], dict[str, Any]] | None = None,
    ) -> None:
        self.world = world
        self.request = request
        self.insights = insights
        self.epoch_dates = request.params.get("date_format") == "U"

    def node(self, node: Node, selection: tuple[Field, ...]) -> dict[str, Any]:
        """Returns the selected fields of a node; `id` always, absent fields left out.

        Raises:
            GraphError: 100 for a field the kind does not have, 200 for a restricted one.
        """
        kind = kind_of(node)
        if not selection:
            selection = tuple(Field(name) for name in DEFAULTS.get(kind, ("id",)))
        found: dict[str, Any] = {}
        for field in selection:
            self._restricted(kind, field.name)
            if field.name in node.data:
                found[field.name] = self._value(node.data[field.name], field)
                continue
            if field.name == "insights" and self.insights is not None and kind in _LEVELS:
                value = self.insights(node, _parameters(field))
                # Reason: an expanded edge without data is left out, as any field without a value.
                found |= {"insights": value} if value["data"] else {}
                continue
            if field.name in EXPANDABLE and (value := self._edge(node, field)) is not None:
                found[field.name] = value
                continue
            if field.name not in FIELDS.get(kind, frozenset({"id", "name"})) and field.name not in EXPANDABLE:
                name = TYPE_NAMES.get(kind, kind)
                raise invalid(f"Tried accessing nonexisting field ({field.name}) on node type ({name})")
        found.setdefault("id", node.data.get("id", node.id))
        return found

    def plain(self, kind: str, data: Mapping[str, Any], selection: tuple[Field, ...]) -> dict[str, Any]:
        """Returns the selected fields of something that is no object of the world (a report run)."""
        names = [f.name for f in selection] or list(DEFAULTS[kind])
        for name in names:
            if name not in FIELDS[kind]:
                raise invalid(f"Tried accessing nonexisting field ({name}) on node type ({TYPE_NAMES[kind]})")
        return {n: data[n] for n in dict.fromkeys(["id", *names]) if n in data}

    def _restricted(self, kind: str, name: str) -> None:
        """Some fields fail the whole call (section 6.1)."""
        if kind != "account":
            return
        token = self.request.token
        if name == "owner" and token is not None and "business_management" not in token.scopes:
            raise make("business_permission")
        if name == "funding_source_details":
            raise GraphError(100, "Unsupported request - method type: get", kind="GraphMethodException")

    def _value(self, value: Any, field: Field) -> Any:
        if field.inner is None and field.limit is None:
            if self.epoch_dates and isinstance(value, str) and field.name.endswith("_time"):
                return value if (moment := epoch(value)) is None else int(moment)
            return value
        if isinstance(value, Mapping) and isinstance(value.get("data"), Sequence):
            kept = list(value["data"])[: field.limit]
            return {**value, "data": [self._inner(item, field.inner) for item in kept]}
        if isinstance(value, list):
            return [self._inner(item, field.inner) for item in value[: field.limit]]
        return self._inner(value, field.inner)

    def _inner(self, value: Any, selection: tuple[Field, ...] | None) -> Any:
        if not isinstance(value, Mapping) or selection is None:
            return value
        if "id" in value:
            # Reason: an embedded object often carries its id only, while the expansion asks for more.
            full = self.world.node(str(value["id"]), self.request.at)
            if full is not None:
                return self.node(full, selection)
        return {f.name: self._value(value[f.name], f) for f in selection if f.name in value}

    def _edge(self, node: Node, field: Field) -> Any:
        single = {"campaign": "campaign_id", "adset": "adset_id"}.get(field.name)
        if single is not None:
            target = self.world.node(str(node.data[single]), self.request.at) if single in node.data else None
            return None if target is None else self.node(target, field.inner or ())
        children = self.world.edge(node.id, field.name, self.request.at)
        if children is None:
            return None
        shown = [c for c in children if c.data.get("effective_status") not in HIDDEN][: field.limit or 25]
        return {"data": [self.node(child, field.inner or ()) for child in shown]}
