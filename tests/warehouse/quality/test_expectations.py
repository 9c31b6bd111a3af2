"""Each expectation fails on the defect it is for, in the account that has it, and on nothing else.

One world per kind of server is filled once; each test plants its defect in a transaction's stead: it changes the
data, checks, and puts back what was there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from tests.databases import Databases
from tests.warehouse.quality import world
from tests.warehouse.quality.world import ACCOUNT, LAST, NOW, OTHER, SINCE
from warehouse.connect import Warehouse
from warehouse.migrations import upgrade
from warehouse.quality import ENTITIES, Outcome, check
from warehouse.quality.checking import rules_for
from warehouse.quality.entity_rules import rules as entity_rules
from warehouse.tables import AD_DAILY, PRESETS

TABLES = [PRESETS[name] for name in world.REPORTS]
DAY = LAST - timedelta(days=3)
AD = {"account_id": ACCOUNT, "day": DAY, "ad_id": 5001}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("plain", marks=pytest.mark.integration),
        pytest.param("timescale", marks=[pytest.mark.integration, pytest.mark.timescale]),
    ],
)
def filled(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Warehouse]:
    with databases.fresh(request.param) as url, Warehouse(url) as warehouse:
        upgrade(warehouse)
        world.fill(warehouse)
        check(warehouse, [ACCOUNT, OTHER], SINCE, LAST, TABLES, now=NOW - timedelta(days=20), keep=False)
        yield warehouse


def run(warehouse: Warehouse, **changes: Any) -> list[Outcome]:
    arguments: dict[str, Any] = {"since": SINCE, "until": None, "reports": TABLES, "now": NOW, "keep": False} | changes
    return list(check(warehouse, [ACCOUNT, OTHER], **arguments).failures())


def execute(warehouse: Warehouse, *statements: str) -> None:
    with warehouse.connection() as connection:
        for statement in statements:
            connection.execute(statement.encode())


def test_a_clean_world_passes_everything(filled: Warehouse) -> None:
    result = check(filled, [ACCOUNT, OTHER], SINCE, None, TABLES, now=NOW, keep=False)
    assert list(result.failures()) == []
    assert result.passed
    expected = 2 * (sum(len(rules_for(table)) for table in TABLES) + len(entity_rules()))
    assert len(result.outcomes) == expected


@dataclass
class Defect:
    """A defect: the rule that must see it, where, how it is planted and taken back, and what the outcome says."""

    rule: str
    plant: Callable[[Warehouse], None]
    mend: Callable[[Warehouse], None]
    report: str = "ad_daily"
    severity: str = "error"
    count: int = 1
    also: tuple[str, ...] = ()
    days: tuple[Any, ...] | None = (DAY,)
    says: str = ""


def again(warehouse: Warehouse, report: str = "ad_daily") -> None:
    """Stores the clean days anew; another pull in between, so that unchanged content is written too."""
    clean = {day: world.rows(report, ACCOUNT, day) for day in world.days(SINCE, LAST)}
    world.store(warehouse, PRESETS[report], ACCOUNT, {day: [] for day in clean})
    world.store(warehouse, PRESETS[report], ACCOUNT, clean)


def in_row(rule: str, change: str, **more: Any) -> Defect:
    """A defect that an UPDATE of one stored row plants (behind the loader's back: it would refuse most of them)."""
    report = more.get("report", "ad_daily")
    column = "account_id = {account_id} AND day = '{day}'".format(**AD)
    if PRESETS[report].level == "ad":
        column += f" AND ad_id = {AD['ad_id']}"
    statement = f"UPDATE raw.insights_{report} SET {change} WHERE {column}"
    return Defect(rule, lambda w: execute(w, statement), lambda w: again(w, report), **more)


def payload(change: str) -> str:
    return f"payload = payload || '{change}'"


def restored(changes: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], since: Any = DAY, **more: Any) -> Any:
    """Plants by storing changed rows of the days from `since` on through the loader."""

    def plant(warehouse: Warehouse) -> None:
        touched = {day: changes(world.rows("ad_daily", ACCOUNT, day)) for day in world.days(since, LAST)}
        world.store(warehouse, AD_DAILY, ACCOUNT, touched, **more)

    return plant


def without_window(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for row in found:
        row["actions"] = [{key: v for key, v in one.items() if key != "7d_click"} for one in row["actions"]]
        row["action_values"] = []
    return found


def by_sql(rule: str, *statements: str, mend: Callable[[Warehouse], None] = again, **more: Any) -> Defect:
    """A defect planted by statements of account 201."""
    return Defect(rule, lambda w: execute(w, *statements), mend, **more)


def in_entity(rule: str, statement: str, **more: Any) -> Defect:
    return by_sql(rule, f"{statement} AND account_id = 201", mend=world.accounts, report=ENTITIES, days=(), **more)


def last(rule: str, changes: Callable[[list[dict[str, Any]]], list[dict[str, Any]]], **more: Any) -> Defect:
    """A warning about the last day."""
    origin = {key: more.pop(key) for key in ("source", "windows") if key in more}
    return Defect(rule, restored(changes, LAST, **origin), again, severity="warn", days=(LAST,), **more)


def restore_countries(warehouse: Warehouse) -> None:
    slices = {day: world.rows("ad_daily__country", ACCOUNT, day) for day in world.days()}
    world.store(warehouse, PRESETS["ad_daily__country"], ACCOUNT, slices)


def in_four_countries(warehouse: Warehouse) -> None:
    found = world.rows("ad_daily__country", ACCOUNT, LAST)
    cells = [row | {"country": country} for row in found for country in ("DE", "AT", "CH", "LU")]
    world.store(warehouse, PRESETS["ad_daily__country"], ACCOUNT, {LAST: cells})


THAT = f"account_id = 201 AND day = '{DAY}'"
NOBODY = f"UPDATE raw.insights_ad_daily SET ad_id = 0 WHERE account_id = 201 AND day = '{DAY}' AND ad_id = 5001"
DEFECTS = [
    Defect("key_complete", lambda w: execute(w, NOBODY), again, also=("objects_of_insights_held",)),
    in_row("account_is_the_slices", payload('{"account_id": "202"}'), says="202"),
    in_row("day_is_the_slices", payload('{"date_start": "2026-11-01"}'), says="2026-11-01"),
    in_row("day_is_the_slices", payload('{"date_stop": "2026-11-30"}')),
    in_row("day_is_the_slices", payload('{"date_start": "2026-11-20"}'), report="campaign_period"),
    in_row("currency_is_the_accounts", "account_currency = 'USD'", says="USD instead of EUR"),
    in_row("currency_is_the_accounts", "account_currency = NULL", says="no currency"),
    in_row("counts_not_negative", "clicks = -1, inline_link_clicks = -2", says="clicks -1"),
    in_row("spend_not_negative", "spend = -0.01", severity="warn", says="spend -0.01"),
    in_row("reach_within_impressions", "reach = impressions + 1, frequency = NULL", says="reach"),
    in_row(
        "reach_within_impressions",
        "reach = impressions + 1, frequency = NULL",
        report="ad_daily__country",
        severity="warn",
    ),
    in_row("link_clicks_within_clicks", "inline_link_clicks = clicks + 1", severity="warn"),
    in_row("frequency_is_impressions_by_reach", "frequency = 2", severity="warn"),
    in_row(
        "actions_are_numbers",
        payload('{"actions": [{"action_type": "like", "value": "many"}]}'),
        also=("windows_are_numbers",),
    ),
    in_row("actions_are_numbers", payload('{"actions": [{"action_type": "like"}]}')),
    in_row("actions_are_numbers", payload('{"action_values": [{"value": "1"}]}')),
    in_row("actions_are_numbers", payload('{"actions": "none"}')),
    in_row("windows_are_numbers", payload('{"actions": [{"action_type": "a", "value": "1", "7d_click": "x"}]}')),
    in_row(
        "windows_are_numbers",
        payload('{"outbound_clicks": [{"action_type": "outbound_click", "value": "x"}]}'),
        also=("no_new_fields",),
    ),
    by_sql(
        "rows_are_the_slices",
        f"DELETE FROM raw.insights_ad_daily WHERE {THAT} AND ad_id = 5001",
        says="holds 3, its last pull wrote 4",
    ),
    by_sql(
        "rows_are_the_slices",
        f"DELETE FROM ops.slice WHERE {THAT} AND report = 'ad_daily'",
        also=("days_complete",),
        says="wrote none",
    ),
    by_sql(
        "pulled_at_all",
        "DELETE FROM ops.slice WHERE account_id = 201 AND report = 'ad_daily__country'",
        "DELETE FROM raw.insights_ad_daily__country WHERE account_id = 201",
        mend=restore_countries,
        report="ad_daily__country",
        days=(),
        says="never pulled",
    ),
    by_sql(
        "days_complete",
        f"DELETE FROM ops.slice WHERE {THAT} AND report = 'account_daily'",
        f"DELETE FROM raw.insights_account_daily WHERE {THAT}",
        mend=lambda w: again(w, "account_daily"),
        report="account_daily",
        says=f"{DAY}",
    ),
    last("no_duplicates_dropped", lambda found: [*found, found[0] | {"ad_name": "Other"}]),
    last("pulled_from_the_api", lambda found: found, source="import", windows=(), says="Ads Manager export"),
    Defect(
        "usual_rows",
        in_four_countries,
        restore_countries,
        report="ad_daily__country",
        severity="warn",
        days=(LAST,),
        says="2026-11-21 has 16, usually about 4",
        also=("usual_spend",),
    ),
    last("usual_spend", lambda found: [row | {"spend": "990.00"} for row in found], says="3960.00"),
    last("windows_present", without_window, says="7d_click"),
    last(
        "attribution_setting_stable",
        lambda found: [row | {"attribution_setting": "1d_click"} for row in found[:2]] + found[2:],
        says="ad set 4001: 1d_click and 7d_click",
    ),
    last("no_new_fields", lambda found: [row | {"novelty": "1"} for row in found], says="novelty"),
    Defect(
        "currency_known",
        lambda w: world.accounts(w, currency="euro"),
        world.accounts,
        report=ENTITIES,
        days=(),
        says="'euro'",
        also=("currency_is_the_accounts",),
    ),
    in_entity(
        "objects_are_the_accounts",
        """UPDATE raw.ads SET payload = payload || '{"account_id": "202"}' WHERE id = 5001""",
    ),
    in_entity("objects_named", "UPDATE raw.ads SET name = '' WHERE id = 5001", severity="warn"),
    in_entity(
        "budgets_are_minor_units",
        """UPDATE raw.adsets SET payload = payload || '{"daily_budget": "50.5"}' WHERE id = 4001""",
        severity="warn",
    ),
    in_entity(
        "parents_held",
        """UPDATE raw.adsets SET payload = payload || '{"campaign_id": "9"}' WHERE id = 4001""",
        severity="warn",
    ),
    # Its own ad set is held, so only the insights that name it tell.
    in_entity("objects_of_insights_held", "DELETE FROM raw.ads WHERE id = 5001", severity="warn"),
]


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: f"{defect.report}-{defect.rule}")
def test_a_planted_defect_is_found_where_it_is(filled: Warehouse, defect: Defect) -> None:
    defect.plant(filled)
    try:
        failures = run(filled, reports=[PRESETS.get(defect.report, AD_DAILY)])
    finally:
        defect.mend(filled)
    assert {outcome.account_id for outcome in failures} == {ACCOUNT}
    assert {outcome.expectation for outcome in failures} == {defect.rule, *defect.also}
    (found,) = (
        outcome for outcome in failures if outcome.expectation == defect.rule and outcome.report == defect.report
    )
    assert (found.severity, found.unexpected_count) == (defect.severity, defect.count)
    assert found.days == defect.days
    assert defect.says in f"{found.message} {found.observed}"
    assert found.mend


def test_a_report_without_its_primary_key_is_counted_row_by_row(filled: Warehouse) -> None:
    table = "raw.insights_account_daily"
    with filled.connection() as connection:
        row = connection.execute(
            f"SELECT conname FROM pg_constraint WHERE conrelid = '{table}'::regclass AND contype = 'p'".encode()
        ).fetchone()
    assert row is not None
    copy = f"INSERT INTO {table} SELECT * FROM {table} WHERE account_id = 201 AND day = '{DAY}' LIMIT 1"
    execute(filled, f"ALTER TABLE {table} DROP CONSTRAINT {row[0]}", copy)
    try:
        failures = run(filled)
    finally:
        again(filled, "account_daily")
        execute(filled, f"ALTER TABLE {table} ADD PRIMARY KEY (account_id, day)")
    assert {(o.account_id, o.expectation) for o in failures} == {
        (ACCOUNT, "key_unique"),
        (ACCOUNT, "rows_are_the_slices"),
    }


def test_a_field_that_all_rows_had_is_missed(filled: Warehouse) -> None:
    plant = restored(
        lambda found: [{k: v for k, v in row.items() if k != "clicks"} for row in found], DAY - timedelta(days=2)
    )
    execute(filled, "DELETE FROM ops.quality_seen WHERE kind = 'field'")
    plant(filled)
    try:
        failures = run(filled)
        few = run(filled, until=DAY - timedelta(days=2), reports=[AD_DAILY])
    finally:
        again(filled)
    (found,) = failures
    assert (found.account_id, found.report, found.expectation) == (ACCOUNT, "ad_daily", "no_vanished_fields")
    assert "clicks (last on 2026-11-15)" in found.message
    assert few == [], "four rows without a field prove nothing"


@pytest.mark.parametrize(
    ("hours", "rule", "severity"),
    [(24, None, None), (48, None, None), (72, "fresh", "warn"), (96, "fresh", "warn"), (120, "not_stale", "error")],
)
def test_freshness_is_measured_in_the_accounts_days(
    filled: Warehouse, hours: int, rule: str | None, severity: str | None
) -> None:
    # 21 November is held; at 23:30 UTC it is the next day in Berlin already.
    now = NOW.replace(day=21, hour=23, minute=30) + timedelta(hours=hours - 24)
    failures = run(filled, now=now, reports=[AD_DAILY])
    assert {(outcome.expectation, outcome.severity) for outcome in failures} == ({(rule, severity)} if rule else set())


def test_an_old_range_says_nothing_about_freshness(filled: Warehouse) -> None:
    assert run(filled, until=LAST, now=NOW + timedelta(days=60), reports=[AD_DAILY]) == []


def test_a_time_zone_that_changed_or_is_unknown_is_an_error(filled: Warehouse) -> None:
    try:
        world.accounts(filled, timezone_name="Europe/Paris")
        (changed,) = run(filled, reports=[])
        world.accounts(filled, timezone_name="Mars/Olympus")
        unknown = {outcome.expectation for outcome in run(filled, reports=[])}
    finally:
        world.accounts(filled)
        execute(filled, "DELETE FROM ops.quality_seen WHERE kind = 'time_zone'")
    assert (changed.expectation, changed.severity) == ("time_zone_unchanged", "error")
    assert "Europe/Berlin, then Europe/Paris" in changed.message
    assert unknown == {"time_zone_known", "time_zone_unchanged"}


def test_an_account_that_was_never_pulled_is_an_error(filled: Warehouse) -> None:
    failures = list(check(filled, [999], SINCE, LAST, [AD_DAILY], now=NOW, keep=False).failures())
    assert {(outcome.report, outcome.expectation) for outcome in failures} == {
        (ENTITIES, "account_held"),
        (ENTITIES, "currency_known"),
        (ENTITIES, "time_zone_known"),
        ("ad_daily", "pulled_at_all"),
    }
