"""Dashboards: making, changing, showing, listing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator

from tests.metabase.access.settings import value_of
from tests.metabase.content.collections import check_writable, readable, summary, trash_id, writable
from tests.metabase.content.dashcards import replace, shown_dashcards, shown_tabs
from tests.metabase.content.schemas import EmbeddingParams, Mapping, Parameter
from tests.metabase.core.call import ID, ID_OR_ENTITY, Call, route
from tests.metabase.core.errors import archived, bad_request, forbidden
from tests.metabase.core.ids import new_entity_id, timestamp
from tests.metabase.core.schema import Body, NaturalInt, NonBlank, OpenMap, PositiveInt, Query
from tests.metabase.core.state import Row


class NewDashboard(Body):
    """A dashboard to make: no dashcards, no tabs, no entity_id."""

    name: NonBlank
    description: str | None = None
    parameters: list[Parameter] | None = None
    cache_ttl: PositiveInt | None = None
    collection_id: PositiveInt | None = None
    collection_position: PositiveInt | None = None


class Series(Body):
    """A further card in a dashcard."""

    id: PositiveInt


class Dashcard(Body):
    """A card on a dashboard; an id that is not there yet (a negative one) makes it."""

    id: int
    size_x: PositiveInt
    size_y: PositiveInt
    row: NaturalInt
    col: NaturalInt
    card_id: PositiveInt | None = None
    action_id: PositiveInt | None = None
    dashboard_tab_id: int | None = None
    parameter_mappings: list[Mapping] | None = None
    visualization_settings: OpenMap | None = None
    inline_parameters: list[NonBlank] | None = None
    series: list[Series] | None = None


class Tab(Body):
    """A tab; an id that is not there yet makes it, and the order of the list counts, not `position`."""

    id: int
    name: NonBlank
    position: NaturalInt | None = None


def _unique(rows: list[Any]) -> list[Any]:
    if len({row.id for row in rows}) != len(rows):
        raise ValueError("value must be seq of maps in which ids are unique")
    return rows


class DashboardChange(Body):
    """What of a dashboard may change."""

    name: NonBlank | None = None
    description: str | None = None
    caveats: str | None = None
    points_of_interest: str | None = None
    show_in_getting_started: bool | None = None
    enable_embedding: bool | None = None
    embedding_type: str | None = None
    embedding_params: EmbeddingParams | None = None
    parameters: list[Parameter] | None = None
    position: PositiveInt | None = None
    width: Literal["fixed", "full"] = "fixed"
    archived: bool | None = None
    auto_apply_filters: bool | None = None
    collection_id: PositiveInt | None = None
    collection_position: PositiveInt | None = None
    cache_ttl: PositiveInt | None = None
    dashcards: Annotated[list[Dashcard], AfterValidator(_unique)] | None = None
    tabs: Annotated[list[Tab], AfterValidator(_unique)] | None = None


class DashboardFilter(Query):
    """Which dashboards to list."""

    f: Literal["all", "mine", "archived"] | None = None


_NULLABLE = frozenset(
    {"description", "position", "width", "collection_id", "collection_position", "cache_ttl", "embedding_type"}
)
_EMBEDDING = ("enable_embedding", "embedding_type", "embedding_params")


def shown(call: Call, dashboard: Row, *, whole: bool = True) -> dict[str, Any]:
    """A dashboard as answers show it, with its tabs and cards where it is shown as a whole."""
    state = call.state
    user = state.get("user", dashboard["creator_id"]) or {}
    directly = bool(dashboard["archived"] and dashboard["archived_directly"])
    names = ("id", "email", "first_name", "last_name", "common_name")
    answer = dashboard | {
        "creator": {name: user.get(name) for name in names},
        "last-edit-info": {name: user.get(name) for name in names[:-1]} | {"timestamp": dashboard["updated_at"]},
    }
    if not whole:
        return answer
    return answer | {
        "collection_id": trash_id(state) if directly else dashboard["collection_id"],
        "collection": summary(call, dashboard["collection_id"]),
        "collection_authority_level": None,
        "can_write": writable(call, dashboard["collection_id"]),
        "can_restore": directly,
        "can_delete": directly,
        "can_set_cache_policy": call.user["is_superuser"],
        "dashcards": shown_dashcards(call, dashboard),
        "tabs": shown_tabs(call, dashboard),
        "param_fields": {},
        "moderation_reviews": [],
        "last_used_param_values": {},
        "is_remote_synced": False,
    }


def dashboard_readable(call: Call, name: str = "id") -> Row:
    """The dashboard that the path names.

    Raises:
        ApiError: 404, 403.
    """
    dashboard = call.row("dashboard", name)
    if not readable(call, dashboard["collection_id"]):
        raise forbidden()
    return dashboard


def _parameters(models: list[Parameter] | None) -> list[dict[str, Any]]:
    return [model.given() for model in models or []]


@route("POST", "/api/dashboard", body=NewDashboard)
def create(call: Call) -> dict[str, Any]:
    """Makes a dashboard; names need not be unique, and there is no id of one's own to find it by."""
    body = call.body
    check_writable(call, body.collection_id)
    now = timestamp(call.standin.now())
    dashboard = call.state.add(
        "dashboard",
        {
            "name": body.name,
            "description": body.description,
            "parameters": _parameters(body.parameters),
            "collection_id": body.collection_id,
            "collection_position": body.collection_position,
            "cache_ttl": body.cache_ttl,
            "entity_id": new_entity_id(),
            "width": "fixed",
            "auto_apply_filters": True,
            "archived": False,
            "archived_directly": False,
            "caveats": None,
            "points_of_interest": None,
            "show_in_getting_started": False,
            "position": None,
            "enable_embedding": False,
            "embedding_type": None,
            "embedding_params": None,
            "public_uuid": None,
            "made_public_by_id": None,
            "view_count": 0,
            "creator_id": call.user["id"],
            "created_at": now,
            "updated_at": now,
        },
    )
    return shown(call, dashboard)


@route("GET", "/api/dashboard", query=DashboardFilter)
def listed(call: Call) -> list[dict[str, Any]]:
    """Dashboards by name, without their cards."""
    wanted = call.query.f or "all"
    return [
        shown(call, d, whole=False)
        for d in sorted(call.state.all("dashboard"), key=lambda d: (d["name"].lower(), d["id"]))
        if d["archived"] == (wanted == "archived")
        and readable(call, d["collection_id"])
        and (wanted != "mine" or d["creator_id"] == call.user["id"])
    ]


@route("GET", f"/api/dashboard/{ID_OR_ENTITY}")
def one(call: Call) -> dict[str, Any]:
    """A dashboard, by id or entity id."""
    return shown(call, dashboard_readable(call))


@route("PUT", f"/api/dashboard/{ID}", body=DashboardChange)
def change(call: Call) -> dict[str, Any]:
    """Changes what the request names; `dashcards` and `tabs` replace all there are."""
    dashboard, body, given = call.row("dashboard"), call.body, call.body.given()
    if not writable(call, dashboard["collection_id"]):
        raise forbidden()
    dashcards, tabs = given.pop("dashcards", None), given.pop("tabs", None) or []
    if "collection_id" in given and given["collection_id"] != dashboard["collection_id"]:
        check_writable(call, given["collection_id"])
    _check_embedding(call, dashboard, given)
    updates = {n: v for n, v in given.items() if n in _NULLABLE or v is not None}
    if "parameters" in updates:
        updates["parameters"] = _parameters(body.parameters)
    if updates.get("archived", dashboard["archived"]) != dashboard["archived"]:
        updates["archived_directly"] = updates["archived"]
    if dashcards is not None:
        if dashboard["archived"] and updates.get("archived", True):
            raise archived()
        # Reason: Metabase does all of it in one transaction, and this is what may refuse.
        replace(call, dashboard, dashcards, tabs)
    before = {p["id"] for p in dashboard["parameters"]}
    dashboard |= updates | {"updated_at": timestamp(call.standin.now())}
    if "parameters" in updates:
        _archive_broken(call, dashboard, before)
    return shown(call, dashboard)


def _check_embedding(call: Call, dashboard: Row, given: dict[str, Any]) -> None:
    if any(name in given and given[name] != dashboard[name] for name in _EMBEDDING):
        if not (value_of(call, "enable-embedding") or value_of(call, "enable-embedding-static")):
            raise bad_request("Embedding is not enabled.")
        if not call.user["is_superuser"]:
            raise forbidden()


def _archive_broken(call: Call, dashboard: Row, before: set[str]) -> None:
    """Archives the subscriptions that use a parameter that is gone; Metabase also writes to their creators."""
    if not before:
        return
    present = {p["id"] for p in dashboard["parameters"]}
    for pulse in call.state.where("pulse", dashboard_id=dashboard["id"], archived=False):
        if any(p.get("id") not in present for p in pulse["parameters"]):
            pulse["archived"] = True


@route("DELETE", f"/api/dashboard/{ID}")
def delete(call: Call) -> None:
    """Deletes a dashboard for good."""
    dashboard = call.row("dashboard")
    if not writable(call, dashboard["collection_id"]):
        raise forbidden()
    call.state.delete("dashboard", dashboard["id"])
    for table in ("dashcard", "tab"):
        call.state.keep_only(table, lambda row: row["dashboard_id"] != dashboard["id"])
