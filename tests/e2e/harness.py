"""A simulator process, a platform on it, and comparisons with the simulator's truth."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import psycopg
import requests
from rich.console import Console

from ingestion.clock import ScaledClock
from ingestion.insights import PullOptions
from ingestion.report_run import Patience
from ingestion.reports import PRESETS, Piece
from orchestration.clients import ClientsFile, parse_clients
from orchestration.platform import Platform
from orchestration.progress import Display
from orchestration.pull import run_pull
from orchestration.pull_model import PullRequest, PullSummary
from orchestration.settings import Settings, load_settings
from simulator.contract import Filter, InsightsQuery
from simulator.world import SimulatedWorld, build_world
from warehouse.connect import Warehouse

ROOT = Path(__file__).resolve().parents[2]
ANCHOR = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SPEED = 200.0
TABLES = [f"insights_{name}" for name in PRESETS]


@dataclass
class Simulator:
    """A running simulator."""

    url: str
    size: str
    seed: int
    process: subprocess.Popen[bytes]

    def get(self, path: str) -> Any:
        return requests.get(f"{self.url}/_simulator/{path}", timeout=30).json()

    def post(self, path: str, body: Mapping[str, Any] | list[Any]) -> Any:
        answer = requests.post(f"{self.url}/_simulator/{path}", json=body, timeout=30)
        assert answer.ok, answer.text
        return answer.json()

    def inject(self, name: str, **where: Any) -> None:
        """A fault; `times`, `kind`, `after`, `account`, `seconds` ... as in the simulator's rules."""
        self.post("faults", {"name": name, **where})

    def reset(self) -> None:
        self.post("faults", {"clear": True})
        self.post("reset", {"counters": True, "limits": True, "jobs": True})

    def world(self) -> SimulatedWorld:
        """The same world in this process: the truth, untouched by HTTP."""
        return build_world(self.seed, self.size, ANCHOR)


@contextmanager
def running_simulator(
    folder: Path, *options: str, size: str = "small", seed: int = 7, speed: float = SPEED
) -> Iterator[Simulator]:
    port_file = folder / "port"
    command = [sys.executable, "-m", "simulator", "--size", size, "--seed", str(seed), "--port-file", str(port_file)]
    command += ["--anchor", ANCHOR.isoformat(), "--now", NOW.isoformat(), "--clock-speed", str(speed), *options]
    with (folder / "simulator.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
    try:
        for _ in range(600):
            if port_file.exists():
                break
            assert process.poll() is None, (folder / "simulator.log").read_text()
            time.sleep(0.05)
        yield Simulator(f"http://127.0.0.1:{port_file.read_text().strip()}", size, seed, process)
    finally:
        process.terminate()
        process.wait(10)


def make_settings(simulator: Simulator, folder: Path, **overrides: Any) -> Settings:
    values: dict[str, Any] = {
        "meta_access_token": "SIMULATOR",
        "meta_graph_url": simulator.url,
        "meta_ads_home": folder / "home",
        "meta_timeout_seconds": 5,
    }
    return load_settings(None, **(values | overrides))


@dataclass
class Bench:
    """A platform on a database and a simulator."""

    simulator: Simulator
    warehouse: Warehouse
    folder: Path
    clients: ClientsFile = field(default_factory=lambda: ClientsFile(version=1))
    settings: dict[str, Any] = field(default_factory=dict)
    options: PullOptions = field(default_factory=lambda: PullOptions(patience=Patience(stall_seconds=120)))
    speed: float = SPEED

    def platform(self) -> Platform:
        now = datetime.fromisoformat(self.simulator.get("state?jobs=0")["now"])
        settings = make_settings(self.simulator, self.folder, **self.settings)
        display = Display(Console(file=(self.folder / "progress.log").open("w")))
        return Platform(
            settings, self.clients, self.warehouse, display, clock=ScaledClock(self.speed, now), options=self.options
        )

    def pull(self, **request: Any) -> PullSummary:
        return run_pull(self.platform(), PullRequest(**request))

    def use_clients(self, text: str) -> None:
        self.clients = parse_clients(text, self.folder / "clients.yml")


def dump(warehouse: Warehouse, tables: list[str] | None = None) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of the insight tables, in order; provenance is in `ops` and does not count."""
    found = {}
    with warehouse.connection() as connection:
        for table in tables or TABLES:
            rows = connection.execute(f"SELECT * FROM raw.{table}").fetchall()  # type: ignore[arg-type]
            found[table] = sorted(
                ((*row[:-1], orjson.dumps(row[-1], option=orjson.OPT_SORT_KEYS)) for row in rows), key=repr
            )
    return found


def truth(
    simulator: Simulator, account_id: int, report_name: str, since: date, until: date, at: datetime
) -> dict[tuple[Any, ...], dict[str, Any]]:
    """What the world shows for a report at a moment, by key, from the world itself."""
    report = PRESETS[report_name]
    params = Piece(report, since, until).params()
    query = InsightsQuery(
        node_id=str(account_id),
        level=report.level,
        ranges=((since, until),),
        time_increment=1,
        fields=report.fields,
        breakdowns=report.breakdowns,
        windows=report.windows,
        filters=tuple(Filter(f["field"], f["operator"], f["value"]) for f in params.get("filtering", [])),
    )
    result = simulator.world().insights(query, at)
    rows = [orjson.loads(row) for row in result.page(0, len(result))]
    return {tuple(row.get(name) for name in report.key): row for row in rows}


def stored(warehouse: Warehouse, account_id: int, report_name: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    """The payloads that the warehouse holds, by key."""
    report = PRESETS[report_name]
    with warehouse.connection() as connection:
        rows = connection.execute(
            f"SELECT payload FROM raw.insights_{report_name} WHERE account_id = %s",  # type: ignore[arg-type]
            [account_id],
        ).fetchall()
    return {tuple(row.get(name) for name in report.key): row for (row,) in rows}


def account_ids(simulator: Simulator) -> list[int]:
    return [int(i) for i in simulator.get("state?jobs=0")["accounts"]]


def yesterday(zone: str, now: datetime = NOW) -> date:
    return now.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)


def scalar(warehouse: Warehouse, statement: str, *parameters: Any) -> Any:
    with warehouse.connection() as connection:
        row = connection.execute(statement, parameters or None).fetchone()  # type: ignore[arg-type]
    return None if row is None else row[0]


__all__ = [name for name in dir() if not name.startswith("_")] + ["psycopg"]
