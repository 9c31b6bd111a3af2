"""How runs ended, read from a real instance of Dagster."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orchestration.alerts.failures import EndedRun
from orchestration.defs.run_events import OVERLAP, Position, ended_runs, has_succeeded

BROKEN = {"how": "well"}


@dg.op
def work() -> None:
    match BROKEN["how"]:
        case "plain":
            raise KeyError("no such thing")
        case "chained":
            try:
                int("inner")
            except ValueError as error:
                raise RuntimeError("outer: text") from error
        case "told":
            try:
                int("inner")
            except ValueError as error:
                raise dg.Failure("It broke. Mend: glue it.") from error
        case "kind":
            raise dg.Failure("Refused.", metadata={"error_kind": "CredentialError"}, allow_retries=False)


@dg.op(retry_policy=dg.RetryPolicy(max_retries=1, delay=0))
def work_twice() -> None:
    try:
        Path("/nowhere").read_text()
    except OSError as error:
        raise dg.Failure("The database is down.") from error


@dg.op(retry_policy=dg.RetryPolicy(max_retries=1, delay=0))
def work_twice_plainly() -> None:
    raise ConnectionError("still down")


@dg.job
def daily() -> None:
    work()


@dg.job
def stubborn() -> None:
    work_twice()


@dg.job
def plainly_stubborn() -> None:
    work_twice_plainly()


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]))
def table(context: dg.AssetExecutionContext) -> None:
    if BROKEN["how"] != "well":
        raise ValueError(context.partition_key)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    BROKEN["how"] = "well"
    with dg.DagsterInstance.local_temp(str(tmp_path)) as opened:
        yield opened


def execute(instance: dg.DagsterInstance, job: dg.JobDefinition, how: str = "well", **tags: str) -> str:
    BROKEN["how"] = how
    return job.execute_in_process(instance=instance, raise_on_error=False, tags=tags).run_id


class Reader:
    """Reads again and again from where it was."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance, self.position = instance, Position()

    def read(self, later: timedelta = timedelta()) -> list[EndedRun]:
        ended, self.position = ended_runs(self.instance, self.position, datetime.now(UTC) + later)
        return ended


@pytest.mark.parametrize(
    ("job", "how", "kind", "text"),
    [
        (daily, "plain", "KeyError", "'no such thing'"),
        (daily, "chained", "RuntimeError", "outer: text"),
        (daily, "told", "ValueError", "It broke. Mend: glue it."),
        (daily, "kind", "CredentialError", "Refused."),
        (stubborn, "well", "FileNotFoundError", "The database is down."),
        (plainly_stubborn, "well", "ConnectionError", "still down"),
    ],
)
def test_a_failed_run_says_what_kind_of_error_it_was(
    instance: dg.DagsterInstance, job: dg.JobDefinition, how: str, kind: str, text: str
) -> None:
    run_id = execute(instance, job, how, **{"meta-ads/account": "act_7"})
    (run,) = Reader(instance).read()
    assert (run.run_id, run.job, run.subject) == (run_id, job.name, f"{job.name}|act_7")
    assert (run.account_id, run.error_kind, run.text.strip()) == (7, kind, text)
    assert run.step.startswith("work")


def test_each_run_is_told_once_and_in_order(instance: dg.DagsterInstance) -> None:
    reader = Reader(instance)
    first = [execute(instance, daily, how) for how in ("plain", "well", "told")]
    assert [run.run_id for run in reader.read()] == first
    assert reader.read() == []
    second = [execute(instance, daily) for _ in range(3)]
    assert [(run.run_id, run.succeeded) for run in reader.read()] == [(run_id, True) for run_id in second]
    assert reader.read(OVERLAP * 2) == []
    assert reader.position.seen == []
    third = execute(instance, daily, "plain")
    assert [run.run_id for run in reader.read(OVERLAP * 3)] == [third]


def test_a_first_look_reaches_back_a_day(instance: dg.DagsterInstance) -> None:
    execute(instance, daily, "plain")
    ended, position = ended_runs(instance, Position(), datetime.now(UTC) + timedelta(hours=25))
    assert ended == []
    assert ended_runs(instance, position, datetime.now(UTC) + timedelta(hours=25))[0] == []


def test_a_run_that_is_tried_again_does_not_count_and_its_repetition_makes_good_for_it(
    instance: dg.DagsterInstance,
) -> None:
    reader = Reader(instance)
    execute(instance, daily, "plain", **{"dagster/will_retry": "true"})
    assert reader.read() == []
    first = execute(instance, daily, "plain", **{"dagster/will_retry": "false"})
    assert [run.run_id for run in reader.read()] == [first]
    again = daily.execute_in_process(
        instance=instance, raise_on_error=False, tags={"dagster/parent_run_id": first, "dagster/root_run_id": first}
    )
    assert not again.success
    BROKEN["how"] = "well"
    run = instance.create_run_for_job(daily, parent_run_id=first, root_run_id=first)
    instance.report_run_failed(run, "worker gone")
    lost = reader.read()[-1]
    assert (lost.error_kind, lost.text) == ("RunLost", "worker gone")


def test_a_failure_waits_until_dagster_has_said_whether_it_tries_again(tmp_path: Path) -> None:
    """The daemon's own order: the failure is stored, and a moment later the tag."""
    settings: dict[str, Any] = {"run_retries": {"enabled": True}, "telemetry": {"enabled": False}}
    with dg.instance_for_test(temp_dir=str(tmp_path), overrides=settings) as instance:
        reader = Reader(instance)
        run = instance.create_run_for_job(daily)
        instance.event_log_storage.store_event(failure_event(run))
        assert reader.read() == []
        instance.add_run_tags(run.run_id, {"dagster/will_retry": "false"})
        assert [ended.run_id for ended in reader.read()] == [run.run_id]
        other = instance.create_run_for_job(daily)
        instance.event_log_storage.store_event(failure_event(other))
        assert [ended.run_id for ended in reader.read(OVERLAP * 2)] == [other.run_id]  # it never will say


def failure_event(run: dg.DagsterRun) -> dg.EventLogEntry:
    return dg.EventLogEntry(
        error_info=None,
        level="error",
        user_message="",
        run_id=run.run_id,
        timestamp=datetime.now(UTC).timestamp(),
        job_name=run.job_name,
        dagster_event=dg.DagsterEvent(dg.DagsterEventType.RUN_FAILURE.value, run.job_name, message="gone"),
    )


def test_chosen_assets_are_about_their_partitions(instance: dg.DagsterInstance) -> None:
    def materialise(key: str, how: str) -> None:
        BROKEN["how"] = how
        dg.materialize([table], instance=instance, partition_key=key, raise_on_error=False)

    for key, how in (("a", "broken"), ("b", "well"), ("a", "well")):
        materialise(key, how)
    failed, other, good = Reader(instance).read()
    assert failed.subject == good.subject != other.subject
    assert failed.account_id is None
    assert (failed.error_kind, failed.text) == ("ValueError", "a")


def test_a_job_that_has_succeeded_is_known(instance: dg.DagsterInstance) -> None:
    since = datetime.now(UTC) - timedelta(days=1)
    assert not has_succeeded(instance, "daily", since)
    execute(instance, daily, "plain")
    assert not has_succeeded(instance, "daily", since)
    execute(instance, daily)
    assert has_succeeded(instance, "daily", since)
    assert not has_succeeded(instance, "daily", datetime.now(UTC) + timedelta(days=1))
