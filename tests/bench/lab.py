"""Where benchmarks run: an embedded server and simulators of their own, and client processes to measure.

What belongs here: starting and stopping processes, fresh databases. What does not: what is measured, and how.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from rich.console import Console

from tests.e2e.harness import ROOT, Simulator, running_simulator
from warehouse import embedded
from warehouse.connect import Warehouse
from warehouse.migrations import upgrade


class ClientFailed(Exception):
    """The measured process ended with an error."""


@dataclass
class Lab:
    """A place to measure in.

    Attributes:
        folder: For files; gone afterwards.
        server: PostgreSQL of the platform's own settings: durable.
        quick: Whether to measure less.
        rounds: How often what varies is measured.
        console: Where progress is told.
    """

    folder: Path
    server: embedded.EmbeddedServer
    quick: bool
    rounds: int
    console: Console
    _made: int = field(default=0, repr=False)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a fresh, migrated database, dropped afterwards. What was written before is on disk."""
        self._made += 1
        name = f"bench_{self._made}"
        url = self.server.ensure_database(name)
        with Warehouse(url) as warehouse:
            upgrade(warehouse)
        self.administer("CHECKPOINT")
        try:
            yield url
        finally:
            self.administer(f"DROP DATABASE {name} WITH (FORCE)")

    def administer(self, statement: str) -> None:
        """Runs a statement of a superuser."""
        with psycopg.connect(self.server.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def simulator(self, *options: str, size: str, speed: float = 1.0) -> AbstractContextManager[Simulator]:
        """A simulator process."""
        folder = Path(tempfile.mkdtemp(prefix="simulator-", dir=self.folder))
        return running_simulator(folder, *options, size=size, speed=speed)

    def client(self, **job: Any) -> dict[str, Any]:
        """Runs `tests.bench.client` as a process of its own; returns what it printed."""
        return self.module("tests.bench.client", job)

    def module(self, name: str, job: dict[str, Any]) -> dict[str, Any]:
        """Runs a module with a job as its argument; returns the JSON that it printed last.

        Raises:
            ClientFailed: It ended with an error.
        """
        # Reason: what the user's own environment says about Meta or the warehouse must not reach what is measured.
        environment = {key: value for key, value in os.environ.items() if not key.startswith(("META_", "WAREHOUSE_"))}
        done = subprocess.run(
            [sys.executable, "-m", name, json.dumps(job)], cwd=ROOT, capture_output=True, text=True, env=environment
        )
        if done.returncode:
            raise ClientFailed(f"{name} ended with code {done.returncode}:\n{done.stderr[-3000:]}")
        return json.loads(done.stdout.splitlines()[-1])

    def say(self, text: str) -> None:
        """Tells progress."""
        self.console.print(f"[dim]{text}[/]", highlight=False)


@contextmanager
def laboratory(*, quick: bool, rounds: int) -> Iterator[Lab]:
    """Opens a laboratory, and takes everything away afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="meta-ads-bench-"))
    folder.chmod(0o755)  # Reason: started by root, PostgreSQL runs as another user and must get to its directory.
    data = folder / "postgres"
    try:
        yield Lab(folder, embedded.start(data), quick, rounds, Console(stderr=True))
    finally:
        embedded.stop(data)
        shutil.rmtree(folder, ignore_errors=True)
