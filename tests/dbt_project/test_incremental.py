"""Later builds: what the scope names is replaced whole, the rest is left alone, and readers never see half of it."""

from __future__ import annotations

import threading
from decimal import Decimal

import psycopg
import pytest

from tests.dbt_project.project import Project
from tests.dbt_project.world import (
    DAYS,
    REDECLARED,
    STEADY,
    VANISHING,
    WATCHED,
    account_row,
    ad_row,
    commit,
    declare,
)

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("dbt")]

LOOKING_BACK = 501
TABLES = (
    "fct_ad_day",
    "fct_ad_day_action_type",
    "mart_attribution_window_daily",
    "fct_insight_revision",
    "mart_performance_daily__ad",
    "mart_performance_daily__account",
    "mart_reconciliation",
)


def contents(project: Project, account: int) -> dict[str, list[tuple[object, ...]]]:
    """Everything published about an account, row versions included: an untouched row keeps its own."""
    return {
        table: project.rows(
            f"SELECT t.*, t.xmin::text FROM marts.{table} AS t WHERE account_id = {account} ORDER BY t::text"
        )
        for table in TABLES
    }


def test_withdrawn_rows_and_emptied_days_vanish_and_other_accounts_are_not_touched(marts: Project) -> None:
    before = contents(marts, STEADY)
    commit(marts.warehouse, "ad_daily", VANISHING, DAYS[0], [ad_row(VANISHING, DAYS[0], 1)])
    commit(marts.warehouse, "account_daily", VANISHING, DAYS[0], [account_row(VANISHING, DAYS[0], 1)])
    for report in ("ad_daily", "account_daily"):
        commit(marts.warehouse, report, VANISHING, DAYS[1], [])
    marts.rebuild((VANISHING, DAYS[0]), (VANISHING, DAYS[1]))
    for table in ("fct_ad_day", "mart_performance_daily__ad"):
        held = marts.rows(f"SELECT day::text, ad_id FROM marts.{table} WHERE account_id = {VANISHING}")
        assert held == [(DAYS[0], 1111)], table
    assert marts.rows(
        f"SELECT DISTINCT ad_id, day::text FROM marts.fct_ad_day_action WHERE account_id = {VANISHING}"
    ) == [(1111, DAYS[0])]
    assert marts.rows(f"SELECT status FROM marts.mart_reconciliation WHERE account_id = {VANISHING} ORDER BY day") == [
        ("reconciled",),
        ("reconciled",),
    ]
    assert marts.rows(f"SELECT ad_id FROM marts.dim_ad WHERE account_id = {VANISHING}") == [(1111,)]
    assert contents(marts, STEADY) == before


def test_a_day_that_is_pulled_again_leaves_each_of_the_six_after_it_in_place(marts: Project) -> None:
    """Rows that look back over a week are written anew with it: none of those days may be lost."""
    days = [f"2026-10-{day:02}" for day in range(10, 18)]
    declare(marts.warehouse, LOOKING_BACK, "omni_purchase", "omni_purchase", "7d_click")
    for day in days:
        commit(marts.warehouse, "ad_daily", LOOKING_BACK, day, [ad_row(LOOKING_BACK, day)])
        commit(marts.warehouse, "account_daily", LOOKING_BACK, day, [account_row(LOOKING_BACK, day, 1)])
    marts.rebuild(*((LOOKING_BACK, day) for day in days), marts=["mart_delivery_health"])
    statement = f"SELECT * FROM marts.mart_delivery_health WHERE account_id = {LOOKING_BACK} ORDER BY day"
    before = marts.rows(statement)
    assert len(before) == len(days)
    marts.rebuild((LOOKING_BACK, days[0]), marts=["mart_delivery_health"])
    assert marts.rows(statement) == before


def test_a_day_outside_the_scope_waits(marts: Project) -> None:
    commit(marts.warehouse, "ad_daily", WATCHED, "2026-11-03", [ad_row(WATCHED, "2026-11-03")])
    marts.rebuild((WATCHED, DAYS[0]), marts=["fct_ad_day"])
    assert marts.rows(f"SELECT max(day)::text FROM marts.fct_ad_day WHERE account_id = {WATCHED}") == [(DAYS[1],)]
    marts.rebuild((WATCHED, "2026-11-03"), marts=["fct_ad_day"])
    assert marts.rows(f"SELECT max(day)::text FROM marts.fct_ad_day WHERE account_id = {WATCHED}") == [("2026-11-03",)]


def test_a_changed_declaration_recounts_the_account(marts: Project) -> None:
    def counted() -> list[tuple[object, ...]]:
        return marts.rows(
            "SELECT conversions, conversion_value, roas FROM marts.mart_performance_daily__account"
            f" WHERE account_id = {REDECLARED} AND day = '{DAYS[0]}'"
        )

    scope = [(REDECLARED, day) for day in DAYS]
    declare(marts.warehouse, REDECLARED, "omni_purchase", "omni_purchase", "value")
    marts.rebuild(*scope, marts=["mart_performance_daily__account"])
    assert counted()[0][:2] == (6, Decimal("300.60"))
    declare(marts.warehouse, REDECLARED, "lead", None, "value")
    marts.rebuild(*scope, marts=["mart_performance_daily__account"])
    assert counted() == [(10, None, None)]
    declare(marts.warehouse, REDECLARED, None, None, None)
    marts.rebuild(*scope, marts=["mart_performance_daily__account"])
    assert counted() == [(None, None, None)]


def test_building_twice_changes_nothing_and_a_reader_never_sees_a_gap(marts: Project) -> None:
    def published() -> list[tuple[object, ...]]:
        return marts.rows(
            f"SELECT * FROM marts.mart_performance_daily__ad WHERE account_id = {STEADY} ORDER BY day, ad_id"
        )

    steady = [(STEADY, day) for day in DAYS]
    marts.rebuild(*steady, marts=["mart_performance_daily__ad"])
    before, dimensions = published(), marts.rows("SELECT xmin::text FROM marts.dim_ad ORDER BY account_id, ad_id")
    seen: set[tuple[object, ...]] = set()
    done = threading.Event()

    def read() -> None:
        with psycopg.connect(marts.warehouse.url, autocommit=True) as connection:
            while not done.is_set():
                row = connection.execute(
                    "SELECT (SELECT count(*) FROM marts.fct_ad_day WHERE account_id = %(a)s),"
                    " (SELECT count(*) FROM marts.mart_performance_daily__ad WHERE account_id = %(a)s),"
                    " (SELECT count(*) FROM marts.dim_ad WHERE account_id = %(a)s)",
                    {"a": STEADY},
                ).fetchone()
                assert row is not None
                seen.add(row)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        marts.rebuild(*steady, marts=["mart_performance_daily__ad"])
    finally:
        done.set()
        reader.join()
    assert published() == before
    assert seen == {(4, 4, 2)}
    assert marts.rows("SELECT xmin::text FROM marts.dim_ad ORDER BY account_id, ad_id") == dimensions
