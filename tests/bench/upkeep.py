"""What the platform does beside pulling and building: its own figures, clients' schemas, a report.

What belongs here: how long each takes. What does not: whether they are right, which the tests say.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from dashboards.answering import Space
from dashboards.library import load as load_library
from dashboards.reports.write import write
from tests.bench.figures import Report, median_of
from tests.bench.lab import Lab
from tests.bench.machine import load
from tests.dashboards.reports import world
from tests.warehouse.isolation.agency import PUBLISHED, make_agency
from warehouse.connect import Warehouse
from warehouse.ops.metrics import read_state

ACCOUNTS, DAYS = 20, 1125
CLIENTS, MARTS = 17, 4


def upkeep(lab: Lab) -> Report:
    """A scrape of the metrics, a sync of clients' schemas, a report."""
    report = Report()
    for part in (_scrape, _schemas, _report):
        part(lab, report)
    report.notes.append(f"upkeep: load average after: {load()}")
    return report


def seconds(what: Callable[[], object], rounds: int) -> list[float]:
    """How long each of some rounds took."""
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        what()
        found.append(time.perf_counter() - began)
    return found


def fill(warehouse: Warehouse, accounts: int, days: int) -> None:
    """Slices of 12 reports, and the results of 90 days of checks."""
    with warehouse.connection() as connection:
        connection.execute(
            """
            INSERT INTO ops.slice (
                account_id, report, day, run_id, source, attribution_windows, pulled_at, committed_at, row_count,
                duplicate_count, build_id
            )
            SELECT a, 'report_' || r, date '2026-11-20' - d, gen_random_uuid(), 'api', '{}', now(), now(), 500, 0, 1
            FROM generate_series(1, %s) AS a, generate_series(1, 12) AS r, generate_series(0, %s - 1) AS d
            """,
            [accounts, days],
        )
        connection.execute(
            """
            INSERT INTO ops.quality_result
            SELECT
                a, 'report_' || r, now() - make_interval(days => d), e, gen_random_uuid(), now(), now(), 'error', false,
                NULL, 1, '{}', '{}', 'm', 'm'
            FROM
                generate_series(1, %s) AS a, generate_series(1, 12) AS r, generate_series(0, 89) AS d,
                unnest(ARRAY['*', 'e1']) AS e
            """,
            [accounts],
        )
        connection.execute("ANALYZE ops.slice, ops.quality_result")


def _scrape(lab: Lab, report: Report) -> None:
    days = DAYS // 10 if lab.quick else DAYS
    with lab.database() as url, Warehouse(url) as warehouse:
        fill(warehouse, ACCOUNTS, days)
        took = seconds(lambda: read_state(warehouse), 5 * lab.rounds)
    what = f"the metrics endpoint reads {ACCOUNTS * 12 * days:,} slices"
    report.figures.append(median_of(what, [1000 * n for n in took], unit="ms", goal=100, more_is_better=False))


def _schemas(lab: Lab, report: Report) -> None:
    with lab.database() as url, Warehouse(url) as warehouse:
        agency = make_agency(warehouse)
        try:
            agency.declare({f"client-{number}": (1000 + number,) for number in range(CLIENTS)})
            agency.build()
            for number in range(MARTS):
                agency.run(f"CREATE TABLE marts.mart_{number} (account_id bigint, day date, client_id text)")
            first = seconds(agency.sync, 1)
            again = seconds(agency.sync, 5 * lab.rounds)
        finally:
            agency.forget_roles()
    views = (CLIENTS + 3) * (len(PUBLISHED) + MARTS)
    report.figures += [
        median_of(f"clients' schemas of {views} views, made", first, unit="s", digits=1),
        median_of("the same, when nothing changed", [1000 * n for n in again], unit="ms"),
    ]


def _report(lab: Lab, report: Report) -> None:
    library = load_library()
    with lab.database() as url:
        world.make(url)
        with Warehouse(url) as warehouse:
            space = Space("all", "All clients", "marts", warehouse)
            first, *later = seconds(lambda: write(world.ORDER, space, library, world.NOW), 1 + lab.rounds)
    report.figures += [
        median_of(
            "a report of two accounts: HTML, text, PDF, XLSX, CSV; the first of a process",
            [first],
            unit="s",
            goal=10,
            more_is_better=False,
            digits=1,
        ),
        median_of("the same, further ones", later, unit="s", goal=10, more_is_better=False, digits=1),
    ]
