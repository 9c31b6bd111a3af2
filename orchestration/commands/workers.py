"""The command that runs a worker.

What belongs here: options, and becoming the worker. What does not: what a worker is (`orchestration.workers`).
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from orchestration import instance
from orchestration.commands.shared import out, settings_for_command
from orchestration.workers import QUEUES, check_worker, worker_command


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("worker")(worker)


def worker(
    queue: Annotated[
        list[str] | None,
        typer.Option("--queue", "-q", help=f"Take steps off this queue ({', '.join(QUEUES)}); both when left out."),
    ] = None,
    at_once: Annotated[
        int | None,
        typer.Option("--concurrency", "-c", min=1, max=64, help="Steps at a time; by default 4 of meta, 1 of dbt."),
    ] = None,
) -> None:
    """Take steps off a queue, for runs that other machines start. Ctrl-C ends it when its steps are done."""
    settings = settings_for_command()
    queues = list(dict.fromkeys(queue or QUEUES))
    check_worker(settings, queues)
    prepared = instance.prepare(settings, os.environ)
    out.print(f"Queues: {', '.join(queues)}. Stop with Ctrl-C.")
    sys.stdout.flush()
    argv = worker_command(settings, queues, at_once)
    # Reason: signals go to the worker itself, and whoever watches over this process watches over the worker.
    os.execve(argv[0], argv, dict(prepared.environment))  # noqa: S606 - our own program
