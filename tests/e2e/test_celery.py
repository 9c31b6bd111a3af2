"""The same definitions on two workers behind Redis: who does what, and what becomes of a worker that is killed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import psutil
import pytest

from ingestion.reports import PRESETS
from orchestration.celery_steps import RUN_CHECK_SECONDS
from orchestration.defs.partitions import account_day_key
from orchestration.defs.raw import META_POOL
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

    def living(self, queue: str) -> Worker:
        """A worker of the queue that is ready; started if there is none."""
        alive = [worker for worker in self.workers if worker.queue == queue and worker.process.poll() is None]
        found = alive[0] if alive else self.worker(queue, "--concurrency", "1")
        ready(found)
        return found

    def pull(self, account: int) -> tuple[subprocess.Popen[bytes], Path]:
        """A run of the reports of an account for the days, under way: the first slice has come."""
        run, log = self.job("daily_insights", range_tags(account), *(f"raw/insights_{name}" for name in REPORTS))
        until(lambda: scalar(self.warehouse, SLICES, account) >= 1, 180, lambda: log.read_text() + self.said)
        return run, log

    @property
    def said(self) -> str:
        return "\n".join(worker.said for worker in self.workers)

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


@contextmanager
def paused(process: subprocess.Popen[bytes]) -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def ready(worker: Worker) -> None:
    until(lambda: re.search(r"@\S+ ready", worker.said) or worker.process.poll() is not None, 180, lambda: worker.said)
    assert worker.process.poll() is None, worker.said


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, databases) -> Iterator[Site]:
    tmp_path = tmp_path_factory.mktemp("celery")
    redis = redis_server.started(tmp_path / "redis")
    (tmp_path / "clients.yml").write_text("version: 1\n")
    ours = ("META_", "WAREHOUSE_", "DAGSTER_", "CELERY_", "LOG_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    options = ("--job-seconds", "2", "--latency", "20", "--no-limits")
    with (
        running_simulator(tmp_path, *options, speed=1) as simulator,
        databases.built(tmp_path / "elsewhere") as url,
        databases.fresh("plain", migrated=False) as dagster_url,
        Warehouse(url) as warehouse,
        pytest.MonkeyPatch.context() as monkeypatch,
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
        shutil.copytree(tmp_path / "home" / "dbt", tmp_path / "elsewhere" / "dbt", dirs_exist_ok=True)
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


def asked_for(simulator: Simulator, account: int) -> Counter[str]:
    """Report runs of an account that Meta was asked for, by what they ask."""
    jobs = simulator.get("state")["jobs"]
    return Counter(job["fingerprint"] for job in jobs if int(job["account_id"]) == account)


def test_a_killed_worker_loses_nothing_and_pays_nothing_twice(site: Site) -> None:
    account = account_ids(site.simulator)[0]
    slices = ((UNTIL - SINCE).days + 1) * len(REPORTS)
    dbt, first = site.worker("dbt"), site.living("meta")
    run, log = site.pull(account)
    pool = site.instance.event_log_storage.get_concurrency_info(META_POOL)
    assert len(pool.claimed_slots) == 1, "a step that waits for a worker, or is with one, has its place in the pool"
    first.kill()
    assert scalar(site.warehouse, SLICES, account) < slices, "the kill should hit a pull under way"
    assert run.poll() is None

    second = site.worker("meta", "--concurrency", "1")
    assert run.wait(240) == 0, log.read_text() + second.said
    for report in REPORTS:
        expected = truth(site.simulator, account, report, SINCE, UNTIL, NOW + timedelta(days=1))
        assert stored(site.warehouse, account, report) == expected
    assert scalar(site.warehouse, SLICES, account) == slices
    again = asked_for(site.simulator, account)
    twice = sum(count - 1 for count in again.values())
    unanswered = "SELECT count(*) FROM ops.report_job WHERE state = 'intent' AND account_id = %s"
    assert twice <= scalar(site.warehouse, unanswered, account)

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
    assert PASSWORD not in site.said


def test_a_step_whose_process_dies_goes_on_and_one_that_nobody_wants_ends(site: Site) -> None:
    account = account_ids(site.simulator)[1]
    worker = site.living("meta")
    run, log = site.pull(account)
    begun = re.compile(r"step raw_insights of run \S+ is begun again")
    before = len(begun.findall(worker.said))
    children = psutil.Process(worker.process.pid).children()
    (child,) = (child for child in children if "celery" in child.cmdline())  # the others are Python's own helpers
    child.kill()
    until(lambda: len(begun.findall(worker.said)) > before, 60, lambda: worker.said)

    found = site.instance.get_runs(dg.RunsFilter(job_name="daily_insights"), limit=1)[0]
    with paused(site.simulator.process):  # Reason: so that the step cannot end by itself first
        site.instance.report_run_canceling(found)  # as the page's button does it:
        run.send_signal(signal.SIGINT)
        stopped = re.compile(rf"step raw_insights of run {found.run_id} is stopped: its run has ended")
        until(lambda: stopped.search(worker.said), RUN_CHECK_SECONDS + 30, lambda: worker.said)
    run.wait(30)
    ended = site.instance.get_run_by_id(found.run_id)
    assert ended is not None
    assert ended.status == dg.DagsterRunStatus.CANCELED, log.read_text() + worker.said
    assert worker.process.poll() is None, "the worker lives on"
