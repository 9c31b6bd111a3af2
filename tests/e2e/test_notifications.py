"""From a change at Meta to the warehouse: notification, sensor, run; a burst is one pull."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.remote_origin import GrpcServerCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster_shared.serdes import deserialize_value, serialize_value

from orchestration.defs.notifications import PULL_TAG, notifications
from orchestration.defs.partitions import ACCOUNTS, account_key
from orchestration.defs.raw import raw_assets
from orchestration.defs.schedules import daily_insights, daily_objects
from tests.e2e.harness import Bench, account_ids, scalar
from tests.e2e.receiving import Receiver, active_adset, deliver, pause, wait_for
from tests.e2e.sources import BenchSource
from warehouse.connect import Warehouse
from warehouse.ops.notifications import forget_notifications

# A queued run must say which code location knows its job.
ORIGIN = RemoteJobOrigin(
    RemoteRepositoryOrigin(GrpcServerCodeLocationOrigin("127.0.0.1", port=1, location_name="meta-ads"), "all"),
    "daily_objects",
)

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture
def instance(plain_bench: Bench, tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    (tmp_path / "dagster").mkdir()
    with dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as opened:
        opened.add_dynamic_partitions(ACCOUNTS.name, [account_key(i) for i in account_ids(plain_bench.simulator)])
        yield opened


def evaluate(bench: Bench, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    """What the sensor asks for, as it reaches the daemon."""
    context = dg.build_sensor_context(
        instance,
        sensor_name="notifications",
        resources={"platform": BenchSource(bench)},
        repository_def=definitions(bench).get_repository_def(),
    )
    with dg.partition_loading_context(dynamic_partitions_store=instance):
        requests = notifications.evaluate_tick(context).run_requests or []
    return [deserialize_value(serialize_value(request), dg.RunRequest) for request in requests]


def definitions(bench: Bench) -> dg.Definitions:
    return dg.Definitions(
        raw_assets(), jobs=[daily_objects, daily_insights], resources={"platform": BenchSource(bench)}
    )


def launch(bench: Bench, instance: dg.DagsterInstance, request: dg.RunRequest) -> dg.ExecuteInProcessResult:
    """The run of a request, with the tags that the daemon gives it."""
    tags = request.tags | {"dagster/run_key": request.run_key or "", "dagster/sensor_name": "notifications"}
    job = definitions(bench).resolve_job_def(request.job_name or "")
    with dg.partition_loading_context(dynamic_partitions_store=instance):
        return job.execute_in_process(
            instance=instance, partition_key=request.partition_key, asset_selection=request.asset_selection, tags=tags
        )


def test_a_change_at_meta_is_in_the_warehouse_a_notification_later(
    plain_bench: Bench, receiver: Receiver, accounts: list[int], instance: dg.DagsterInstance
) -> None:
    account, adset = accounts[0], active_adset(plain_bench.simulator, accounts[0])
    assert evaluate(plain_bench, instance) == []
    pause(plain_bench.simulator, adset["id"])
    wait_for(receiver.stored)
    (request,) = evaluate(plain_bench, instance)
    assert (request.job_name, request.partition_key) == ("daily_objects", account_key(account))
    assert request.tags["meta-ads/account"] == account_key(account)
    # The daemon dies before the run exists: the same run is asked for again.
    (again,) = evaluate(plain_bench, instance)
    assert again.run_key == request.run_key
    assert [row["state"] for row in receiver.stored()] == ["new"]
    assert launch(plain_bench, instance, request).success
    status = "SELECT effective_status FROM raw.adsets WHERE account_id = %s AND id = %s"
    assert scalar(plain_bench.warehouse, status, account, int(adset["id"])) == "PAUSED"
    assert evaluate(plain_bench, instance) == []
    (row,) = receiver.stored()
    assert (row["state"], row["run_key"]) == ("asked", request.run_key)
    assert row["asked_at"] >= row["received_at"]


def test_a_burst_is_one_pull_and_one_more_at_most_while_it_waits(
    plain_bench: Bench, receiver: Receiver, accounts: list[int], instance: dg.DagsterInstance
) -> None:
    def notify(numbers: range) -> None:
        before = len(receiver.stored())
        for number in numbers:
            value = {"id": str(number), "level": "AD"}
            deliver(plain_bench.simulator, account=accounts[0], field="effective_status", value=value, times=2)
        wait_for(lambda: len(receiver.stored()) == before + len(numbers))

    notify(range(30))
    (request,) = evaluate(plain_bench, instance)
    notify(range(30, 35))  # Before the run exists: they go with it.
    (again,) = evaluate(plain_bench, instance)
    assert again.run_key == request.run_key

    def run(status: dg.DagsterRunStatus, key: str | None) -> dg.DagsterRun:
        tags = {**request.tags, "dagster/run_key": key or "", "dagster/sensor_name": "notifications"}
        return instance.add_run(dg.DagsterRun("daily_objects", tags=tags, status=status, remote_job_origin=ORIGIN))

    first = run(dg.DagsterRunStatus.STARTED, request.run_key)
    assert evaluate(plain_bench, instance) == []
    assert {row["state"] for row in receiver.stored()} == {"asked"}
    notify(range(35, 40))  # The pull is under way, and may have read what these speak of before they changed.
    (second,) = evaluate(plain_bench, instance)
    assert second.run_key != request.run_key
    run(dg.DagsterRunStatus.QUEUED, second.run_key)
    for number in range(40, 50):  # It waits for its turn, and sees whatever comes until then.
        notify(range(number, number + 1))
        assert evaluate(plain_bench, instance) == []
    rows = receiver.stored()
    assert {row["state"] for row in rows} == {"asked"}
    assert [row["run_key"] for row in rows] == [request.run_key] * 35 + [second.run_key] * 15
    assert instance.get_run_by_id(first.run_id)


def test_numbers_that_moved_pull_the_accounts_own_day(
    plain_bench: Bench, receiver: Receiver, accounts: list[int], instance: dg.DagsterInstance
) -> None:
    account = accounts[0]
    plain_bench.pull(accounts=(account,), insights=False)
    value = {
        "subscription_id": 1,
        "account_id": account,
        "object_id": 5,
        "object_type": "campaign",
        "field": "today_spent",
        "current_value": "1500",
    }
    deliver(plain_bench.simulator, account=account, field="subscriptions", value=value)
    wait_for(receiver.stored)
    (request,) = evaluate(plain_bench, instance)
    assert (request.job_name, request.tags[PULL_TAG]) == ("daily_insights", "today")
    assert launch(plain_bench, instance, request).success
    zone = "SELECT payload ->> 'timezone_name' FROM raw.accounts WHERE account_id = %s"
    today = "SELECT day = (pulled_at AT TIME ZONE %s)::date FROM ops.slice WHERE account_id = %s"
    name = scalar(plain_bench.warehouse, zone, account)
    assert scalar(plain_bench.warehouse, today, name, account) is True
    assert scalar(plain_bench.warehouse, "SELECT count(*) FROM ops.slice WHERE report = 'ad_hourly'") == 1


def test_what_nothing_follows_from_is_ignored_with_its_reason(
    plain_bench: Bench, receiver: Receiver, instance: dg.DagsterInstance
) -> None:
    def body(account: str, field: str) -> bytes:
        entry = {"id": account, "time": 1, "changes": [{"field": field, "value": {}}]}
        return json.dumps({"object": "ad_account", "entry": [entry]}).encode()

    known = str(account_ids(plain_bench.simulator)[0])
    for account, name in (("0", "effective_status"), ("17", "effective_status"), (known, "news"), (known, "feed")):
        receiver.post(body(account, name))
    receiver.post(b"nothing to be understood")
    assert evaluate(plain_bench, instance) == []
    rows = receiver.stored()
    assert [row["state"] for row in rows] == ["ignored"] * 4 + ["unknown"]
    assert "names no account" in rows[0]["reason"]
    assert "act_17 is not an account" in rows[1]["reason"]
    assert "'news' is unknown" in rows[2]["reason"]
    assert forget_notifications(plain_bench.warehouse, rows[3]["received_at"]) == 3
    assert len(receiver.stored()) == 2


def test_without_the_database_the_sensor_skips_and_says_so(
    plain_bench: Bench, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    gone = Bench(plain_bench.simulator, Warehouse("postgresql://nobody@127.0.0.1:1/none"), tmp_path)
    context = dg.build_sensor_context(instance, resources={"platform": BenchSource(gone)})
    told = notifications.evaluate_tick(context)
    assert not told.run_requests
    assert "Cannot connect" in (told.skip_message or "")
