"""The metrics endpoint as Prometheus sees it: figures after a real pull, a database that goes away, many slices."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import psycopg
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families
from ruamel.yaml import YAML

from orchestration.build import build_marts
from orchestration.metric_families import families, lag_seconds
from orchestration.metrics import CACHE_SECONDS, PlatformCollector
from orchestration.quality import check_and_hold
from tests.bench.upkeep import fill
from tests.e2e.harness import ROOT, Bench, account_ids, scalar
from warehouse.connect import Warehouse
from warehouse.errors import DatabaseUnavailable
from warehouse.ops.metrics import Newest, State, Usage, read_state
from warehouse.urls import DatabaseUrl

SINCE, UNTIL = date(2026, 11, 5), date(2026, 11, 8)
REPORTS = ("ad_daily", "account_daily")
Samples = dict[str, dict[tuple[tuple[str, str], ...], float]]


@contextmanager
def endpoint(folder: Path, url: str) -> Iterator[str]:
    """The process as `meta-ads up` starts it."""
    port_file = folder / "metrics.port"
    port_file.unlink(missing_ok=True)
    (folder / "clients.yml").write_text("version: 1\n")
    ours = ("META_", "WAREHOUSE_", "DAGSTER_", "METRICS_", "CLIENTS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    environment = kept | {"META_ADS_ENV_FILE": "", "META_ADS_HOME": str(folder), "WAREHOUSE_URL": url}
    process = subprocess.Popen(
        [sys.executable, "-m", "orchestration.metrics", "--port", "0", "--port-file", str(port_file)],
        cwd=ROOT,
        env=environment | {"CLIENTS_FILE": str(folder / "clients.yml")},
    )
    try:
        for _ in range(600):
            if port_file.exists() and port_file.read_text():
                break
            assert process.poll() is None
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port_file.read_text()}/metrics"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def scrape(url: str) -> Samples:
    answer = requests.get(url, timeout=10)
    assert answer.status_code == 200
    found: Samples = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return found


@pytest.mark.integration
@pytest.mark.slow
def test_figures_are_those_of_the_pull_and_outlive_a_purge(built_bench: Bench, tmp_path: Path) -> None:
    bench = built_bench
    account = account_ids(bench.simulator)[0]
    bench.simulator.inject("throttle_insights", account=str(account), times=1)
    summary = bench.pull(since=SINCE, until=UNTIL, reports=REPORTS)
    platform = bench.platform()
    check_and_hold(platform, account, REPORTS, SINCE, UNTIL)
    build_marts(platform)
    with bench.warehouse.connection() as connection:
        connection.execute("INSERT INTO ops.held_day VALUES (%s, '2026-11-06', 'ad_daily', 'e', 'm', now())", [account])
    with endpoint(tmp_path, bench.warehouse.url) as url:
        found = scrape(url)

    def value(name: str, **labels: str) -> float:
        return found[f"meta_ads_{name}"][tuple(sorted(labels.items()))]

    assert value("up") == 1
    rows = "SELECT sum(row_count) FROM ops.slice WHERE report = %s"
    for name in REPORTS:
        assert value("slices_written_total", report=name) >= 4 * len(account_ids(bench.simulator))
        assert value("rows_written_total", report=name) >= scalar(bench.warehouse, rows, name)
    assert sum(found["meta_ads_api_calls_total"].values()) == summary.calls
    assert value("throttle_refusals_total", account=f"act_{account}") == 1
    assert value("throttle_wait_seconds_total", account=f"act_{account}") > 0
    assert value("runs_total", kind="pull", status=summary.status) == 1
    assert value("builds_total", status="succeeded") == 2  # the first made the empty marts
    assert value("build_seconds") > 0
    assert value("due_slices") == 0
    assert value("held_days", account=f"act_{account}") == 1
    lag = value("account_lag_seconds", account=f"act_{account}", report="ad_daily")
    assert lag > 0
    calls = scalar(bench.warehouse, "SELECT calls FROM ops.run")
    assert calls == summary.calls
    assert scalar(bench.warehouse, "SELECT sum(calls) FROM ops.api_hour") == calls
    assert scalar(bench.warehouse, "SELECT sum(slices) FROM ops.run_account") == sum(
        found["meta_ads_slices_written_total"].values()
    )

    with bench.warehouse.connection() as connection:
        for table in ("run", "slice", "api_hour", "mart_build"):
            connection.execute(f"DELETE FROM ops.{table}")
    with endpoint(tmp_path, bench.warehouse.url) as url:
        after = scrape(url)
    for name in (name for name in found if name.endswith("_total")):
        assert after[name] == found[name]


@pytest.mark.integration
def test_a_database_that_is_gone_is_told_without_stale_figures(databases, tmp_path: Path) -> None:
    with databases.fresh("plain") as url, endpoint(tmp_path, url) as address:
        assert scrape(address)["meta_ads_up"] == {(): 1.0}
        name = DatabaseUrl.parse(url).libpq()["dbname"]
        with psycopg.connect(
            DatabaseUrl.parse(url).with_database("postgres").render(reveal=True), autocommit=True
        ) as to:
            to.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]
        time.sleep(CACHE_SECONDS)
        assert scrape(address) == {"meta_ads_up": {(): 0.0}}


def state(**changes: Any) -> State:
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    newest = Newest(7, "ad_daily", date(2026, 11, 19), now - timedelta(hours=3), "api", "Europe/Berlin")
    defaults: dict[str, Any] = {
        "now": now,
        "counters": (("slices_written", {"report": "ad_daily"}, 5.0),),
        "newest": (newest,),
        "failures": {"ad_daily": (1, 2)},
        "held": {},
        "due_slices": 3,
        "usage": (
            Usage("7", "score", 0.5, now - timedelta(minutes=5), None),
            Usage("", "app_calls", 0.9, now - timedelta(hours=2), None),
            Usage("7", "block", 1.0, now - timedelta(minutes=5), now - timedelta(minutes=1)),
        ),
        "last_build": (now, 12.5),
        "running": {},
        "mismatches": {7: 2},
    }
    return State(**(defaults | changes))


def samples(found: State, *, expected: bool = True) -> Samples:
    sums: Samples = {}
    for family in families(found, lambda _account, _report: expected):
        for sample in family.samples:
            sums.setdefault(sample.name, {})[tuple(sorted(sample.labels.items()))] = sample.value
    return sums


def test_what_was_seen_of_a_limit_empties_within_an_hour() -> None:
    usage = samples(state())["meta_ads_api_usage_ratio"]
    assert usage == {
        (("account", "act_7"), ("bucket", "score")): 0.5,
        (("account", ""), ("bucket", "app_calls")): 0.0,
        (("account", "act_7"), ("bucket", "block")): 0.0,
    }


def test_an_account_that_is_no_longer_pulled_does_not_lag() -> None:
    assert "meta_ads_account_lag_seconds" in samples(state())
    assert "meta_ads_account_lag_seconds" not in samples(state(), expected=False)
    imported = replace(state().newest[0], source="import")
    assert "meta_ads_account_lag_seconds" not in samples(state(newest=(imported,)))


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001 - hypothesis asks for naive ones
    st.sampled_from(["UTC", "Asia/Tokyo", "Pacific/Kiritimati", "America/Los_Angeles", "No/Where"]),
    st.integers(1, 30),
    st.integers(0, 5000),
)
def test_lag_grows_until_the_day_that_is_due_comes(moment: datetime, zone: str, back: int, minutes: int) -> None:
    """Held up to yesterday, it is the age of the pull; else the age of the first missing day, at most a day less."""
    now = moment.replace(tzinfo=UTC)
    try:
        today = now.astimezone(ZoneInfo(zone)).date()
    except ZoneInfoNotFoundError:
        today = now.date()
    pulled = now - timedelta(minutes=minutes)
    fresh = Newest(1, "ad_daily", today - timedelta(days=1), pulled, "api", zone)
    assert lag_seconds(fresh, now) == pytest.approx(minutes * 60)
    late = replace(fresh, day=today - timedelta(days=1 + back))
    lag = lag_seconds(late, now)
    assert (back - 1) * 86400 - 3600 <= lag <= back * 86400 + 3600  # an hour for the change to summer time
    assert lag_seconds(late, now + timedelta(hours=1)) == pytest.approx(lag + 3600)


def test_many_scrapes_are_one_reading_and_a_failure_is_forgotten() -> None:
    now, readings = [0.0], []

    def read() -> State:
        readings.append(now[0])
        if len(readings) == 2:
            raise DatabaseUnavailable("gone")
        return state()

    collector = PlatformCollector(read, lambda: lambda _account, _report: True, clock=lambda: now[0])

    def up() -> tuple[float, int]:
        found = list(collector.collect())
        return found[0].samples[0].value, len(found)

    assert list(collector.describe()) == []
    first = up()
    assert first[0] == 1
    now[0] = CACHE_SECONDS - 0.1
    assert up() == first
    now[0] = CACHE_SECONDS
    assert up() == (0.0, 1)
    now[0] = 2 * CACHE_SECONDS
    assert up() == first
    assert len(readings) == 3


def test_rules_and_documentation_name_what_there_is() -> None:
    """A rule about a name that nobody serves never fires."""
    own = {"meta_ads_up", "meta_ads_scrape_seconds"}
    served = own | {family.name for family in families(state(), lambda _account, _report: True)}
    names = {f"{family.name}_total" for family in families(state(), lambda *_: True) if family.type == "counter"}
    names |= own | {family.name for family in families(state(), lambda *_: True) if family.type == "gauge"}
    assert len(names) == len(served)
    text = (ROOT / "docs/reference/prometheus-alerts.yml").read_text()
    rules = [rule for group in YAML(typ="safe").load(text)["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) > 10
    for rule in rules:
        used = set(re.findall(r"meta_ads_[a-z_]+", rule["expr"]))
        assert used, rule
        assert used <= names, rule
        assert rule["annotations"]["mend"]
    page = (ROOT / "docs/reference/metrics.md").read_text()
    told = set(re.findall(r"^\| `(meta_ads_[a-z_]+)", page, re.MULTILINE))
    assert told == names
    known = {rule["alert"] for rule in rules}
    assert set(re.findall(r"MetaAds[A-Za-z]+", page)) == known
    scraped = YAML(typ="safe").load((ROOT / "docs/reference/prometheus.yml").read_text())
    assert scraped["rule_files"] == ["prometheus-alerts.yml"]


@pytest.mark.integration
def test_every_report_of_every_account_is_counted_once(databases) -> None:
    """How long years of many accounts take is for `python -m tests.bench upkeep`."""
    with databases.fresh("plain") as url, Warehouse(url) as warehouse:
        fill(warehouse, accounts=20, days=30)
        found = read_state(warehouse)
    assert len(found.newest) == 240
    assert found.failures["report_1"] == (20, 0)
