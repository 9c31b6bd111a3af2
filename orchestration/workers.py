"""Workers: processes that take steps off a queue, where one machine is not enough.

What belongs here: which queues there are, what the two sides of a queue must agree on, the command that runs a worker,
and what it must be told first. What does not: the Celery application (`orchestration.celery_app`), and which executor
jobs have (`orchestration.defs.executors`). Free of Celery, which only workers and runs import.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from orchestration.errors import ConfigurationError
from orchestration.settings import Settings

META_QUEUE, DBT_QUEUE = "meta", "dbt"
QUEUES = (META_QUEUE, DBT_QUEUE)
#: The tag of an op that says which queue its steps go to. On one machine nobody reads it.
QUEUE_TAG = "dagster-celery/queue"
APPLICATION = "orchestration.celery_app"
STEPS_AT_ONCE = {META_QUEUE: 4, DBT_QUEUE: 1}

_GUIDE = "docs/cookbooks/scale-out.md"


def broker_and_backend(settings: Settings) -> tuple[str, str]:
    """URLs of the queue and of the results; both hold a password.

    Raises:
        ConfigurationError: There is no queue, or the packages are missing.
    """
    if settings.celery_broker_url is None:
        raise ConfigurationError(
            "There is no CELERY_BROKER_URL, so nobody knows where the queues are.",
            f"set it to the address of Redis, on every machine ({_GUIDE})",
        )
    if importlib.util.find_spec("dagster_celery") is None or importlib.util.find_spec("redis") is None:
        raise ConfigurationError(
            "Several workers need the packages dagster-celery and redis.",
            "install them: uv pip install --python .venv/bin/python --editable '.[celery]'",
        )
    broker = settings.celery_broker_url.get_secret_value()
    return broker, settings.celery_backend_url.get_secret_value() if settings.celery_backend_url else broker


def celery_options(settings: Settings) -> dict[str, Any]:
    """What Celery is told, on both sides of the queue.

    A message is taken off the queue for good when its step has ended. If its worker falls silent before that for
    `CELERY_LOST_AFTER_SECONDS`, the message is delivered anew; a living worker says so more often than that.
    """
    lost_after = settings.celery_lost_after_seconds
    return {
        "task_default_queue": META_QUEUE,  # a step without the tag
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "worker_prefetch_multiplier": 1,
        # Reason: what was done while Redis was away is not done again, and what is being done goes on.
        "worker_deduplicate_successful_tasks": True,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "broker_connection_retry_on_startup": True,
        "broker_transport_options": {
            "visibility_timeout": lost_after,
            "unacked_restore_interval": max(1, lost_after // 6),
            "unacked_restore_throttle": 1,
            "socket_keepalive": True,
            "max_retries": 10,
            "interval_start": 0,
            "interval_step": 0.5,
            "interval_max": 5,
        },
    }


def sign_of_life_seconds(settings: Settings) -> float:
    """How often a worker says that it is at work: three may get lost."""
    return settings.celery_lost_after_seconds / 4


def check_worker(settings: Settings, queues: Sequence[str]) -> None:
    """Refuses a worker that could not do its steps.

    Raises:
        ConfigurationError: Naming what is missing, and how to mend it.
    """
    unknown = [queue for queue in queues if queue not in QUEUES]
    if unknown:
        raise ConfigurationError(f"There is no queue {unknown[0]!r}.", f"choose among {', '.join(QUEUES)}")
    broker, _ = broker_and_backend(settings)
    if settings.warehouse_url is None and not is_here(broker):
        raise ConfigurationError(
            "The queue is on another machine, and the embedded database of this one is not the one that the platform "
            "there works with: it can be reached from its own machine alone.",
            f"set WAREHOUSE_URL, the same on every machine ({_GUIDE})",
        )
    if META_QUEUE in queues and settings.meta_access_token is None:
        raise ConfigurationError(
            f"A worker of the queue {META_QUEUE} asks Meta, and there is no META_ACCESS_TOKEN.",
            f"set the same as on the other machines, or take --queue {DBT_QUEUE} alone",
        )


def is_here(url: str) -> bool:
    """Whether an address is on this machine: a socket, `localhost` or a loopback address."""
    parts = urlsplit(url)
    if parts.scheme.endswith("+socket") or parts.hostname in {None, "localhost"}:
        return True
    try:
        return ipaddress.ip_address(str(parts.hostname)).is_loopback
    except ValueError:
        return False


def worker_command(settings: Settings, queues: Sequence[str], at_once: int | None = None) -> list[str]:
    """The command of a worker, which is what `dagster-celery worker start` would run.

    Args:
        settings: Checked.
        queues: Of `QUEUES`.
        at_once: Steps at a time; by default 4 of Meta's, and 1 build.
    """
    # Reason: dagster-celery looks for `celery` on the PATH, where this environment need not be.
    return [
        *(sys.executable, "-m", "celery", "--app", APPLICATION, "worker"),
        *("--queues", ",".join(queues)),
        *("--hostname", f"{'-'.join(queues)}-{os.getpid()}@%h"),
        *("--pool", "prefork", "--concurrency", str(at_once or max(STEPS_AT_ONCE[queue] for queue in queues))),
        *("--loglevel", settings.log_level),
        "--without-gossip",
        "--without-mingle",
    ]
