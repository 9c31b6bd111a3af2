"""Whatever is edited, and in whatever order it is built: later builds leave what a first build of everything would.

Accounts of their own, random edits of days, a build after each; then weeks and months against the sums of their days,
and every table that reaches beyond the day it was changed on against a rebuild of everything.
"""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.dbt_project.project import Project
from tests.dbt_project.world import account_row, ad_row, commit, declare, entity

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("dbt")]

ACCOUNTS = (401, 402)
FIRST = date(2026, 8, 27)
HISTORY = 45
REACHING = (
    *(
        f"mart_performance_{pace}__{grain}"
        for pace in ("daily", "weekly", "monthly")
        for grain in ("account", "campaign", "ad_set", "ad")
    ),
    "mart_creative_daily",
    "mart_creative_fatigue",
    "mart_funnel_daily",
    "mart_custom_metric_daily",
)


def a_day(account: int, day: date, chance: random.Random) -> list[dict[str, Any]]:
    """A few ads with random numbers; sometimes none, as a day without delivery."""
    return [
        ad_row(
            account,
            day.isoformat(),
            ad,
            spend=f"{chance.randrange(1, 5000) / 100:.2f}",
            impressions=str(chance.choice((0, 900, 1000, 5000))),
            reach="0",
            actions=[
                {"action_type": "link_click", "value": str(chance.randrange(60))},
                {"action_type": "omni_purchase", "value": str(chance.randrange(5))},
                {"action_type": "omni_add_to_cart", "value": str(chance.randrange(9))},
            ],
        )
        for ad in range(1, 5)
        if chance.random() < 0.7
    ]


def commit_day(project: Project, account: int, day: date, chance: random.Random) -> tuple[int, str]:
    commit(project.warehouse, "ad_daily", account, day.isoformat(), a_day(account, day, chance))
    return account, day.isoformat()


def contents(project: Project) -> dict[str, list[tuple[Any, ...]]]:
    wanted = ", ".join(map(str, ACCOUNTS))
    return {
        table: project.rows(f"SELECT t.* FROM marts.{table} AS t WHERE account_id IN ({wanted}) ORDER BY t::text")
        for table in REACHING
    }


@pytest.fixture(scope="module")
def edited(built: Any, project: Project) -> Project:
    """Two accounts with a history, of which the younger part is known at first; then edits, each with its build."""
    assert built.success, built.complaints
    chance = random.Random(20261122)
    days = [FIRST + timedelta(days=n) for n in range(HISTORY)]
    with project.warehouse.connection() as connection:
        for target, rate in (("2026-08-25", "0.9"), ("2026-09-01", "0.8"), ("2026-09-20", "0.95")):
            connection.execute("INSERT INTO ops.exchange_rate VALUES ('USD', 'EUR', %s, %s)", [target, rate])
    for account in ACCOUNTS:
        entity(project.warehouse, "accounts", account, account, f"Shop {account}", currency="EUR", timezone_name="UTC")
        declare(project.warehouse, account, "omni_purchase", "omni_purchase", "value")
        for ad, creative in ((1111, "901"), (1112, "901"), (1113, "902")):
            entity(
                project.warehouse,
                "ads",
                account,
                ad,
                f"Ad {ad}",
                adset_id="1100",
                campaign_id="1000",
                creative={"id": creative},
            )
        with project.warehouse.connection() as connection:
            connection.execute(
                "UPDATE ops.client_account SET reporting_currency = 'USD' WHERE account_id = %s", [account]
            )
            connection.execute(
                "INSERT INTO ops.custom_metric VALUES (%s, 'cost_per_cart', 'Cost per cart', 'spend', 'adds_to_cart',"
                " 1, 'money', true, 'clients.yml:1', NULL)",
                [account],
            )
    project.rebuild(
        *(commit_day(project, account, day, chance) for account in ACCOUNTS for day in days[20:]), marts=REACHING
    )
    # The older days come later, and with a gap; then days change, a few at a time, in one account or both.
    project.rebuild(
        *(commit_day(project, account, day, chance) for account in ACCOUNTS for day in days[:18]), marts=REACHING
    )
    for _ in range(3):
        picked = [(chance.choice(ACCOUNTS), chance.choice(days)) for _ in range(chance.randrange(1, 4))]
        project.rebuild(*{commit_day(project, account, day, chance) for account, day in picked}, marts=REACHING)
    account, day = ACCOUNTS[0], days[-3]
    commit(project.warehouse, "ad_daily", account, day.isoformat(), [])
    commit(project.warehouse, "account_daily", account, day.isoformat(), [account_row(account, day.isoformat(), 0)])
    project.rebuild((account, day.isoformat()), marts=REACHING)
    return project


@pytest.mark.parametrize("grain", ["account", "campaign", "ad_set", "ad"])
@pytest.mark.parametrize(("unit", "pace"), [("week", "weekly"), ("month", "monthly")])
def test_a_period_is_the_sum_of_its_days(edited: Project, grain: str, unit: str, pace: str) -> None:
    key = "account_id" if grain == "account" else f"account_id, {grain}_id"
    sums = ", ".join(
        f"sum({name})"
        for name in ("spend", "impressions", "link_clicks", "clicks_all", "conversions", "conversion_value")
    )
    wanted = ", ".join(map(str, ACCOUNTS))
    of_days = edited.rows(
        f"SELECT {key}, date_trunc('{unit}', day::timestamp)::date AS period, {sums}, count(*)"
        f" FROM marts.mart_performance_daily__{grain} WHERE account_id IN ({wanted}) GROUP BY {key}, period ORDER BY"
        f" {key}, period"
    )
    of_periods = edited.rows(
        f"SELECT {key}, period_start, spend, impressions, link_clicks, clicks_all, conversions, conversion_value,"
        f" days_delivered FROM marts.mart_performance_{pace}__{grain} WHERE account_id IN ({wanted})"
        f" ORDER BY {key}, period_start"
    )
    assert len(of_periods) > 3
    assert of_periods == of_days


def test_a_finished_week_is_compared_with_the_whole_week_before(edited: Project) -> None:
    pairs = edited.rows(
        "SELECT now.spend_previous, before.spend FROM marts.mart_performance_weekly__account AS now"
        " JOIN marts.mart_performance_weekly__account AS before"
        " ON before.account_id = now.account_id AND before.period_start = now.period_start - 7"
        " WHERE now.account_id = 401 AND now.is_complete AND before.is_complete"
    )
    assert len(pairs) >= 2
    assert all(previous == spend for previous, spend in pairs)


def test_weeks_add_converted_days_up_and_know_when_a_rate_is_missing(edited: Project) -> None:
    days = edited.rows(
        "SELECT day, spend, spend_converted FROM marts.mart_performance_daily__account WHERE account_id = 401"
    )
    rates = [(date(2026, 8, 25), "0.9"), (date(2026, 9, 1), "0.8"), (date(2026, 9, 20), "0.95")]
    for day, spend, converted in days:
        near = [rate for since, rate in rates if since <= day <= since + timedelta(days=7)]
        assert converted == (spend * Decimal(near[-1]) if near else None), day
    weeks = edited.rows(
        "SELECT weekly.spend_converted, sum(daily.spend_converted), count(daily.spend_converted) = count(*)"
        " FROM marts.mart_performance_weekly__account AS weekly JOIN marts.mart_performance_daily__account AS daily"
        " ON daily.account_id = weekly.account_id AND daily.day BETWEEN weekly.period_start AND weekly.period_end"
        " WHERE weekly.account_id = 401 GROUP BY weekly.period_start, weekly.spend_converted"
    )
    assert {known for *_, known in weeks} == {True, False}
    assert all(week == (total if known else None) for week, total, known in weeks)


def test_later_builds_leave_what_a_first_build_of_everything_would(edited: Project) -> None:
    later = contents(edited)
    assert all(later.values()), {table: len(rows) for table, rows in later.items()}
    with edited.warehouse.connection() as connection:
        connection.execute("TRUNCATE ops.build_scope")
    # Reason: a table that is made anew takes the views on it away, so they are made anew as well.
    outcome = edited.run("run", "--full-refresh")
    assert outcome.success, outcome.complaints
    anew = contents(edited)
    for table in REACHING:
        assert later[table] == anew[table], table
