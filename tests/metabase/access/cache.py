"""Cache policies as far as the open-source edition has them: one for the whole instance, and no clearing.

No result is ever cached here; only the configuration is kept.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from tests.metabase.core.call import Call, route
from tests.metabase.core.errors import ApiError, forbidden, paid_feature
from tests.metabase.core.schema import Body, NaturalInt, OpenMap, PositiveInt, Query

Model = Literal["root", "database", "dashboard", "question"]
_FEATURE = "Granular Caching"
_STRATEGIES: dict[str, dict[str, int]] = {"nocache": {}, "ttl": {"multiplier": 1, "min_duration_ms": 0}}
"""The keys of each strategy, with the least value of each. `duration` and `schedule` are the paid editions'."""


class Policy(Body):
    """A policy."""

    model: Model
    model_id: NaturalInt
    strategy: OpenMap


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


class Policies(Body):
    """Policies to take back."""

    model: Model
    model_id: Annotated[list[NaturalInt], BeforeValidator(_as_list)]


class PolicyFilter(Query):
    """Which policies to list."""

    model: Annotated[list[Model], BeforeValidator(_as_list)] = Field(default=["root"])
    collection: PositiveInt | None = None
    id: PositiveInt | None = None


def _check(call: Call, model: str, ids: list[int]) -> None:
    if model == "root":
        if 0 not in ids:
            raise ApiError(404, {"message": "Root configuration is only valid with model_id = 0", "model_id": ids[0]})
    else:
        raise paid_feature(_FEATURE)
    if not call.user["is_superuser"]:
        raise forbidden()


def _checked(strategy: OpenMap) -> OpenMap:
    keys = _STRATEGIES.get(strategy.get("type", ""))
    problem = None
    if keys is None:
        problem = {"type": "value must be one of: nocache, ttl"}
    elif missing := set(keys) - set(strategy):
        problem = dict.fromkeys(sorted(missing), "missing required key")
    elif strategy["type"] == "ttl" and (extra := set(strategy) - {*keys, "type"}):
        problem = dict.fromkeys(sorted(extra), "unexpected key")
    else:
        wrong = [k for k, least in keys.items() if not isinstance(strategy[k], int) or strategy[k] < least]
        problem = dict.fromkeys(wrong, "value is too small or no integer") or None
    if problem:
        raise ApiError(400, {"errors": {"strategy": problem}, "specific-errors": {"strategy": problem}})
    return strategy


@route("GET", "/api/cache", query=PolicyFilter)
def listed(call: Call) -> dict[str, Any]:
    """The policies."""
    if call.query.model != ["root"]:
        raise paid_feature(_FEATURE)
    _check(call, "root", [call.query.id or 0])
    found = [{k: row[k] for k in ("model", "model_id", "strategy")} for row in call.state.all("cache")]
    return {"data": found, "total": len(found), "limit": None, "offset": None}


@route("PUT", "/api/cache", body=Policy)
def store(call: Call) -> dict[str, int]:
    """Stores a policy over the one there is."""
    strategy = _checked(call.body.strategy)
    _check(call, call.body.model, [call.body.model_id])
    columns = {"model": call.body.model, "model_id": call.body.model_id}
    row = call.state.first("cache", **columns) or call.state.add("cache", columns)
    row["strategy"] = strategy
    return {"id": row["id"]}


@route("DELETE", "/api/cache", body=Policies)
def delete(call: Call) -> None:
    """Takes policies back."""
    _check(call, call.body.model, call.body.model_id)
    call.state.keep_only("cache", lambda row: row["model"] != call.body.model)


@route("POST", "/api/cache/invalidate")
def invalidate(call: Call) -> None:
    """Refused: in the open-source edition nobody can clear the cache (source: `cache/api.clj`)."""
    raise paid_feature(_FEATURE)
