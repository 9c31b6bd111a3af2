"""Workers without a queue: who executes, which queue a step goes to, and who is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster import DagsterEventType as Kind
from dagster._serdes import serialize_value
from ruamel.yaml import YAML

from orchestration.celery_steps import MOST_DEATHS, RUN_CHECK_SECONDS, _deaths, _has_ended
from orchestration.defs.build import build_defs
from orchestration.defs.executors import chosen_executor
from orchestration.errors import ConfigurationError
from orchestration.settings import Settings, load_settings
from orchestration.transform import parse_project
from orchestration.workers import (
    DBT_QUEUE,
    META_QUEUE,
    QUEUE_TAG,
    QUEUES,
    celery_options,
    check_worker,
    is_here,
    sign_of_life_seconds,
    worker_command,
)

ROOT = Path(__file__).parents[2]
HERE, ELSEWHERE = "redis://:hush@127.0.0.1:6379/0", "redis://:hush@queue.example.com:6379/0"
WAREHOUSE = "postgresql://u:p@db.example.com/warehouse"


def settings(tmp_path: Path, **values: Any) -> Settings:
    return load_settings(None, meta_ads_home=tmp_path, **values)


def refusal(given: Settings, *queues: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        check_worker(given, queues)
    return str(caught.value)


def test_one_machine_needs_no_queue(tmp_path: Path) -> None:
    assert chosen_executor(settings(tmp_path)).name == "in_process"


def test_celery_is_chosen_by_a_setting_and_needs_a_queue(tmp_path: Path) -> None:
    chosen = chosen_executor(settings(tmp_path, dagster_executor="celery", celery_broker_url=HERE))
    assert chosen.name == "celery"
    with pytest.raises(ConfigurationError, match="CELERY_BROKER_URL"):
        chosen_executor(settings(tmp_path, dagster_executor="celery"))


@pytest.fixture(scope="module")
def definitions(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    home = tmp_path_factory.mktemp("home")
    given = settings(home, dagster_executor="celery", celery_broker_url=HERE)
    return build_defs(manifest=parse_project(home / "dbt"), executor=chosen_executor(given))


def test_every_step_has_a_queue_that_some_worker_listens_to(definitions: dg.Definitions) -> None:
    """Also a step without the tag: it goes to the default queue, which must be one of ours."""
    assert celery_options(load_settings(None))["task_default_queue"] in QUEUES
    repository = definitions.get_repository_def()
    found = {node.name: node.tags.get(QUEUE_TAG) for job in repository.get_all_jobs() for node in job.nodes}
    assert set(found.values()) <= {*QUEUES, None}
    assert {name: found[name] for name in ("raw_entities", "raw_insights", "raw_checks")} == dict.fromkeys(
        ("raw_entities", "raw_insights", "raw_checks"), META_QUEUE
    )
    assert found["marts"] == found["build_what_is_due"] == DBT_QUEUE


def test_what_the_definitions_tell_of_themselves_holds_no_password(definitions: dg.Definitions) -> None:
    for job in definitions.get_repository_def().get_all_jobs():
        told = serialize_value(job.get_job_snapshot())
        # Reason: a report is one short step, which its own run does.
        assert ("celery" in told) is (job.name != "email_report")
        assert "hush" not in told


def test_a_worker_is_refused_without_a_queue_of_its_own_or_a_token(tmp_path: Path) -> None:
    assert "CELERY_BROKER_URL" in refusal(settings(tmp_path), META_QUEUE)
    given = settings(tmp_path, celery_broker_url=HERE)
    assert "META_ACCESS_TOKEN" in refusal(given, *QUEUES)
    assert "no queue 'mart'" in refusal(given, "mart")
    check_worker(given, [DBT_QUEUE])
    check_worker(settings(tmp_path, celery_broker_url=HERE, meta_access_token="EAAx"), QUEUES)


def test_a_worker_elsewhere_needs_a_database_that_can_be_reached(tmp_path: Path) -> None:
    """The embedded one is a socket on one machine: the worker would fill a database of its own."""
    told = refusal(settings(tmp_path, celery_broker_url=ELSEWHERE), DBT_QUEUE)
    assert "-> set WAREHOUSE_URL" in told
    assert "hush" not in told
    check_worker(settings(tmp_path, celery_broker_url=ELSEWHERE, warehouse_url=WAREHOUSE), [DBT_QUEUE])


@pytest.mark.parametrize(
    ("url", "here"),
    [
        (HERE, True),
        ("redis://localhost/0", True),
        ("redis://[::1]:6379/0", True),
        ("redis+socket:///run/redis.sock", True),
        (ELSEWHERE, False),
        ("rediss://10.0.0.7:6379/0", False),
    ],
)
def test_which_queues_are_on_this_machine(url: str, here: bool) -> None:
    assert is_here(url) is here


def test_a_message_comes_back_after_the_silence_that_is_set_and_a_living_worker_is_never_silent_so_long() -> None:
    for seconds in (5, 60, 3600):
        given = load_settings(None, celery_lost_after_seconds=seconds)
        options = celery_options(given)
        assert options["broker_transport_options"]["visibility_timeout"] == seconds
        assert sign_of_life_seconds(given) * 3 < seconds
        assert options["broker_transport_options"]["unacked_restore_interval"] <= max(1, seconds / 4)
        assert options["task_acks_late"]
        assert options["task_reject_on_worker_lost"]
        assert options["worker_prefetch_multiplier"] == 1
    monitoring = YAML(typ="safe").load((ROOT / "orchestration" / "dagster.yaml").read_text())["run_monitoring"]
    assert monitoring["free_slots_after_run_end_seconds"] > RUN_CHECK_SECONDS, "a slot is freed when its step has ended"


def test_the_command_names_no_secret(tmp_path: Path) -> None:
    given = settings(tmp_path, celery_broker_url=HERE, warehouse_url=WAREHOUSE)
    command = worker_command(given, [DBT_QUEUE])
    assert command[command.index("--concurrency") + 1] == "1"
    assert command[command.index("--queues") + 1] == DBT_QUEUE
    assert "hush" not in " ".join(command)
    both = worker_command(given, QUEUES, 3)
    assert both[both.index("--concurrency") + 1] == "3"
    assert both[both.index("--queues") + 1] == "meta,dbt"


def run_of(instance: dg.DagsterInstance) -> str:
    @dg.op
    def pull() -> None: ...

    @dg.job
    def job() -> None:
        pull()

    return instance.create_run_for_job(job).run_id


def tell(instance: dg.DagsterInstance, run_id: str, kind: Kind, step: str = "pull") -> None:
    instance.report_dagster_event(dg.DagsterEvent(event_type_value=kind.value, job_name="job", step_key=step), run_id)


def test_a_step_that_takes_its_workers_with_it_is_not_begun_for_ever() -> None:
    """Deaths are counted from the last attempt that ended; another step's are its own."""
    with dg.DagsterInstance.ephemeral() as instance:
        run_id = run_of(instance)
        assert _deaths(instance, run_id, "pull") == 0
        tell(instance, run_id, Kind.STEP_START)
        tell(instance, run_id, Kind.STEP_START, "other")
        assert _deaths(instance, run_id, "pull") == 1
        tell(instance, run_id, Kind.STEP_START)
        assert _deaths(instance, run_id, "pull") == 2 < MOST_DEATHS
        tell(instance, run_id, Kind.STEP_UP_FOR_RETRY)
        assert _deaths(instance, run_id, "pull") == 0
        tell(instance, run_id, Kind.STEP_RESTARTED)
        assert _deaths(instance, run_id, "pull") == 1


def test_a_run_has_ended_when_it_is_over_or_somebody_cancels_it() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run_id = run_of(instance)
        run = instance.get_run_by_id(run_id)
        assert run is not None
        assert not _has_ended(instance, run_id)
        instance.report_run_canceling(run)
        assert _has_ended(instance, run_id)
        instance.report_run_failed(run)
        assert _has_ended(instance, run_id)
        assert _has_ended(instance, "00000000-0000-0000-0000-000000000000")
