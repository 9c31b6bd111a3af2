"""Running the cards of a dashboard with its parameters, and the values that its filters offer."""

from __future__ import annotations

import time
from typing import Any

from tests.metabase.content.collections import readable
from tests.metabase.content.dashboards import dashboard_readable
from tests.metabase.content.schemas import ParameterValue
from tests.metabase.core.call import ID, Call, Reply, route
from tests.metabase.core.errors import bad_request, forbidden, not_found, server_error
from tests.metabase.core.schema import Body, NonBlank
from tests.metabase.core.state import Row
from tests.metabase.data.values import distinct_values
from tests.metabase.query import mbql
from tests.metabase.query.parameter_types import OPERATORS
from tests.metabase.query.parameters import check_type
from tests.metabase.query.run import answered, execute
from tests.metabase.query.template import QueryError


class Run(Body):
    """How to run a dashcard."""

    parameters: list[ParameterValue] | None = None
    dashboard_load_id: NonBlank | None = None


def _mapping(dashcard: Row, parameter_id: str, card_id: int) -> dict[str, Any] | None:
    """The mapping of a parameter to a card. One that does not name the card counts for nothing, without a word."""
    return next(
        (
            m
            for m in dashcard["parameter_mappings"]
            if m["parameter_id"] == parameter_id and m.get("card_id") == card_id
        ),
        None,
    )


def _resolved(dashboard: Row, dashcard: Row, card_id: int, given: list[ParameterValue]) -> list[dict[str, Any]]:
    """The values with the targets of their mappings. Defaults of the dashboard are the frontend's business."""
    known = {p["id"]: p for p in dashboard["parameters"]}
    resolved = []
    for value in given:
        parameter = known.get(value.id)
        if parameter is None:
            raise bad_request(f'Dashboard does not have a parameter with ID "{value.id}".')
        mapping = _mapping(dashcard, value.id, card_id)
        if mapping is None:
            continue
        if value.type is not None:
            try:
                check_type(value.type, parameter["type"], value.id)
            except QueryError as error:
                raise server_error(str(error)) from None
        entry = {"type": parameter["type"]} | {k: v for k, v in value.given().items() if k != "default"}
        single = entry.get("value")
        if parameter["type"] in OPERATORS and not isinstance(single, list) and single not in {None, ""}:
            entry["value"] = [single]
        resolved.append(entry | {"target": mapping["target"]})
    return resolved


@route("POST", r"/api/dashboard/{id:\d+}/dashcard/{dashcard:\d+}/card/{card:\d+}/query", body=Run)
async def run(call: Call) -> Reply:
    """202, whether the query completed or failed; 404 where the card is not in that dashcard."""
    dashboard, dashcard, card = dashboard_readable(call), call.row("dashcard", "dashcard"), call.row("card", "card")
    cards = {dashcard["card_id"], *(series["id"] for series in dashcard["series"])}
    if dashcard["dashboard_id"] != dashboard["id"] or card["id"] not in cards:
        raise not_found()
    if not readable(call, card["collection_id"]):
        raise forbidden()
    began = time.monotonic()
    values = _resolved(dashboard, dashcard, card["id"], call.body.parameters or [])
    outcome = await execute(call, card["dataset_query"], values)
    extra = {"context": "dashboard", "card_id": card["id"], "dashboard_id": dashboard["id"]}
    return Reply(answered(call, card["dataset_query"], outcome, began, **extra), 202)


@route("GET", f"/api/dashboard/{ID}/params/{{param}}/values")
async def values(call: Call) -> dict[str, Any]:
    """What a filter offers."""
    return await _values(call, None)


@route("GET", f"/api/dashboard/{ID}/params/{{param}}/search/{{query}}")
async def search(call: Call) -> dict[str, Any]:
    """What a filter offers that contains a text."""
    return await _values(call, call.path["query"])


async def _values(call: Call, search_for: str | None) -> dict[str, Any]:
    dashboard = dashboard_readable(call)
    parameter = next((p for p in dashboard["parameters"] if p["id"] == call.path["param"]), None)
    if parameter is None:
        raise bad_request(f'Dashboard does not have a parameter with the ID "{call.path["param"]}"')
    config = parameter.get("values_source_config") or {}
    if parameter.get("values_source_type") == "static-list":
        found = [v if isinstance(v, list) else [v] for v in config.get("values") or []]
        return {"values": _containing(found, search_for), "has_more_values": False}
    if parameter.get("values_source_type") == "card":
        return await _of_card(call, config, search_for)
    fields = _fields(call, dashboard, parameter["id"])
    if not fields:
        raise bad_request(f'Parameter "{parameter["id"]}" does not have any Fields associated with it')
    constraints = [
        (field, value.split(",")) for name, value in call.query.items() for field in _fields(call, dashboard, name)
    ]
    found_values, more = await distinct_values(call.standin, fields[0], constraints, search_for)
    return {"values": [[value] for value in found_values], "has_more_values": more}


def _containing(rows: list[list[Any]], text: str | None) -> list[list[Any]]:
    return [row for row in rows if text is None or any(text.lower() in str(v).lower() for v in row)]


def _fields(call: Call, dashboard: Row, parameter_id: str) -> list[Row]:
    """The fields that a parameter filters, through the field filters that it is mapped to."""
    found = []
    for dashcard in call.state.where("dashcard", dashboard_id=dashboard["id"]):
        for mapping in dashcard["parameter_mappings"]:
            card = call.state.get("card", mapping.get("card_id"))
            if mapping["parameter_id"] != parameter_id or card is None or mapping["target"][0] != "dimension":
                continue
            kind, pointer = mapping["target"][1][:2]
            number = pointer
            if kind == "template-tag":
                tag = mbql.tags_of(card["dataset_query"]).get(pointer)
                number = tag["dimension"][2] if tag and "dimension" in tag else None
            field = call.state.get("field", number)
            if field is not None and field not in found:
                found.append(field)
    return found


async def _of_card(call: Call, config: dict[str, Any], search_for: str | None) -> dict[str, Any]:
    card = call.state.get("card", config.get("card_id"))
    reference = config.get("value_field") or []
    if card is None or not readable(call, card["collection_id"]) or len(reference) < 2:
        raise not_found()
    outcome = await execute(call, card["dataset_query"], [])
    names = [column["name"] for column in outcome.columns]
    if outcome.error is not None or reference[1] not in names:
        return {"values": [], "has_more_values": False}
    position = names.index(reference[1])
    found = sorted({str(row[position]): row[position] for row in outcome.rows if row[position] is not None}.items())
    return {"values": _containing([[value] for _, value in found], search_for), "has_more_values": False}
