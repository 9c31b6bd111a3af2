"""Running cards, and queries that are no card."""

from __future__ import annotations

import csv
import io
import time
from typing import Any, Literal

from tests.metabase.access.data_permissions import may_write_sql
from tests.metabase.content.cards import card_readable
from tests.metabase.content.schemas import ParameterValue
from tests.metabase.core.call import ID, ID_OR_ENTITY, Call, Reply, route
from tests.metabase.core.errors import bad_request, forbidden, not_found, server_error
from tests.metabase.core.schema import Body, OpenMap, PositiveInt
from tests.metabase.core.state import Row
from tests.metabase.query import mbql
from tests.metabase.query.parameters import check_card_parameters, template_parameters
from tests.metabase.query.run import Outcome, answered, execute
from tests.metabase.query.template import QueryError


class Run(Body):
    """How to run a card."""

    parameters: list[ParameterValue] | None = None
    ignore_cache: bool = False
    dashboard_id: PositiveInt | None = None
    collection_preview: bool | None = None
    stored_result_id: PositiveInt | None = None
    sort: Literal["value_asc", "value_desc", "label_asc", "label_desc"] | None = None


class Export(Body):
    """How to export a card's result."""

    parameters: list[ParameterValue] | None = None
    format_rows: bool = False
    pivot_results: bool = False
    csv_include_bom: bool = False


class AdHoc(Body):
    """A query that is no card."""

    database: int | None = None
    type: str | None = None
    native: OpenMap | None = None
    query: OpenMap | None = None
    lib_type: str | None = None
    stages: list[Any] | None = None
    parameters: list[ParameterValue] | None = None
    middleware: OpenMap | None = None
    constraints: OpenMap | None = None
    pretty: bool | None = None

    model_config = Body.model_config | {"alias_generator": lambda name: "lib/type" if name == "lib_type" else name}


def enriched(card: Row, given: list[ParameterValue] | None) -> list[dict[str, Any]]:
    """Values with the type and target that the card knows for their id, where the request left them out."""
    known = {p["id"]: p for p in template_parameters(card["dataset_query"])}
    for parameter in card["parameters"]:
        known[parameter["id"]] = known.get(parameter["id"], {}) | parameter
    kept = {i: {name: p[name] for name in ("id", "type", "target") if name in p} for i, p in known.items()}
    values = [kept.get(value.id, {}) | value.given() for value in given or []]
    for value in values:
        value.setdefault("type", "category")
    return values


async def run_card(call: Call, card: Row, values: list[dict[str, Any]]) -> Outcome:
    """Runs a card with values that its tags take.

    Raises:
        ApiError: 500, the card has no such tag, or the tag takes no such value.
    """
    try:
        check_card_parameters(card["id"], card["dataset_query"], values)
    except QueryError as error:
        raise server_error(str(error)) from None
    return await execute(call, card["dataset_query"], values)


@route("POST", f"/api/card/{ID_OR_ENTITY}/query", body=Run)
async def run(call: Call) -> Reply:
    """202, whether the query completed or failed."""
    card = card_readable(call)
    if call.body.stored_result_id is not None:
        raise not_found()
    began = time.monotonic()
    outcome = await run_card(call, card, enriched(card, call.body.parameters))
    body = answered(call, card["dataset_query"], outcome, began, context="question", card_id=card["id"])
    return Reply(body, 202)


@route("POST", f"/api/card/{ID}/query/{{format:csv|json}}", body=Export)
async def export(call: Call) -> Reply:
    """The result as a file; a failed query is an object with its error."""
    card = card_readable(call)
    outcome = await run_card(call, card, enriched(card, call.body.parameters))
    if outcome.error is not None:
        return Reply({"status": "failed", "error": outcome.error, "error_type": outcome.kind}, 200)
    names = [column["display_name"] for column in outcome.columns]
    if call.path["format"] == "json":
        return Reply([dict(zip(names, row, strict=True)) for row in outcome.rows])
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerows([names, *outcome.rows])
    return Reply(buffer.getvalue().encode(), content_type="text/csv")


@route("POST", "/api/dataset", body=AdHoc)
async def ad_hoc(call: Call) -> Reply:
    """Runs a native query of whoever asks."""
    given = call.body.given()
    values = [p | {"type": p.get("type", "category")} for p in given.pop("parameters", None) or []]
    for name in ("middleware", "constraints", "pretty"):
        given.pop(name, None)
    query = mbql.normalized(given)
    if call.state.get("database", query["database"]) is None:
        raise not_found()
    if not may_write_sql(call.state, call.user, query["database"]):
        raise forbidden("You do not have permissions to run this query.")
    if not mbql.is_native(query):
        raise bad_request("the stand-in runs native queries alone")
    began = time.monotonic()
    outcome = await execute(call, query, values)
    return Reply(answered(call, query, outcome, began, context="ad-hoc"), 202)
