"""Where a row's time goes: microseconds of each step between HTTP and the table.

    python -m tests.bench.costs '{...}'   runs as the measured process

What belongs here: single steps, each alone and repeated. What does not: the whole road (`tests.bench.throughput`).
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import orjson

from tests.bench.figures import Report
from tests.bench.lab import Lab
from tests.bench.machine import load
from tests.bench.workload import PEERS_REPORT, days, world

PAGE, REPEATS = 1000, 15
COLUMNS = ("Step", "Client CPU, us a row", "Wall, us a row")


def costs(lab: Lab) -> Report:
    """A table of its own: microseconds per row and step."""
    with lab.simulator("--no-limits", "--job-seconds", "0", size=world(PAGE + 100, 60)) as simulator:
        lab.say("costs: each step alone")
        account = simulator.get("state?jobs=0")["accounts"][0]
        with lab.database() as url:
            job = {"graph_url": simulator.url, "account": account, "warehouse_url": url, **days(1)}
            found = lab.module("tests.bench.costs", {**job, "report": PEERS_REPORT})
    rows = [(name, f"{cpu:.1f}", f"{wall:.1f}") for name, cpu, wall in found["steps"]]
    note = (
        f"costs: medians of {REPEATS} times {found['rows']} rows of one day ({found['bytes'] / found['rows']:,.0f} "
        f"bytes of JSON each); wall includes waiting for the simulator and for PostgreSQL; load average {load()}"
    )
    return Report(notes=[note], columns=COLUMNS, rows=rows)


def timed(work: Callable[[], Any], rows: int, prepare: Callable[[], Any] = lambda: None) -> tuple[float, float]:
    """Medians of microseconds per row: CPU of this process, and wall."""
    cpu, wall = [], []
    for _ in range(REPEATS):
        prepare()
        began, used = time.perf_counter(), time.process_time()
        work()
        cpu.append(time.process_time() - used)
        wall.append(time.perf_counter() - began)
    return 1e6 * statistics.median(cpu) / rows, 1e6 * statistics.median(wall) / rows


def main(job: dict[str, Any]) -> dict[str, Any]:
    """Measures the steps in this process."""
    from ingestion.graph import SdkTransport, _encode
    from ingestion.reports import Piece
    from ingestion.slices import Spool, SpoolLimit
    from tests.bench.client import report_of
    from warehouse.connect import Warehouse
    from warehouse.encoder import encoder_for
    from warehouse.loader import replace_slice
    from warehouse.provenance import Provenance
    from warehouse.tables import InsightTable, ensure_insight_table

    report, day, account = report_of(job), date.fromisoformat(job["since"]), int(job["account"])
    table = InsightTable(report.name, "ad")
    transport = SdkTransport(job["graph_url"], "SIMULATOR", None, None)
    url = f"{job['graph_url']}/v26.0/act_{account}/insights"
    params = _encode({**Piece(report, day, day).params(), "limit": PAGE})

    def fetch() -> bytes:
        return transport.request("GET", url, params, 60.0).content

    content = fetch()
    page = orjson.loads(content)["data"]
    rows = len(page)

    def spooled() -> Spool:
        spool = Spool(report.name, "date_start", day, day, SpoolLimit())
        spool.add(page)
        return spool

    held = spooled()
    encoded = encoder_for(table).encode(account, day, held.rows(day))
    steps = [
        ("ask and receive a page (HTTP)", *timed(fetch, rows)),
        ("parse it", *timed(lambda: orjson.loads(content), rows)),
        ("spool its rows", *timed(spooled, rows)),
        ("check and encode them", *timed(lambda: encoder_for(table).encode(account, day, held.rows(day)), rows)),
    ]
    with Warehouse(job["warehouse_url"]) as warehouse:
        ensure_insight_table(warehouse, table)
        with warehouse.connection() as connection:
            warehouse.storage.prepare_days(connection, table, [day])
            empty = lambda: connection.execute(f"TRUNCATE {table.qualified_name}")  # type: ignore[arg-type]  # noqa: E731

            def copy() -> None:
                with connection.transaction(), connection.cursor() as cursor:
                    names = ", ".join(column.name for column in table.columns)
                    with cursor.copy(f"COPY {table.qualified_name} ({names}) FROM STDIN") as sink:  # type: ignore[arg-type]
                        for chunk in encoded.chunks:
                            sink.write(chunk)

            steps.append(("COPY them into an empty table", *timed(copy, rows, empty)))

            def forget() -> None:
                empty()
                connection.execute("TRUNCATE ops.slice")

        def replace() -> None:
            origin = Provenance(uuid4(), "api", "v26.0", report.windows, datetime.now(UTC))
            replace_slice(warehouse, table, account, day, held.rows(day), origin)

        steps.append(("replace_slice, new: encode, DELETE, COPY, totals, COMMIT", *timed(replace, rows, forget)))
        steps.append(("replace_slice, unchanged: encode, compare, COMMIT", *timed(replace, rows)))
    transport.close()
    return {"rows": rows, "bytes": sum(len(orjson.dumps(row)) for row in page), "steps": steps}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(sys.argv[1]))) + "\n")
