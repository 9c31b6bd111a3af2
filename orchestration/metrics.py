"""Prometheus metrics: `python -m orchestration.metrics --port 9464`, started by `meta-ads up`.

What belongs here: the endpoint, and how often the database is asked. What does not: names and meaning of metrics
(`orchestration.metric_families`), where figures come from (`warehouse.ops.metrics`).

Runs are processes that end within minutes, so nothing is counted in memory here: every figure is read from the
database. A database that does not answer is told as `meta_ads_up 0`, without any other figure.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from orchestration.clients import ClientsFile, load_clients
from orchestration.errors import ConfigurationError
from orchestration.instance import USUAL_PORTS
from orchestration.logs import configure_logging
from orchestration.metric_families import Expected, families, gauge
from orchestration.settings import Settings
from warehouse import embedded
from warehouse.connect import Warehouse
from warehouse.errors import WarehouseError
from warehouse.ops.metrics import State, read_state

log = logging.getLogger("orchestration.metrics")  # Reason: run as a program its own name is `__main__`.

CACHE_SECONDS = 10.0


class PlatformCollector(Collector):
    """Reads the state at a scrape, at most every few seconds however many ask.

    Args:
        read: Reads the state.
        expected: Gives what is still pulled; asked at each reading, since people edit `clients.yml`.
        clock: Seconds that never go back.
    """

    def __init__(
        self, read: Callable[[], State], expected: Callable[[], Expected], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._read = read
        self._expected = expected
        self._clock = clock
        self._lock = threading.Lock()
        self._read_at = -CACHE_SECONDS
        self._held: list[Metric] = []
        self._was_up: bool | None = None

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask the database."""
        return []

    def collect(self) -> Iterable[Metric]:
        """All metrics; `meta_ads_up 0` alone while the database does not answer."""
        with self._lock:
            if self._clock() - self._read_at >= CACHE_SECONDS:
                self._held = self._fresh()
                self._read_at = self._clock()
            return list(self._held)

    def _fresh(self) -> list[Metric]:
        began = time.perf_counter()
        try:
            found = list(families(self._read(), self._expected()))
        except WarehouseError as problem:
            if self._was_up is not False:
                log.warning("no metrics: %s", problem)
            self._was_up = False
            return [gauge("up", "Whether the database answered.", value=0)]
        if self._was_up is False:
            log.info("metrics are back")
        self._was_up = True
        seconds = time.perf_counter() - began
        return [
            gauge("up", "Whether the database answered.", value=1),
            gauge("scrape_seconds", "How long reading the figures took.", value=seconds),
            *found,
        ]


def state_reader(settings: Settings) -> Callable[[], State]:
    """Reads the state of an installation. It starts no database: one that is down is told as such."""
    opened: dict[str, Warehouse] = {}

    def read() -> State:
        if settings.warehouse_url is not None:
            url = settings.warehouse_url.get_secret_value()
        else:
            folder = settings.meta_ads_home / "postgres"
            server = embedded.attach(folder) if folder.exists() else None
            if server is None:
                raise WarehouseError("the embedded database does not run")
            url = server.url()
        if url not in opened:
            opened.clear()
            opened[url] = Warehouse(url)
        return read_state(opened[url])

    return read


def expectations(settings: Settings) -> Callable[[], Expected]:
    """What is still pulled: the accounts and reports of `clients.yml`; without accounts there, all that is held.

    While the file cannot be read (somebody is editing it), what it said before holds.
    """
    file = settings.clients_file
    clients = ClientsFile(version=1)
    read_at = -1.0

    def current() -> Expected:
        nonlocal clients, read_at
        changed = file.stat().st_mtime if file.exists() else 0.0
        if changed != read_at:
            read_at = changed
            try:
                clients = load_clients(file, required=settings.clients_file_was_named)
            except ConfigurationError as problem:
                log.warning("%s", problem)
        declared = {account.id for _, account in clients.accounts() if not account.is_imported}
        plans: dict[int, set[str]] = {}

        def is_expected(account_id: int, report: str) -> bool:
            if declared and account_id not in declared:
                return False
            if account_id not in plans:
                plans[account_id] = {item.report for item in clients.plan_for(account_id)}
            return report in plans[account_id]

        return is_expected

    return current


def serve(settings: Settings, port: int, port_file: Path | None) -> None:
    """Answers at `/metrics` until the process is told to end.

    Raises:
        ConfigurationError: The address cannot be listened at.
    """
    registry = CollectorRegistry()
    registry.register(PlatformCollector(state_reader(settings), expectations(settings)))
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        server, thread = start_http_server(port, settings.metrics_host, registry)
    except OSError as error:
        raise ConfigurationError(
            f"Metrics cannot be served at {settings.metrics_host}:{port}: {error.strerror or error}.",
            "choose another port with --metrics-port, or another METRICS_HOST",
        ) from None
    if port_file is not None:
        port_file.write_text(str(server.server_port), encoding="ascii")
    log.info("metrics at http://%s:%d/metrics", settings.metrics_host, server.server_port)
    ended.wait()
    server.shutdown()
    thread.join()


def main() -> int:
    """The command line of the process."""
    from orchestration.settings import environment_settings

    parser = argparse.ArgumentParser(prog="python -m orchestration.metrics", description="Serves Prometheus metrics.")
    parser.add_argument("--port", type=int, default=USUAL_PORTS["metrics"], help="0 picks a free one")
    parser.add_argument("--port-file", type=Path, help="where to write the port")
    options = parser.parse_args()
    try:
        settings = environment_settings()
        configure_logging(settings.log_level, settings.log_format, settings.secrets())
        serve(settings, options.port, options.port_file)
    except ConfigurationError as problem:
        sys.stderr.write(f"{problem.message} To mend it: {problem.mend}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
