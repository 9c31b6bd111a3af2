"""Numbers of reports on PostgreSQL: those of the dashboards, and nothing of others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from dashboards.answerer import Answerer
from dashboards.answering import Space
from dashboards.errors import ReportFailed
from dashboards.library import Library
from dashboards.reports.compose import composed
from dashboards.reports.document import Document, Message, Table
from dashboards.reports.model import Order, Period, Section
from dashboards.reports.periods import period_of
from dashboards.reports.summary import METRICS, Summary, summarised
from tests.dashboards.reports import world
from tests.databases import Databases
from warehouse.connect import Warehouse

pytestmark = pytest.mark.integration

WEEK = period_of("last_week", world.NOW.date())
CAMPAIGNS = "marts.mart_performance_daily__campaign"
ORDER = Order("weekly", "Weekly report", "Acme", WEEK, accounts=("1001", "act_1002"))


@pytest.fixture(scope="module")
def plain_answerer(library: Library) -> Iterator[Answerer]:
    with Answerer(library, threads=2, now=lambda: world.NOW) as opened:
        yield opened


def summary(order: Order, space: Space, library: Library, answerer: Answerer) -> Summary:
    return summarised(world.asker(order, space, library, answerer))


def document(order: Order, space: Space, library: Library) -> Document:
    # Reason: what a test changes must not be remembered.
    with Answerer(world.asker(order, space, library, Answerer(library)).library, now=lambda: world.NOW) as fresh:
        return composed(world.asker(order, space, library, fresh), world.NOW)


@contextmanager
def changed(space: Space, statement: str, undo: str) -> Iterator[None]:
    with space.warehouse.connection() as connection:
        connection.execute(statement)
    try:
        yield
    finally:
        with space.warehouse.connection() as connection:
            connection.execute(undo)


@pytest.mark.parametrize("accounts", [("1001", "1002"), ("1003",), ()])
@pytest.mark.parametrize("key", METRICS)
def test_a_number_is_that_of_the_dashboard(
    key: str, accounts: tuple[str, ...], space: Space, library: Library, answerer: Answerer, plain_answerer: Answerer
) -> None:
    found = summary(replace(ORDER, accounts=accounts), space, library, answerer).groups[0]
    definition = library.dashboards["executive_overview"]
    names = [f"Shop {one[-1]}" for one in accounts]
    values = {"date": f"{WEEK.first}~{WEEK.last}", **({"account": names} if names else {})}
    card = next(placed for placed in definition.cards if placed.card.key == key)
    before, now = plain_answerer.answers(space, definition, [card], values)[key].records()
    assert now[key] is not None
    assert (found.now[key], found.before[key]) == (now[key], before[key])
    assert found.currency == now["currency"]


def test_campaigns_sum_up_to_the_whole(space: Space, library: Library, answerer: Answerer) -> None:
    found = summary(ORDER, space, library, answerer).groups[0]
    for key in ("spend", "revenue", "conversions"):
        for period in ("now", "before"):
            rows = [getattr(one, period) for one in found.campaigns]
            assert sum(row[key] for row in rows if row is not None) == getattr(found, period)[key]


def test_months_are_compared_as_wholes(space: Space, library: Library, answerer: Answerer) -> None:
    order = replace(ORDER, period=period_of("last_month", world.NOW.date()))
    found = summary(order, space, library, answerer)
    with space.warehouse.connection() as connection:
        row = connection.execute(
            f"SELECT sum(spend) FROM {CAMPAIGNS} WHERE day BETWEEN %s AND %s AND account_id < 1003",
            [order.period.before_first, order.period.before_last],
        ).fetchone()
    assert row is not None
    assert found.groups[0].before["spend"] == row[0]
    notes = document(order, space, library).notes
    assert any("30 days against 31" in note for note in notes)
    assert any("it is with as many days before" in note for note in notes)


def test_money_is_converted_where_every_day_has_a_rate(space: Space, library: Library) -> None:
    found = document(replace(ORDER, accounts=()), space, library)
    assert len(found.figures) == 1
    assert ("Currency", "EUR, converted at each day's rate") in found.facts


@pytest.mark.parametrize(
    ("statement", "undo", "note"),
    [
        (
            f"UPDATE {CAMPAIGNS} SET spend_converted = NULL WHERE campaign_id = 10031 AND day = '2026-06-03'",
            f"UPDATE {CAMPAIGNS} SET spend_converted = round(spend * 0.9, 2) WHERE campaign_id = 10031",
            True,
        ),
        (
            "UPDATE marts.dim_account SET reporting_currency = NULL",
            "UPDATE marts.dim_account SET reporting_currency = 'EUR'",
            False,
        ),
    ],
)
def test_without_a_rate_each_currency_stands_by_itself(
    statement: str, undo: str, note: bool, space: Space, library: Library
) -> None:
    with changed(space, statement, undo):
        found = document(replace(ORDER, accounts=(), custom_metrics=("cost_per_click",)), space, library)
    assert [one.title for one in found.figures] == ["At a glance (EUR)", "At a glance (USD)"]
    assert [one.title for one in found.changes] == [
        "What changed, and where it came from (EUR)",
        "What changed, and where it came from (USD)",
    ]
    euros, dollars = ({one.title: one.now for one in figures.figures} for figures in found.figures)
    assert (euros["Spend"].currency, dollars["Spend"].currency) == ("EUR", "USD")
    assert dollars["Cost per click"].text.startswith("$0.56")
    assert "Accounts in USD: Shop 3" in found.figures[1].note
    assert any(one.startswith("Exchange rates are missing") for one in found.notes) == note
    titles = [block.title for part in found.parts for block in part.blocks]
    assert {"Campaigns (EUR)", "Campaigns (USD)"} <= set(titles)
    tables = {block.title: block for part in found.parts for block in part.blocks if isinstance(block, Table)}
    assert {cell.currency for row in tables["Campaigns (USD)"].rows for cell in row} == {None, "USD"}
    assert "€" in found.subject
    assert "$" in found.subject


def test_own_metrics_are_recomputed_from_sums(space: Space, library: Library, answerer: Answerer) -> None:
    order = replace(ORDER, custom_metrics=("cost_per_click", "unheard_of"))
    (own,) = summary(order, space, library, answerer).groups[0].own_metrics
    with space.warehouse.connection() as connection:
        row = connection.execute(
            f"SELECT sum(spend), sum(link_clicks) FROM {CAMPAIGNS} WHERE day BETWEEN %s AND %s AND account_id < 1003",
            [WEEK.first, WEEK.last],
        ).fetchone()
    assert row is not None
    assert own.now == Decimal(row[0]) / Decimal(row[1])
    assert (own.label, own.form, own.good, own.currency) == ("Cost per click", "money", "less", "EUR")


def test_a_report_shows_its_accounts_alone(space: Space, library: Library) -> None:
    sections = tuple(Section(key) for key in library.dashboards)
    with changed(
        space,
        "UPDATE marts.dim_account SET account_name = 'Shop 1' WHERE account_id = 1003",
        "UPDATE marts.dim_account SET account_name = 'Shop 3' WHERE account_id = 1003",
    ):
        found = document(replace(ORDER, accounts=("1003",), sections=sections), space, library)
    texts = [cell.text for part in found.parts for block in part.blocks for row in getattr(block, "rows", ())
             for cell in row]  # fmt: skip
    assert "US | Evergreen" in texts
    assert not {"Shop 1", "Shop 2", "Retargeting | Cart", "Summer sale | Broad"} & set(texts)
    assert not any("limited to the accounts" in one for one in found.problems)


def test_what_happened_is_told(space: Space, library: Library) -> None:
    lines = document(ORDER, space, library).events.lines
    assert lines == (
        "Test “New landing page” is decided: “New page” is better."
        " CPA of “New page” against “Old page”: −12.0% (−20.0% to −4.0%).",
        "Test “Short hook” found no difference. CTR (link) of “Short” against “Long”: +1.0% (−2.0% to +4.0%)."
        " It compares ads that Meta did not assign at random.",
        "Shop 1 is over its pace: €4,100.00 of €12,000 spent by Jun 7, 146.4% of an even pace."
        " At the pace of the last seven days the month ends at €16,200.",
        "Alert of Jun 3, still open (Shop 1): Checks of ad_daily fail.",
        "Alert of Jun 3, over by now (Shop 2): No new data for 30 hours.",
        "1 creative wears out, with €412.50 spent in the last seven days: “Beach video 15 s”.",
    )
    assert document(replace(ORDER, accounts=("1003",)), space, library).events.lines == (
        "No test was decided, no budget is off its pace, and no alert was raised in these days.",
    )


def test_days_that_do_not_add_up_or_are_not_final_are_told(space: Space, library: Library) -> None:
    table = "marts.mart_performance_daily__account"
    with changed(
        space,
        f"UPDATE {table} SET is_reconciled = false WHERE account_id = 1001 AND day IN ('2026-06-02', '2026-06-03')",
        f"UPDATE {table} SET is_reconciled = true",
    ):
        notes = document(ORDER, space, library).notes
    assert " ".join(notes[0].split()).startswith("7 days (Jun 1 – 7) are not final")
    assert " ".join(notes[1].split()) == "2 days do not add up to Meta's own total: Jun 2 – 3."


def test_accounts_that_are_not_held_are_told(space: Space, library: Library) -> None:
    found = document(replace(ORDER, accounts=("1001", "99")), space, library)
    assert "Accounts that were asked for and are not held: 99." in found.notes
    none = document(replace(ORDER, accounts=("99",)), space, library)
    assert none.subject == "Acme – week of Jun 1 – 7: no numbers"
    assert none.changes[0].lines == ("No numbers are held for these days.",)


def test_days_without_numbers_are_told(space: Space, library: Library) -> None:
    order = replace(ORDER, period=Period(*(one.replace(year=2025) for one in (WEEK.first, WEEK.last, WEEK.before_first,
                    WEEK.before_last))))  # fmt: skip
    found = document(order, space, library)
    assert found.changes[0].lines == ("No numbers are held for these days.",)
    assert all(one.now.text == "–" for one in found.figures[0].figures)
    assert all(isinstance(block, Message | Table) for part in found.parts for block in part.blocks)


def test_cards_that_there_are_not_are_told(space: Space, library: Library) -> None:
    sections = (
        Section("executive_overview", ("spend", "roas", "spned")),
        Section("nothing"),
        Section("campaigns", ("ads",), "campaigns"),
    )
    found = document(replace(ORDER, sections=sections), space, library)
    assert found.problems == (
        "The report names “executive_overview/spned”, which no dashboard has.",
        "The report names “nothing”, which no dashboard has.",
        "The report names “campaigns/campaigns/ads”, which no dashboard has.",
    )
    (figures,) = found.parts[0].blocks
    assert [one.title for one in figures.figures] == ["Spend", "ROAS"]  # type: ignore[union-attr]


def test_a_card_without_an_answer_harms_no_other(space: Space, library: Library) -> None:
    definition = library.dashboards["executive_overview"]
    broken = replace(definition.cards[0], sql="select missing from marts.dim_account where true [[and {{account}}]]")
    cards = (broken, *definition.cards[1:])
    other = replace(library, dashboards={"executive_overview": replace(definition, cards=cards)})
    order = replace(ORDER, sections=(Section("executive_overview", ("spend", "spend_and_roas")),))
    found = document(order, space, other)
    assert found.problems == ('Spend: no answer. The database says: column "missing" does not exist',)
    assert [type(block).__name__ for block in found.parts[0].blocks] == ["Message", "Chart"]


def test_without_marts_there_is_no_report(databases: Databases, library: Library) -> None:
    with (
        databases.fresh("plain") as empty,
        Warehouse(empty) as opened,
        pytest.raises(ReportFailed, match=r"the report 'weekly' of Acme cannot be written.*Build the marts"),
    ):
        document(ORDER, Space("all", "All clients", "marts", opened), library)
