"""`python -m tests.soak [--hours 24] [--faults 0.02]`: a day in fast motion, and what became of it.

What belongs here: setting up and telling. Exit code 1 says that something was not as it should be.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
import time
from pathlib import Path

import dagster as dg

from tests.bench.lab import laboratory
from tests.e2e.harness import NOW, Bench, running_simulator
from tests.receivers import mail_server
from tests.soak.day import SPEED, Day
from tests.soak.verdict import verdict
from warehouse.connect import Warehouse


def main() -> int:
    """Runs the command line; returns the exit code."""
    p = argparse.ArgumentParser(prog="python -m tests.soak", description="A day of ticks in fast motion.")
    p.add_argument("--hours", type=int, default=24, help="how long the day is (default 24)")
    p.add_argument("--faults", type=float, default=0.02, help="share of calls that fail (default 0.02)")
    args = p.parse_args()
    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("tests.soak").setLevel(logging.INFO)
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="meta-ads-soak-") as name,
        laboratory(quick=False, rounds=1) as lab,
        running_simulator(Path(name), "--job-seconds", "20", speed=SPEED) as simulator,
        lab.database() as url,
        Warehouse(url) as warehouse,
        dg.DagsterInstance.local_temp(name) as instance,
        mail_server() as box,
    ):
        day = Day(Bench(simulator, warehouse, Path(name)), instance, box, args.faults)
        for _ in day.pass_time(NOW, args.hours * 4):
            pass
        found = verdict(day)
    for line in found.lines:
        sys.stdout.write(f"{line}\n")
    sys.stdout.write(f"{args.hours} hours in {(time.monotonic() - began) / 60:.0f} minutes\n")
    for problem in found.problems:
        sys.stdout.write(f"NOT AS IT SHOULD BE: {problem}\n")
    return 1 if found.problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
