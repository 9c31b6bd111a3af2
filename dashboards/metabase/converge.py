"""All of it in order: from an instance as it is to one that shows what the definitions say.

What belongs here: the order, and which dashboards a space gets. What does not: any single kind of object.

The order is that of what needs what: fences before content, so that nothing is open for a moment that a person would
notice; databases before cards, whose filters name columns by Metabase's numbers; cards before dashboards. A run that is
cut off anywhere is continued by the next one, which begins anew and finds most of it done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from dashboards.answers import Catalog, output_columns
from dashboards.library import Library, PlacedCard
from dashboards.metabase.access import Credentials, come_in
from dashboards.metabase.boards import Board
from dashboards.metabase.cards import SHARED_KEY, WantedCard, wanted_card
from dashboards.metabase.client import Metabase
from dashboards.metabase.collections import settle_collections
from dashboards.metabase.content import UNKNOWN, cards_present, settle_cards, settle_dashboards
from dashboards.metabase.databases import Logins, Synced, look_at_sync, settle_database, wait_for_sync
from dashboards.metabase.fences import fence_collections, fence_databases, needs_fence, settle_groups
from dashboards.metabase.fields import fill_in_fields
from dashboards.metabase.instance import InstanceSettings, settle_cache, settle_settings
from dashboards.metabase.ledger import Change, Ledger
from dashboards.metabase.parameters import is_variable
from dashboards.spaces import Space, tables_of
from warehouse.ops.dashboards import MetabaseObjects

Report = Callable[[int, int, str], None]
"""Called with steps done, steps in all, and what is being done."""


@dataclass(frozen=True)
class Wish:
    """What there shall be.

    Attributes:
        library: All dashboards, without mistakes.
        catalog: Columns of the marts.
        spaces: The agency's and the clients'.
        settings: Of the instance.
        descriptions: Of columns, by `table.column`.
    """

    library: Library
    catalog: Catalog
    spaces: Sequence[Space]
    settings: InstanceSettings = field(default_factory=InstanceSettings)
    descriptions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a run found and did.

    Attributes:
        changes: What differed; in a plan nothing was done about it.
        notes: Sentences for people.
        requests: How many were sent.
        writes: How many of them were no GET.
        seconds: How long it took.
    """

    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    requests: int
    writes: int
    seconds: float


def converge(
    metabase: Metabase,
    credentials: Credentials,
    objects: MetabaseObjects,
    wish: Wish,
    *,
    is_plan: bool = False,
    renew_passwords: bool = False,
    logins: Logins | None = None,
    report: Report = lambda *_: None,
    tell: Callable[[Change], None] = lambda _: None,
) -> Outcome:
    """Finds what differs and, unless this is a plan, puts it right.

    Args:
        metabase: Nobody's yet.
        credentials: To come in with.
        objects: What we made there before.
        wish: What there shall be.
        is_plan: Look only.
        renew_passwords: Draw new passwords for the connections that name none.
        logins: Gives roles their passwords.
        report: Progress.
        tell: Called with each change before it is made.

    Raises:
        MetabaseError: Whatever stops it; the next run goes on.
        DashboardError: A definition cannot be brought into Metabase.
        WarehouseError: Our own memory cannot be reached.
    """
    began = time.monotonic()
    with ExitStack() as stack:
        if not is_plan:
            stack.enter_context(objects.alone())
        steps = _Steps(report, wish)
        ledger = Ledger(objects, is_plan, tell)
        notes = come_in(metabase, credentials, may_write=not is_plan, tell=steps.waiting)
        _Run(metabase, ledger, wish, logins, steps, renew_passwords).all()
    return Outcome(
        tuple(ledger.changes), (*notes, *ledger.notes), metabase.requests, metabase.writes, time.monotonic() - began
    )


class _Steps:
    """Counts steps for whoever watches."""

    def __init__(self, report: Report, wish: Wish) -> None:
        cards = sum(len(one.cards) for one in wish.library.dashboards.values()) + len(wish.library.context)
        self._report = report
        self._total = 1 + len(wish.spaces) * (2 + cards + len(wish.library.dashboards))
        self._done = 0

    def waiting(self, what: str) -> None:
        self._report(self._done, self._total, what)

    def __call__(self, what: str, steps: int = 1) -> None:
        self._done = min(self._total, self._done + steps)
        self._report(self._done, self._total, what)


class _Run:
    def __init__(
        self,
        metabase: Metabase,
        ledger: Ledger,
        wish: Wish,
        logins: Logins | None,
        steps: _Steps,
        renew_passwords: bool,
    ) -> None:
        self.metabase, self.ledger, self.wish = metabase, ledger, wish
        self.logins, self.steps, self.renew_passwords = logins, steps, renew_passwords
        self.filter_columns = sorted(
            {str(one.column) for one in wish.library.shared.filters.values() if not is_variable(one)}
        )
        # Reason: reading a statement takes a tenth of a second, and several cards share one.
        self.columns = {
            sql: tuple(output_columns(sql, wish.library.shared, wish.catalog))
            for sql in {placed.sql for placed in self._placed_cards()}
        }

    def _placed_cards(self) -> list[PlacedCard]:
        library = self.wish.library
        return [*library.context, *(placed for one in library.dashboards.values() for placed in one.cards)]

    def all(self) -> None:
        metabase, ledger, spaces = self.metabase, self.ledger, self.wish.spaces
        settle_settings(metabase, ledger, self.wish.settings)
        settle_cache(metabase, ledger)
        groups = settle_groups(metabase, ledger, spaces)
        self.steps("Groups")
        databases: dict[str, int] = {}
        for space in spaces:
            number = settle_database(metabase, ledger, space, self.logins, renew_password=self.renew_passwords)
            if number is not None:
                databases[space.key] = number
                if needs_fence(ledger, space, number):
                    # Reason: everybody may query a new database until this is done.
                    fence_databases(metabase, ledger, groups, spaces, databases, only=space.key)
            self.steps(space.title)
        fence_databases(metabase, ledger, groups, spaces, databases)
        fence_collections(metabase, ledger, groups, spaces, {})
        collections = settle_collections(metabase, ledger, spaces)
        fence_collections(metabase, ledger, groups, spaces, collections)
        for space in spaces:
            self._fill(space, databases.get(space.key), collections.get(space.key, UNKNOWN))
        # Reason: read once more at the end, whatever Metabase gave of itself meanwhile.
        if ledger.changes and not ledger.is_plan:
            fence_databases(metabase, ledger, groups, spaces, databases)
            fence_collections(metabase, ledger, groups, spaces, collections)

    def _synced(self, space: Space, database_id: int | None) -> Synced | None:
        if database_id is None:
            return None
        if self.ledger.is_plan:
            return look_at_sync(self.metabase, space, database_id)
        return wait_for_sync(self.metabase, space, database_id, self.filter_columns, self.steps.waiting)

    def _fill(self, space: Space, database_id: int | None, collection_id: int) -> None:
        library = self.wish.library
        synced = self._synced(space, database_id)
        boards, cards = self._wanted(space, synced.tables if synced else None)
        if synced is not None:
            read = {table for card in cards for table in tables_of(card.placed.sql)}
            told = {
                name: text for name, text in self.wish.descriptions.items() if name.partition(".")[0] in read and text
            }
            listed = {
                str(one.column)
                for one in library.shared.filters.values()
                if one.choices is not None and one.column is not None and one.choices.column == one.column
            }
            fill_in_fields(self.metabase, self.ledger, space, synced, listed, told)
        self.steps(space.title)
        numbers = dict.fromkeys(self.filter_columns, UNKNOWN) | (synced.numbers if synced else {})
        present = cards_present(
            self.metabase, [card.entity_id for card in cards], [] if database_id is None else [database_id]
        )
        made = settle_cards(
            self.metabase,
            self.ledger,
            space,
            cards,
            library,
            numbers,
            UNKNOWN if database_id is None else database_id,
            collection_id,
            present,
            self.steps,
        )
        settle_dashboards(self.metabase, self.ledger, space, boards, library, made, collection_id, self.steps)

    def _wanted(self, space: Space, tables: frozenset[str] | None) -> tuple[list[Board], list[WantedCard]]:
        """The dashboards that a space gets and their cards: those whose tables it has."""
        library = self.wish.library
        context = [wanted_card(space, SHARED_KEY, one, self.columns[one.sql]) for one in library.context]
        boards: list[Board] = []
        cards: list[WantedCard] = list(context)
        for key, definition in library.dashboards.items():
            lacking = sorted(
                {
                    table
                    for placed in definition.cards
                    for table in tables_of(placed.sql)
                    if tables is not None and table not in tables
                }
            )
            if lacking:
                self.ledger.note(
                    f"{space.title} does not get dashboard {definition.dashboard.title}: schema {space.schema} has no "
                    f"{', '.join(lacking)}."
                )
                continue
            own = [wanted_card(space, key, one, self.columns[one.sql]) for one in definition.cards]
            named = {one.placed.card.key: one for one in (*context, *own)}
            boards.append(Board(f"{space.key}/{key}", definition, named))
            cards += own
        return boards, cards


def wanted_keys(wish: Wish) -> dict[str, set[str]]:
    """Keys of everything that the definitions and the spaces ask for, by kind; what else is remembered is to go."""
    library = wish.library
    spaces = [space.key for space in wish.spaces]
    cards = {
        f"{space}/{dashboard}/{placed.card.key}"
        for space in spaces
        for dashboard, placed_cards in [
            (SHARED_KEY, library.context),
            *((key, one.cards) for key, one in library.dashboards.items()),
        ]
        for placed in placed_cards
    }
    return {
        "card": cards,
        "dashboard": {f"{space}/{key}" for space in spaces for key in library.dashboards},
        "collection": {*spaces, *(["clients"] if any(space.is_client for space in wish.spaces) else [])},
        "database": set(spaces),
        "group": set(spaces),
    }
