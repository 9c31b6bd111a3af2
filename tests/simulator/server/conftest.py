from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import requests
from aiohttp import web

from simulator.server.app import MAX_LINE, make_app
from simulator.server.clock import SimClock
from simulator.server.config import Settings
from simulator.server.core import Simulator

from .fake_world import FakeWorld

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


class Server:
    """A simulator listening on a free port, in a thread of its own."""

    def __init__(self, world: Any, speed: float, settings: Settings) -> None:
        self.world = world
        self.sim = Simulator(world, settings, SimClock(NOW, speed))
        self.http = requests.Session()
        self.loop = asyncio.new_event_loop()
        self.ready = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        assert self.ready.wait(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.runner = web.AppRunner(make_app(self.sim), access_log=None, shutdown_timeout=0.2, max_line_size=MAX_LINE)
        self.loop.run_until_complete(self.runner.setup())
        site = web.TCPSite(self.runner, "127.0.0.1", 0)
        self.loop.run_until_complete(site.start())
        self.url = f"http://127.0.0.1:{self.runner.addresses[0][1]}"
        self.ready.set()
        self.loop.run_forever()
        self.loop.run_until_complete(self.runner.cleanup())

    def close(self) -> None:
        self.http.close()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)

    def call(self, method: str, path: str, version: str = "v26.0", token: str = "SIMULATOR", **kw: Any) -> Any:
        params = {"access_token": token, **kw.pop("params", {})}
        prefix = f"/{version}" if version else ""
        return self.http.request(method, f"{self.url}{prefix}/{path}", params=params, timeout=20, **kw)

    def get(self, path: str, **params: Any) -> Any:
        return self.call("GET", path, params=params)

    def post(self, path: str, **data: Any) -> Any:
        return self.call("POST", path, data=data)

    def admin(self, path: str, data: Any = None, method: str | None = None) -> Any:
        method = method or ("GET" if data is None else "POST")
        got = self.http.request(method, f"{self.url}/_simulator/{path}", json=data, timeout=20)
        assert got.status_code == 200, got.text
        return got.json()

    def advance(self, seconds: float) -> None:
        self.admin("clock", {"advance": seconds})


@pytest.fixture
def make_server() -> Iterator[Callable[..., Server]]:
    made: list[Server] = []

    def make(world: Any = None, speed: float = 0.0, **settings: Any) -> Server:
        made.append(Server(world or FakeWorld(), speed, Settings(**settings)))
        return made[-1]

    yield make
    for server in made:
        server.close()


@pytest.fixture
def server(make_server: Callable[..., Server]) -> Server:
    return make_server()
