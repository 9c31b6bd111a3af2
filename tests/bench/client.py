"""The process that is measured: pulls over HTTP and commits to the warehouse, then prints what it used.

    python -m tests.bench.client '{"graph_url": ..., "warehouse_url": ..., ...}'

What belongs here: the product's own road from HTTP to COMMIT, and reading this process's resource usage at its start
and end. Imports, connecting and creating tables come before the first reading. What does not: starting the simulator
and the database (`tests.bench.lab`). Nothing of the simulator may be imported, so that memory is the client's alone.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

from rich.console import Console

from ingestion.budget import CallBudget
from ingestion.clock import ScaledClock
from ingestion.graph import GraphClient
from ingestion.insights import InsightsPull, PullOptions
from ingestion.reports import PRESETS, Report
from ingestion.slices import Slice
from orchestration.clients import ClientsFile
from orchestration.platform import Platform, tune_memory
from orchestration.progress import Display
from orchestration.pull import run_pull
from orchestration.pull_model import PullRequest
from orchestration.settings import load_settings
from orchestration.slice_writer import SliceWriter
from warehouse.connect import Warehouse
from warehouse.encoder import encoder_for
from warehouse.ops import ReportJobStore, UsageStore
from warehouse.tables import InsightTable, ensure_insight_table

Counts = dict[str, Any]


def main(job: dict[str, Any]) -> Counts:
    """Does one job; returns counts and resources."""
    tune_memory()  # as `open_platform` does
    clock = ScaledClock(job.get("speed", 1.0), datetime.fromisoformat(job["now"]) if job.get("now") else None)
    with Warehouse(job["warehouse_url"]) as warehouse:
        roads = {"report": _report_road, "platform": _platform_road}
        work = roads[job.get("road", "report")](job, warehouse, clock)
        return measured(work)


def measured(work: Callable[[], Counts]) -> Counts:
    """Runs work and adds what this process used for it, children not counted (there are none)."""
    idle = peak_megabytes()
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    counts = work()
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF)
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    used = {"wall": wall, "cpu": user + system, "user": user, "system": system}
    return counts | used | {"peak_mb": peak_megabytes(), "peak_before_mb": idle}


def peak_megabytes() -> float:
    """Most resident memory that this process has had, imports included, as for whoever runs it."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1024**2 if sys.platform == "darwin" else 1024)  # macOS counts bytes, others kilobytes
    # Reason: on Linux ru_maxrss begins with what the parent held when it forked.
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def report_of(job: dict[str, Any]) -> Report:
    """The report that a job names or describes."""
    wanted = job["report"]
    if isinstance(wanted, str):
        return PRESETS[wanted]
    return replace(
        PRESETS["ad_daily"], name=wanted["name"], fields=tuple(wanted["fields"]), windows=tuple(wanted["windows"])
    )


def _report_road(job: dict[str, Any], warehouse: Warehouse, clock: ScaledClock) -> Callable[[], Counts]:
    """One report of one account: GraphClient, InsightsPull, replace_slice."""
    report, run_id = report_of(job), uuid4()
    table = InsightTable(report.name, report.level, report.breakdowns, period=report.period)
    ensure_insight_table(warehouse, table)
    client = GraphClient.connect(
        "SIMULATOR", graph_url=job["graph_url"], clock=clock, budget=CallBudget(clock, UsageStore(warehouse))
    )
    options = PullOptions(**{name: job[name] for name in ("page_size", "largest_page", "sync_rows") if name in job})
    account = int(job["account"])
    pull = InsightsPull(
        client, ReportJobStore(warehouse), run_id, str(account), options, rows_per_day=job.get("rows_per_day", {})
    )
    save = Path(job["save"]) if job.get("save") else None

    def keep(piece: Slice) -> None:
        """Instead of committing: the very text that COPY would get, for the comparison with COPY alone."""
        assert save is not None
        encoded = encoder_for(table).encode(account, piece.day, piece.rows)
        with save.open("ab") as file:
            file.writelines(encoded.chunks)
        piece.release()

    def work() -> Counts:
        written: list[int] = []
        with SliceWriter(warehouse, table, run_id, lambda _, result: written.append(result.row_count)) as writer:
            for piece in pull.slices(report, date.fromisoformat(job["since"]), date.fromisoformat(job["until"])):
                if save is None:
                    writer.write(piece)
                else:
                    keep(piece)
        client.close()
        return {"rows": sum(written), "slices": len(written), "calls": client.calls}

    return work


def _platform_road(job: dict[str, Any], warehouse: Warehouse, clock: ScaledClock) -> Callable[[], Counts]:
    """A whole `meta-ads pull`: all accounts, in parallel."""
    settings = load_settings(
        None,
        meta_access_token="SIMULATOR",
        meta_graph_url=job["graph_url"],
        meta_ads_home=Path(job["home"]),
        meta_max_accounts_at_once=job["accounts_at_once"],
    )
    options = PullOptions(page_size=job["page_size"], largest_page=job["largest_page"])
    display = Display(Console(file=StringIO()))
    platform = Platform(settings, ClientsFile(version=1), warehouse, display, clock=clock, options=options)
    request = PullRequest(
        reports=tuple(job["reports"]),
        since=date.fromisoformat(job["since"]),
        until=date.fromisoformat(job["until"]),
        entities=job["entities"],
    )

    def work() -> Counts:
        began = clock.now()
        summary = run_pull(platform, request)
        return {
            "rows": sum(outcome.rows for outcome in summary.outcomes),
            "slices": sum(outcome.slices for outcome in summary.outcomes),
            "calls": summary.calls,
            "status": summary.status,
            "problems": [problem for outcome in summary.outcomes for problem in outcome.problems],
            "scaled_seconds": clock.now() - began,
        }

    return work


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(sys.argv[1]))) + "\n")
