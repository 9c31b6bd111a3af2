"""Runs benchmarks and prints one table: `python -m tests.bench [NAME...] [--quick] [--markdown] [--demo]`.

What belongs here: arguments and order. What does not: measuring. The exit code is 0 whatever the figures are.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from rich.console import Console

from tests.bench import machine
from tests.bench.ab_study import ab
from tests.bench.cards import cards
from tests.bench.costs import costs
from tests.bench.demo import demo
from tests.bench.figures import Report, as_markdown, show
from tests.bench.lab import ClientFailed, Lab, laboratory
from tests.bench.marts import marts
from tests.bench.memory import memory
from tests.bench.pages import pages
from tests.bench.quota import quota
from tests.bench.restatement import restatement
from tests.bench.throughput import throughput
from tests.bench.tick import tick
from tests.bench.upkeep import upkeep
from tests.bench.webhooks import webhooks

BENCHMARKS: dict[str, Callable[[Lab], Report]] = {
    "throughput": throughput,
    "restatement": restatement,
    "quota": quota,
    "memory": memory,
    "marts": marts,
    "cards": cards,
    "tick": tick,
    "demo": demo,
    "costs": costs,
    "ab": ab,
    "webhooks": webhooks,
    "upkeep": upkeep,
    "pages": pages,
}
SLOW = {"cards", "demo", "marts", "tick", "pages"}


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line; returns the exit code."""
    p = argparse.ArgumentParser(prog="python -m tests.bench", description="Speed, size and calls, beside the goals.")
    p.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHMARKS)}; default: all but {', '.join(sorted(SLOW))}"
    )
    p.add_argument("--quick", action="store_true", help="less of everything: for a look, not for the README")
    p.add_argument("--rounds", type=int, default=3, help="how often what varies is measured (default 3)")
    p.add_argument("--demo", action="store_true", help="also `make demo` from a fresh clone (minutes)")
    p.add_argument("--markdown", action="store_true", help="print the table as markdown, for the README")
    args = p.parse_args(argv)
    if unknown := set(args.names) - set(BENCHMARKS):
        p.error(f"there is no benchmark {', '.join(sorted(unknown))}; choose from {', '.join(BENCHMARKS)}")
    chosen = args.names or [name for name in BENCHMARKS if name not in SLOW]
    if args.demo and "demo" not in chosen:
        chosen.append("demo")
    # Reason: ended by a signal, it must still stop the server and the simulator.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    reports = []
    before = machine.load()
    with laboratory(quick=args.quick, rounds=max(1, args.rounds)) as lab:
        facts = machine.describe(lab.server.url())
        for name in chosen:
            began = time.monotonic()
            try:
                reports.append(BENCHMARKS[name](lab))
            except (ClientFailed, AssertionError, OSError) as problem:
                reports.append(Report(notes=[f"{name}: could not be measured: {problem}"]))
            lab.say(f"{name}: {time.monotonic() - began:.0f} s")
            for figure in reports[-1].figures:
                lab.say("  " + " | ".join(figure.cells()))
    facts += f"; {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, load average {before} before and {machine.load()} after"
    if args.quick:
        facts += "; --quick, so for a look only"
    if args.markdown:
        sys.stdout.write(as_markdown([facts], reports))
    else:
        show(Console(width=None if sys.stdout.isatty() else 160), [facts], reports)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
