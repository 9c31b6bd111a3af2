"""Assets, sensors and builds as Dagster runs them, on a simulator and a real database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from orchestration.build import build_marts
from orchestration.defs.accounts import new_accounts
from orchestration.defs.checks import RECONCILED, TOTALS, check_key, raw_checks
from orchestration.defs.marts import build_due, mart_assets
from orchestration.defs.partitions import ACCOUNTS, account_day_key, account_key
from orchestration.defs.raw import raw_assets, report_key
from orchestration.defs.schedules import daily_entities, daily_window
from orchestration.transform import parse_project
from tests.e2e.harness import NOW, Bench, Simulator, account_ids, scalar
from tests.e2e.sources import BenchSource
from warehouse.ops import held_days

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SINCE, UNTIL = date(2026, 11, 5), date(2026, 11, 8)
REPORTS = ("ad_daily", "account_daily")
AT_ONCE = dg.RetryPolicy(max_retries=1, delay=0)


@pytest.fixture
def instance(simulator: Simulator, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as opened:
        opened.add_dynamic_partitions(ACCOUNTS.name, [account_key(i) for i in account_ids(simulator)])
        yield opened


def pull(bench: Bench, instance: dg.DagsterInstance, account: int, *reports: str) -> dg.ExecuteInProcessResult:
    """A run over an account and a range of days, as a backfill or the schedule makes them."""
    insights = raw_assets(AT_ONCE)[1]
    job = dg.define_asset_job("pull", dg.AssetSelection.assets(*(report_key(name) for name in reports)))
    defs = dg.Definitions([insights], jobs=[job], resources={"platform": BenchSource(bench)})
    ends = {"start": SINCE, "end": UNTIL}
    tags = {f"dagster/asset_partition_range_{end}": account_day_key(account, day) for end, day in ends.items()}
    return defs.resolve_job_def("pull").execute_in_process(
        instance=instance, tags={name: str(key) for name, key in tags.items()}, raise_on_error=False
    )


def told(instance: dg.DagsterInstance, report: str, label: str) -> dict[str, object]:
    """An entry of the metadata of each partition of a report."""
    records = instance.fetch_materializations(report_key(report), limit=100).records
    events = [record.asset_materialization for record in records]
    return {event.partition: event.metadata[label].value for event in events if event}


def asked(bench: Bench) -> list[dict[str, list[list[str]]]]:
    """The ranges of each report that each pull asked for, in the order of the pulls."""
    with bench.warehouse.connection() as connection:
        rows = connection.execute("SELECT state -> 'plan' FROM ops.run ORDER BY started_at").fetchall()
    return [next(iter(plan.values())) for (plan,) in rows]


def test_a_range_of_an_account_is_one_pull_and_every_day_a_partition(plain_bench, instance):
    account, *others = account_ids(plain_bench.simulator)
    before = plain_bench.simulator.get("state?jobs=0")["calls"]
    result = pull(plain_bench, instance, account, *REPORTS)
    assert result.success
    assert asked(plain_bench) == [{name: [[SINCE.isoformat(), UNTIL.isoformat()]] for name in REPORTS}]
    for name in REPORTS:
        held = instance.get_materialized_partitions(report_key(name))
        assert len(held) == 4
        assert all(key.endswith(f"act_{account}") or key.startswith(f"act_{account}|") for key in held)
    assert not instance.get_materialized_partitions(report_key("ad_hourly"))
    counted = "SELECT day, row_count FROM ops.slice WHERE account_id = %s AND report = 'ad_daily'"
    with plain_bench.warehouse.connection() as connection:
        expected = {str(account_day_key(account, day)): rows for day, rows in connection.execute(counted, [account])}
    assert told(instance, "ad_daily", "dagster/partition_row_count") == expected
    calls = set(told(instance, "ad_daily", "api_calls_of_the_step").values())
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    assert {str(count) for count in calls} == {run.tags["meta-ads/api_calls"]}
    assert int(run.tags["meta-ads/api_calls"]) == plain_bench.simulator.get("state?jobs=0")["calls"] - before
    rows = "SELECT count(*) FROM ops.slice WHERE account_id = %s"
    assert scalar(plain_bench.warehouse, rows, account) == 8
    assert not any(scalar(plain_bench.warehouse, rows, other) for other in others)


def test_a_second_attempt_asks_only_for_what_the_first_did_not_get(plain_bench, instance):
    """One refusal of one report: the other report is not paid for twice, and all is there in the end."""
    account = account_ids(plain_bench.simulator)[0]
    plain_bench.simulator.inject("capability", account=str(account), kind="insights_async", times=1)
    result = pull(plain_bench, instance, account, *REPORTS)
    assert result.success
    first, second = asked(plain_bench)
    assert set(first) == set(REPORTS)
    repeated = {name: found for name, found in second.items() if found}
    assert len(repeated) == 1
    for name in REPORTS:
        assert len(instance.get_materialized_partitions(report_key(name))) == 4


def test_a_refused_token_fails_at_once_and_says_how_to_mend_it(plain_bench, instance):
    account = account_ids(plain_bench.simulator)[0]
    plain_bench.simulator.inject("token_expired")
    result = pull(plain_bench, instance, account, *REPORTS)
    assert not result.success
    (failure,) = [event for event in result.all_events if event.is_step_failure]
    text = failure.step_failure_data.error_display_string
    assert "Mend:" in text
    assert "SIMULATOR" not in text
    assert not [event for event in result.all_events if event.is_step_up_for_retry]


def test_accounts_become_partitions_and_go_again(plain_bench, instance):
    for key in instance.get_dynamic_partitions(ACCOUNTS.name):
        instance.delete_dynamic_partition(ACCOUNTS.name, key)
    instance.add_dynamic_partitions(ACCOUNTS.name, ["act_1"])

    def evaluate() -> dg.SensorResult | dg.SkipReason:
        context = dg.build_sensor_context(instance, resources={"platform": BenchSource(plain_bench)})
        return new_accounts(context)

    add, retire = evaluate().dynamic_partitions_requests
    assert set(add.partition_keys) == {account_key(i) for i in account_ids(plain_bench.simulator)}
    assert list(retire.partition_keys) == ["act_1"]
    instance.delete_dynamic_partition(ACCOUNTS.name, "act_1")
    instance.add_dynamic_partitions(ACCOUNTS.name, list(add.partition_keys))
    assert evaluate().dynamic_partitions_requests == []
    plain_bench.simulator.inject("token_expired")
    refused = evaluate()
    assert isinstance(refused, dg.SkipReason)
    assert "SIMULATOR" not in str(refused)


def test_schedules_ask_for_each_account_once_in_its_day(plain_bench, instance):
    source = BenchSource(plain_bench)

    def evaluate(schedule: dg.ScheduleDefinition, at: datetime) -> list[dg.RunRequest]:
        context = dg.build_schedule_context(instance, scheduled_execution_time=at, resources={"platform": source})
        return list(schedule(context))

    accounts = {account_key(i) for i in account_ids(plain_bench.simulator)}
    for schedule in (daily_window, daily_entities):
        days = [evaluate(schedule, NOW + timedelta(hours=hour)) for hour in range(25)]
        keys = [request.run_key for requests in days for request in requests]
        assert {request.tags["meta-ads/account"] for request in days[0]} == accounts
        assert len(set(keys)) == 2 * len(accounts)  # asked every hour, and a run on two days


def test_a_build_tells_its_tables_and_checks_once(built_bench, instance):
    source = BenchSource(built_bench)
    built_bench.pull(since=SINCE, until=SINCE, reports=REPORTS, entities=False)
    first = build_due.execute_in_process(instance=instance, resources={"platform": source})
    assert first.success
    assert scalar(built_bench.warehouse, "SELECT sum(spend) FROM marts.fct_ad_day")
    assert instance.get_materialized_partitions(dg.AssetKey(["marts", "fct_ad_day"])) == {str(SINCE)}
    told = first.get_asset_check_evaluations()
    assert len(told) > 200
    assert all(evaluation.passed for evaluation in told)
    idle = build_due.execute_in_process(instance=instance, resources={"platform": source})
    assert idle.success
    assert not idle.get_asset_check_evaluations()

    # A test that fails is told, then that it passes again.
    with built_bench.warehouse.connection() as connection:
        connection.execute("UPDATE ops.slice SET build_id = NULL, row_count = row_count + 1 WHERE report = 'ad_daily'")
    broken = build_due.execute_in_process(instance=instance, resources={"platform": source}, raise_on_error=False)
    assert not broken.success
    failed = [evaluation for evaluation in broken.get_asset_check_evaluations() if not evaluation.passed]
    assert [evaluation.check_name for evaluation in failed] == ["stg_meta__insights_ad_daily__rows_match_slice"]
    with built_bench.warehouse.connection() as connection:
        connection.execute("UPDATE ops.slice SET row_count = row_count - 1 WHERE report = 'ad_daily'")
    mended = build_due.execute_in_process(instance=instance, resources={"platform": source})
    names = {evaluation.check_name: evaluation.passed for evaluation in mended.get_asset_check_evaluations()}
    assert names == {"stg_meta__insights_ad_daily__rows_match_slice": True}


AS_EXPECTED = check_key("ad_daily")
ADDS_UP = dg.AssetCheckKey(report_key(TOTALS), RECONCILED)


def check(
    bench: Bench, instance: dg.DagsterInstance, account: int, key: dg.AssetCheckKey = AS_EXPECTED
) -> dg.AssetCheckEvaluation:
    """A check on its own, as somebody runs it again from the page of the asset."""
    job = dg.define_asset_job("check", dg.AssetSelection.checks(key))
    defs = dg.Definitions(
        raw_assets(AT_ONCE), asset_checks=[raw_checks], jobs=[job], resources={"platform": BenchSource(bench)}
    )
    ends = {"start": SINCE, "end": UNTIL}
    tags = {f"dagster/asset_partition_range_{end}": account_day_key(account, day) for end, day in ends.items()}
    result = defs.resolve_job_def("check").execute_in_process(
        instance=instance, tags={name: str(key) for name, key in tags.items()}, raise_on_error=False
    )
    (evaluation,) = result.get_asset_check_evaluations()
    return evaluation


def is_error(evaluation: dg.AssetCheckEvaluation) -> bool:
    """A warning (in so short a history each rare field is a new one) stops nothing."""
    return not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.ERROR


def test_a_failed_check_holds_the_days_of_that_account_and_nothing_else(built_bench, instance):
    """A row that got lost: the marts keep what they held of that day, and take in every other."""
    bench = built_bench
    bad, other, *_ = account_ids(bench.simulator)
    day = "(account_id, day) = (%s, '2026-11-06')"
    rows = f"SELECT count(*) FROM marts.fct_ad_day WHERE {day}"
    due = "SELECT count(*) FROM ops.slice WHERE build_id IS NULL AND account_id = %s"
    bench.pull(since=SINCE, until=UNTIL, reports=REPORTS)
    assert not is_error(check(bench, instance, bad))
    assert check(bench, instance, bad, ADDS_UP).passed
    build_marts(bench.platform())
    before = scalar(bench.warehouse, rows, bad)
    smallest = f"SELECT min(ad_id) FROM marts.fct_ad_day WHERE {day}"
    lose = f"DELETE FROM raw.insights_ad_daily WHERE {day} AND ad_id = ({smallest})"
    with bench.warehouse.connection() as connection:
        connection.execute(lose, [bad, bad])
        connection.execute("UPDATE ops.slice SET build_id = NULL, digest = NULL")
    apart = check(bench, instance, bad, ADDS_UP)
    assert (apart.passed, apart.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert f"act_{bad} 2026-11-06: spend differs by -" in apart.description
    assert "2026-11-07" not in apart.description
    failed = check(bench, instance, bad)
    assert is_error(failed)
    assert f"act_{bad}" in failed.description
    assert "Mend:" in failed.description
    assert not is_error(check(bench, instance, other))
    assert {(held.account_id, str(held.day)) for held in held_days(bench.warehouse)} == {(bad, "2026-11-06")}

    build_marts(bench.platform())
    assert scalar(bench.warehouse, rows, bad) == before
    assert scalar(bench.warehouse, due, bad) == 2
    assert scalar(bench.warehouse, due, other) == 0
    assert build_marts(bench.platform()).result is None  # what is held is not due

    bench.pull(since=SINCE, until=UNTIL, reports=REPORTS, accounts=(bad,), entities=False)
    assert not is_error(check(bench, instance, bad))
    assert held_days(bench.warehouse) == []
    build_marts(bench.platform())
    assert scalar(bench.warehouse, rows, bad) == before
    assert scalar(bench.warehouse, due, bad) == 0


def test_objects_of_an_account_come_without_insights(plain_bench, instance):
    account = account_ids(plain_bench.simulator)[0]
    entities = raw_assets(AT_ONCE)[0]
    result = dg.materialize(
        [entities],
        instance=instance,
        partition_key=account_key(account),
        resources={"platform": BenchSource(plain_bench)},
    )
    assert result.success
    for kind in ("accounts", "campaigns", "adsets", "ads", "activities"):
        assert scalar(plain_bench.warehouse, f"SELECT count(*) FROM raw.{kind} WHERE account_id = %s", account), kind
    assert scalar(plain_bench.warehouse, "SELECT count(*) FROM ops.slice") == 0


def test_chosen_days_are_built_again_and_a_part_of_the_models_leaves_the_rest_due(built_bench, instance, tmp_path):
    bench = built_bench
    bench.pull(since=SINCE, until=UNTIL, reports=REPORTS)
    build_marts(bench.platform())
    due = "SELECT count(*) FROM ops.slice WHERE build_id IS NULL"
    spend = "SELECT sum(spend) FROM marts.fct_ad_day WHERE day = '2026-11-06'"
    before = scalar(bench.warehouse, spend)
    assert before
    with bench.warehouse.connection() as connection:
        connection.execute("DELETE FROM marts.fct_ad_day WHERE day IN ('2026-11-06', '2026-11-07')")
        connection.execute("UPDATE ops.slice SET build_id = NULL WHERE day = '2026-11-08'")
    waiting = scalar(bench.warehouse, due)
    marts = mart_assets(parse_project(tmp_path / "dbt"))
    result = dg.materialize(
        [marts],
        instance=instance,
        partition_key="2026-11-06",
        selection=dg.AssetSelection.assets(["marts", "fct_ad_day"]),
        resources={"platform": BenchSource(bench)},
    )
    assert result.success
    assert scalar(bench.warehouse, spend) == before
    assert scalar(bench.warehouse, "SELECT count(*) FROM marts.fct_ad_day WHERE day = '2026-11-07'") == 0
    assert scalar(bench.warehouse, due) == waiting
    assert instance.get_materialized_partitions(dg.AssetKey(["marts", "fct_ad_day"])) == {"2026-11-06"}
    checks = result.get_asset_check_evaluations()
    assert len(checks) > 3
    assert all(check.passed for check in checks)
