"""Housekeeping on real databases: what is old goes, and what is held stays known."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import dagster as dg
import psycopg
import pytest
from pydantic import SecretStr

from orchestration.defs.maintenance import maintenance
from orchestration.defs.partitions import account_key
from orchestration.defs.raw import FULL_TAG, raw_assets
from orchestration.defs.schedules import FULL_SLOTS, full_pull_due, weekly_entities_full
from orchestration.errors import ConfigurationError
from orchestration.maintenance import keep_house
from tests.e2e.harness import Bench, account_ids, scalar
from tests.e2e.test_dagster import AT_ONCE, BenchSource
from tests.e2e.test_dagster import instance as local_instance  # noqa: F401 - a fixture
from warehouse.event_log import Purged, purge_event_log
from warehouse.ops import UsageStore
from warehouse.ops.purge import purge_ops

pytestmark = [pytest.mark.integration, pytest.mark.slow]

DAYS = dg.DailyPartitionsDefinition("2026-01-01", end_date="2026-03-01")
KEYS = dg.MultiPartitionsDefinition({"account": dg.StaticPartitionsDefinition(["act_1", "act_2"]), "day": DAYS})


def key(account: str, day: int) -> dg.MultiPartitionKey:
    return dg.MultiPartitionKey({"account": account, "day": f"2026-01-{day:02d}"})


@dg.asset(partitions_def=KEYS, check_specs=[dg.AssetCheckSpec("sound", asset="pulled", partitions_def=KEYS)])
def pulled(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    if "fail" in context.run.tags:
        raise RuntimeError("no answer")
    context.log.info("a line of the log")
    return dg.MaterializeResult(
        metadata={"rows": 3}, check_results=[dg.AssetCheckResult(passed="bad" not in context.run.tags)]
    )


class Log:
    """An instance on PostgreSQL, as in production, and what it says about the asset."""

    def __init__(self, instance: dg.DagsterInstance, url: str) -> None:
        self.instance, self.url = instance, url

    def run(self, partition: dg.MultiPartitionKey, *tags: str) -> str:
        result = dg.materialize(
            [pulled],
            partition_key=partition,
            instance=self.instance,
            tags=dict.fromkeys(tags, "1"),
            raise_on_error=False,
        )
        return result.run_id

    def age(self, *run_ids: str, days: int = 60) -> None:
        """Moves runs into the past."""
        self.do(
            "UPDATE event_logs SET timestamp = timestamp - make_interval(days => %s) WHERE run_id = ANY(%s)",
            days,
            [*run_ids],
        )
        self.do("UPDATE runs SET end_time = end_time - %s WHERE run_id = ANY(%s)", days * 86400, [*run_ids])
        self.do(
            "UPDATE asset_check_executions SET create_timestamp = create_timestamp - make_interval(days => %s)"
            " WHERE run_id = ANY(%s)",
            days,
            [*run_ids],
        )

    def do(self, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def materialized(self) -> set[str]:
        return set(self.instance.get_materialized_partitions(pulled.key))

    def count(self, table: str) -> int:
        return int(str(self.do(f"SELECT count(*) FROM {table}")[0][0]))

    def checks(self) -> dict[str, str]:
        """The newest result by partition."""
        rows = self.do("SELECT partition, execution_status FROM asset_check_executions ORDER BY id")
        return {str(partition): str(status) for partition, status in rows}


@pytest.fixture
def log(plain_url: str, tmp_path: Path) -> Iterator[Log]:
    storage = {"storage": {"postgres": {"postgres_url": plain_url}}, "telemetry": {"enabled": False}}
    with dg.instance_for_test(temp_dir=str(tmp_path), overrides=storage) as instance:
        yield Log(instance, plain_url)


def month_ago() -> datetime:
    return datetime.now(UTC) - timedelta(days=30)


def test_partitions_stay_materialized_and_young_runs_stay_as_they_are(log: Log) -> None:
    old = [log.run(key("act_1", day)) for day in (1, 2, 3)]
    old += [log.run(key("act_1", 3)), log.run(key("act_2", 9), "fail")]
    log.age(*old)
    young = [log.run(key("act_1", 2), "bad"), log.run(key("act_2", 4))]
    before = log.materialized()
    assert len(before) == 4
    kept = {run: len(log.instance.all_logs(run)) for run in young}
    tags, checks = log.count("asset_event_tags"), log.checks()

    purged = purge_event_log(log.url, month_ago(), batch=3)

    assert purged.runs == len(old)
    assert purged.events > 5 * len(old)
    assert purged.superseded == 2  # day 2 was pulled again lately, day 3 twice
    assert purged.checks == 2
    assert log.materialized() == before
    assert {run: len(log.instance.all_logs(run)) for run in young} == kept
    assert {run.run_id for run in log.instance.get_runs()} == set(young)
    assert log.count("asset_event_tags") < tags
    assert log.do("SELECT count(*) FROM run_tags WHERE run_id = ANY(%s)", old) == [(0,)]
    newest = log.instance.get_latest_materialization_event(pulled.key)
    assert newest is not None
    assert newest.run_id == young[-1]
    assert log.checks() == checks
    assert set(checks) >= {str(key("act_1", 1)), str(key("act_1", 2)), str(key("act_2", 4))}
    assert checks[str(key("act_1", 2))] == "FAILED"
    asset = log.instance.get_asset_records([pulled.key])[0]
    assert asset.asset_entry.last_run_id == young[-1]
    # What a newer one of the same partition made needless is gone, what is the newest of its partition is not.
    left = log.do(
        "SELECT partition, count(*) FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION' GROUP BY 1"
    )
    assert {count for _, count in left} == {1}

    assert purge_event_log(log.url, month_ago()) == Purged(0, 0, 0, 0, 0)
    again = log.run(key("act_1", 1))
    assert log.instance.get_run_by_id(again).is_success
    assert log.materialized() == before


def test_runs_under_way_and_of_a_backfill_under_way_stay(log: Log) -> None:
    ended = log.run(key("act_1", 1), "dagster/backfill")
    running = log.run(key("act_1", 2))
    log.age(ended, running)
    log.do("UPDATE runs SET status = 'STARTED', end_time = NULL WHERE run_id = %s", running)
    insert = "INSERT INTO bulk_actions (key, status, timestamp) VALUES ('1', %s, now() - interval '60 days')"
    log.do(insert, "REQUESTED")
    assert purge_event_log(log.url, month_ago()) == Purged(0, 0, 0, 0, 0)
    log.do("UPDATE bulk_actions SET status = 'COMPLETED_SUCCESS'")
    purged = purge_event_log(log.url, month_ago())
    assert (purged.runs, purged.backfills) == (1, 1)
    assert {run.run_id for run in log.instance.get_runs()} == {running}
    assert log.count("bulk_actions") == 0


def test_a_database_that_is_not_dagsters_is_left_alone(plain_url: str) -> None:
    assert purge_event_log(plain_url, month_ago()) == Purged(0, 0, 0, 0, 0)


def test_a_hundred_thousand_events_go_in_batches(log: Log) -> None:
    """How long it takes is in docs/cookbooks/observe.md."""
    log.run(key("act_1", 1))
    log.do(
        """
        INSERT INTO runs (run_id, status, run_body, end_time, create_timestamp, update_timestamp)
        SELECT 'old-' || n, 'SUCCESS', '{}', extract(epoch FROM now()) - 60 * 86400, now(), now()
        FROM generate_series(1, 1000) AS n
        """
    )
    log.do(
        """
        INSERT INTO event_logs (run_id, event, dagster_event_type, timestamp)
        SELECT
            'old-' || (1 + n % 1000), repeat('x', 900), CASE WHEN n % 20 > 0 THEN 'STEP_SUCCESS' END,
            now() - interval '60 days'
        FROM generate_series(1, 100000) AS n
        """
    )
    purged = purge_event_log(log.url, month_ago())
    assert (purged.runs, purged.events) == (1000, 100_000)


def test_the_platforms_own_history_goes_but_not_what_something_rests_on(plain_bench: Bench) -> None:
    bench = plain_bench
    account = account_ids(bench.simulator)[0]
    bench.pull(
        since=date(2026, 11, 6), until=date(2026, 11, 6), reports=("ad_daily",), accounts=(account,), entities=False
    )
    UsageStore(bench.warehouse).count([("1", datetime(2020, 1, 1, tzinfo=UTC), 1, 0, 0.0, 0)])
    with bench.warehouse.connection() as connection:
        connection.execute("UPDATE ops.run SET finished_at = now() - interval '200 days'")
        for n, status in enumerate(["succeeded", "failed", "running"]):
            connection.execute(
                "INSERT INTO ops.run (run_id, kind, status, finished_at) VALUES (%s, 'pull', %s, now() - %s::interval)",
                [uuid4(), status, f"{100 + n} days"],
            )
        for ago in (200, 150):
            connection.execute(
                "INSERT INTO ops.mart_build (status, slices, finished_at) "
                "VALUES ('succeeded', 1, now() - %s::interval)",
                [f"{ago} days"],
            )
            for expectation in ("*", "e"):
                connection.execute(
                    "INSERT INTO ops.quality_result VALUES (1, 'ad_daily', now() - %s::interval, %s, gen_random_uuid(),"
                    " now(), now(), 'error', false, NULL, 1, '{}', '{}', 'm', 'm')",
                    [f"{ago} days", expectation],
                )
        connection.execute("UPDATE ops.report_job SET finished_at = now() - interval '200 days'")
    jobs = scalar(bench.warehouse, "SELECT count(*) FROM ops.report_job")
    before = datetime.now(UTC) - timedelta(days=90)
    assert purge_ops(bench.warehouse, before, batch=1) == {
        "run": 2,
        "report_job": jobs,
        "quality_result": 2,
        "mart_build": 1,
        "api_hour": 1,
    }
    assert jobs
    assert set(purge_ops(bench.warehouse, before).values()) == {0}
    # The run that a slice names, with its row of the account, is traced for ever.
    assert scalar(bench.warehouse, "SELECT count(*) FROM ops.run_account JOIN ops.slice USING (run_id)") == 1
    assert scalar(bench.warehouse, "SELECT count(*) FROM ops.run WHERE status = 'running'") == 1
    assert scalar(bench.warehouse, "SELECT value FROM ops.counter WHERE name = 'slices_written'") == 1


def test_the_job_does_all_of_it_and_never_drops_what_would_be_pulled_again(log: Log, plain_bench: Bench) -> None:
    bench = plain_bench
    account = account_ids(bench.simulator)[0]
    for day in (date(2022, 1, 5), date(2026, 11, 6)):
        bench.pull(since=day, until=day, reports=("ad_daily",), accounts=(account,), entities=False)
    old = log.run(key("act_1", 1))
    log.age(old)
    bench.settings["dagster_database_url"] = SecretStr(log.url)
    bench.settings["raw_kept_days"] = 100
    with pytest.raises(ConfigurationError, match="would come back"):
        keep_house(bench.platform())
    bench.settings["raw_kept_days"] = 1500
    result = maintenance.execute_in_process(instance=log.instance, resources={"platform": BenchSource(bench)})
    assert result.success
    assert log.instance.get_run_by_id(old) is None
    assert scalar(bench.warehouse, "SELECT count(*) FROM ops.slice") == 1
    done = keep_house(bench.platform())
    assert (done.raw_slices, done.event_log) == (0, Purged(0, 0, 0, 0, 0))


def test_each_account_is_asked_in_full_once_a_week_and_not_all_at_once() -> None:
    """Each new week begins in the account's own Monday night, and no quarter of an hour has many accounts."""
    accounts = range(FULL_SLOTS * 2)
    for zone in ("Asia/Tokyo", "America/Los_Angeles"):
        starts: dict[datetime, int] = {}
        for account in accounts:
            before = None
            for quarter in range(15 * 96):
                now = datetime(2026, 11, 15, tzinfo=UTC) + timedelta(minutes=15 * quarter)
                week = full_pull_due(account, zone, now)
                here = now.astimezone(ZoneInfo(zone))
                if week and before and week != before:
                    assert here.isoweekday() == 1
                    assert 1 <= here.hour < 6
                    starts[now] = starts.get(now, 0) + 1
                before = week or before
        assert len(starts) in (2 * FULL_SLOTS, 3 * FULL_SLOTS)
        assert set(starts.values()) == {2}
    assert {full_pull_due(account, "UTC", datetime(2026, 11, 19, tzinfo=UTC)) for account in accounts} == {"2026-W47"}


def test_in_full_means_what_has_not_changed_too(plain_bench: Bench, local_instance: dg.DagsterInstance) -> None:  # noqa: F811
    bench = plain_bench
    account = account_ids(bench.simulator)[0]
    source = BenchSource(bench)
    at = datetime(2026, 11, 18, 12, tzinfo=UTC)
    context = dg.build_schedule_context(local_instance, scheduled_execution_time=at, resources={"platform": source})
    requests = {request.partition_key: request for request in weekly_entities_full(context)}
    request = requests[account_key(account)]
    assert request.run_key == f"act_{account} in full 2026-W47"
    assert request.tags[FULL_TAG] == "true"

    def pull(tags: dict[str, str]) -> int:
        dg.materialize(
            [raw_assets(AT_ONCE)[0]],
            instance=local_instance,
            partition_key=account_key(account),
            resources={"platform": source},
            tags=tags,
        )
        return int(scalar(bench.warehouse, "SELECT count(*) FROM raw.ads WHERE account_id = %s", account))

    ads = pull({})
    with bench.warehouse.connection() as connection:
        # An object that got lost and has not changed since: nothing incremental brings it back.
        connection.execute(
            "DELETE FROM raw.ads WHERE account_id = %s AND updated_time < "
            "(SELECT max(updated_time) - interval '2 hours' FROM raw.ads WHERE account_id = %s)",
            [account, account],
        )
    assert pull({}) < ads
    assert pull(dict(request.tags)) == ads
