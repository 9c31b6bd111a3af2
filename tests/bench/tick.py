"""A tick as Dagster runs it: the current day of 20 accounts with 500 active ads each, then the marts.

What belongs here: the seconds of a run's process from its start to its end, and where they go. What does not: the
daemon's own pause before it starts a run; whether the numbers are right (`tests/e2e/test_tick.py`).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from dagster import DagsterInstance, RunsFilter

from orchestration import instance
from orchestration.platform import open_platform
from orchestration.progress import Display
from orchestration.pull import run_pull
from orchestration.pull_model import PullRequest
from orchestration.settings import Settings, load_settings
from tests.bench.figures import Figure, Report, median_of
from tests.bench.lab import ClientFailed, Lab
from tests.bench.machine import load
from tests.e2e.harness import ROOT, Simulator

ACCOUNTS, ADS, LATENCY_MS = 20, 500, 100
PULL, BUILD = "pull_current_day", "build_what_is_due"


@dataclass(frozen=True)
class Tick:
    """One tick, in seconds.

    Attributes:
        wall: From the start of its process to the end.
        pull: What asked Meta and wrote rows.
        build: dbt, from its start to its end.
        sql: What dbt spent in the database: the sum over its nodes, by its two threads.
        calls: To Meta.
        rows: Pulled.
        models: Built.
    """

    wall: float
    pull: float
    build: float
    sql: float
    calls: int
    rows: int
    models: int

    @property
    def overhead(self) -> float:
        """Everything that is neither ingestion nor dbt's own SQL."""
        return self.wall - self.pull - self.sql


def tick(lab: Lab) -> Report:
    """The wall seconds of a tick with hours alone, and of one that also takes in a day of every report."""
    accounts, ads = (4, 100) if lab.quick else (ACCOUNTS, ADS)
    size = f"accounts={accounts},ads={ads},ads_per_adset=5,adsets=5,history=60"
    # Reason: the processes of Dagster go by the real clock.
    now = datetime.now(UTC)
    options = ("--latency", str(LATENCY_MS), "--job-seconds", "5", "--now", now.isoformat())
    options += ("--anchor", now.date().isoformat())
    with lab.simulator(*options, size=size) as simulator, lab.database() as url:
        settings, environment = _installation(lab, simulator, url)
        with open_platform(settings, Display(lab.console)) as platform:
            yesterday = now.date() - timedelta(days=1)
            run_pull(platform, PullRequest(since=yesterday - timedelta(days=1), until=yesterday))
        _run(settings, environment)  # builds the project, and pulls the day for the first time
        hours, whole = [], []
        for _ in range(1 if lab.quick else lab.rounds):
            simulator.post("clock", {"advance": 600})
            # Reason: where the last hour brought nothing, a tick would have nothing to build.
            _age(url, "UPDATE ops.slice SET build_id = NULL WHERE report = 'ad_hourly' AND day > %s", yesterday)
            hours.append(_run(settings, environment))
            simulator.post("clock", {"advance": 600})
            _age(url, "UPDATE ops.slice SET build_id = NULL WHERE day = %s", yesterday)
            whole.append(_run(settings, environment))
    figures = []
    for text, ticks in (("hours alone", hours), ("hours, and a day of every report", whole)):
        what = f"tick of {accounts} accounts x {ads} ads, {LATENCY_MS} ms a call: {text}"
        figures += [
            median_of(what, [tick.wall for tick in ticks], unit="s", goal=60, more_is_better=False),
            median_of("- of it the pull", [tick.pull for tick in ticks], unit="s", digits=1),
            median_of("- of it dbt's own SQL", [tick.sql for tick in ticks], unit="s", digits=1),
            median_of(
                "- of it the rest", [tick.overhead for tick in ticks], unit="s", goal=15, more_is_better=False, digits=1
            ),
            Figure("- calls to Meta", max(tick.calls for tick in ticks)),
        ]
    note = (
        f"tick: {hours[-1].rows:,} rows, {hours[-1].models} and {whole[-1].models} tables built; load average {load()}"
    )
    return Report(figures, [note])


def _age(url: str, also: str = "", *parameters: Any) -> None:
    """Makes the last pulls a quarter of an hour older, in place of waiting."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "UPDATE ops.slice SET pulled_at = pulled_at - INTERVAL '15 minutes' WHERE report = 'ad_hourly'"
        )
        if also:
            connection.execute(also, parameters)  # type: ignore[arg-type]


def _installation(lab: Lab, simulator: Simulator, url: str) -> tuple[Settings, dict[str, str]]:
    own = {
        "META_ACCESS_TOKEN": "SIMULATOR",
        "META_GRAPH_URL": simulator.url,
        "META_ADS_HOME": str(lab.folder / "tick"),
        "WAREHOUSE_URL": url,
        "CLIENTS_FILE": str(lab.folder / "none.yml"),
        "META_ADS_ENV_FILE": "",
        "DAGSTER_DATABASE_URL": lab.server.ensure_database("dagster_tick"),
    }
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("META_", "WAREHOUSE_", "DAGSTER_"))}
    os.environ.update({"DAGSTER_DATABASE_URL": own["DAGSTER_DATABASE_URL"]})
    settings = load_settings(None, **{key.lower(): value for key, value in own.items() if key != "META_ADS_ENV_FILE"})
    Path(own["CLIENTS_FILE"]).write_text("version: 1\n")
    prepared = instance.prepare(settings, kept | own)
    accounts = [int(account) for account in simulator.get("state?jobs=0")["accounts"]]
    instance.seed(prepared, accounts)
    return settings, dict(prepared.environment)


def _run(settings: Settings, environment: dict[str, str]) -> Tick:
    """Runs the job in a process of its own, as the daemon's launcher does."""
    command = [sys.executable, "-m", "dagster", "job", "execute", "-m", instance.MODULE, "-j", "tick"]
    began = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    wall = time.monotonic() - began
    if done.returncode:
        raise ClientFailed(f"the tick ended with code {done.returncode}:\n{done.stderr[-3000:]}")
    with DagsterInstance.from_config(environment["DAGSTER_HOME"]) as opened:
        (run,) = opened.get_runs(RunsFilter(job_name="tick"), limit=1)
        steps = {stats.step_key: stats for stats in opened.get_run_step_stats(run.run_id)}
        told: dict[str, dict[str, Any]] = {}
        for event in opened.all_logs(run.run_id):
            if event.dagster_event and event.dagster_event.is_successful_output:
                output = event.dagster_event.step_output_data
                told[event.step_key or ""] = {name: value.value for name, value in output.metadata.items()}
    seconds = {key: float(stats.end_time or 0) - float(stats.start_time or 0) for key, stats in steps.items()}
    pulled, built = told[PULL], told[BUILD]
    return Tick(
        wall,
        seconds[PULL],
        seconds[BUILD],
        float(built["sql_seconds"]) / 2,
        int(pulled["api_calls"]),
        int(pulled["rows"]),
        int(built["models"]),
    )
