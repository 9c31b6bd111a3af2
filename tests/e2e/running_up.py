"""`meta-ads up` in a folder of its own, as a newcomer starts it: for tests that use the running platform.

What belongs here: starting, asking, ending. What does not: what a test expects.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import requests

from warehouse import embedded

ROOT = Path(__file__).parents[2]


class Up:
    """The running platform."""

    def __init__(self, home: Path, process: subprocess.Popen[str], addresses: dict[str, str]) -> None:
        self.home, self.process = home, process
        self.url, self.simulator, self.metrics = (addresses[name] for name in ("Dagster", "Simulator", "Metrics"))
        self.site = addresses["Site"]
        self.webhooks = addresses["Webhooks"]

    def inject(self, name: str, **where: Any) -> None:
        """A fault of the simulated Meta."""
        self._tell({"name": name, **where})

    def mend(self) -> None:
        """Ends all faults."""
        self._tell({"clear": True})

    def _tell(self, faults: dict[str, Any]) -> None:
        requests.post(f"{self.simulator}/_simulator/faults", json=faults, timeout=30).raise_for_status()

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = requests.post(f"{self.url}/graphql", json={"query": query, "variables": variables}, timeout=60).json()
        assert not answer.get("errors"), answer
        return answer["data"]

    def query(self, statement: str, database: str = "warehouse", **parameters: Any) -> list[tuple[Any, ...]]:
        """Rows of the warehouse, or of another database beside it."""
        server = embedded.attach(self.home / "demo" / "postgres")
        assert server is not None
        with psycopg.connect(server.url(database)) as connection:
            return connection.execute(statement, parameters or None).fetchall()  # type: ignore[arg-type]

    def family(self) -> list[psutil.Process]:
        return processes_in(self.home)


def processes_in(home: Path) -> list[psutil.Process]:
    """Every process that works in a folder, but this one."""
    found = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        told = [*(process.info["cmdline"] or []), *(process.info["environ"] or {}).values()]
        if any(str(home) in text for text in told) and process.pid != os.getpid():
            found.append(process)
    return found


def clean_environment(folder: Path) -> dict[str, str]:
    """A newcomer's: no token, and a home in this folder."""
    ours = ("META_", "WAREHOUSE_", "DAGSTER_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    own = {"META_ADS_HOME": str(folder / "home"), "CLIENTS_FILE": str(folder / "none.yml")}
    return kept | own | {"PYTHONUNBUFFERED": "1", "LOG_FORMAT": "json"}


@contextmanager
def running_up(folder: Path) -> Iterator[Up]:
    """`meta-ads up` with a home in this folder, from a free port to Ctrl-C."""
    home = folder / "home"
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration.cli", "up", "--web-port", "0", "--receiver-port", "0"],
        cwd=ROOT,
        env=clean_environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                break
        found = dict(re.findall(r"^(\w+): +(http://\S+)", "".join(said), re.MULTILINE))
        assert {"Dagster", "Simulator", "Site", "Metrics", "Webhooks"} <= found.keys(), "".join(said)
        yield Up(home, process, found)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=60)
        finally:
            process.kill()
            embedded.stop(home / "demo" / "postgres")
