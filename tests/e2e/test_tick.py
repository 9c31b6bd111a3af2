"""The tick as Dagster runs it: the current day of accounts that deliver, then the marts, and nothing asked in vain."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
import requests

from orchestration.build import build_marts
from orchestration.defs.build import build_defs
from orchestration.defs.partitions import ACCOUNTS, account_key
from orchestration.defs.raw import report_key
from orchestration.defs.tick import every_quarter_hour, tick
from tests.e2e.harness import NOW, Bench, Simulator, account_ids, running_simulator, scalar, truth
from tests.e2e.sources import BenchSource
from warehouse.connect import Warehouse
from warehouse.ops.today import current_day_lock

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("tick")]

HOURS_TODAY = "SELECT count(*) FROM marts.fct_ad_hour WHERE (account_id, day) = (%s, %s)"
SECOND_PULL = timedelta(minutes=15)


@pytest.fixture(scope="module")
def shared_simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """At the pace of a real clock: a tick that takes seconds must not last for hours."""
    with running_simulator(tmp_path_factory.mktemp("simulator"), "--job-seconds", "0.1", speed=1.0) as simulator:
        yield simulator


@pytest.fixture
def bench(simulator: Simulator, databases, tmp_path: Path) -> Iterator[Bench]:
    simulator.post("clock", {"set": NOW.isoformat()})
    with databases.built(tmp_path / "home") as url, Warehouse(url) as warehouse:
        yield Bench(simulator, warehouse, tmp_path, speed=1.0)


@pytest.fixture
def instance(bench: Bench, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as opened:
        opened.add_dynamic_partitions(ACCOUNTS.name, [account_key(i) for i in account_ids(bench.simulator)])
        yield opened


def run(bench: Bench, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    resources = {"platform": BenchSource(bench), "in_memory": dg.mem_io_manager}
    return tick.execute_in_process(instance=instance, resources=resources, raise_on_error=False)


def today(bench: Bench, account: int) -> date:
    zone = scalar(
        bench.warehouse, "SELECT payload ->> 'timezone_name' FROM raw.accounts WHERE account_id = %s", account
    )
    now = datetime.fromisoformat(bench.simulator.get("state?jobs=0")["now"])
    return now.astimezone(ZoneInfo(zone)).date()


def pulls_of(bench: Bench, account: int, day: date) -> int:
    """How often the hours of a day were pulled."""
    statement = "SELECT count(*) FROM raw.insight_revision WHERE (account_id, report, day) = (%s, 'ad_hourly', %s)"
    return scalar(bench.warehouse, statement, account, day)


def write(bench: Bench, node: int, **changes: str) -> None:
    """What a person changes in Ads Manager."""
    answer = requests.post(
        f"{bench.simulator.url}/v26.0/{node}", data={"access_token": "SIMULATOR", **changes}, timeout=30
    )
    assert answer.ok, answer.text


def marts(bench: Bench) -> dict[str, list[str]]:
    """Every row of every table of marts and histories, but for what tells which build wrote it."""
    with bench.warehouse.connection() as connection:
        names = connection.execute(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('marts', 'intermediate') ORDER BY 1, 2"
        ).fetchall()
        found = {}
        for schema, name in names:
            # Reason: until when a version was seen moves with each pull, and only histories, which are built with the
            # versions, ask for it.
            row = "to_jsonb(t) - 'last_pulled_at'" if name == "int_object_versions" else "t"
            listed = connection.execute(f'SELECT ({row})::text FROM {schema}."{name}" t')
            found[f"{schema}.{name}"] = sorted(text for (text,) in listed)
        return found


def test_a_tick_brings_the_current_day_into_the_marts_and_tells_dagster(bench, instance):
    account, *_ = account_ids(bench.simulator)
    yesterday = NOW.date() - timedelta(days=1)
    bench.pull(since=yesterday - timedelta(days=2), until=yesterday)
    build_marts(bench.platform())
    result = run(bench, instance)
    assert result.success, [event for event in result.all_events if event.is_failure]

    day = today(bench, account)
    now = datetime.fromisoformat(bench.simulator.get("state?jobs=0")["now"])
    spent = scalar(
        bench.warehouse, "SELECT sum(spend) FROM marts.fct_ad_hour WHERE (account_id, day) = (%s, %s)", account, day
    )
    before, after = (
        sum(Decimal(row["spend"]) for row in truth(bench.simulator, account, "ad_hourly", day, day, at).values())
        for at in (NOW, now)
    )
    assert before <= spent <= after
    assert before > 0
    # Told: each account's day, and the tables that were built.
    told = instance.get_materialized_partitions(report_key("ad_hourly"))
    with_hours = scalar(bench.warehouse, "SELECT count(*) FROM ops.slice WHERE report = 'ad_hourly' AND day >= %s", day)
    assert len([key for key in told if str(day) in key]) == with_hours > 1
    assert str(day) in instance.get_materialized_partitions(dg.AssetKey(["marts", "fct_ad_hour"]))
    assert str(day) not in instance.get_materialized_partitions(dg.AssetKey(["marts", "fct_ad_day"]))
    fresh = [event for event in result.get_asset_check_evaluations() if event.check_name == "fresh"]
    assert {event.partition for event in fresh} == {account_key(i) for i in account_ids(bench.simulator)}
    assert all(event.passed for event in fresh), fresh
    # A build of everything would write nothing else.
    held = marts(bench)
    build_marts(bench.platform(), force=True)
    assert marts(bench) == held


def test_a_second_tick_asks_for_hours_again_only_when_meta_can_have_new_ones(bench):
    account, *_ = account_ids(bench.simulator)
    assert bench.pull(current=True).status == "succeeded"
    day = today(bench, account)
    assert bench.pull(current=True).status == "succeeded"
    assert pulls_of(bench, account, day) == 1
    bench.simulator.post("clock", {"advance": SECOND_PULL.total_seconds()})
    assert bench.pull(current=True).status == "succeeded"
    assert pulls_of(bench, account, day) == 2


def test_a_paused_account_is_asked_once_more_and_then_left_alone(bench):
    account, *_ = account_ids(bench.simulator)
    assert bench.pull(current=True).status == "succeeded"
    day = today(bench, account)
    with bench.warehouse.connection() as connection:
        campaigns = [
            row[0] for row in connection.execute("SELECT id FROM raw.campaigns WHERE account_id = %s", [account])
        ]
    for campaign in campaigns:
        write(bench, campaign, status="PAUSED")
    for _ in range(7):
        bench.simulator.post("clock", {"advance": SECOND_PULL.total_seconds()})
        assert bench.pull(current=True).status == "succeeded"
    pulled = pulls_of(bench, account, day)
    assert 2 <= pulled <= 6  # until an hour after the last change
    for _ in range(2):
        bench.simulator.post("clock", {"advance": SECOND_PULL.total_seconds()})
        assert bench.pull(current=True).status == "succeeded"
    assert pulls_of(bench, account, day) == pulled
    write(bench, campaigns[0], status="ACTIVE")
    bench.simulator.post("clock", {"advance": 60})
    assert bench.pull(current=True).status == "succeeded"
    assert pulls_of(bench, account, day) == pulled + 1


def test_what_one_account_cannot_give_is_told_and_the_others_are_in_the_marts(bench, instance):
    refused, other, *_ = account_ids(bench.simulator)
    bench.pull(entities=True, since=NOW.date() - timedelta(days=1), reports=("ad_daily", "account_daily"))
    bench.simulator.inject("capability", account=str(refused))
    result = run(bench, instance)
    assert not result.success
    failed = [event for event in result.all_events if event.is_step_failure]
    assert [event.step_key for event in failed] == ["fail_if_parts_failed"]
    assert f"act_{refused}" in failed[0].step_failure_data.error_display_string
    assert scalar(bench.warehouse, HOURS_TODAY, other, today(bench, other)) > 0
    assert scalar(bench.warehouse, HOURS_TODAY, refused, today(bench, refused)) == 0


def test_of_two_pulls_at_once_one_asks(bench):
    account, *_ = account_ids(bench.simulator)
    with current_day_lock(bench.warehouse, account) as is_ours:
        assert is_ours
        assert bench.pull(current=True).status == "succeeded"
    assert pulls_of(bench, account, today(bench, account)) == 0
    assert bench.pull(current=True).status == "succeeded"
    assert pulls_of(bench, account, today(bench, account)) == 1


def test_a_tick_is_not_asked_for_while_one_goes_on(bench, instance):
    defs = build_defs(BenchSource(bench))
    context = dg.build_schedule_context(instance, scheduled_execution_time=NOW)
    assert isinstance(every_quarter_hour(context), dg.RunRequest)
    job = defs.resolve_job_def("tick")
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags={"meta-ads/tick": "1"})
    assert run.run_id in str(every_quarter_hour(context).skip_message)
