"""Who executes the steps of a run: the run's own process, or workers behind a queue.

What belongs here: choosing. What does not: the queues and the workers (`orchestration.workers`).
"""

from __future__ import annotations

import dagster as dg

from orchestration.settings import Settings
from orchestration.workers import broker_and_backend, celery_options


def chosen_executor(settings: Settings) -> dg.ExecutorDefinition:
    """The executor that `DAGSTER_EXECUTOR` names.

    Raises:
        ConfigurationError: It is `celery`, and there is no queue, or the packages are missing.
    """
    if settings.dagster_executor == "in_process":
        # Reason: a process for each step would import everything again for every one of them.
        return dg.in_process_executor
    broker, backend = broker_and_backend(settings)
    from dagster_celery import celery_executor  # Reason: nobody needs the package who has one machine.

    config = {"broker": broker, "backend": backend, "config_source": celery_options(settings)}
    chosen: dg.ExecutorDefinition = celery_executor.configured(config)
    return chosen
