"""Asking for a report: whose accounts, which days, in which currency.

What belongs here: from an order to values of filters, and the questions of a report as rows. What does not: the
questions (`dashboards.reports.questions`), running SQL (`dashboards.answering`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

from dashboards.answerer import Answerer
from dashboards.answering import Answer, Space, ask, catalog_of, statements
from dashboards.answers import Catalog
from dashboards.errors import ReportFailed
from dashboards.library import Definition, Library, PlacedCard, expand_fragments, expanded_fragments
from dashboards.model import Card
from dashboards.queries import Calendar, Statement, tags_in
from dashboards.reports.model import Order
from dashboards.spaces import tables_of

_ALWAYS = ("date", "account", "currency")
"""Filters that a report sets on every dashboard."""
_MOST_ROWS = 100_000


@dataclass(frozen=True)
class Asker:
    """Asks everything that a report is made of.

    Attributes:
        order: What is wanted.
        space: Whose data.
        library: All dashboards, with accounts chosen by id (`by_account_id`).
        answerer: Runs cards; of the same library.
        calendar: What relative dates are counted from.
    """

    order: Order
    space: Space
    library: Library
    answerer: Answerer
    calendar: Calendar

    @cached_property
    def _catalog(self) -> Catalog:
        return catalog_of(self.space)

    @cached_property
    def _fragments(self) -> Mapping[str, str]:
        return expanded_fragments(self.library.shared, self.library.source)

    @cached_property
    def accounts(self) -> tuple[str, ...]:
        """Ids of the order's accounts, as digits."""
        return tuple(str(int(one.removeprefix("act_"))) for one in self.order.accounts)

    def values(self, first: date, last: date, currency: str | None = None) -> dict[str, Any]:
        """Values of filters for these days and the accounts of the order.

        Args:
            first: First day.
            last: Last day, included.
            currency: Only accounts of this currency.
        """
        found: dict[str, Any] = {"date": f"{first.isoformat()}~{last.isoformat()}"}
        if self.order.accounts:
            found["account"] = list(self.accounts)
        if currency is not None:
            found["currency"] = [currency]
        return found

    def rows(self, question: str, first: date, last: date, currency: str | None = None) -> list[dict[str, Any]]:
        """The answer to a question of `dashboards.reports.questions`, by column.

        Raises:
            ReportFailed: The database had no answer.
        """
        sql = expand_fragments(question, self._fragments, self.library.source, ())
        card = Card(key="question", title="Question", width=1, chart="table", sql=sql)
        values = self.values(first, last, currency)
        placed = PlacedCard(card, sql, None, ())
        found = statements(self.library, None, [placed], self.space, self._catalog, values, self.calendar)["question"]
        answer = ask(self.space, found, _MOST_ROWS) if isinstance(found, Statement) else found
        if answer.error is not None:
            raise ReportFailed(
                f"the report {self.order.name!r} of {self.order.client} cannot be written: {answer.error}",
                "run it again; if it stays so, build the marts and look at the database",
            )
        return answer.records()

    def has_tables(self, question: str) -> bool:
        """Whether the space holds all marts that a question reads."""
        sql = expand_fragments(question, self._fragments, self.library.source, ())
        return all(name in self._catalog.tables for name in tables_of(sql))

    def cards(self, definition: Definition, cards: Sequence[PlacedCard], currency: str | None) -> dict[str, Answer]:
        """The answers of a dashboard's cards for the days and accounts of the order.

        A card that cannot be limited to accounts is not asked if the order names any: it would show others' numbers.
        """
        period = self.order.period
        values = self.values(period.first, period.last, currency)
        found: dict[str, Answer] = {}
        wanted = []
        for placed in cards:
            if self.order.accounts and all(use.name != "account" for use in tags_in(placed.sql)):
                found[placed.card.key] = Answer(error="This card cannot be limited to the accounts of the report.")
            else:
                wanted.append(placed)
        return found | self.answerer.answers(self.space, definition, wanted, values)


def by_account_id(library: Library) -> Library:
    """All dashboards, with accounts chosen by id and with the filters that reports set.

    People choose accounts by name, which two accounts may share; a report names exactly those it is about.
    """
    account = library.shared.filters["account"].model_copy(
        update={"column": "dim_account.account_id", "type": "number/=", "choices": None}
    )
    shared = library.shared.model_copy(update={"filters": {**library.shared.filters, "account": account}})
    dashboards = {}
    for key, definition in library.dashboards.items():
        filters = list(dict.fromkeys((*definition.dashboard.filters, *_ALWAYS)))
        dashboard = definition.dashboard.model_copy(update={"filters": filters})
        dashboards[key] = replace(definition, dashboard=dashboard)
    return replace(library, shared=shared, dashboards=dashboards)
