"""Peak memory of a process that pulls a million rows.

What belongs here: goal 5. What does not: the memory of PostgreSQL and the simulator.
"""

from __future__ import annotations

from tests.bench.figures import Figure, Report
from tests.bench.lab import Lab
from tests.bench.machine import load
from tests.bench.workload import PEERS_REPORT, days, world

ADS, DAYS = 4_200, 250


def memory(lab: Lab) -> Report:
    """Peak resident memory over a backfill of one account, imports included."""
    ads = ADS // 10 if lab.quick else ADS
    with lab.simulator("--no-limits", "--job-seconds", "0", size=world(ads, 330)) as simulator, lab.database() as url:
        lab.say(f"memory: {DAYS} days of {ads} ads")
        job = {"graph_url": simulator.url, "account": simulator.get("state?jobs=0")["accounts"][0], **days(DAYS)}
        pull = lab.client(**job, warehouse_url=url, report=PEERS_REPORT)
    rows = pull["rows"]
    return Report(
        [
            Figure(
                f"peak memory of the client, {'one million' if rows >= 1_000_000 else f'{rows:,}'} rows",
                pull["peak_mb"],
                "MB",
                goal=250,
                more_is_better=False,
                peers="39 to 274 (50,000 rows)",
            ),
            Figure("the same, rows per CPU-second of the client", rows / pull["cpu"]),
        ],
        [
            f"memory: {rows:,} rows of one account in {pull['slices']} slices, {pull['calls']:,} calls, "
            f"{rows / pull['wall']:,.0f} rows/s of wall time; {pull['peak_before_mb']:.0f} MB of the peak are Python "
            f"and the imports; load average {load()}"
        ],
    )
