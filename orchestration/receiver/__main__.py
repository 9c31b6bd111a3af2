"""`python -m orchestration.receiver`: the receiver as a process of its own.

What belongs here: options, settings, opening the database, serving until told to stop. What does not: the paths.
It needs META_APP_SECRET and META_WEBHOOK_VERIFY_TOKEN. TLS is the business of a reverse proxy before it.
"""

from __future__ import annotations

import argparse
import logging
import socket
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import uvicorn

from orchestration.errors import ProcessError, UserError
from orchestration.logs import configure_logging
from orchestration.receiver.app import make_app
from orchestration.receiver.inbox import Inbox
from orchestration.settings import Settings, environment_settings
from warehouse.connect import Warehouse, connect
from warehouse.errors import DatabaseUnavailable, SchemaOutdated, WarehouseError
from warehouse.migrations import upgrade
from warehouse.ops.notifications import Received, notifications_can_be_stored, store_notifications

log = logging.getLogger("orchestration.receiver")

#: Requests at once beyond which the server answers 503: it holds each body in memory.
_MOST_REQUESTS = 256
_STOP_SECONDS = 5
_BACKLOG = 512


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the server; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m orchestration.receiver", description="Receives Meta's webhooks.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=3001, help="0 picks a free one")
    parser.add_argument("--port-file", type=Path, help="written with the port once bound")
    arguments = parser.parse_args(argv)
    try:
        serve(environment_settings(), arguments.host, arguments.port, arguments.port_file)
    except (UserError, WarehouseError) as problem:
        sys.stderr.write(f"Error: {problem}\n")
        return 2
    return 0


def serve(settings: Settings, host: str, port: int, port_file: Path | None = None) -> None:
    """Serves until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: A secret is missing.
        ProcessError: The port is taken.
        WarehouseError: The embedded server does not start, or the schema cannot be brought up to date.
    """
    app_secret, verify_token = settings.webhook_secrets()
    configure_logging(settings.log_level, settings.log_format, settings.secrets())
    # Reason: what it says of its own start is marked up for terminals.
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    listening = _listen(host, port)
    url = settings.warehouse_url.get_secret_value() if settings.warehouse_url else None
    with connect(url, state_directory=settings.meta_ads_home / "postgres") as warehouse:
        try:
            upgrade(warehouse)
        except DatabaseUnavailable as problem:
            # Reason: it may come back at any moment; until then every delivery is told to come again.
            log.warning("%s", problem)
        inbox = Inbox(partial(_store, warehouse))
        config = uvicorn.Config(
            make_app(inbox, partial(notifications_can_be_stored, warehouse), verify_token, app_secret),
            # Reason: the handshake has the verify token in its address, and an access log would keep it.
            access_log=False,
            log_config=None,
            server_header=False,
            limit_concurrency=_MOST_REQUESTS,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
        log.info("listening on %s:%d", *listening.getsockname()[:2])
        if port_file:
            _tell(port_file, listening.getsockname()[1])
        uvicorn.Server(config).run(sockets=[listening])


def _store(warehouse: Warehouse, received: Sequence[Received]) -> int:
    try:
        return store_notifications(warehouse, received)
    except SchemaOutdated:
        # Reason: the database was away when this process started, and is an empty one now.
        upgrade(warehouse)
        return store_notifications(warehouse, received)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, OverflowError) as problem:
        reason = getattr(problem, "strerror", None) or str(problem)
        raise ProcessError(f"The receiver cannot listen on {host}:{port}: {reason}.", "choose another port") from None


def _tell(port_file: Path, port: int) -> None:
    draft = port_file.with_name(f"{port_file.name}.tmp")
    draft.write_text(f"{port}\n", encoding="ascii")
    draft.replace(port_file)  # Reason: a reader never sees half of it.


if __name__ == "__main__":
    sys.exit(main())
