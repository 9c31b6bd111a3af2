"""Admin paths under `/_simulator/`: clock, counters, faults, tokens, truth, final numbers.

For tests and evaluation only; no package of the product may read them. They need no token, cost no quota and are
not counted.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields, replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from aiohttp import web

from simulator.server import insights
from simulator.server.config import Settings
from simulator.server.core import Simulator, account_of
from simulator.server.dates import account_today
from simulator.server.errors import CATALOGUE, GraphError
from simulator.server.faults import profile, scenario
from simulator.server.graph import GraphRequest
from simulator.server.params import as_bool
from simulator.server.stats import Stats
from simulator.server.tokens import Token
from simulator.server.webhooks import notification

Handler = Callable[[web.Request], Awaitable[web.Response]]
FINAL_AFTER = timedelta(days=60)
"""After so long nothing restates any more: numbers are final after 28 days, withdrawals included."""
CHANGEABLE = frozenset(f.name for f in fields(Settings)) - {"app_id", "app_secret", "token", "faults", "seed"}


def _json(payload: Any, status: int = 200) -> web.Response:
    body = orjson.dumps(payload, default=_plain, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY)
    return web.Response(body=body, status=status, content_type="application/json")


def _plain(value: Any) -> Any:
    if isinstance(value, set | frozenset | tuple):
        return sorted(value)
    return str(value)


async def _body(request: web.Request) -> dict[str, Any]:
    raw = await request.read()
    data = orjson.loads(raw) if raw else {}
    return data if isinstance(data, dict) else {"rules": data}


def _guarded(handler: Handler) -> Handler:
    async def run(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except GraphError as error:
            return web.Response(body=error.body(), status=error.status, content_type="application/json")
        except (ValueError, KeyError, TypeError) as error:
            return _json({"error": f"{type(error).__name__}: {error}"}, 400)

    return run


class Admin:
    """The handlers of the admin paths."""

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim

    async def state(self, request: web.Request) -> web.Response:
        """`GET state`: clock, counters, jobs, faults fired, blocks. `?jobs=0` leaves the jobs out."""
        sim = self.sim
        now = sim.clock.seconds()
        usage = sim.limits.accounts
        found: dict[str, Any] = {
            "now": sim.clock.now().isoformat(),
            "epoch": now,
            "clock_speed": sim.clock.speed,
            "settings": asdict(sim.settings),
            **sim.stats.as_dict(),
            "calls_while_blocked": {a: u.blocked_calls for a, u in usage.items() if u.blocked_calls},
            "blocked_until": {
                a: until
                for a, u in usage.items()
                if (until := max(u.blocked_until, *(w.blocked_until for w in u.windows.values()))) > now
            },
            "jobs_created": len(sim.jobs.runs),
            "faults_fired": dict(sim.faults.fired),
            "deliveries": [asdict(d) for d in sim.webhooks.deliveries],
            "accounts": sim.account_ids(),
        }
        if request.query.get("jobs") != "0":
            found["jobs"] = sim.jobs.as_list(now)
        return _json(found)

    async def clock(self, request: web.Request) -> web.Response:
        """`POST clock {set: ISO, advance: seconds, speed: n}`: any of them, in this order."""
        data = await _body(request)
        if "set" in data:
            moment = datetime.fromisoformat(str(data["set"]))
            if moment.tzinfo is None:
                raise ValueError("set needs a time zone, e.g. 2026-11-20T06:00:00Z")
            self.sim.clock.set(moment)
        if "advance" in data:
            self.sim.clock.advance(float(data["advance"]))
        if "speed" in data:
            self.sim.clock.set_speed(float(data["speed"]))
        return _json({"now": self.sim.clock.now().isoformat(), "clock_speed": self.sim.clock.speed})

    async def faults(self, request: web.Request) -> web.Response:
        """`POST faults`: `{clear, scenario, rules: [...], limits: {...}}`, a list of rules, or one rule."""
        sim = self.sim
        if request.method == "GET":
            return _json({"rules": [asdict(r) for r in sim.faults.rules], "fired": dict(sim.faults.fired)})
        data = await _body(request)
        if data.get("clear") or request.method == "DELETE":
            sim.faults.rules.clear()
        if "scenario" in data:
            sim.apply(scenario(str(data["scenario"])))
        if "name" in data:
            data = {"rules": [{k: v for k, v in data.items() if k != "clear"}]}
        found = profile({k: data[k] for k in ("rules", "limits") if k in data})
        sim.faults.add((replace(r) for r in found.rules), first=True)
        for name, value in (found.limits or {}).items():
            setattr(sim.settings, name, int(value))
        return _json({"rules": len(sim.faults.rules)})

    async def reset(self, request: web.Request) -> web.Response:
        """`POST reset {counters, limits, jobs}`: counters by default."""
        data = await _body(request)
        sim = self.sim
        if as_bool(data, "counters", default=True):
            sim.stats = Stats()
            sim.faults.fired.clear()
            sim.webhooks.deliveries.clear()
            for usage in sim.limits.accounts.values():
                usage.blocked_calls = 0
        if as_bool(data, "limits"):
            sim.limits.reset()
            sim.budget_changes.clear()
        if as_bool(data, "jobs"):
            sim.jobs.runs.clear()
            sim.jobs.spent.clear()
        return _json({"reset": True})

    async def settings(self, request: web.Request) -> web.Response:
        """`POST settings {job_seconds: 1, ...}`: changes settings of the running process."""
        data = await _body(request)
        if unknown := set(data) - CHANGEABLE:
            raise ValueError(f"cannot change {', '.join(sorted(unknown))}; changeable: {', '.join(sorted(CHANGEABLE))}")
        for name, value in data.items():
            setattr(self.sim.settings, name, frozenset(value) if isinstance(value, list) else value)
        return _json(asdict(self.sim.settings))

    async def truth(self, request: web.Request) -> web.Response:
        """`GET truth/{account}`: what the world knows and the API never tells."""
        return _json(self.sim.world.truth(request.match_info["account"].removeprefix("act_")))

    async def final(self, request: web.Request) -> web.Response:
        """`POST final/insights {node, ...parameters}`: all rows of an insights query as if all data were final."""
        data = await _body(request)
        sim = self.sim
        at = sim.clock.now()
        node = sim.world.node(str(data.pop("node")), at)
        if node is None:
            raise ValueError("no such node")
        call = GraphRequest("POST", "v26.0", (node.id, "insights"), data, "", at)
        parsed = insights.parse(sim, call, node, asynchronous=True)
        today = account_today(sim.account(account_of(node) or "", at), at)
        ranges = tuple((s, min(u, today)) for s, u in parsed.query.ranges if s <= today)
        query = replace(parsed.query, ranges=ranges)
        if not ranges:
            return _json({"data": []})
        final = getattr(sim.world, "final", None)
        result = sim.world.insights(query, at + FINAL_AFTER) if final is None else final(query)
        rows = result.page(0, len(result))
        return web.Response(body=b'{"data":[' + b",".join(rows) + b"]}", content_type="application/json")

    async def tokens(self, request: web.Request) -> web.Response:
        """`POST tokens {value, scopes, accounts, expires_at, expires_in, error}`: adds or replaces a token."""
        data = await _body(request)
        error = data.get("error")
        if error is not None and error not in CATALOGUE:
            raise ValueError(f"unknown error {error!r}")
        now = int(self.sim.clock.seconds())
        expires = int(data.get("expires_at") or 0)
        if "expires_in" in data:
            expires = now + int(data["expires_in"])
        accounts = data.get("accounts")
        token = Token(
            str(data["value"]),
            tuple(data.get("scopes", Token.scopes)),
            None if accounts is None else frozenset(str(a).removeprefix("act_") for a in accounts),
            expires,
            now,
            str(data.get("user_id", Token.user_id)),
            str(data.get("name", Token.name)),
            str(data.get("type", Token.type)),
            error,
        )
        self.sim.tokens.add(token)
        return _json({"value": token.value, "expires_at": token.expires_at})

    async def deliver(self, request: web.Request) -> web.Response:
        """`POST webhooks/deliver`: one change, or `{changes: [...]}` in one delivery; `times` sends the bytes again.

        A change is `{account, field, value}` or `{subscription_id, object_id, value}`.
        """
        data = await _body(request)
        changes = [self._change(item) for item in data.get("changes", [data])]
        sent = self.sim.webhooks.send_together(changes, int(data.get("times", 1)))
        return _json({"sent": sent == len(changes)})

    def _change(self, data: dict[str, Any]) -> tuple[str, str, dict[str, Any]]:
        if "subscription_id" not in data:
            return str(data["account"]).removeprefix("act_"), str(data["field"]), data.get("value") or {}
        found = self.sim.webhooks.subscriptions[str(data["subscription_id"])]
        node = self.sim.world.node(str(data["object_id"]), self.sim.clock.now())
        if node is None:
            raise ValueError("no such object")
        return found.account_id, "subscriptions", notification(found, node, data.get("value"))


def add_routes(app: web.Application, sim: Simulator) -> None:
    """Adds the admin paths to an application."""
    admin = Admin(sim)
    for method, path, handler in (
        ("GET", "state", admin.state),
        ("POST", "clock", admin.clock),
        ("*", "faults", admin.faults),
        ("POST", "reset", admin.reset),
        ("POST", "settings", admin.settings),
        ("GET", "truth/{account}", admin.truth),
        ("POST", "final/insights", admin.final),
        ("POST", "tokens", admin.tokens),
        ("POST", "webhooks/deliver", admin.deliver),
    ):
        app.router.add_route(method, f"/_simulator/{path}", _guarded(handler))
