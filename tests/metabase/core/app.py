"""The web application: authentication, schemas, faults, the log, and from results to HTTP.

Only transport belongs here. The order is Metabase's: who asks (401), then the request's form (400), then whether they
may (403), then the matter.
"""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

from aiohttp import web

from tests.metabase.access.sessions import identify
from tests.metabase.core import control
from tests.metabase.core.call import ROUTES, Call, Reply, Route
from tests.metabase.core.errors import ApiError, forbidden, no_endpoint, server_error, unauthenticated
from tests.metabase.core.faults import Logged, Rule, pick
from tests.metabase.core.schema import parse
from tests.metabase.core.standin import Standin

MAX_BODY = 32 * 1024 * 1024
STARTING = "Metabase is still initializing. Please sit tight..."
_JSON = re.compile(r"application/(?:[\w.+-]+\+)?json")


def make_app(standin: Standin) -> web.Application:
    """The application: every endpoint, the control paths under `/_standin/`, and 404 for the rest."""
    app = web.Application(client_max_size=MAX_BODY)
    control.add_routes(app, standin)
    for route in ROUTES:
        app.router.add_route(route.method, route.path, _served(standin, route))
    app.router.add_route("*", "/{path:.*}", _served(standin, None))
    return app


def _served(standin: Standin, route: Route | None) -> Any:
    async def serve(request: web.Request) -> web.StreamResponse:
        entry = standin.log.open(request.method, request.path, dict(request.query))
        raw = await request.read()
        entry.body = _decoded(request, raw)
        rule = pick(standin.rules, request.method, request.path)
        if rule is not None:
            entry.fault = rule.do
            if rule.do != "drop":
                return _failed(request, entry, rule)
        try:
            reply = await _answer(standin, route, request, entry)
        except ApiError as error:
            reply = Reply(error.body, error.status)
        entry.acted = True
        standin.save()
        if rule is not None:
            return _hung_up(request)
        entry.status = reply.status
        return _response(reply)

    return serve


def _failed(request: web.Request, entry: Logged, rule: Rule) -> web.StreamResponse:
    if rule.do == "answer":
        entry.status = rule.status
        headers = {"Retry-After": "1"} if rule.status in {429, 503} else None
        return web.Response(text=f"A fault of the stand-in: {rule.status}", status=rule.status, headers=headers)
    return _hung_up(request)


def _hung_up(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


def _decoded(request: web.Request, raw: bytes) -> Any:
    """The body as JSON; text that is none stays text; nothing where its type does not say JSON."""
    if not raw or not _JSON.fullmatch(request.content_type):
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")


async def _answer(standin: Standin, route: Route | None, request: web.Request, entry: Logged) -> Reply:
    if request.path == "/api/health":
        return _health(standin)
    if standin.starting is not None:
        raise ApiError(503, STARTING)
    session, user = identify(standin, request.headers, request.cookies)
    entry.user = user["email"] if user else None
    if route is None:
        raise no_endpoint()
    if route.access != "open" and user is None:
        raise unauthenticated()
    query: Any = dict(request.query)
    if route.query is not None:
        query, _ = parse(route.query, _listed(request), what="query parameters")
    body = None
    if route.body is not None:
        if isinstance(entry.body, str):
            raise ApiError(400, "Malformed JSON in request body.")
        # Reason: parse() takes unknown keys out of what it is given, and the log shall keep what was sent.
        given = json.loads(json.dumps(entry.body)) if entry.body is not None else {}
        body, entry.dropped = parse(route.body, given, drop=standin.options.unknown_keys == "drop")
    if route.access == "admin" and not (user and user["is_superuser"]):
        raise forbidden()
    result = route.handler(Call(standin, dict(request.match_info), query, body, user, session))
    if inspect.isawaitable(result):
        result = await result
    if isinstance(result, Reply):
        return result
    return Reply(result, 204 if result is None else 200)


def _listed(request: web.Request) -> dict[str, Any]:
    """The query string, with a list where a key comes more than once."""
    query = request.query
    return {key: query.getall(key) if len(query.getall(key)) > 1 else query[key] for key in query}


def _health(standin: Standin) -> Reply:
    progress = standin.starting
    if progress is not None:
        return Reply({"status": "initializing", "progress": round(progress, 2)}, 503)
    return Reply({"status": "ok"})


def _response(reply: Reply) -> web.Response:
    if reply.body is None:
        response = web.Response(status=reply.status)
    elif isinstance(reply.body, bytes):
        response = web.Response(body=reply.body, status=reply.status, content_type=reply.content_type)
    elif isinstance(reply.body, str):
        # Reason: only maps, lists and scalars become JSON; a text goes out as it is, without quotes.
        response = web.Response(text=reply.body, status=reply.status, content_type="text/plain")
    else:
        text = json.dumps(reply.body, ensure_ascii=False, default=_plain)
        response = web.Response(text=text, status=reply.status, content_type="application/json")
    for name, value in reply.cookies.items():
        response.set_cookie(name, value, httponly=True, samesite="Lax", path="/")
    return response


def _plain(value: Any) -> Any:
    raise server_error(f"cannot encode {type(value).__name__}")
