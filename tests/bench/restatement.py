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
SYNC_ROWS = 1000  # one page; the product's own default asks for a report run from 500 rows on
_PEERS = "30 (Airbyte; others 166 and more)"


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
                hinted.append(
                    lab.client(**job, warehouse_url=url, report=PEERS_REPORT, rows_per_day=usual, sync_rows=SYNC_ROWS)
                )
    what = f"restatement of {DAYS} days x {ADS} ads, {LATENCY_MS} ms a call, report runs of {JOB_SECONDS} s"
    figures = []
    for text, pulls, (most_seconds, most_calls) in (
        (what, by_run, (8, 12)),
        (f"the same, asked synchronously (size known, sync_rows={SYNC_ROWS})", hinted, (None, None)),
    ):
        walls, calls = [pull["wall"] for pull in pulls], max(pull["calls"] for pull in pulls)
        figures += [
            median_of(text, walls, unit="s", goal=most_seconds, more_is_better=False, peers=_PEERS, peers_value=30,
                      digits=1),
            Figure("the same, calls", calls, goal=most_calls, more_is_better=False, peers="91", peers_value=91),
        ]  # fmt: skip
    note = (
        f"restatement: {by_run[0]['rows']} rows; without a known number of rows a day a report run is asked for; load "
        f"average {load()}"
    )
    return Report(figures, [note])
