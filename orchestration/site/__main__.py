"""`python -m orchestration.site`: the site as a process of its own.

What belongs here: options, settings, opening the database, serving until told to stop. What does not: the paths
(`dashboards.site.app`). It has no login: whoever reaches the port sees all clients. It listens to this machine alone,
unless a reverse proxy that asks who is there stands before it.
"""

from __future__ import annotations

import argparse
import logging
import socket
import sys
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import uvicorn

from dashboards.answerer import Answerer
from dashboards.errors import FaultyDefinitions
from dashboards.library import load
from dashboards.site.app import LOCAL_HOSTS, make_app
from orchestration.clients.load import load_clients
from orchestration.errors import ConfigurationError, ProcessError, UserError
from orchestration.instance import USUAL_PORTS
from orchestration.logs import configure_logging
from orchestration.settings import Settings, environment_settings
from orchestration.site.building import assets_of
from orchestration.site.spaces import watched_spaces
from warehouse.connect import connect
from warehouse.errors import WarehouseError

log = logging.getLogger("orchestration.site")

_QUERIES_AT_ONCE = 8
_STOP_SECONDS = 5


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the server; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m orchestration.site", description="Serves the dashboards.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=USUAL_PORTS["site"], help="0 picks a free one")
    parser.add_argument("--port-file", type=Path, help="written with the port once bound")
    parser.add_argument("--name", action="append", default=[], help="a name of this host that browsers may use")
    arguments = parser.parse_args(argv)
    try:
        settings = environment_settings()
        serve(settings, arguments.host, arguments.port, arguments.port_file, names=arguments.name)
    except (UserError, WarehouseError) as problem:
        sys.stderr.write(f"Error: {problem}\n")
        return 2
    return 0


def serve(
    settings: Settings,
    host: str,
    port: int,
    port_file: Path | None = None,
    *,
    names: Sequence[str] = (),
    language: str = "en",
    pictures: bool = False,
) -> None:
    """Serves until SIGTERM or SIGINT.

    Args:
        settings: Of this installation.
        host: Where to listen.
        port: 0 picks a free one.
        port_file: Written with the port once bound.
        names: Names of this host that browsers may use, beside those of the machine itself.
        language: Of numbers and dates.
        pictures: Whether pages may ask other hosts for images.

    Raises:
        ConfigurationError: No file of dashboards can be used, or `clients.yml` is wrong.
        ProcessError: The port is taken.
        WarehouseError: The embedded server does not start.
    """
    configure_logging(settings.log_level, settings.log_format, settings.secrets())
    # Reason: what it says of its own start is marked up for terminals.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    clients = load_clients(settings.clients_file, required=settings.clients_file_was_named)
    try:
        library = load()
    except FaultyDefinitions as error:
        raise ConfigurationError(str(error), "see docs/reference/dashboards.md") from None
    for problem in library.problems:
        log.warning("%s", problem)
    listening = _listen(host, port)
    url = settings.warehouse_url.get_secret_value() if settings.warehouse_url else None
    with (
        connect(url, state_directory=settings.meta_ads_home / "postgres") as warehouse,
        Answerer(library, threads=_QUERIES_AT_ONCE) as answerer,
    ):
        assets = assets_of(settings)
        # Reason: the drawing library takes seconds the first time, which nobody should wait for.
        threading.Thread(target=partial(assets.content, assets.paths["vega.js"]), daemon=True).start()
        app = make_app(
            answerer,
            watched_spaces(warehouse, clients),
            assets,
            language=language,
            pictures=pictures,
            hosts=[*LOCAL_HOSTS, *names],
        )
        config = uvicorn.Config(
            app, access_log=False, log_config=None, server_header=False, timeout_graceful_shutdown=_STOP_SECONDS
        )
        log.info("listening on %s:%d", *listening.getsockname()[:2])
        if port_file is not None:
            draft = port_file.with_name(f"{port_file.name}.tmp")
            draft.write_text(f"{listening.getsockname()[1]}\n", encoding="ascii")
            draft.replace(port_file)  # Reason: a reader never sees half of it.
        uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=128)
    except (OSError, OverflowError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise ProcessError(f"The site cannot listen on {host}:{port}: {reason}.", "choose another --port") from None


if __name__ == "__main__":
    sys.exit(main())
