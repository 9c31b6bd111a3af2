"""Peak memory of a process that pulls a million rows.

What belongs here: goal 5. What does not: the memory of PostgreSQL and the simulator.
"""

from __future__ import annotations

from typing import Any

from ingestion.insights import PullOptions
from tests.bench.figures import Figure, Report
from tests.bench.lab import Lab
from tests.bench.machine import load
from tests.bench.workload import PEERS_REPORT, days, world

ADS, DAYS = 4_200, 250
ACCOUNTS, REPORTS = 4, ("ad_daily", "adset_daily", "campaign_daily")  # as many at once as a pull works on by itself


def memory(lab: Lab) -> Report:
    """Peak resident memory over a backfill: of one report, and of `meta-ads pull` with all that it does at once."""
    ads, count = (ADS // 10, DAYS) if lab.quick else (ADS, DAYS)
    with lab.simulator("--no-limits", "--job-seconds", "0", size=world(ads, 330)) as simulator, lab.database() as url:
        lab.say(f"memory: {count} days of {ads} ads")
        job = {"graph_url": simulator.url, "account": simulator.get("state?jobs=0")["accounts"][0], **days(count)}
        one = lab.client(**job, warehouse_url=url, report=PEERS_REPORT)
    pull = _pull(lab, ads // ACCOUNTS, count // 2)
    rows = one["rows"]
    return Report(
        [
            Figure(
                f"peak memory of the client, {_count(rows)} rows",
                one["peak_mb"],
                "MB",
                goal=250,
                more_is_better=False,
                peers="39 to 274 (50,000 rows)",
            ),
            Figure("the same, rows per CPU-second of the client", rows / one["cpu"]),
            Figure(
                f"the same by `meta-ads pull`, {ACCOUNTS} accounts and {len(REPORTS)} reports of each at once, "
                f"{_count(pull['rows'])} rows",
                pull["peak_mb"],
                "MB",
                goal=250,
                more_is_better=False,
            ),
        ],
        [
            f"memory: {rows:,} rows of one account in {one['slices']} slices, {one['calls']:,} calls, "
            f"{rows / one['wall']:,.0f} rows/s of wall time; {one['peak_before_mb']:.0f} MB of the peak are Python "
            f"and the imports; load average {load()}",
            f"memory: {pull['rows']:,} rows of {ACCOUNTS} accounts by meta-ads pull ({pull['status']}), "
            f"{pull['rows'] / pull['wall']:,.0f} rows/s of wall time, {pull['rows'] / pull['cpu']:,.0f} per CPU-second",
        ],
    )


def _pull(lab: Lab, ads: int, count: int) -> dict[str, Any]:
    """A pull of several accounts and reports at once; ad sets have as many rows as ads in this world."""
    size = world(ads, 330, ACCOUNTS)
    with lab.simulator("--no-limits", "--job-seconds", "0", size=size) as simulator, lab.database() as url:
        lab.say(f"memory: {count} days of {ACCOUNTS} accounts, {len(REPORTS)} reports each")
        shipped = PullOptions()
        return lab.client(
            road="platform",
            graph_url=simulator.url,
            warehouse_url=url,
            home=str(lab.folder / "home"),
            reports=REPORTS,
            entities=False,
            accounts_at_once=ACCOUNTS,
            page_size=shipped.page_size,
            largest_page=shipped.largest_page,
            **days(count),
        )


def _count(rows: int) -> str:
    return "one million" if 1_000_000 <= rows < 1_100_000 else f"{rows:,}"
