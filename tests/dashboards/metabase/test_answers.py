"""Every card of every dashboard in Metabase against our own expansion of the same card: the same values, the same rows.

The stand-in reads filters by itself and shares no code with `dashboards.queries`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from dashboards.filters import tag_of
from dashboards.library import PlacedCard
from dashboards.metabase.identity import entity_id
from dashboards.metabase.parameters import is_variable
from dashboards.queries import Calendar, expand, tags_in
from dashboards.spaces import Space, in_schema
from tests.dashboards.metabase.conftest import Bench
from tests.dashboards.metabase.marts import catalog

pytestmark = pytest.mark.integration
BERLIN = ZoneInfo("Europe/Berlin")
CALENDAR = Calendar.at(datetime(2026, 11, 20, 12, tzinfo=UTC), BERLIN, "monday")
SOME = {
    "date": "2026-10-25~2026-11-14",
    "client": ["Acme"],
    "account": ["Account 1", "Account 2"],
    "currency": ["EUR"],
    "objective": ["LEADS"],
    "campaign": ["Campaign 1", "Campaign 3"],
    "ad_set": ["Ad set 1", "Ad set 2"],
    "grain": "week",
}
DATES = (
    *("past7days", "past30days~", "thismonth", "2026-10"),
    *("Q4-2026", "2026-11-03", "exclude-days-Sat-Sun", "~2026-11-01"),
)


def plain(value: Any) -> Any:
    """A value as JSON would carry it, numbers rounded as far as floats agree."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float | Decimal):
        return round(float(value), 6)
    if isinstance(value, datetime):
        return value.astimezone(BERLIN).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def parsed(value: Any) -> Any:
    """A value as Metabase sends it, in the same form."""
    if isinstance(value, str) and len(value) >= 10 and value[4:5] == "-" and value[7:8] == "-":
        try:
            found = datetime.fromisoformat(value)
        except ValueError:
            return value
        has_no_time = found.tzinfo is None or (found.hour, found.minute) == (0, 0)
        return found.date().isoformat() if has_no_time else found.astimezone(BERLIN).isoformat()
    return plain(value)


class Both:
    """The same card, asked of Metabase and of the database."""

    def __init__(self, bench: Bench, connection: psycopg.Connection[Any]) -> None:
        self.bench, self.connection, self.filters = bench, connection, bench.wish.library.shared.filters

    def cards(self) -> Iterator[tuple[Space, str, PlacedCard, int]]:
        library = self.bench.wish.library
        for space in self.bench.wish.spaces:
            for key, definition in library.dashboards.items():
                for placed in definition.cards:
                    entity = entity_id(f"{space.key}/{key}/{placed.card.key}")
                    yield space, key, placed, int(self.bench.standin.get(f"card/{entity}")["id"])
            for placed in library.context:
                entity = entity_id(f"{space.key}/shared/{placed.card.key}")
                yield space, "shared", placed, int(self.bench.standin.get(f"card/{entity}")["id"])

    def metabase(self, number: int, values: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
        card = self.bench.standin.get(f"card/{number}")
        ids = {one["slug"]: one["id"] for one in card["parameters"]}
        given = [{"id": ids[name], "value": value} for name, value in values.items() if name in ids]
        answer = self.bench.standin.post(f"card/{number}/query", {"parameters": given})
        assert answer["status"] == "completed", answer.get("error")
        names = [column["name"] for column in answer["data"]["cols"]]
        return names, [[parsed(value) for value in row] for row in answer["data"]["rows"]]

    def ours(self, space: Space, placed: PlacedCard, values: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
        names = list(dict.fromkeys(use.name for use in tags_in(placed.sql)))
        tags = [tag_of(name, self.filters[name], catalog(), space.schema) for name in names]
        sql = in_schema(placed.sql, space.schema)
        statement = expand(sql, tags, {k: v for k, v in values.items() if k in names}, CALENDAR)
        cursor = self.connection.execute(statement.sql, statement.params)  # type: ignore[arg-type]
        assert cursor.description is not None
        rows = [[parsed(plain(value)) for value in row] for row in cursor.fetchall()]
        return [column.name for column in cursor.description], rows


@pytest.fixture
def both(bench: Bench) -> Iterator[Both]:
    bench.run()
    bench.admin()
    with psycopg.connect(bench.marts.url, autocommit=True) as connection:
        connection.execute("SELECT set_config('TimeZone', 'Europe/Berlin', false)")
        # Reason: cards read the clock of the database for what lies ahead; both ask the same one.
        yield Both(bench, connection)


def ordered(rows: list[list[Any]]) -> list[str]:
    """Rows without their order, which SQL leaves open between equals."""
    return sorted(json.dumps(row, default=str) for row in rows)


def test_every_card_completes_and_returns_what_we_return(both: Both) -> None:
    filled = 0
    for space, key, placed, number in both.cards():
        # Reason: a filter that is sent without a value filters nothing; a variable has no meaning without.
        none = {name: None for name, one in both.filters.items() if not is_variable(one)}
        for values in ({}, none, SOME, SOME | {"currency": None}, {"client": ["Nobody"]}):
            where = f"{space.key}/{key}/{placed.card.key} {values}"
            names, rows = both.metabase(number, values)
            own_names, own_rows = both.ours(space, placed, values)
            shown = own_names if len(names) == len(own_names) else names
            own_rows = [[row[own_names.index(name)] for name in shown] for row in own_rows]
            assert names == shown, where
            assert ordered(rows) == ordered(own_rows[:2000]), where
            filled += bool(rows) and any(value is not None for value in rows[0])
    assert filled > 60


@pytest.mark.parametrize("form", DATES)
def test_dates_mean_the_same(both: Both, form: str) -> None:
    for space, key, placed, number in both.cards():
        if key == "shared" or placed.card.key in {"spend", "campaigns"}:
            values = {"date": form}
            assert ordered(both.metabase(number, values)[1]) == ordered(both.ours(space, placed, values)[1]), form


def test_a_dashboard_hands_each_filter_to_each_card_that_has_it(both: Both) -> None:
    admin = both.bench.standin
    for row in admin.get("dashboard"):
        board = admin.get(f"dashboard/{row['id']}")
        parameters = {one["id"]: one for one in board["parameters"]}
        values = [{"id": key, "value": SOME[key] if key != "grain" else ["week"]} for key in parameters if key in SOME]
        for dashcard in board["dashcards"]:
            if dashcard["card_id"] is None:
                continue
            path = f"dashboard/{board['id']}/dashcard/{dashcard['id']}/card/{dashcard['card_id']}/query"
            answer = admin.post(path, {"parameters": values})
            assert answer["status"] == "completed", answer.get("error")
            direct = both.metabase(dashcard["card_id"], {key: SOME[key] for key in parameters if key in SOME})[1]
            rows = [[parsed(value) for value in one] for one in answer["data"]["rows"]]
            assert ordered(rows) == ordered(direct), f"{board['name']}: {dashcard['card']['name']}"
        for key in parameters:
            if parameters[key].get("values_query_type") == "list":
                assert admin.get(f"dashboard/{board['id']}/params/{key}/values")["values"], key
