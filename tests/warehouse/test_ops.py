"""Runs, slices, jobs, usage, clients and builds."""

from __future__ import annotations

import multiprocessing
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Event
from uuid import UUID, uuid4

import pytest

from tests.warehouse.rows import ACCOUNT, DAY, provenance, query, row
from warehouse import ops
from warehouse.connect import Warehouse
from warehouse.entities import upsert_entities
from warehouse.errors import BuildInProgress, BuildLost, DatabaseUnavailable, RowRejected
from warehouse.loader import replace_slice
from warehouse.ops.work import Work, add_work, begin_account, finish_account
from warehouse.query import account_overview, server_info, table_sizes
from warehouse.tables import AD_DAILY, PRESETS


def load(warehouse: Warehouse, back: int = 0, account: int = ACCOUNT, clicks: str = "1") -> None:
    day = DAY - timedelta(days=back)
    replace_slice(warehouse, AD_DAILY, account, day, [row(1, day, account, clicks=clicks)], provenance())


def test_builds_take_in_what_is_new(warehouse: Warehouse) -> None:
    load(warehouse, 0)
    load(warehouse, 1)
    with ops.builds.building(warehouse) as build:
        assert (build.slice_count, build.account_days) == (2, 2)
        assert query(warehouse, "SELECT day FROM ops.build_scope ORDER BY 1") == [(DAY - timedelta(days=1),), (DAY,)]
        with pytest.raises(BuildInProgress):
            ops.begin_build(warehouse)
        load(warehouse, 1, clicks="2")  # replaced while the build runs
    assert query(warehouse, "SELECT count(*) FROM ops.build_scope") == [(0,)]
    with ops.builds.building(warehouse) as build:
        assert build.slice_count == 1
        assert query(warehouse, "SELECT day FROM ops.build_scope") == [(DAY - timedelta(days=1),)]
    with ops.builds.building(warehouse) as build:
        assert build.slice_count == 0
    assert query(warehouse, "SELECT status, slices FROM ops.mart_build ORDER BY build_id") == [
        ("succeeded", 2),
        ("succeeded", 1),
        ("succeeded", 0),
    ]


def test_a_failed_build_gives_its_slices_back(warehouse: Warehouse) -> None:
    load(warehouse)
    with pytest.raises(RuntimeError), ops.builds.building(warehouse):
        raise RuntimeError("dbt failed")
    assert query(warehouse, "SELECT status FROM ops.mart_build") == [("failed",)]
    with ops.builds.building(warehouse) as build:
        assert build.slice_count == 1


def test_a_build_knows_whether_the_project_is_new(warehouse: Warehouse) -> None:
    def is_new(project: str | None, *, fails: bool = False) -> bool:
        with suppress(RuntimeError), ops.builds.building(warehouse, project) as build:
            if fails:
                raise RuntimeError("dbt failed")
        return build.is_project_new

    assert is_new("one", fails=True)
    assert is_new("one")  # the first one failed, so its views may be missing
    assert not is_new("one")
    assert is_new("two", fails=True)
    assert not is_new("one", fails=True)
    assert is_new(None)
    assert is_new("one")


def _begin_and_hang(url: str, begun: Event) -> None:
    with Warehouse(url) as warehouse:
        build = ops.begin_build(warehouse)
        begun.set()
        signal.pause()
        build.close()


def test_a_build_whose_process_died_is_taken_over(warehouse: Warehouse) -> None:
    load(warehouse)
    context = multiprocessing.get_context("spawn")
    begun = context.Event()
    process = context.Process(target=_begin_and_hang, args=(warehouse.url, begun))
    process.start()
    assert begun.wait(60)
    with pytest.raises(BuildInProgress):
        ops.begin_build(warehouse)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    build = _begin_when_free(warehouse)
    assert build.slice_count == 1
    assert query(warehouse, "SELECT status FROM ops.mart_build ORDER BY build_id") == [("died",), ("running",)]
    ops.finish_build(warehouse, build, ok=True)
    with pytest.raises(BuildLost):
        ops.finish_build(warehouse, build, ok=True)


def _begin_when_free(warehouse: Warehouse) -> ops.Build:
    """The server needs a moment to notice that a process is gone."""
    for _ in range(100):
        try:
            return ops.begin_build(warehouse)
        except BuildInProgress:
            query(warehouse, "SELECT pg_sleep(0.05)")
    raise AssertionError("the dead process's lock was never released")


def test_runs_succeed_fail_and_say_so(warehouse: Warehouse) -> None:
    with ops.runs.running(warehouse, "pull", {"a": 1}, "v26.0") as run:
        assert not run.resumed
        assert query(warehouse, "SELECT status, arguments, api_version FROM ops.run") == [
            ("running", {"a": 1}, "v26.0")
        ]
    with ops.runs.running(warehouse, "pull", {"a": 1}) as second:
        second.finish("partial", "one account failed")
    with pytest.raises(RuntimeError), ops.runs.running(warehouse, "pull", {"a": 1}):
        raise RuntimeError("boom")
    assert query(warehouse, "SELECT status, message FROM ops.run ORDER BY started_at") == [
        ("succeeded", None),
        ("partial", "one account failed"),
        ("failed", "RuntimeError: boom"),
    ]


def test_an_interrupted_run_is_continued_by_the_same_request_only(warehouse: Warehouse) -> None:
    with pytest.raises(KeyboardInterrupt), ops.runs.running(warehouse, "pull", {"a": 1}) as run:  # noqa: PT012
        run.remember(plan={"x": [1]})
        raise KeyboardInterrupt
    with pytest.raises(DatabaseUnavailable), ops.runs.running(warehouse, "import", {}):
        raise DatabaseUnavailable("gone")
    with ops.runs.running(warehouse, "pull", {"a": 1}) as again:
        assert again.resumed
        assert again.run_id == run.run_id
        assert again.state == {"plan": {"x": [1]}}
        with ops.runs.running(warehouse, "pull", {"a": 1}) as parallel:
            assert not parallel.resumed, "a living run must not be taken over"
    with ops.runs.running(warehouse, "import", {"other": True}) as other:
        assert not other.resumed
    assert query(warehouse, "SELECT message FROM ops.run WHERE status = 'failed'") == [("its process died",)]


def test_a_run_that_another_one_found_dead_is_continued_unless_its_request_was_made_again(warehouse: Warehouse) -> None:
    def interrupted() -> UUID:
        with pytest.raises(KeyboardInterrupt), ops.runs.running(warehouse, "pull", {"a": 1}) as run:
            raise KeyboardInterrupt
        with ops.runs.running(warehouse, "pull", {"b": 2}):
            pass
        return run.run_id

    first = interrupted()
    assert query(warehouse, "SELECT message FROM ops.run WHERE status = 'failed'") == [("its process died",)]
    with ops.runs.running(warehouse, "pull", {"a": 1}) as again:
        assert (again.resumed, again.run_id) == (True, first)
        assert query(warehouse, "SELECT message FROM ops.run WHERE status = 'running'") == [(None,)]
    with ops.runs.running(warehouse, "pull", {"a": 1}) as anew:
        assert not anew.resumed
    second = interrupted()
    with ops.runs.running(warehouse, "pull", {"a": 1}) as third:
        assert third.run_id == second
    with ops.runs.running(warehouse, "pull", {"a": 1}) as fourth:
        assert not fourth.resumed, "what was asked for again is not continued"


def test_questions_about_slices(warehouse: Warehouse) -> None:
    load(warehouse, 0)
    load(warehouse, 2)
    since = DAY - timedelta(days=3)
    assert ops.missing_days(warehouse, ACCOUNT, "ad_daily", since, DAY) == [since, DAY - timedelta(days=1)]
    assert ops.missing_days(warehouse, ACCOUNT + 1, "ad_daily", DAY, DAY) == [DAY]
    soon = datetime.now(UTC) + timedelta(hours=1)
    assert len(ops.stale_days(warehouse, ACCOUNT, "ad_daily", since, DAY, pulled_before=soon)) == 2
    assert [state.row_count for state in ops.slice_states(warehouse, ACCOUNT, "ad_daily", since, DAY)] == [1, 1]
    assert ops.slices.source_of(warehouse, ACCOUNT, "ad_daily", DAY) == "api"
    assert ops.slices.source_of(warehouse, ACCOUNT, "ad_daily", since) is None
    assert sorted(ops.slices.pulled_at(warehouse, ACCOUNT, "ad_daily")) == [DAY - timedelta(days=2), DAY]
    assert ops.slices.rows_per_day(warehouse, ACCOUNT) == {"ad_daily": 1.0}
    assert ops.slices.written_by(warehouse, uuid4(), ACCOUNT, "ad_daily") == []


def test_jobs_are_found_again(warehouse: Warehouse) -> None:
    jobs = ops.ReportJobStore(warehouse)
    run_id = uuid4()
    assert jobs.find(run_id, ACCOUNT, "ad_daily", "f") is None
    job_id = jobs.record_intent(run_id, ACCOUNT, "ad_daily", "f", DAY, DAY, {"campaign.id": [1]})
    assert [job.job_id for job in jobs.unanswered_intents(datetime.now(UTC) + timedelta(minutes=1))] == [job_id]
    assert jobs.unanswered_intents(datetime.now(UTC) - timedelta(minutes=1)) == []
    assert jobs.find_open(ACCOUNT, "ad_daily", "f") is None
    jobs.record_submitted(job_id, "6023920149050")
    jobs.record_progress(job_id, 40)
    found = jobs.find_open(ACCOUNT, "ad_daily", "f")
    assert found == jobs.find(run_id, ACCOUNT, "ad_daily", "f")
    assert found is not None
    assert (found.report_run_id, found.state, found.percent) == ("6023920149050", "submitted", 40)
    assert found.entity_filter == {"campaign.id": [1]}
    jobs.record_outcome(job_id, "failed", {"code": 2, "text": "a\x00"})
    assert jobs.find_open(ACCOUNT, "ad_daily", "f") is None
    again = jobs.find(run_id, ACCOUNT, "ad_daily", "f")
    assert again is not None
    assert again.error == {"code": 2, "text": "a\ufffd"}


def test_usage_keeps_the_newest_observation(warehouse: Warehouse) -> None:
    store = ops.UsageStore(warehouse)
    now = datetime.now(UTC)
    for minutes, percent in ((0, 40.5), (-5, 10.0), (5, 90.0)):
        store.save(
            "account",
            "1",
            "score",
            utilisation=percent,
            regain_at=None,
            tier=None,
            detail={"a": 1},
            observed_at=now + timedelta(minutes=minutes),
        )
    assert [meter["utilisation"] for meter in store.load()] == [90.0]
    assert store.load("app") == []
    assert store.load("account", "1")[0]["detail"] == {"a": 1}


def test_changed_client_settings_send_the_account_back_to_the_marts(warehouse: Warehouse) -> None:
    load(warehouse)
    settings = {"account_id": ACCOUNT, "client_id": "a", "client_name": "A", "goals": {"roas": "3.0"}}
    assert ops.sync_clients(warehouse, [settings]).added == 1
    query(warehouse, "UPDATE ops.slice SET build_id = 1")
    assert ops.sync_clients(warehouse, [settings]).unchanged == 1
    assert query(warehouse, "SELECT build_id FROM ops.slice") == [(1,)]
    other = settings | {"account_id": ACCOUNT + 1}
    assert ops.sync_clients(warehouse, [other]).removed == 0
    assert ops.sync_clients(
        warehouse, [settings | {"conversion_action": "lead"}], remove_others=True
    ) == ops.SyncCounts(added=0, changed=1, removed=1, unchanged=0)
    assert query(warehouse, "SELECT build_id FROM ops.slice") == [(None,)]
    with pytest.raises(RowRejected, match="twice"):
        ops.sync_clients(warehouse, [settings, settings])
    with pytest.raises(RowRejected, match="lacks"):
        ops.sync_clients(warehouse, [{"account_id": 1}])


def test_what_the_command_line_asks(warehouse: Warehouse) -> None:
    load(warehouse)
    upsert_entities(warehouse, "accounts", ACCOUNT, [{"id": f"act_{ACCOUNT}", "name": "Shop"}], provenance())
    (overview,) = account_overview(warehouse)
    assert (overview["account_name"], overview["days"]) == ("Shop", 1)
    ops.analyze(warehouse, PRESETS.values())
    sizes = {(found["schema"], found["name"]): found for found in table_sizes(warehouse)}
    assert sizes["raw", "insights_ad_daily"]["bytes"] > 8192
    assert not any("_p2026" in name for _, name in sizes)
    assert server_info(warehouse)["profile"] == str(warehouse.storage.profile)


def test_totals_grow_with_the_work_and_outlive_it(warehouse: Warehouse) -> None:
    with ops.runs.running(warehouse, "pull", {}) as run:
        begin_account(warehouse, run.run_id, ACCOUNT)
        for rows in (5, 7):
            add_work(warehouse, run.run_id, ACCOUNT, Work("ad_daily", 2, 1, rows, calls=3, wait_seconds=0.5))
        add_work(warehouse, run.run_id, None, Work(calls=4))
        finish_account(warehouse, run.run_id, ACCOUNT, problems=1)
    of_account = (
        "SELECT status, slices, slices_unchanged, rows_written, calls, wait_seconds, problems FROM ops.run_account"
    )
    assert query(warehouse, of_account) == [("failed", 4, 2, 12, 6, 1.0, 1)]
    assert query(warehouse, "SELECT slices, rows_written, calls, wait_seconds FROM ops.run") == [(4, 12, 10, 1.0)]
    totals = "SELECT name, labels, value::int FROM ops.counter ORDER BY name, labels"
    expected = [
        ("rows_written", {"report": "ad_daily"}, 12),
        ("runs", {"kind": "pull", "status": "succeeded"}, 1),
        ("slices_written", {"report": "ad_daily"}, 4),
    ]
    assert query(warehouse, totals) == expected
    ops.runs.finish_run(warehouse, run.run_id, "failed", "told twice")
    query(warehouse, "DELETE FROM ops.run")
    assert query(warehouse, "SELECT count(*) FROM ops.run_account") == [(0,)]
    assert query(warehouse, totals) == expected


def test_processes_that_count_at_once_lose_nothing(warehouse: Warehouse) -> None:
    """Also the same totals in another order, which must not end in a deadlock."""
    store = ops.UsageStore(warehouse)
    hour = datetime(2026, 11, 20, 10, tzinfo=UTC)

    def count(n: int) -> None:
        for _ in range(20):
            scopes = ["1", "2", "app"][:: 1 if n % 2 else -1]
            store.count([(scope, hour, 1, 0, 0.25, 0) for scope in scopes])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(count, range(4)))
    assert query(warehouse, "SELECT scope_id, calls, wait_seconds FROM ops.api_hour ORDER BY 1") == [
        ("1", 80, 20.0),
        ("2", 80, 20.0),
        ("app", 80, 20.0),
    ]
    calls = "SELECT labels ->> 'account', value::int FROM ops.counter WHERE name = 'api_calls' ORDER BY 1"
    assert query(warehouse, calls) == [("", 80), ("act_1", 80), ("act_2", 80)]
