"""The control paths under `/_standin/`: for tests only. They need no authentication and are not logged.

GET  requests?method=&path=&after=   the log, with counts
POST faults   [rule, ...] or {}      adds rules, which are those of `core.faults.Rule`; an empty body clears all
GET  faults
POST options  {name: value}          changes options while it runs
POST reset    {"keep": [...]}        a fresh instance; `keep` may name `state`, `log`, `faults`
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from typing import Any

from aiohttp import web

from tests.metabase.core.faults import Log, Rule
from tests.metabase.core.standin import Standin

_PARTS = frozenset({"state", "log", "faults"})
_SETTABLE = frozenset(f.name for f in fields(Rule)) - {"matched", "fired"}


def add_routes(app: web.Application, standin: Standin) -> None:
    """Adds the control paths."""

    async def requests(request: web.Request) -> Any:
        query = request.query
        return standin.log.report(query.get("method"), query.get("path"), int(query.get("after", 0)))

    async def faults(request: web.Request) -> Any:
        if request.method == "POST":
            given = await _body(request)
            rules = given if isinstance(given, list) else [given] if given else []
            for rule in rules:
                if unknown := set(rule) - _SETTABLE:
                    raise ValueError(f"a fault has no {', '.join(sorted(unknown))}")
            standin.rules = [*standin.rules, *(Rule(**rule) for rule in rules)] if rules else []
        return [asdict(rule) for rule in standin.rules]

    async def options(request: web.Request) -> Any:
        standin.options.change(await _body(request))
        return asdict(standin.options)

    async def reset(request: web.Request) -> Any:
        keep = set((await _body(request) or {}).get("keep", []))
        if unknown := keep - _PARTS:
            raise ValueError(f"reset cannot keep {', '.join(sorted(unknown))}; it can keep {', '.join(sorted(_PARTS))}")
        if "state" not in keep:
            standin.reset()
        if "log" not in keep:
            standin.log = Log()
        if "faults" not in keep:
            standin.rules = []
        return {"setup_token": standin.state.setup_token}

    for method, path, handler in (
        ("GET", "requests", requests),
        ("*", "faults", faults),
        ("POST", "options", options),
        ("POST", "reset", reset),
    ):
        app.router.add_route(method, f"/_standin/{path}", _guarded(handler))


async def _body(request: web.Request) -> Any:
    raw = await request.read()
    return json.loads(raw) if raw else {}


def _guarded(handler: Callable[[web.Request], Awaitable[Any]]) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def guarded(request: web.Request) -> web.Response:
        try:
            return web.json_response(await handler(request), dumps=lambda value: json.dumps(value, default=str))
        except (ValueError, TypeError) as error:
            return web.json_response({"error": str(error)}, status=400)

    return guarded
