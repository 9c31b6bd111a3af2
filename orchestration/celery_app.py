"""The Celery application that a worker runs: `meta-ads worker`.

What belongs here: its set-up, and the sign of life that keeps a step with its worker. What does not: what is done
around a step (`orchestration.celery_steps`), how a worker is started (`orchestration.workers`).

Only workers import this. Dagster's executor makes an application of its own from the same options.
"""

from __future__ import annotations

from orchestration.privacy import switch_off_telemetry

switch_off_telemetry()  # Reason: before Dagster or dbt is imported.

import logging  # noqa: E402
import time  # noqa: E402
from typing import Any  # noqa: E402

from celery import Celery, bootsteps, signals  # noqa: E402
from dagster_celery.make_app import make_app  # noqa: E402
from dagster_celery.tasks import create_task  # noqa: E402

from orchestration.celery_steps import StepTask  # noqa: E402
from orchestration.defs.resources import set_up_logging  # noqa: E402
from orchestration.logs import configure_logging  # noqa: E402
from orchestration.settings import Settings, environment_settings  # noqa: E402
from orchestration.workers import broker_and_backend, celery_options, sign_of_life_seconds  # noqa: E402


class SignOfLife(bootsteps.StartStopStep):  # type: ignore[misc]
    """Renews, while this worker lives, the time at which Redis gives its unfinished messages to another worker.

    Reason: without it that time would have to be longer than the longest step, and a step whose machine died would wait
    for hours.
    """

    requires = {"celery.worker.consumer.tasks:Tasks"}  # noqa: RUF012 - Celery reads it off the class
    every = 15.0

    def __init__(self, consumer: Any, **options: Any) -> None:
        super().__init__(consumer, **options)
        self._timer: Any = None

    def start(self, consumer: Any) -> None:
        """Begins with each connection."""
        self._timer = consumer.timer.call_repeatedly(self.every, _renew, (consumer,))

    def stop(self, consumer: Any) -> None:  # noqa: ARG002 - Celery's signature
        """Ends with the connection."""
        if self._timer is not None:
            self._timer.cancel()


def _renew(consumer: Any) -> None:
    # Source: kombu 5.7, `transport.redis.QoS`: what was delivered (it has no public name), and the sorted set of when.
    channel = consumer.task_consumer.channel
    held = dict.fromkeys(channel.qos._delivered, time.time())
    if held:
        with channel.conn_or_acquire() as client:
            # Reason: only those that are still there; one that was finished meanwhile must not come back.
            client.zadd(channel.unacked_index_key, held, xx=True)


def make(settings: Settings) -> Celery:
    """The application.

    Raises:
        ConfigurationError: There is no queue, or the packages are missing.
    """
    broker, backend = broker_and_backend(settings)
    made: Celery = make_app({"broker": broker, "backend": backend})  # type: ignore[no-untyped-call]
    made.conf.update(celery_options(settings))
    create_task(made, base=StepTask, acks_late=True, reject_on_worker_lost=True)  # type: ignore[no-untyped-call]
    SignOfLife.every = sign_of_life_seconds(settings)
    made.steps["consumer"].add(SignOfLife)
    return made


_settings = environment_settings()


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def _log_as_everywhere(**_: Any) -> None:
    # Reason: Celery's own handlers would write what ours take out, and would not write JSON.
    set_up_logging()
    configure_logging(_settings.log_level, _settings.log_format, _settings.secrets())
    for name in ("celery.worker.strategy", "celery.app.trace"):
        # Reason: they quote whole messages; `orchestration.celery_steps` tells of each step in a line.
        logging.getLogger(name).setLevel(logging.WARNING)


@signals.worker_init.connect  # type: ignore[untyped-decorator]
def _load_before_forking(**_: Any) -> None:
    """Imports what steps need, and reads the dbt project, once for all processes of the worker."""
    from orchestration.defs.build import build_defs

    build_defs()


app = make(_settings)
