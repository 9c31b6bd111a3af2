"""Every card of the real dashboards runs on PostgreSQL, with every filter set and unset, and is drawn."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from dashboards.answerer import Answerer
from dashboards.answering import Answer, Space, ask, filters_of
from dashboards.errors import BadValue
from dashboards.formats import Formats
from dashboards.library import Library, load
from dashboards.queries import Statement
from dashboards.site.cards import Reader, view_of
from tests.dashboards import fake_marts
from tests.databases import Databases
from warehouse.connect import Warehouse

pytestmark = pytest.mark.integration

LIBRARY = load()
NOW = datetime(2026, 6, 10, 9, tzinfo=UTC)
SAMPLES = {
    "date/all-options": ["past7days", "2026-05-01~2026-05-31", "thismonth", "exclude-days-Sat-Sun"],
    "date/single": ["2026-06-01"],
    "number/=": [["1"], ["1", "2"]],
    "number": ["1"],
    "text": ["week"],
}


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    with databases.fresh("plain") as found:
        fake_marts.make(found, NOW.date())
        fake_marts.make(found, NOW.date(), schema="client_client-2", accounts=1)
        yield found


@pytest.fixture(scope="module")
def warehouse(url: str) -> Iterator[Warehouse]:
    with Warehouse(url) as opened:
        yield opened


@pytest.fixture(scope="module")
def answerer() -> Iterator[Answerer]:
    with Answerer(LIBRARY, threads=2, now=lambda: NOW) as opened:
        yield opened


@pytest.fixture(scope="module")
def everyone(warehouse: Warehouse) -> Space:
    return Space("all", "All clients", "marts", warehouse)


class Pages:
    def page(self, dashboard: str) -> str:
        return f"/all/{dashboard}"


def drawn(library: Library, space: Space, key: str, answers: dict[str, Answer]) -> None:
    """Each card's answer becomes something to show."""
    reader = Reader(library, space, Formats(library.shared), Pages(), {})
    for placed in (*library.context, *library.dashboards[key].cards):
        answer = answers[placed.card.key]
        assert answer.error is None, f"{key}, {placed.card.key}: {answer.error}"
        view_of(placed.card, answer, reader)


def sets_of_values(key: str, answerer: Answerer, space: Space) -> Iterator[dict[str, Any]]:
    """No value given, none at all, each filter alone with each of its samples, and all together."""
    filters = filters_of(LIBRARY, LIBRARY.dashboards[key])
    yield {}
    # Reason: a variable without a value outside of optional blocks is refused, which is right.
    yield {name: None for name, one in filters.items() if one.type not in ("text", "number")}
    together = {}
    for name, one in filters.items():
        choices = answerer.choices(space, one)
        several = one.type in ("string/=", "number/=")
        values: list[Any] = [[one] if several else one for one in choices[:2]] or list(SAMPLES[one.type])
        for value in values:
            yield {name: value}
        together[name] = values[0]
    yield together


@pytest.mark.parametrize("key", LIBRARY.dashboards)
def test_every_card_runs_with_every_filter_set_and_unset(key: str, answerer: Answerer, everyone: Space) -> None:
    every_card(key, answerer, everyone)


@pytest.fixture(scope="module")
def on_timescale(databases: Databases) -> Iterator[Space]:
    with databases.fresh("timescale") as found, Warehouse(found) as opened:
        fake_marts.make(found, NOW.date())
        yield Space("all", "All clients", "marts", opened)


@pytest.mark.timescale
@pytest.mark.parametrize("key", LIBRARY.dashboards)
def test_every_card_runs_on_timescale(key: str, on_timescale: Space) -> None:
    with Answerer(LIBRARY, threads=2, now=lambda: NOW) as fresh:
        every_card(key, fresh, on_timescale)


def every_card(key: str, answerer: Answerer, space: Space) -> None:
    """All cards of a dashboard with all sets of values, drawn."""
    definition = LIBRARY.dashboards[key]
    for values in sets_of_values(key, answerer, space):
        answers = answerer.answers(space, definition, (*LIBRARY.context, *definition.cards), values)
        drawn(LIBRARY, space, key, answers)


def test_a_space_of_a_client_sees_its_own_schema_alone(answerer: Answerer, warehouse: Warehouse) -> None:
    client = Space("client-2", "Client 2", "client_client-2", warehouse)
    definition = LIBRARY.dashboards["campaigns"]
    answers = answerer.answers(client, definition, definition.cards, {})
    drawn(LIBRARY, client, "campaigns", {**answers, **answerer.answers(client, definition, LIBRARY.context, {})})
    assert set(answers["campaigns"].column("account_name")) == {"Shop 1"}
    assert answerer.choices(client, LIBRARY.shared.filters["account"]) == ("Shop 1",)


def test_equal_questions_are_asked_once_and_remembered(everyone: Space) -> None:
    definition = LIBRARY.dashboards["executive_overview"]
    trends = [placed for placed in definition.cards if placed.card.chart == "trend"]
    with Answerer(LIBRARY, now=lambda: NOW) as fresh:
        answers = fresh.answers(everyone, definition, trends, {})
        assert len(trends) == 8
        assert len({id(answer) for answer in answers.values()}) == 1
        again = fresh.answers(everyone, definition, trends, {})
        assert {id(answer) for answer in again.values()} == {id(answer) for answer in answers.values()}


def test_a_new_build_makes_answers_new(url: str, everyone: Space) -> None:
    definition = LIBRARY.dashboards["executive_overview"]
    with Answerer(LIBRARY, now=lambda: NOW) as fresh:
        before = fresh.answers(everyone, definition, definition.cards, {})["spend"]
        with everyone.warehouse.connection() as connection:
            connection.execute(
                "INSERT INTO ops.mart_build (status, slices, finished_at) VALUES ('succeeded', 0, now())"
            )
        after = fresh.answers(everyone, definition, definition.cards, {})["spend"]
    assert after is not before
    assert after.rows == before.rows


def test_a_value_that_does_not_fit_is_refused_before_anything_runs(answerer: Answerer, everyone: Space) -> None:
    definition = LIBRARY.dashboards["campaigns"]
    for values in ({"date": "soon"}, {"city": "Berlin"}, {"client": [3]}):
        with pytest.raises(BadValue):
            answerer.answers(everyone, definition, definition.cards, values)


def test_one_card_that_fails_harms_no_other(answerer: Answerer, everyone: Space) -> None:
    definition = LIBRARY.dashboards["executive_overview"]
    good, bad = definition.cards[0], definition.cards[-1]
    broken = replace(bad, sql="select missing from marts.dim_account")
    endless = replace(bad, card=bad.card.model_copy(update={"key": "writes"}), sql="create table marts.mine (a int)")
    answers = answerer.answers(everyone, definition, (good, broken, endless), {})
    assert answers[good.card.key].error is None
    assert answers[bad.card.key].error == 'The database says: column "missing" does not exist'
    assert answers["writes"].error is not None


def test_a_query_has_the_rights_of_its_space_and_cannot_write(answerer: Answerer, everyone: Space) -> None:
    definition = LIBRARY.dashboards["executive_overview"]
    role = f"site_test_{os.getpid()}"
    with everyone.warehouse.connection() as connection:
        connection.execute(f"CREATE ROLE {role}")
        try:
            stranger = replace(everyone, name="stranger", role=role)
            answers = answerer.answers(stranger, definition, definition.cards[:1], {})
        finally:
            connection.execute(f"DROP ROLE {role}")
    assert "permission denied for schema marts" in (answers[definition.cards[0].card.key].error or "")
    writing = Statement("with gone as (delete from marts.dim_day returning 1) select * from gone", ())
    assert ask(everyone, writing, 10).error is not None
    assert ask(everyone, Statement("select count(*) from marts.dim_day", ()), 10).rows[0][0] > 0


def test_a_card_of_a_long_answer_says_that_it_was_cut(answerer: Answerer, everyone: Space) -> None:
    definition = LIBRARY.dashboards["campaigns"]
    placed = definition.cards[-1]
    few = replace(placed, card=placed.card.model_copy(update={"rows": 5}))
    answer = answerer.answers(everyone, definition, (few,), {})[placed.card.key]
    assert (len(answer.rows), answer.is_cut) == (5, True)


def test_a_database_without_marts_is_told_on_the_cards(databases: Databases) -> None:
    definition = LIBRARY.dashboards["executive_overview"]
    with databases.fresh("plain") as empty, Warehouse(empty) as opened, Answerer(LIBRARY) as fresh:
        space = Space("all", "All clients", "marts", opened)
        answers = fresh.answers(space, definition, definition.cards, {})
        assert fresh.choices(space, LIBRARY.shared.filters["client"]) == ()
    assert all("Build the marts" in (answer.error or "") for answer in answers.values())


class Changed:
    """A database of its own whose marts a test changes."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self._space = Space("all", "All clients", "marts", warehouse)

    def change(self, *statements: str) -> None:
        with self.warehouse.connection() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def ask(self, dashboard: str, card: str) -> Answer:
        definition = LIBRARY.dashboards[dashboard]
        cards = [placed for placed in definition.cards if placed.card.key == card]
        with Answerer(LIBRARY, now=lambda: NOW) as fresh:
            answer = fresh.answers(self._space, definition, cards, {})[card]
        assert answer.error is None
        return answer


@pytest.fixture
def changed(databases: Databases) -> Iterator[Changed]:
    with databases.fresh("plain") as found, Warehouse(found) as warehouse:
        fake_marts.make(found, NOW.date())
        yield Changed(warehouse)


def test_breakdowns_are_converted_at_the_rate_of_the_day_or_not_at_all(changed: Changed) -> None:
    def spend() -> list[Any]:
        return changed.ask("audience", "countries").column("spend")

    changed.change(
        "UPDATE marts.mart_audience_daily__country SET spend = 10, country = 'DE'",
        "UPDATE marts.mart_performance_daily__account SET spend = 100, spend_converted = 50",
    )
    with changed.warehouse.connection() as connection:
        rows = dict(
            connection.execute(
                "SELECT currency, count(*) FROM marts.mart_audience_daily__country "
                "WHERE day BETWEEN '2026-05-11' AND '2026-06-09' GROUP BY currency"
            ).fetchall()
        )
    assert spend() == [10 * rows["EUR"] + 5 * rows["USD"]]
    changed.change(
        "UPDATE marts.mart_performance_daily__account SET spend_converted = NULL, conversion_value_converted = NULL "
        "WHERE currency = 'USD' AND day = '2026-06-01'"
    )
    assert spend() == [None]


def test_pacing_is_told_in_one_currency_at_each_accounts_newest_rate(changed: Changed) -> None:
    def lines() -> set[tuple[Any, ...]]:
        return {row[1:] for row in changed.ask("budget", "curve").rows}

    changed.change(
        "UPDATE marts.mart_budget_pacing SET spend_to_date = 10, expected_spend = 20, monthly_budget = 300",
        "UPDATE marts.mart_performance_daily__account SET spend = 100, spend_converted = 40",
        "UPDATE marts.mart_performance_daily__account SET spend_converted = 50 WHERE day = '2026-06-09'",
    )
    assert lines() == {(25, 50, 750, "EUR")}
    changed.change(
        "UPDATE marts.mart_performance_daily__account SET spend_converted = NULL, conversion_value_converted = NULL "
        "WHERE currency = 'USD'"
    )
    assert lines() == {(20, 40, 600, "EUR")}
