"""The command line of the simulator: options, the process, its signals.

Belongs here: turning arguments into `Settings`, a clock and a world, and serving until told to stop.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

from aiohttp import web

from simulator.contract import World
from simulator.server.app import MAX_LINE, make_app
from simulator.server.clock import SimClock
from simulator.server.config import Settings
from simulator.server.core import Simulator
from simulator.server.faults import SCENARIOS


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def parser() -> argparse.ArgumentParser:
    """Returns the parser of all options."""
    p = argparse.ArgumentParser(
        prog="python -m simulator", description="A stand-in for the Meta Marketing API, with a world inside."
    )
    p.add_argument("--host", default="127.0.0.1")
    p.add_argument("--port", type=int, default=0, help="0 picks a free port (default)")
    p.add_argument("--port-file", type=Path, help="written with the port once listening")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--size", default="demo", help="demo, small, or accounts=..,ads=..")
    p.add_argument("--anchor", type=date.fromisoformat, help="the day before which the world's history lies")
    p.add_argument("--now", type=_moment, help="where the clock starts (ISO; default: the real clock)")
    p.add_argument("--clock-speed", type=float, default=1.0, help="simulated seconds per real second; 0 = frozen")
    p.add_argument("--latency", type=float, default=0.0, metavar="MS", help="added to every answer")
    p.add_argument("--job-seconds", type=float, default=20.0, help="simulated seconds a report run takes")
    p.add_argument("--tier", choices=("development", "standard"), default="standard")
    p.add_argument("--no-limits", action="store_true", help="compute usage headers but never throttle")
    p.add_argument("--faults", default="none", metavar="PROFILE", help=f"{', '.join(SCENARIOS)}, or a JSON file")
    p.add_argument("--token", default=Settings.token)
    p.add_argument("--app-id", default=Settings.app_id)
    p.add_argument("--app-secret", default=Settings.app_secret)
    p.add_argument("--require-proof", action="store_true", help="refuse calls without appsecret_proof")
    p.add_argument("--retired", choices=("refuse", "upgrade"), default="refuse", help="what old versions answer")
    p.add_argument("--page-limit-max", type=int, default=Settings.page_limit_max)
    p.add_argument("--sync-row-limit", type=int, default=Settings.sync_row_limit)
    p.add_argument("--job-row-limit", type=int, default=Settings.job_row_limit)
    p.add_argument("--opt-in", default="all", help="accounts with opt-in breakdowns: all, none, or ids")
    p.add_argument("--opt-in-quota", type=int, default=Settings.opt_in_quota, help="runs a day; 0 = none")
    return p


def settings_of(args: argparse.Namespace) -> Settings:
    """Returns the settings that parsed arguments describe."""
    opt_in = args.opt_in
    if opt_in not in {"all", "none"}:
        opt_in = frozenset(a.strip().removeprefix("act_") for a in opt_in.split(","))
    return Settings(
        tier=args.tier,
        seed=args.seed,
        latency_ms=args.latency,
        job_seconds=args.job_seconds,
        token=args.token,
        app_id=args.app_id,
        app_secret=args.app_secret,
        require_proof=args.require_proof,
        retired=args.retired,
        limits=not args.no_limits,
        page_limit_max=args.page_limit_max,
        sync_row_limit=args.sync_row_limit,
        job_row_limit=args.job_row_limit,
        opt_in=opt_in,
        opt_in_quota=args.opt_in_quota,
        faults=args.faults,
    )


def build_simulator(args: argparse.Namespace) -> Simulator:
    """Returns the simulator that parsed arguments describe, its world included."""
    from simulator.world import build_world

    clock = SimClock(args.now, args.clock_speed)
    anchor = args.anchor or clock.now().date()
    world: World = build_world(size=args.size, seed=args.seed, anchor=anchor)
    return Simulator(world, settings_of(args), clock)


async def serve(sim: Simulator, host: str, port: int, port_file: Path | None) -> None:
    """Serves until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    # Reason: the SDK puts every id of a filter into the URL, far beyond aiohttp's 8 KB.
    runner = web.AppRunner(
        make_app(sim), access_log=None, shutdown_timeout=1.0, max_line_size=MAX_LINE, max_field_size=MAX_LINE
    )
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0][1]
        sys.stdout.write(f"listening on http://{host}:{bound}\n")
        sys.stdout.flush()
        if port_file is not None:
            # Reason: renamed into place, so that a reader never sees an empty file.
            draft = port_file.with_name(port_file.name + ".tmp")
            draft.write_text(f"{bound}\n", encoding="utf-8")
            draft.replace(port_file)
        await stop.wait()
    finally:
        await runner.cleanup()


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    p = parser()
    args = p.parse_args(argv)
    try:
        sim = build_simulator(args)
    except ValueError as error:
        p.error(str(error))
    asyncio.run(serve(sim, args.host, args.port, args.port_file))
    return 0
