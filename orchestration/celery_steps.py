"""What a worker does around a step: never twice at once, never for a run that has ended, never for ever.

What belongs here: the life of a step in a worker's process. What does not: the step (`orchestration.defs`), Celery's
set-up (`orchestration.celery_app`).

A message may be delivered twice: its worker died, or Redis was away for a moment. The step of the first delivery may
even be under way still. So each step takes a lock in the warehouse, which ends with its process; who comes second
waits, and finds either the result, or work to take up where it stopped.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import Any

import psutil
from celery import Task, states
from celery.exceptions import Ignore
from dagster import DagsterEventType, DagsterInstance, DagsterRunStatus
from dagster._grpc.types import ExecuteStepArgs
from dagster._serdes import unpack_value
from dagster_postgres.utils import DagsterPostgresException
from sqlalchemy.exc import SQLAlchemyError

from orchestration.errors import ProcessError
from orchestration.settings import environment_settings
from warehouse.connect import connect
from warehouse.ops.locks import wait_for_lock
from warehouse.pool import Connection

log = logging.getLogger(__name__)

#: How often a step is begun again after the death of its worker before the step itself is taken for the cause.
MOST_DEATHS = 3
RUN_CHECK_SECONDS = 10.0
_PARENT_CHECK_SECONDS = 1.0
_BEGUN = {DagsterEventType.STEP_START, DagsterEventType.STEP_RESTARTED}
_TO_BE_RETRIED = DagsterEventType.STEP_UP_FOR_RETRY


class StepTask(Task):  # type: ignore[misc]
    """Dagster's task, guarded. One at a time in a process, as in every worker that forks."""

    abstract = True
    _lock: Connection | None = None
    _watch: _Watch | None = None

    def before_start(self, task_id: str, args: Any, kwargs: dict[str, Any]) -> None:  # noqa: ARG002 - Celery's signature
        """Waits for the lock of the step, and looks whether the step is still wanted.

        Raises:
            Ignore: It is not: it was done meanwhile, or its run has ended.
            ProcessError: It has taken several workers with it.
            WarehouseError: The database cannot be reached.
        """
        wanted = unpack_value(kwargs["execute_step_args_packed"], as_type=ExecuteStepArgs)
        (step_key,) = wanted.step_keys_to_execute or ("",)
        self._lock = _lock(f"step:{wanted.run_id}:{task_id}")
        try:
            assert wanted.instance_ref is not None
            instance = DagsterInstance.from_ref(wanted.instance_ref)
            self._refuse_unwanted(task_id, instance, wanted.run_id, step_key)
        except BaseException:
            self._release()
            raise
        self._watch = _Watch(instance, wanted.run_id, step_key)
        self._watch.start()
        log.info("step %s of run %s begins", step_key, wanted.run_id)

    def _refuse_unwanted(self, task_id: str, instance: DagsterInstance, run_id: str, step_key: str) -> None:
        if self.AsyncResult(task_id).state == states.SUCCESS:
            raise Ignore("It was done meanwhile.")
        if _has_ended(instance, run_id):
            self.backend.mark_as_revoked(task_id, "its run has ended", request=self.request)
            raise Ignore("Its run has ended.")
        deaths = _deaths(instance, run_id, step_key)
        if deaths >= MOST_DEATHS:
            raise ProcessError(
                f"{deaths} workers died in the step {step_key}; it is not begun again.",
                "look at their logs and at the system's (memory is the usual cause), then re-execute the run",
            )
        if deaths:
            log.warning("step %s of run %s is begun again: its worker died", step_key, run_id)

    def after_return(self, *_: Any, **__: Any) -> None:
        """Gives the lock back, however the step ended."""
        if self._watch is not None:
            log.info("step %s of run %s is over", self._watch.step_key, self._watch.run_id)
            self._watch.stop()
            self._watch = None
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


class _Watch(threading.Thread):
    """Ends this process with all that it started once its worker is dead, or the run of its step has ended.

    Reason: both leave a process that works on, and keeps asking Meta, for nobody.
    """

    def __init__(self, instance: DagsterInstance, run_id: str, step_key: str) -> None:
        super().__init__(name="watch", daemon=True)
        self._instance, self.run_id, self.step_key = instance, run_id, step_key
        self._parent = os.getppid()
        self._over = threading.Event()

    def run(self) -> None:
        waited = 0.0
        while not self._over.wait(_PARENT_CHECK_SECONDS):
            if os.getppid() != self._parent:
                self._end("its worker died")
            waited += _PARENT_CHECK_SECONDS
            if waited < RUN_CHECK_SECONDS:
                continue
            waited = 0.0
            try:
                ended = _has_ended(self._instance, self.run_id)
            except (SQLAlchemyError, DagsterPostgresException) as problem:
                log.warning("cannot see whether run %s has ended: %s", self.run_id, type(problem).__name__)
                continue
            if ended:
                self._end("its run has ended")

    def stop(self) -> None:
        """The step is over."""
        self._over.set()

    def _end(self, why: str) -> None:
        if self._over.is_set():
            return
        log.warning("step %s of run %s is stopped: %s", self.step_key, self.run_id, why)
        myself = psutil.Process()
        for process in (*myself.children(recursive=True), myself):
            process.kill()


def _lock(name: str) -> Connection:
    settings = environment_settings()
    url = settings.warehouse_url.get_secret_value() if settings.warehouse_url else None
    with connect(url, state_directory=settings.meta_ads_home / "postgres") as warehouse:
        return wait_for_lock(warehouse, name)


def _has_ended(instance: DagsterInstance, run_id: str) -> bool:
    run = instance.get_run_by_id(run_id)
    return run is None or run.is_finished or run.status == DagsterRunStatus.CANCELING


def _deaths(instance: DagsterInstance, run_id: str, step_key: str) -> int:
    """How often the step, as it is to be tried now, was begun already."""
    begun = 0
    for entry in instance.all_logs(run_id, of_type={*_BEGUN, _TO_BE_RETRIED}):
        event = entry.get_dagster_event()
        if event.step_key == step_key:
            # Reason: an attempt that failed is asked for anew by the run; only a begun one without an end was lost.
            begun = 0 if event.event_type == _TO_BE_RETRIED else begun + 1
    return begun
