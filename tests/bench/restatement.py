"""A daily restatement: the last 29 days of a small account, at the pace of a real API.

What belongs here: goal 3. What does not: anything that depends on the number of rows.
"""

from __future__ import annotations

from typing import Any

from tests.bench.figures import Figure, Report, median_of
from tests.bench.lab import Lab
from tests.bench.machine import load
from tests.bench.workload import PEERS_REPORT, days, world

ADS, DAYS = 20, 29
LATENCY_MS, JOB_SECONDS = 100, 5
_PEERS = "Airbyte 30 s, 91 calls; others 166 s and more"


def restatement(lab: Lab) -> Report:
    """Wall seconds and calls, by report run; then synchronously, as an account with few rows is asked."""
    rounds = 1 if lab.quick else lab.rounds
    options = ("--latency", str(LATENCY_MS), "--job-seconds", str(JOB_SECONDS))
    by_run: list[dict[str, Any]] = []
    hinted: list[dict[str, Any]] = []
    with lab.simulator(*options, size=world(ADS, 120)) as simulator:
        job = {"graph_url": simulator.url, "account": simulator.get("state?jobs=0")["accounts"][0], **days(DAYS)}
        for number in range(rounds):
            lab.say(f"restatement: round {number + 1} of {rounds}")
            with lab.database() as url:
                by_run.append(lab.client(**job, warehouse_url=url, report=PEERS_REPORT))
            with lab.database() as url:
                usual = {PEERS_REPORT["name"]: by_run[-1]["rows"] / DAYS}
                hinted.append(lab.client(**job, warehouse_url=url, report=PEERS_REPORT, rows_per_day=usual))
    what = f"restatement of {DAYS} days x {ADS} ads, {LATENCY_MS} ms a call, report runs of {JOB_SECONDS} s"
    walls = [pull["wall"] for pull in by_run]
    again = [pull["wall"] for pull in hinted]
    return Report(
        [
            median_of(what, walls, unit="s", goal=8, more_is_better=False, peers=_PEERS, peers_value=30, digits=1),
            Figure(
                "the same, calls",
                max(pull["calls"] for pull in by_run),
                goal=12,
                more_is_better=False,
                peers="91",
                peers_value=91,
            ),
            median_of("the same once the account's size is known (asked synchronously where cheaper)", again, unit="s",
                      peers="30", peers_value=30, more_is_better=False, digits=1),
            Figure("the same, calls", max(pull["calls"] for pull in hinted), more_is_better=False, peers="91",
                   peers_value=91),
        ],
        [
            f"restatement: {by_run[0]['rows']} rows; no rows_per_day is known in the first pair, so that a report run "
            f"is asked for; load average {load()}"
        ],
    )  # fmt: skip
