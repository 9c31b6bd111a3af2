"""Reading objects: nodes, edges, the token's own accounts, change history, minimum budgets (section 6).

Which objects exist comes from the world; selecting fields, listing rules and cursors have modules of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from simulator.contract import Node
from simulator.server import activities, insights, listing, paging
from simulator.server.core import Simulator, account_of
from simulator.server.errors import make, unsupported
from simulator.server.graph import GraphRequest, Reply, answer
from simulator.server.insights_params import parse_limit
from simulator.server.selection import Projector, parse

BUSINESS_EDGES = frozenset({"owned_ad_accounts", "client_ad_accounts"})
EMPTY_EDGES = {
    "account": frozenset(
        {
            "adimages",
            "adlabels",
            "adrules_library",
            "advideos",
            "assigned_users",
            "customaudiences",
            "saved_audiences",
        }
    ),
    "ad": frozenset({"leads"}),
}
"""Edges that the API has and that hold nothing here, as they may in a real account."""


def read_node(sim: Simulator, request: GraphRequest, node: Node) -> Reply:
    """Answers `GET /{node}`."""
    return answer(projector(sim, request).node(node, parse(request.params.get("fields"))))


def projector(sim: Simulator, request: GraphRequest) -> Projector:
    """Returns what applies selections for this call, `insights{...}` included."""

    def expand(node: Node, params: dict[str, Any]) -> dict[str, Any]:
        kept = {k: v for k, v in request.params.items() if k in {"access_token", "appsecret_proof"}}
        inner = request.child((str(node.data.get("id", node.id)), "insights"), kept | params)
        found: dict[str, Any] = orjson.loads(insights.read(sim, inner, node).body)
        return found

    return Projector(sim.world, request, expand)


def read_me(sim: Simulator, request: GraphRequest) -> Reply:
    """Answers `GET /me`: the token's own user."""
    token = request.token
    assert token is not None
    data = {"id": token.user_id, "name": token.name, "first_name": token.name.split()[0]}
    node = Node("user", token.user_id, None, data)
    return read_node(sim, request, node)


def visible_accounts(sim: Simulator, request: GraphRequest) -> list[Node]:
    """Returns the accounts that the token may see."""
    token = request.token
    return [n for n in sim.world.accounts(request.at) if token is None or token.sees(account_of(n))]


def me_edge(sim: Simulator, request: GraphRequest, edge: str) -> Reply:
    """Answers `/me/adaccounts`, `/me/assigned_ad_accounts`, `/me/businesses` and `/me/ad_studies`."""
    if edge in {"adaccounts", "assigned_ad_accounts"}:
        return paged(sim, request, visible_accounts(sim, request))
    if edge == "businesses":
        assert request.token is not None
        request.token.need("business_management")
        owners = {str((n.data.get("business") or {}).get("id")) for n in visible_accounts(sim, request)}
        return paged(sim, request, [b for b in sim.world.businesses() if b.id in owners])
    if edge == "ad_studies":
        found: dict[str, Node] = {}
        for account in visible_accounts(sim, request):
            found |= {n.id: n for n in sim.listing(account.id, edge, request.at) or ()}
        return paged(sim, request, list(found.values()))
    if edge == "business_users":
        # Reason: the token is a system user's, and those are no business users.
        assert request.token is not None
        request.token.need("business_management")
        return nothing(request)
    raise unsupported("me")


def business_edge(sim: Simulator, request: GraphRequest, node: Node, edge: str) -> Reply:
    """Answers a business's accounts and studies; needs `business_management`."""
    assert request.token is not None
    request.token.need("business_management")
    accounts = [n for n in visible_accounts(sim, request) if str((n.data.get("business") or {}).get("id")) == node.id]
    if edge == "owned_ad_accounts":
        query = str(request.params.get("search_query") or "").lower()
        return paged(sim, request, [a for a in accounts if query in str(a.data.get("name", "")).lower()])
    if edge == "client_ad_accounts":
        # Reason: the world has owners only; an agency's foreign accounts are not modelled.
        return paged(sim, request, list(sim.world.edge(node.id, edge, request.at) or ()))
    if edge == "ad_studies":
        found: dict[str, Node] = {}
        for account in accounts:
            found |= {n.id: n for n in sim.listing(account.id, edge, request.at) or ()}
        return paged(sim, request, list(found.values()))
    raise unsupported(node.id)


def edge(sim: Simulator, request: GraphRequest, node: Node, name: str) -> Reply:
    """Answers `GET /{node}/{edge}` for every edge of the world, with the listing rules."""
    if node.kind == "business":
        return business_edge(sim, request, node, name)
    if node.kind == "account" and name == "activities":
        return activities.read(sim, request, node)
    if node.kind == "account" and name == "minimum_budgets":
        return minimum_budgets(request, node)
    if node.kind == "account" and name == "impacting_ad_studies":
        name = "ad_studies"
    nodes = sim.listing(node.id, name, request.at)
    if nodes is not None:
        return paged(sim, request, nodes, name)
    if name in EMPTY_EDGES.get(node.kind, ()):
        return nothing(request)
    raise unsupported(request.parts[0])


def nothing(request: GraphRequest) -> Reply:
    """Returns a listing without objects."""
    return answer({"data": []} | ({"summary": {"total_count": 0}} if _wants_total(request) else {}))


def paged(sim: Simulator, request: GraphRequest, nodes: Sequence[Node], name: str = "") -> Reply:
    """Returns one page of a list of nodes.

    Cursors name an object, not a row number, so that objects created meanwhile neither repeat nor hide others.
    """
    applied = projector(sim, request)
    selection = parse(request.params.get("fields"))
    limit = parse_limit(request.params)
    shown = listing.select(name, nodes, request.params, request.at.timestamp())
    digest = paging.digest_of(request)
    moment = int(request.at.timestamp())
    start, end = 0, min(limit, len(shown))
    if after := request.params.get("after"):
        start = _index(nodes, shown, paging.decode(after, digest).position) + 1
        end = min(start + limit, len(shown))
    elif before := request.params.get("before"):
        end = _index(nodes, shown, paging.decode(before, digest).position)
        start = max(0, end - limit)
    if end - start > sim.settings.page_limit_max:
        raise make("reduce_data")
    page = shown[start:end]
    payload: dict[str, Any] = {"data": [applied.node(n, selection) for n in page]}
    if page:
        first, last = (paging.Cursor(digest, _number(n), moment) for n in (page[0], page[-1]))
        payload["paging"] = paging.links(request, limit, first, last, more=end < len(shown), earlier=start > 0)
    if _wants_total(request):
        payload["summary"] = {"total_count": len(shown)}
    return answer(payload, rows=len(page))


def _number(node: Node) -> int:
    return int(node.id.removeprefix("act_"))


def _index(nodes: Sequence[Node], shown: Sequence[Node], number: int) -> int:
    """Returns the index in `shown` of the object, or of the last shown one before it if it is hidden by now.

    Raises:
        GraphError: 2642 when the object is not on the edge at all.
    """
    for index, node in enumerate(shown):
        if _number(node) == number:
            return index
    place = next((i for i, n in enumerate(nodes) if _number(n) == number), None)
    if place is None:
        raise make("invalid_cursor")
    before = {n.id for n in nodes[:place]}
    return sum(n.id in before for n in shown) - 1


def _wants_total(request: GraphRequest) -> bool:
    # Reason: the SDK sends summary=true on every listing; Meta's samples say summary=total_count or a list.
    return str(request.params.get("summary") or "").lower() not in {"", "false", "0", "[]"}


def minimum_budgets(request: GraphRequest, node: Node) -> Reply:
    """Answers `/act_x/minimum_budgets`: integers in minor units, by what is paid for."""
    base = int(node.data.get("min_daily_budget") or 100)
    row = {
        "currency": node.data.get("currency", "USD"),
        "min_daily_budget_imp": base,
        "min_daily_budget_high_freq": 5 * base,
        "min_daily_budget_low_freq": 40 * base,
        "min_daily_budget_video_views": 5 * base,
    }
    bid = request.params.get("bid_amount")
    if bid is not None and str(bid).isdigit():
        row["min_daily_budget_high_freq"] = max(row["min_daily_budget_high_freq"], 5 * int(bid))
    return Reply(orjson.dumps({"data": [row], "paging": {}}), rows=1)
