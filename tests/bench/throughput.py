"""How fast ad-day rows get from HTTP to COMMIT: per CPU-second of the client, and beside COPY alone.

What belongs here: goals 1 and 2. What does not: where the time goes (`tests.bench.costs`).
"""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from ingestion.reports import PRESETS
from tests.bench.figures import Report, median_of
from tests.bench.lab import Lab
from tests.bench.machine import load
from tests.bench.workload import PEERS_REPORT, days, world
from warehouse.connect import Warehouse
from warehouse.encoder import encoder_for
from warehouse.tables import InsightTable, ensure_insight_table

ADS, DAYS = 2_100, 25  # some ads pause, so that about 50,000 rows come, as the peers had
_BLOCK = 1024 * 1024


def throughput(lab: Lab) -> Report:
    """Rows per CPU-second and the ratio to COPY, for the peers' 18 fields; rows per CPU-second of `ad_daily`."""
    rounds = 1 if lab.quick else lab.rounds
    ads = ADS // 5 if lab.quick else ADS
    report = Report()
    pulls: list[dict[str, Any]] = []
    presets: list[dict[str, Any]] = []
    copies: list[float] = []
    ratios: list[float] = []
    loads = []
    with lab.simulator("--no-limits", "--job-seconds", "0", size=world(ads, 120)) as simulator:
        job = {"graph_url": simulator.url, "account": simulator.get("state?jobs=0")["accounts"][0], **days(DAYS)}
        file = lab.folder / "rows.copy"
        with lab.database() as url:  # also warms the simulator up
            lab.client(**job, warehouse_url=url, report=PEERS_REPORT, save=str(file))
        for number in range(rounds):
            lab.say(f"throughput: round {number + 1} of {rounds}")
            # Reason: COPY before and after, since what else the machine does changes within a round.
            around = [_copied(lab, file)]
            with lab.database() as url:
                pulls.append(lab.client(**job, warehouse_url=url, report=PEERS_REPORT))
                loads.append(load())
            around.append(_copied(lab, file))
            ratios.append(pulls[-1]["wall"] / (sum(around) / 2))
            copies += around
            with lab.database() as url:
                presets.append(lab.client(**job, warehouse_url=url, report="ad_daily"))
    preset = PRESETS["ad_daily"]
    rows, size = pulls[0]["rows"], file.stat().st_size / pulls[0]["rows"]
    assert file.read_bytes().count(b"\n") == rows, "COPY would not have got what the pull got"
    report.figures = [
        median_of(
            "ad-day rows (18 fields, 5 action types by window) from HTTP to committed, per CPU-second of the client",
            [pull["rows"] / pull["cpu"] for pull in pulls],
            goal=15_000,
            peers="1,650 (Airbyte 185)",
            peers_value=1_650,
        ),
        median_of(
            "the same, wall time as a multiple of COPY of the same rows",
            ratios,
            unit="times",
            goal=4,
            more_is_better=False,
            digits=2,
        ),
        median_of(
            "the same, rows per second of wall time",
            [pull["rows"] / pull["wall"] for pull in pulls],
            peers="1,540 (Airbyte 163)",
            peers_value=1_540,
        ),
        median_of(
            f"report ad_daily ({len(preset.fields)} fields, {len(preset.windows)} windows), rows per CPU-second of the "
            "client",
            [pull["rows"] / pull["cpu"] for pull in presets],
        ),
    ]
    report.notes = [
        f"throughput: {rows:,} rows in {DAYS} slices, {size:,.0f} bytes each as COPY gets them, {pulls[0]['calls']} "
        f"calls; {_range(pulls, 'wall')} s wall, {_range(pulls, 'cpu')} s CPU; COPY alone "
        f"{min(copies):.2f} to {max(copies):.2f} s (psycopg, one transaction, same primary key and partitions, empty "
        f"table); medians of {rounds} rounds, COPY before and after each; load average {', '.join(loads)}",
        "throughput: CPU is user and system time of the client process (all threads) from the first call to the last "
        "commit; imports and connecting are left out, PostgreSQL and the simulator not counted",
    ]
    return report


def _copied(lab: Lab, file: Path) -> float:
    with lab.database() as url:
        return copy_seconds(lab, url, file)


def copy_seconds(lab: Lab, url: str, file: Path) -> float:
    """Wall seconds of COPY of a file into a table with the same columns, key and partitions, commit included."""
    table = InsightTable(PEERS_REPORT["name"], "ad")
    with Warehouse(url) as warehouse:
        ensure_insight_table(warehouse, table)
        with warehouse.connection() as connection:
            # Reason: made and committed before, as for a pull; into a table of its own transaction, COPY writes no WAL.
            with file.open("rb") as source:
                found = [line.split(b"\t", 2)[1].decode() for line in source]
            warehouse.storage.prepare_days(connection, table, [date.fromisoformat(day) for day in set(found)])
    lab.administer("CHECKPOINT")
    columns = sql.SQL(", ").join(map(sql.Identifier, encoder_for(table).column_names))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(table.identifier, columns)
    with psycopg.connect(url) as connection:
        began = time.perf_counter()
        with file.open("rb") as source, connection.cursor() as cursor, cursor.copy(statement) as sink:
            while block := source.read(_BLOCK):
                sink.write(block)
        connection.commit()
        spent = time.perf_counter() - began
        stored = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(table.identifier)).fetchone()
    assert stored == (len(found),), f"{stored} rows copied of {len(found)}"
    return spent


def _range(results: list[dict[str, Any]], name: str) -> str:
    values = [result[name] for result in results]
    return f"{min(values):.2f} to {max(values):.2f}" if len(values) > 1 else f"{values[0]:.2f}"
