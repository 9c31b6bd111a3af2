"""The command line: options, the process, its signals."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from tests.metabase.options import ANY_HOST, Options
from tests.metabase.server import started


def parser() -> argparse.ArgumentParser:
    """The parser of all options."""
    p = argparse.ArgumentParser(prog="python -m tests.metabase", description="A strict stand-in for Metabase.")
    p.add_argument("--host", default="127.0.0.1")
    p.add_argument("--port", type=int, default=0, help="0 picks a free port (default)")
    p.add_argument("--port-file", type=Path, help="written with the port once listening")
    p.add_argument("--version", default=Options.version)
    p.add_argument(
        "--database",
        action="append",
        default=[],
        metavar="[HOST=]URL",
        help="libpq URL behind a host name of connection details; without HOST= behind every other one",
    )
    p.add_argument("--password", action="append", default=[], metavar="ROLE=PASSWORD", help="refuse other passwords")
    p.add_argument("--tls", action="store_true", help="the databases speak TLS")
    p.add_argument("--starting", type=float, default=0.0, metavar="SECONDS", help="how long a start takes")
    p.add_argument("--sync", type=float, default=0.0, metavar="SECONDS", help="how long a sync takes")
    p.add_argument("--template-tags", choices=("map", "list"), default="map")
    p.add_argument("--unknown-keys", choices=("refuse", "drop"), default="refuse")
    p.add_argument("--env-setting", action="append", default=[], metavar="NAME=JSON", help="fixed by the environment")
    p.add_argument("--env-writes", choices=("shadow", "refuse"), default="shadow")
    p.add_argument("--setup-token")
    p.add_argument("--password-complexity", choices=("weak", "normal", "strong"), default="normal")
    p.add_argument("--now", type=datetime.fromisoformat, help="a clock that stands still (ISO, UTC)")
    p.add_argument("--state", type=Path, help="a JSON file to live in beyond a restart")
    return p


def options_of(args: argparse.Namespace) -> Options:
    """The options that parsed arguments describe."""
    databases = {}
    for text in args.database:
        host, url = text.split("=", 1) if "://" not in text.partition("=")[0] else (ANY_HOST, text)
        databases[host] = url
    return Options(
        version=args.version,
        databases=databases,
        passwords=dict(text.split("=", 1) for text in args.password),
        tls=args.tls,
        starting_seconds=args.starting,
        sync_seconds=args.sync,
        template_tags=args.template_tags,
        unknown_keys=args.unknown_keys,
        env_settings={name: json.loads(value) for name, value in (text.split("=", 1) for text in args.env_setting)},
        env_writes=args.env_writes,
        setup_token=args.setup_token,
        password_complexity=args.password_complexity,
        now=args.now,
        state=args.state,
    )


async def serve(options: Options, host: str, port: int, port_file: Path | None) -> None:
    """Serves until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    runner, standin = await started(options, host, port)
    try:
        bound = runner.addresses[0][1]
        sys.stdout.write(f"listening on http://{host}:{bound}, setup token {standin.state.setup_token}\n")
        sys.stdout.flush()
        if port_file is not None:
            # Reason: renamed into place, so that a reader never sees an empty file.
            draft = port_file.with_name(port_file.name + ".tmp")
            draft.write_text(f"{bound}\n", encoding="utf-8")
            draft.replace(port_file)
        await stop.wait()
    finally:
        standin.cancel()
        await runner.cleanup()


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    p = parser()
    args = p.parse_args(argv)
    try:
        options = options_of(args)
    except ValueError as error:
        p.error(str(error))
    asyncio.run(serve(options, args.host, args.port, args.port_file))
    return 0
