"""A day of ticks: schedules, runs and alerts as the daemon makes them, on a clock that jumps from tick to tick.

What belongs here: what happens when, and what is looked at. What does not: what is expected of it
(`tests/e2e/test_soak.py`, `tests.soak.__main__`). Everything is real but the waiting: the simulator over HTTP with
faults, PostgreSQL, dbt, a mailbox. The daemon's own part (cron, run keys, the queue) is done here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from orchestration.alerts.channels import Channel, channels
from orchestration.defs.alerts import alerts
from orchestration.defs.build import build_defs
from orchestration.defs.partitions import ACCOUNTS, account_key
from orchestration.defs.schedules import daily_entities, daily_window
from orchestration.defs.tick import every_quarter_hour
from orchestration.platform import Platform
from orchestration.settings import Settings
from tests.e2e.harness import Bench, account_ids, make_settings
from tests.e2e.sources import BenchSource
from tests.receivers import Mailbox
from warehouse.ops.today import account_activity

log = logging.getLogger(__name__)

TICK = timedelta(minutes=15)
#: Of each hundred calls two fail in one of these ways, each of which passes.
FAULTS = ("unknown_error", "service_unavailable", "html_502", "cut_middle")
#: Simulated seconds for each real one, while a tick runs. Work so takes five times as long as it would: far more than
#: the start of a process and the daemon's own pauses, which this leaves out, would add.
SPEED = 5.0
_HOURS_IN_MARTS = """
    SELECT account_id, max(pulled_at) FROM ops.slice
    WHERE report = 'ad_hourly' AND build_id IS NOT NULL GROUP BY account_id
"""


class Alerting:
    """A mailbox to tell, on the clock of the simulator."""

    def __init__(self, bench: Bench, box: Mailbox) -> None:
        self._settings = make_settings(
            bench.simulator,
            bench.folder,
            alert_email_to="ops@example.com",
            alert_email_from="alerts@example.com",
            smtp_host="localhost",
            smtp_port=box.port,
            smtp_tls="none",
        )
        self._bench = bench

    def settings(self) -> Settings:
        return self._settings

    def channels(self, settings: Settings) -> list[Channel]:
        return channels(settings)

    def now(self, platform: Platform | None) -> datetime:
        return now_of(self._bench)


def now_of(bench: Bench) -> datetime:
    """The simulator's time."""
    return datetime.fromisoformat(bench.simulator.get("state?jobs=0")["now"]).astimezone(UTC)


@dataclass
class Lag:
    """How long a change at Meta could be missing in the marts.

    Attributes:
        account_id: Whose.
        at: When it was looked at.
        minutes: From the pull before, which a change can just have missed, until the marts showed the next one.
    """

    account_id: int
    at: datetime
    minutes: float


@dataclass
class Day:
    """A day that goes on.

    Attributes:
        bench: Simulator, warehouse, platform.
        instance: Dagster's.
        box: Where alerts go.
        share: Of calls that fail, 0 to 1.
        is_daily: Whether the daily runs happen, too.
        lags: Of every account that delivers, after every tick.
        runs: Name of the job and whether it succeeded, in order.
        told: When which message was sent.
    """

    bench: Bench
    instance: dg.DagsterInstance
    box: Mailbox
    share: float = 0.02
    is_daily: bool = True
    lags: list[Lag] = field(default_factory=list)
    runs: list[tuple[str, bool]] = field(default_factory=list)
    told: list[tuple[datetime, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bench.speed = SPEED
        self.bench.simulator.post("clock", {"speed": SPEED})
        self._alerting = Alerting(self.bench, self.box)
        self._defs = build_defs(
            BenchSource(self.bench),
            retry=dg.RetryPolicy(max_retries=2, delay=0),
            executor=dg.in_process_executor,
            alerting=self._alerting,
        )
        self._resources: dict[str, Any] = {"platform": BenchSource(self.bench), "alerting": self._alerting}
        self._keys: set[str] = set()
        self._cursor: str | None = None
        self._shown: dict[int, datetime] = {}
        self.instance.add_dynamic_partitions(
            ACCOUNTS.name or "", [account_key(i) for i in account_ids(self.bench.simulator)]
        )
        self.good_weather()

    def good_weather(self, *extra: dict[str, Any]) -> None:
        """Two calls in a hundred fail, and whatever else is named."""
        self.bench.simulator.post("faults", {"clear": True})
        rules = [{"name": name, "probability": self.share / len(FAULTS)} for name in FAULTS]
        self.bench.simulator.post("faults", [*extra, *rules])

    def pass_time(self, start: datetime, ticks: int) -> Iterator[datetime]:
        """Goes from tick to tick; yields the time of each before it happens, for a caller who changes the weather."""
        for number in range(ticks):
            moment = start + number * TICK
            if moment > now_of(self.bench):  # else the tick before took longer than a quarter of an hour
                self.bench.simulator.post("clock", {"set": moment.isoformat()})
            yield moment
            self._tick(moment)

    def _tick(self, moment: datetime) -> None:
        # Reason for the order: of runs that wait, the queue starts the tick first (`dagster/priority`).
        asked = every_quarter_hour(dg.build_schedule_context(self.instance, scheduled_execution_time=moment))
        if isinstance(asked, dg.RunRequest):
            self._run("tick", asked)
        self._measure()
        if self.is_daily and moment.minute == 0:
            for schedule, job in ((daily_entities, "daily_objects"), (daily_window, "daily_insights")):
                context = dg.build_schedule_context(
                    self.instance, scheduled_execution_time=moment, resources={"platform": self._resources["platform"]}
                )
                for request in schedule(context):
                    self._run(job, request)
        self._look()

    def _run(self, job: str, request: dg.RunRequest) -> None:
        """Runs a request, unless its key was seen."""
        key = f"{job} {request.run_key}"
        if request.run_key and key in self._keys:
            return
        self._keys.add(key)
        result = self._defs.resolve_job_def(job).execute_in_process(
            instance=self.instance, partition_key=request.partition_key, tags=dict(request.tags), raise_on_error=False
        )
        self.runs.append((job, result.success))
        log.info("%s %s: %s", now_of(self.bench), key, "done" if result.success else "failed")

    def _measure(self) -> None:
        now = now_of(self.bench)
        with self.bench.warehouse.connection() as connection:
            shown = dict(connection.execute(_HOURS_IN_MARTS).fetchall())
        for account_id, pulled_at in shown.items():
            before = self._shown.get(account_id)
            if before is not None and account_activity(self.bench.warehouse, account_id, now).is_delivering:
                self.lags.append(Lag(account_id, now, (now - before).total_seconds() / 60))
            self._shown[account_id] = pulled_at

    def _look(self) -> None:
        """The sensor of alerts."""
        result = alerts(dg.build_sensor_context(self.instance, cursor=self._cursor, resources=self._resources))
        assert isinstance(result, dg.SensorResult)
        self._cursor = result.cursor
        self.told += [(now_of(self.bench), subject) for subject in self.box.subjects]
        self.box.received.clear()
