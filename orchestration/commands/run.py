"""The command that becomes one process of the platform, for containers and service managers.

What belongs here: options, and what has to be there before the process starts. What does not: several processes on one
machine (`orchestration.commands.service`), whether a process is well (`orchestration.health`).
"""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from typing import Annotated

import typer

from orchestration import instance
from orchestration.commands.shared import out, settings_for_command
from orchestration.errors import UserError
from orchestration.platform import open_platform
from orchestration.progress import Display

CODE_PORT = 4000


class Name(StrEnum):
    """`orchestration.instance.PROCESSES`, as the command line knows them."""

    CODE_SERVER = "code-server"
    WEBSERVER = "webserver"
    METRICS = "metrics"
    SITE = "site"
    DAEMON = "daemon"
    RECEIVER = "receiver"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("run")(run)


def run(
    name: Annotated[Name, typer.Argument(help="Which process.", show_choices=True)],
    host: Annotated[str, typer.Option(help="Where it listens; 0.0.0.0 in a container.")] = instance.HOST,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Its port; the usual one when left out.")] = None,
    code: Annotated[
        str, typer.Option(help="HOST:PORT of the code server, for the webserver and the daemon.")
    ] = f"{instance.HOST}:{CODE_PORT}",
    site_name: Annotated[
        list[str] | None, typer.Option(help="A host name by which browsers may ask for the site; repeatable.")
    ] = None,
) -> None:
    """Run one process of the platform in the foreground, as a container does. Start the code server first.

    The code server also brings the database up to this release. Signals reach the process itself.
    """
    at = _code(code)
    settings = settings_for_command()
    if name == Name.CODE_SERVER:
        at = (host, port or CODE_PORT)
        with open_platform(settings, Display()) as platform:
            out.print(f"PostgreSQL: {platform.warehouse.safe_url}", soft_wrap=True)
    prepared = instance.prepare(settings, os.environ)
    argv = instance.in_foreground(settings, prepared, name.value, host=host, port=port, code=at)
    if name == Name.CODE_SERVER:
        instance.seed(prepared, ())
    if name == Name.SITE:
        argv += [part for one in site_name or [] for part in ("--name", one)]
    environment = dict(prepared.environment)
    if name == Name.METRICS:
        environment["METRICS_HOST"] = host
    sys.stdout.flush()
    # Reason: signals go to the process itself, and whoever watches over this process watches over it.
    os.execve(argv[0], argv, environment)  # noqa: S606 - our own program


def _code(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise UserError(f"--code {text} is no HOST:PORT.", f"write it like code-server:{CODE_PORT}")
    return host, int(port)
