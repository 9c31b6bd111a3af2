"""Cards on ten million ad-days of twenty clients: how long their queries take, for the agency and for a client.

What belongs here: marts made large, and every card of every dashboard asked as the site asks it. What does not: drawing
(`tests/e2e/test_site.py`), Metabase's own time.

A tenth of the rows is built by dbt; the marts are then copied nine times for further accounts, with the same numbers:
building all would take half an hour, and a query reads rows, not their history.
"""

from __future__ import annotations

import statistics
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import sql
from rich.console import Console

from dashboards.answering import Answer, Space, ask, catalog_of, statements
from dashboards.library import Library, load
from dashboards.queries import Calendar
from orchestration.progress import Display
from orchestration.transform import dbt_environment, run_dbt
from tests.bench.figures import Figure, Report
from tests.bench.lab import Lab
from tests.bench.machine import load as machine_load
from tests.bench.marts import LAST, Size, fill
from warehouse.connect import Warehouse
from warehouse.isolation import schema_name, sync_client_schemas
from warehouse.pool import Connection

CLIENTS = 20
COPIES = 9
OFFSET = 1_000_000
GOAL_MS = 300.0
ROWS = 2_000
FILTERS: dict[str, dict[str, Any]] = {
    "as it opens": {},
    "one account": {"account": ["Account 7"]},
    "90 days": {"date": "past90days"},
    "a campaign": {"campaign": ["Campaign 3"]},
    "by week, one objective": {"grain": "week", "objective": ["OUTCOME_SALES"]},
}
"""Values that people choose; of each dashboard those filters that it has."""
_TABLES = """
    SELECT class.relname::text, array_agg(attribute.attname::text ORDER BY attribute.attnum)
    FROM pg_class AS class
    JOIN pg_attribute AS attribute ON attribute.attrelid = class.oid
    WHERE
        class.relnamespace = 'marts'::regnamespace AND class.relkind IN ('r', 'p') AND NOT class.relispartition
        AND attribute.attnum > 0 AND NOT attribute.attisdropped AND attribute.attgenerated = ''
    GROUP BY class.relname
    HAVING bool_or(attribute.attname = 'account_id')
    ORDER BY class.relname
"""
_COPIED = {
    "account_id": "account_id + {offset}",
    "account_name": "account_name || ' of copy ' || {copy}",
    "client_id": "'client-' || (account_id + {copy}) % {clients}",
    "client_name": "'Client ' || (account_id + {copy}) % {clients}",
}


def cards(lab: Lab) -> Report:
    """The median and the 95th percentile of all cards, asked for the agency and for three clients."""
    size = Size(CLIENTS, 50, 50) if lab.quick else Size(CLIENTS, 250, 200)
    with lab.database() as url, Warehouse(url) as warehouse:
        lab.say(f"cards: making {size.ad_days:,} ad-days, and {COPIES} copies of their marts")
        fill(warehouse, size)
        with warehouse.connection() as connection:
            connection.execute(
                "UPDATE ops.client_account SET client_id = 'client-' || account_id %% %s, "
                "client_name = 'Client ' || account_id %% %s",
                [CLIENTS, CLIENTS],
            )
            connection.execute(
                "INSERT INTO ops.build_scope SELECT DISTINCT account_id, day FROM ops.slice WHERE build_id IS NULL"
            )
        display = Display(Console(file=(lab.folder / "cards.log").open("w")))
        run_dbt(dbt_environment(warehouse.parameters, lab.folder / "cards"), display)
        with warehouse.connection() as connection:
            connection.execute("UPDATE ops.slice SET build_id = 1")
            for copy in range(1, COPIES + 1):
                _copy(connection, copy)
                lab.say(f"cards: copy {copy}")
            connection.execute("VACUUM ANALYZE")
        sync_client_schemas(warehouse)
        library = load()
        now = datetime.combine(LAST + timedelta(days=1), datetime.min.time(), UTC)
        spaces = [Space("all", "All", "marts", warehouse)]
        spaces += [
            Space(f"client-{n}", f"Client {n}", schema_name(f"client-{n}"), warehouse) for n in range(0, CLIENTS, 8)
        ]
        figures = []
        slowest: list[tuple[float, str]] = []
        failed: list[str] = []
        clients: list[float] = []
        for space in spaces:
            taken, broken = _asked(library, space, now)
            failed += broken
            slowest += [(seconds, f"{space.name}: {what}") for seconds, what in taken]
            if space.name == "all":
                figures += _figures("the agency: all clients", [seconds for seconds, _ in taken], None)
            else:
                clients += [seconds for seconds, _ in taken]
        figures += _figures("a client", clients, GOAL_MS)
    slowest.sort(reverse=True)
    listing = "; ".join(f"{what} {seconds * 1000:.0f} ms" for seconds, what in slowest[:8])
    notes = [
        f"cards: {size.ad_days * (COPIES + 1):,} ad-days of {CLIENTS * (COPIES + 1)} accounts of {CLIENTS} clients; "
        f"each card asked twice, the second counts; slowest: {listing}; load average {machine_load()}"
    ]
    notes += [f"no answer: {one}" for one in failed[:10]]
    return Report(figures, notes)


def _figures(who: str, seconds: list[float], goal: float | None) -> list[Figure]:
    milliseconds = [1000 * one for one in seconds]
    p95 = statistics.quantiles(milliseconds, n=20)[-1]
    return [
        Figure(f"{len(seconds)} queries of cards, {who}: median", statistics.median(milliseconds), "ms"),
        Figure(f"the same: 95th percentile (slowest {max(milliseconds):,.0f} ms)", p95, "ms", goal, False),
    ]


def _asked(library: Library, space: Space, now: datetime) -> tuple[list[tuple[float, str]], list[str]]:
    """Seconds of each card with each choice of filters, and those without an answer."""
    catalog = catalog_of(space)
    calendar = Calendar.at(now, space.zone, "monday")
    taken: list[tuple[float, str]] = []
    failed: list[str] = []
    for key, definition in library.dashboards.items():
        placed = [*library.context, *definition.cards]
        for name, chosen in FILTERS.items():
            values = {one: value for one, value in chosen.items() if one in definition.dashboard.filters}
            if chosen and not values:
                continue
            asked = statements(library, definition, placed, space, catalog, values, calendar)
            for card, statement in asked.items():
                if isinstance(statement, Answer):
                    failed.append(f"{key}/{card}: {statement.error}")
                    continue
                ask(space, statement, ROWS)
                began = time.perf_counter()
                answer = ask(space, statement, ROWS)
                taken.append((time.perf_counter() - began, f"{key}/{card}, {name}"))
                if answer.error:
                    failed.append(f"{key}/{card}: {answer.error}")
    return taken, failed


def _copy(connection: Connection, copy: int) -> None:
    """Every mart's rows once more, as those of further accounts."""
    values = {"offset": copy * OFFSET, "copy": copy, "clients": CLIENTS}
    for table, columns in connection.execute(_TABLES).fetchall():
        selected = [
            sql.SQL(_COPIED[one].format(**values)) if one in _COPIED else sql.Identifier(one) for one in columns
        ]
        connection.execute(
            sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {} WHERE account_id < {}").format(
                sql.Identifier("marts", table),
                sql.SQL(", ").join(map(sql.Identifier, columns)),
                sql.SQL(", ").join(selected),
                sql.Identifier("marts", table),
                OFFSET,
            )
        )
    connection.execute(
        f"""
        INSERT INTO ops.client_account (account_id, client_id, client_name, conversion_action, value_action,
            conversion_window)
        SELECT account_id + {copy * OFFSET}, 'client-' || (account_id + {copy}) % {CLIENTS},
            'Client ' || (account_id + {copy}) % {CLIENTS}, conversion_action, value_action, conversion_window
        FROM ops.client_account WHERE account_id < {OFFSET}
        """.encode()
    )
