"""What keeps a report back, and what does not: on PostgreSQL, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from dashboards.answering import Space
from dashboards.library import load
from dashboards.reports.model import Period, Section
from dashboards.reports.readiness import Readiness, breakdowns_of, readiness
from tests.dashboards import fake_marts
from tests.dashboards.reports import account_days
from tests.dashboards.reports.account_days import build, days, empty, hold, write
from tests.databases import Databases
from warehouse.connect import Warehouse

pytestmark = pytest.mark.integration

SCHEMA = "client_client_1"
FIRST, LAST = date(2026, 10, 19), date(2026, 10, 25)  # with a change of the clocks at the end
PERIOD = Period(FIRST, LAST, FIRST - timedelta(days=7), FIRST - timedelta(days=1))
ALL = days(PERIOD.before_first, LAST)
A, B = 1001, 1002


@pytest.fixture(scope="module")
def opened(databases: Databases) -> Iterator[Warehouse]:
    with databases.fresh("plain") as url:
        fake_marts.make(url, LAST + timedelta(days=1), schema=SCHEMA, accounts=2)
        with Warehouse(url) as warehouse:
            yield warehouse


@pytest.fixture
def space(opened: Warehouse) -> Space:
    """Both accounts are whole."""
    empty(opened, SCHEMA)
    for account in (A, B):
        write(opened, SCHEMA, account, ALL)
    return Space("client-1", "Client 1", SCHEMA, opened)


def looked(space: Space, *reports: str) -> Readiness:
    return readiness(space, [A, B], PERIOD, reports)


def states(found: Readiness) -> list[tuple[int, str, tuple[date, ...]]]:
    return [(gap.account_id, gap.state, gap.days) for gap in found.gaps]


def test_whole_and_reconciled_days_keep_nothing_back(space: Space, opened: Warehouse) -> None:
    build(opened, "succeeded")
    found = looked(space)
    assert found.is_ready
    assert (found.reason, found.mend) == ("", "")
    assert found.build is not None


def test_a_day_without_delivery_is_complete(space: Space, opened: Warehouse) -> None:
    write(opened, SCHEMA, A, [LAST], rows=0)
    assert looked(space).is_ready


@pytest.mark.parametrize(
    ("state", "words", "mend"),
    [
        ("missing", "not pulled: 2026-10-25", "meta-ads pull --account act_1001 --since 2026-10-25 --until 2026-10-25"),
        ("unfinished", "pulled before the day was over: 2026-10-25", "--since 2026-10-25"),
        ("held", "kept out of the marts by failed checks: 2026-10-25", "data-quality.md"),
        ("not_built", "pulled, but not in the marts yet: 2026-10-25", "meta-ads build"),
        ("no_control", "without Meta's total to be compared with: 2026-10-25", "account_daily"),
        ("mismatch", "the ads do not add up to Meta's total: 2026-10-25", "--until 2026-10-25"),
    ],
)
def test_one_day_of_one_account_keeps_it_back(
    space: Space, opened: Warehouse, state: str, words: str, mend: str
) -> None:
    match state:
        case "missing":
            with opened.connection() as connection:
                connection.execute("DELETE FROM ops.slice WHERE account_id = %s AND day = %s", [A, LAST])
        case "unfinished":
            write(opened, SCHEMA, A, [LAST], late=timedelta(seconds=-1))
        case "held":
            hold(opened, A, LAST)
        case "not_built":
            write(opened, SCHEMA, A, [LAST], is_built=False)
        case _:
            write(opened, SCHEMA, A, [LAST], status=state)
    found = looked(space)
    assert states(found) == [(A, state, (LAST,))]
    assert not found.is_ready
    assert f"Shop 1: {words}." in found.reason
    assert mend in found.mend
    assert readiness(space, [B], PERIOD).is_ready


def test_a_day_ends_in_the_accounts_time_zone(space: Space, opened: Warehouse) -> None:
    """25 October has 25 hours in Berlin: midnight by UTC is an hour too early."""
    write(opened, SCHEMA, A, [LAST], late=timedelta(0))
    assert looked(space).is_ready
    assert account_days.end_of(LAST).hour == 23
    assert account_days.end_of(FIRST).hour == 22


def test_what_was_pulled_and_never_reached_the_marts(space: Space, opened: Warehouse) -> None:
    write(opened, SCHEMA, B, [FIRST, LAST], status=None)
    assert states(looked(space)) == [(B, "not_built", (FIRST, LAST))]


def test_an_account_that_the_clients_marts_do_not_show(space: Space) -> None:
    found = readiness(space, [A, 4711], PERIOD)
    assert [(gap.account_id, gap.state) for gap in found.gaps] == [(4711, "unknown")]
    assert "act_4711: the marts do not know this account." in found.reason


def test_an_imported_account_has_no_total(space: Space, opened: Warehouse) -> None:
    write(opened, SCHEMA, A, ALL, status="no_control", reports=["ad_daily"], source="import")
    assert looked(space).is_ready


def test_of_the_days_before_only_whether_they_are_whole_matters(space: Space, opened: Warehouse) -> None:
    before = FIRST - timedelta(days=3)
    write(opened, SCHEMA, A, [before], status="mismatch")
    assert looked(space).is_ready
    write(opened, SCHEMA, A, [before], late=timedelta(hours=-5))
    assert states(looked(space)) == [(A, "unfinished", (before,))]


def test_days_before_the_first_that_was_ever_pulled_are_not_missing(space: Space, opened: Warehouse) -> None:
    with opened.connection() as connection:
        connection.execute("DELETE FROM ops.slice WHERE account_id = %s AND day < %s", [A, FIRST - timedelta(days=2)])
    assert looked(space).is_ready
    with opened.connection() as connection:
        connection.execute("DELETE FROM ops.slice WHERE account_id = %s AND day < %s", [A, LAST])
    assert states(looked(space)) == [(A, "missing", tuple(days(FIRST, LAST - timedelta(days=1))))]


def test_breakdowns_matter_where_they_are_shown(space: Space, opened: Warehouse) -> None:
    library = load()
    shown = breakdowns_of([Section("audience", tab="people")], library)
    assert shown == {"ad_daily__age_gender", "ad_daily__country"}
    assert breakdowns_of([Section("audience", cards=("countries",))], library) == {"ad_daily__country"}
    assert breakdowns_of([Section("budget"), Section("no such")], library) == set()
    assert looked(space, *shown).is_ready  # never pulled: shown as empty
    write(opened, SCHEMA, A, days(FIRST, LAST - timedelta(days=1)), reports=["ad_daily__country"])
    found = looked(space, *shown)
    assert states(found) == [(A, "missing", (LAST,))]
    assert "Shop 1: ad_daily__country not pulled: 2026-10-25." in found.reason


def test_marts_that_are_being_built_contradict_each_other(space: Space, opened: Warehouse) -> None:
    build(opened, "succeeded")
    build(opened, "running")
    found = looked(space)
    assert (found.is_ready, found.is_building) == (False, True)
    assert found.reason == "The marts are being built."
    build(opened, "failed")
    assert looked(space).is_ready
