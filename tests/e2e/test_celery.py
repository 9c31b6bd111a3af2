"""The same definitions on two workers behind Redis: who does what, and what becomes of a worker that is killed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pytest

from ingestion.reports import PRESETS
from orchestration.defs.partitions import account_day_key
from orchestration.instance import prepare, seed
from orchestration.settings import load_settings
from orchestration.transform import parse_project, project_version
from tests import redis_server
from tests.e2e.harness import NOW, ROOT, Simulator, account_ids, running_simulator, scalar, stored, truth
from tests.redis_server import PASSWORD, RedisServer
from warehouse.connect import Warehouse

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("celery")]

SINCE = date(2026, 8, 5)  # so that all numbers are final
UNTIL = SINCE + timedelta(days=3)
#: More than are under way at once, so that a kill finds some that were not asked for yet.
REPORTS = tuple(name for name, report in PRESETS.items() if not report.period)
LOST_AFTER = 6
SLICES = "SELECT count(*) FROM ops.slice WHERE account_id = %s"


@dataclass
class Worker:
    """A worker process and its log."""

    queue: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    def kill(self) -> None:
        """As when its machine is lost; but whatever it started is left to find that out by itself."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        self.process.wait(10)
        _, alive = psutil.wait_procs(family, timeout=20)
        assert not [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


@dataclass
class Site:
    """One warehouse, one Dagster database, one queue, and processes in homes of their own."""

    folder: Path
    simulator: Simulator
    warehouse: Warehouse
    redis: RedisServer
    environment: dict[str, str]
    instance: dg.DagsterInstance
    workers: list[Worker] = field(default_factory=list)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def run(self, name: str, *arguments: str) -> tuple[subprocess.Popen[bytes], Path]:
        log = self.folder / f"{name}.log"
        home = self.folder / ("elsewhere" if "dbt" in arguments else "home")
        environment = self.environment | {"META_ADS_HOME": str(home)}
        with log.open("wb") as output:
            command = [sys.executable, "-m", *arguments]
            process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        self.processes.append(process)
        return process, log

    def worker(self, queue: str, *options: str) -> Worker:
        name = f"worker{len(self.workers)}"
        started = Worker(queue, *self.run(name, "orchestration.cli", "worker", "--queue", queue, *options))
        self.workers.append(started)
        return started

    def job(self, name: str, tags: Mapping[str, str], *assets: str) -> tuple[subprocess.Popen[bytes], Path]:
        """A run, whose own process hands out steps and does none."""
        return self.run(name, "tests.e2e.launcher", name, json.dumps(dict(tags)), *assets)

    def executed_by(self, job: str) -> dict[str, list[str]]:
        """Names of the workers that did each step of the last run of a job, in order."""
        run = self.instance.get_runs(dg.RunsFilter(job_name=job), limit=1)[0]
        found: dict[str, list[str]] = {}
        for entry in self.instance.all_logs(run.run_id):
            event = entry.dagster_event
            if event is not None and event.is_engine_event and event.step_key:
                metadata = event.engine_event_data.metadata
                if "Celery worker" in metadata:
                    found.setdefault(event.step_key, []).append(str(metadata["Celery worker"].value))
        return found


def until(true: Callable[[], Any], seconds: float, what: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, what()
        time.sleep(0.1)


def ready(worker: Worker) -> None:
    until(lambda: re.search(r"@\S+ ready", worker.said) or worker.process.poll() is not None, 180, lambda: worker.said)
    assert worker.process.poll() is None, worker.said


@pytest.fixture
def site(tmp_path: Path, databases, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    redis = redis_server.started(tmp_path / "redis")
    (tmp_path / "clients.yml").write_text("version: 1\n")
    ours = ("META_", "WAREHOUSE_", "DAGSTER_", "CELERY_", "LOG_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    options = ("--job-seconds", "2", "--latency", "20", "--no-limits")
    with (
        running_simulator(tmp_path, *options, speed=1) as simulator,
        databases.fresh("plain") as url,
        databases.fresh("plain", migrated=False) as dagster_url,
        Warehouse(url) as warehouse,
    ):
        environment = kept | {
            "CELERY_BROKER_URL": redis.url,
            "CELERY_LOST_AFTER_SECONDS": str(LOST_AFTER),
            "CLIENTS_FILE": str(tmp_path / "clients.yml"),
            "DAGSTER_DATABASE_URL": dagster_url,
            "DAGSTER_EXECUTOR": "celery",
            "DAGSTER_HOME": str(tmp_path / "home" / "dagster"),
            "META_ACCESS_TOKEN": "SIMULATOR",
            "META_ADS_ENV_FILE": "",
            "META_GRAPH_URL": simulator.url,
            "PYTHONUNBUFFERED": "1",
            "WAREHOUSE_URL": url,
        }
        for name in ("DAGSTER_HOME", "DAGSTER_DATABASE_URL"):
            monkeypatch.setenv(name, environment[name])
        settings = load_settings(
            None, meta_ads_home=tmp_path / "home", warehouse_url=url, dagster_database_url=dagster_url
        )
        prepared = prepare(settings, environment)
        seed(prepared, account_ids(simulator))
        # Reason: each home would read the dbt project anew, seconds of both processors.
        parse_project(tmp_path / "home" / "dbt" / project_version()[:16])
        shutil.copytree(tmp_path / "home" / "dbt", tmp_path / "elsewhere" / "dbt")
        with dg.DagsterInstance.from_config(str(prepared.home)) as instance:
            made = Site(tmp_path, simulator, warehouse, redis, environment, instance)
            try:
                yield made
            finally:
                alive = [process for process in made.processes if process.poll() is None]
                for process in alive:
                    process.terminate()  # a worker waits for its steps
                for process in alive:
                    process.wait(60)
                redis.kill()


def range_tags(account: int) -> dict[str, str]:
    ends = {"start": SINCE, "end": UNTIL}
    return {f"dagster/asset_partition_range_{end}": str(account_day_key(account, day)) for end, day in ends.items()}


def asked_for(simulator: Simulator) -> Counter[tuple[str, str]]:
    """Report runs that Meta was asked for, and paid for: account and request."""
    jobs = simulator.get("state")["jobs"]
    return Counter((job["account_id"], job["fingerprint"]) for job in jobs)


def test_a_killed_worker_loses_nothing_and_pays_nothing_twice(site: Site) -> None:
    account = account_ids(site.simulator)[0]
    days = (UNTIL - SINCE).days + 1
    first, dbt = site.worker("meta", "--concurrency", "1"), site.worker("dbt")
    ready(first)
    run, log = site.job("daily_insights", range_tags(account), *(f"raw/insights_{name}" for name in REPORTS))

    until(lambda: scalar(site.warehouse, SLICES, account) >= 1, 120, lambda: first.said + log.read_text())
    first.kill()
    held = scalar(site.warehouse, SLICES, account)
    assert 1 <= held < days * len(REPORTS), "the kill should hit a pull under way"
    paid = asked_for(site.simulator)
    assert run.poll() is None

    second = site.worker("meta", "--concurrency", "1")
    assert run.wait(180) == 0, log.read_text() + second.said
    for report in REPORTS:
        expected = truth(site.simulator, account, report, SINCE, UNTIL, NOW + timedelta(days=1))
        assert stored(site.warehouse, account, report) == expected
    assert scalar(site.warehouse, SLICES, account) == days * len(REPORTS)
    again = asked_for(site.simulator)
    twice = sum(count - 1 for count in again.values())
    unanswered = scalar(site.warehouse, "SELECT count(*) FROM ops.report_job WHERE state = 'intent'")
    assert twice <= unanswered
    assert len(paid) < len(again), "what was missing was asked for after the kill"

    names = {worker.process.pid: f"{worker.queue}-{worker.process.pid}@" for worker in site.workers}
    pulled = site.executed_by("daily_insights")
    attempts = [name.partition("@")[0] + "@" for name in pulled["raw_insights"]]
    assert attempts == [names[first.process.pid], names[second.process.pid]]
    assert "is begun again: its worker died" in second.said

    ready(dbt)
    build, log = site.job("build_due", {})
    assert build.wait(240) == 0, log.read_text() + dbt.said
    assert scalar(site.warehouse, "SELECT sum(spend) FROM marts.fct_ad_day")
    (builder,) = site.executed_by("build_due")["build_what_is_due"]
    assert builder.startswith(names[dbt.process.pid])

    for worker in site.workers:
        assert PASSWORD not in worker.said
