"""A whole stand-in: every module with endpoints, the application, serving it in this process or in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

from tests.metabase.access import cache, data_graph, groups, keys, sessions, settings, setup, users
from tests.metabase.content import (
    card_queries,
    cards,
    collection_api,
    collection_graph,
    collection_items,
    dashboard_queries,
    dashboards,
    search,
    subscriptions,
)
from tests.metabase.core.app import make_app
from tests.metabase.core.standin import Standin
from tests.metabase.data import databases, tables
from tests.metabase.data.sync import resume
from tests.metabase.options import Options
from tests.metabase.seed import seed

MODULES = (
    *(sessions, setup, settings, keys, users, groups, data_graph, cache),
    *(databases, tables),
    *(
        collection_api,
        collection_items,
        collection_graph,
        cards,
        card_queries,
        dashboards,
        dashboard_queries,
        search,
        subscriptions,
    ),
)
"""The modules that have endpoints; loading them fills the table of routes."""


async def started(options: Options, host: str = "127.0.0.1", port: int = 0) -> tuple[web.AppRunner, Standin]:
    """A stand-in that listens; the caller cleans the runner up."""
    standin = Standin(options, seed)
    runner = web.AppRunner(make_app(standin), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    resume(standin)
    return runner, standin


@contextmanager
def in_thread(options: Options | None = None) -> Iterator[str]:
    """A stand-in in a thread of this process; its URL."""
    loop = asyncio.new_event_loop()
    ready: list[tuple[web.AppRunner, Standin]] = []

    def serve() -> None:
        asyncio.set_event_loop(loop)
        ready.append(loop.run_until_complete(started(options or Options())))
        up.set()
        loop.run_forever()

    up = threading.Event()
    thread = threading.Thread(target=serve, name="metabase", daemon=True)
    thread.start()
    if not up.wait(30):
        raise RuntimeError("the stand-in for Metabase did not start within 30 seconds")
    runner, standin = ready[0]
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        loop.call_soon_threadsafe(standin.cancel)
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
