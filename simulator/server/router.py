"""From a path to a handler: versions, tokens, quotas, faults and counters around every call.

The order of these checks belongs here; what each of them decides has a module of its own.
"""

from __future__ import annotations

import logging

import orjson

from simulator.server import entities, insights, updates
from simulator.server.config import LIVE_VERSIONS, RETIRED_VERSIONS
from simulator.server.core import Simulator, account_of
from simulator.server.errors import CATALOGUE, GraphError, invalid, make, retired, unsupported
from simulator.server.faults import TRANSPORT, Rule
from simulator.server.graph import GraphRequest, Kind, Reply, answer
from simulator.server.params import as_names
from simulator.server.selection import Projector, parse

logger = logging.getLogger(__name__)

CORE = frozenset({"oauth", "debug_token"})
"""First path components that are not ads calls, so the Marketing version does not matter."""
_THROTTLES = frozenset(n for n in CATALOGUE if n.startswith("throttle_"))
_ERRORS = frozenset(CATALOGUE)
_HTML = "<!DOCTYPE html><html><head><title>Facebook | Error</title></head><body><h1>{0}</h1></body></html>"
_STATUS_TEXT = {502: "Sorry, something went wrong.", 503: "Service Unavailable", 504: "Gateway Timeout"}
_MAX_IDS = 50


async def dispatch(sim: Simulator, request: GraphRequest) -> Reply:
    """Answers one call of the graph, whatever it is; errors become answers too."""
    error: GraphError | None = None
    warning = None
    try:
        warning = _version(sim, request)
        reply = await _checked(sim, request)
    except GraphError as raised:
        error, reply = raised, failed(raised)
    except Exception:
        logger.exception("unexpected failure answering %s %s", request.method, request.path)
        error = make("unknown_error")
        reply = failed(error)
    now = request.at.timestamp()
    if not request.params.get("ids"):
        sim.limits.spent(request.kind, request.account_id, now, reply.rows, error)
        sim.stats.count(request, reply.rows, error)
    reply.headers |= sim.limits.headers(request.kind, request.account_id, now)
    reply.headers["Facebook-API-Version"] = request.version or LIVE_VERSIONS[0]
    if warning is not None:
        reply.headers["X-Ad-Api-Version-Warning"] = warning
    return reply


def failed(error: GraphError) -> Reply:
    """Returns an error as an answer."""
    reply = Reply(error.body(), error.status)
    if error.code == 190:
        text = error.message.replace('"', "'")
        reply.headers["WWW-Authenticate"] = f'OAuth "Facebook Platform" "invalid_token" "{text}"'
    return reply


def _version(sim: Simulator, request: GraphRequest) -> str | None:
    """Checks the version (section 1) and returns the warning of an auto-upgraded call.

    Raises:
        GraphError: 2635 for a retired or missing version, 2500 for one that never was.
    """
    if request.version in LIVE_VERSIONS or (request.parts and request.parts[0] in CORE):
        return None
    if request.version and request.version not in RETIRED_VERSIONS:
        raise GraphError(2500, f"Unknown path components: /{request.version}")
    # Reason: without a version an old retired one is resolved, so an unversioned ads call is refused as well.
    if not request.version or sim.settings.retired == "refuse":
        raise retired(LIVE_VERSIONS[0])
    asked, request.version = request.version, LIVE_VERSIONS[-1]
    return f"The call has been auto-upgraded to {request.version} as {asked} has been deprecated."


async def _checked(sim: Simulator, request: GraphRequest) -> Reply:
    parts, params = request.parts, request.params
    now = request.at.timestamp()
    if parts[:2] == ("oauth", "access_token"):
        return sim.tokens.exchange(request)
    request.token = sim.tokens.check(params, now)
    if params.get("ids"):
        return await _ids(sim, request)
    if not parts:
        raise GraphError(2500, "Unsupported request: no object was named.")
    request.kind = _kind(sim, request)
    _locate(sim, request)
    sim.limits.admit(request.kind, request.account_id, now, write=request.kind == "update")
    rule = sim.pick(TRANSPORT | _ERRORS, request)
    if rule is None:
        return await _handle(sim, request)
    if rule.name == "cut_middle":
        reply = await _handle(sim, request)
        reply.transport = "cut_middle"
        return reply
    if rule.name == "slow":
        reply = await _handle(sim, request)
        reply.delay = rule.seconds or 1.0
        return reply
    return faulted(sim, request, rule)


def faulted(sim: Simulator, request: GraphRequest, rule: Rule) -> Reply:
    """Returns what an injected fault answers.

    Raises:
        GraphError: The fault is an error of the catalogue.
    """
    name = rule.name
    if name == "cut_before":
        return Reply(b"", transport="cut_before")
    if name == "empty_500":
        return Reply(b"", 500, content_type="text/plain")
    if name == "ok_with_error":
        return Reply(make("service_unavailable").body(), 200)
    if name.startswith("html_"):
        status = int(name[5:])
        return Reply(_HTML.format(_STATUS_TEXT[status]).encode(), status, content_type="text/html; charset=utf-8")
    if name in _THROTTLES and request.account_id is not None:
        sim.limits.block(request.account_id, name, rule.seconds, request.at.timestamp())
    raise make(name)


def _kind(sim: Simulator, request: GraphRequest) -> Kind:
    parts, reading = request.parts, request.method == "GET"
    run = parts[0] in sim.jobs.runs
    if parts[0] == "debug_token" or parts[0] == sim.settings.app_id:
        return "other"
    if parts[1:] == ("insights",):
        return "report_insights" if run else "insights" if reading else "insights_async"
    if not reading:
        return "update"
    if len(parts) == 1:
        return "report_run" if run else "node"
    return "edge"


def _locate(sim: Simulator, request: GraphRequest) -> None:
    """Finds out which account a call is about before quotas are charged; unknown objects are left to the handler."""
    first = request.parts[0]
    if (run := sim.jobs.runs.get(first)) is not None:
        request.account_id = run.account_id
    elif first not in {"me", "debug_token", sim.settings.app_id}:
        node = sim.world.node(first, request.at)
        request.account_id = None if node is None else account_of(node)


async def _handle(sim: Simulator, request: GraphRequest) -> Reply:
    parts, method = request.parts, request.method
    first, edge = parts[0], parts[1] if len(parts) > 1 else None
    if first == "debug_token":
        return sim.tokens.debug(request)
    if first == sim.settings.app_id:
        return await _app(sim, request, edge)
    if first in {"me", request.token.user_id if request.token else "me"}:
        return entities.read_me(sim, request) if edge is None else entities.me_edge(sim, request, edge)
    if first in sim.jobs.runs:
        return _report(sim, request, edge)
    node = sim.node(request, first)
    if node.kind == "account" and not first.startswith("act_"):
        # Reason: an account is only known by its id with act_ in front.
        raise unsupported(first, method.lower())
    _scopes(request, node.kind, method)
    if len(parts) > 3 or (len(parts) == 3 and edge != "subscriptions"):
        raise GraphError(2500, f"Unknown path components: /{'/'.join(parts[1:])}")
    if node.kind == "account" and edge == "subscribed_apps":
        return sim.webhooks.subscribed_apps(request, account_of(node) or "")
    if node.kind == "account" and edge == "subscriptions":
        return sim.webhooks.account_subscriptions(
            request, account_of(node) or "", parts[2] if len(parts) == 3 else None
        )
    if method == "GET":
        if edge is None:
            return entities.read_node(sim, request, node)
        return insights.read(sim, request, node) if edge == "insights" else entities.edge(sim, request, node, edge)
    if edge is None:
        return updates.delete(sim, request, node) if method == "DELETE" else updates.update(sim, request, node)
    if edge == "insights" and method == "POST":
        return insights.create_run(sim, request, node)
    if edge == "ad_studies" and method == "POST":
        return updates.create_study(request)
    raise updates.refuse_creation(node)


def _scopes(request: GraphRequest, kind: str, method: str) -> None:
    assert request.token is not None
    if kind == "business":
        request.token.need("business_management")
    elif method == "GET" or request.kind == "insights_async":
        request.token.need("ads_read", "ads_management")
    else:
        request.token.need("ads_management")


async def _app(sim: Simulator, request: GraphRequest, edge: str | None) -> Reply:
    if edge == "subscriptions":
        return await sim.webhooks.subscribe_app(request)
    if edge is None and request.method == "GET":
        return answer({"id": sim.settings.app_id, "name": "Simulator App"})
    raise unsupported(sim.settings.app_id, request.method.lower())


def _report(sim: Simulator, request: GraphRequest, edge: str | None) -> Reply:
    run = sim.jobs.runs[request.parts[0]]
    if request.method != "GET" or edge not in {None, "insights"}:
        raise unsupported(run.id, request.method.lower())
    if request.token is not None and not request.token.sees(run.account_id):
        raise unsupported(run.id)
    sim.jobs.poll(run, count=edge is None)
    now = request.at.timestamp()
    insights.settle_run(sim, run, now)
    if edge == "insights":
        return insights.read_run(sim, request, run)
    projector = Projector(sim.world, request)
    return answer(projector.plain("report_run", run.data(now), parse(request.params.get("fields"))))


async def _ids(sim: Simulator, request: GraphRequest) -> Reply:
    """Answers `?ids=a,b`: an object of answers; each id counts as a call, and one failure fails all."""
    ids = as_names(request.params, "ids")
    if len(ids) > _MAX_IDS:
        raise invalid(f"Too many IDs. Maximum: {_MAX_IDS}. Provided: {len(ids)}.")
    params = {k: v for k, v in request.params.items() if k != "ids"}
    pieces, rows = [], 0
    headers: dict[str, str] = {}
    for object_id in ids:
        reply = await dispatch(sim, request.child((object_id, *request.parts), params, request.method))
        if reply.status != 200 or reply.transport is not None or reply.content_type[:16] != "application/json":
            return reply
        pieces.append(orjson.dumps(object_id) + b":" + reply.body)
        rows += reply.rows
        headers |= reply.headers
    return Reply(b"{" + b",".join(pieces) + b"}", headers=headers, rows=rows)
