"""The web application: from HTTP to `GraphRequest` and from `Reply` to HTTP.

Only transport belongs here: merging parameters, latency, cut connections, headers. Nothing about the graph does.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from aiohttp import web

from simulator.server import admin
from simulator.server.batch import answer_batch, split_version
from simulator.server.core import Simulator
from simulator.server.errors import invalid, trace_id
from simulator.server.graph import GraphRequest, Reply
from simulator.server.router import dispatch, failed

MAX_BODY = 64 * 1024 * 1024
MAX_LINE = 256 * 1024
"""Bytes of a request line: filters with many ids make long URLs."""
SIM = web.AppKey("sim", Simulator)
_BODY_METHODS = frozenset({"POST", "PATCH", "PUT", "DELETE"})


def make_app(sim: Simulator) -> web.Application:
    """Returns the application serving the graph at every path and the admin paths under `/_simulator/`."""
    app = web.Application(client_max_size=MAX_BODY)
    app[SIM] = sim
    admin.add_routes(app, sim)
    app.router.add_route("*", "/{path:.*}", handle)
    app.on_cleanup.append(_close)
    return app


async def _close(app: web.Application) -> None:
    await app[SIM].webhooks.close()


async def _params(request: web.Request) -> dict[str, Any]:
    """Returns query, form or JSON body and bearer token as one mapping; the body wins."""
    params: dict[str, Any] = dict(request.query)
    if request.method in _BODY_METHODS and request.can_read_body:
        if request.content_type == "application/json":
            raw = await request.read()
            try:
                body = orjson.loads(raw) if raw else {}
            except orjson.JSONDecodeError:
                raise invalid("The request body is not valid JSON") from None
            if isinstance(body, dict):
                params |= body
        else:
            params |= {k: v for k, v in (await request.post()).items() if isinstance(v, str)}
    if "access_token" not in params:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() in {"bearer", "oauth"} and value:
            params["access_token"] = value.strip()
    return params


async def handle(request: web.Request) -> web.StreamResponse:
    """Answers any call of the graph."""
    sim = request.app[SIM]
    sim.stats.http_requests += 1
    if sim.settings.latency_ms:
        # Reason: latency is waited for before the work, without blocking, so that many requests overlap.
        await asyncio.sleep(sim.settings.latency_ms / 1000)
    try:
        params = await _params(request)
    except Exception as error:  # noqa: BLE001 - whatever cannot be parsed is the caller's mistake
        known = error if hasattr(error, "body") and hasattr(error, "code") else invalid("The body cannot be read")
        return _respond(failed(known))  # type: ignore[arg-type]
    version, parts = split_version(request.path)
    method = request.method
    # Reason: the graph lets a POST stand for another method, for parameters too long for a URL.
    if method == "POST" and str(params.get("method", "")).upper() in {"GET", "DELETE"}:
        method = str(params.pop("method")).upper()
    base = f"{request.scheme}://{request.host}"
    call = GraphRequest(method, version, parts, params, base, sim.clock.now())
    if method == "POST" and not parts and "batch" in params:
        reply = await answer_batch(sim, call)
    else:
        reply = await dispatch(sim, call)
    if reply.delay:
        await asyncio.sleep(reply.delay)
    if reply.transport is not None:
        return await _cut(request, reply)
    return _respond(reply)


def _respond(reply: Reply) -> web.Response:
    headers = {"Content-Type": reply.content_type, "x-fb-trace-id": trace_id(), **reply.headers}
    return web.Response(body=reply.body, status=reply.status, headers=headers)


async def _cut(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Breaks the connection, before the first byte or in the middle of the body."""
    transport = request.transport
    response = web.StreamResponse(status=reply.status, headers={"Content-Type": reply.content_type})
    if reply.transport == "cut_middle" and transport is not None:
        response.content_length = len(reply.body)
        await response.prepare(request)
        await response.write(reply.body[: len(reply.body) // 2])
        transport.close()
    elif transport is not None:
        transport.abort()
    return response
