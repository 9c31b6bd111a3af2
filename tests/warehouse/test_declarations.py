"""What people declare, in the warehouse: written only where it differs, built only where it counts."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.warehouse.rows import ACCOUNT, DAY, provenance, query, row
from warehouse import ops
from warehouse.connect import Warehouse
from warehouse.entities import upsert_entities
from warehouse.errors import RowRejected
from warehouse.loader import replace_slice
from warehouse.tables import AD_DAILY

OTHER = ACCOUNT + 1
SETTINGS = {"client_id": "a", "client_name": "A", "reporting_currency": "EUR"}
ACCOUNTS = [{"account_id": account, **SETTINGS} for account in (ACCOUNT, OTHER)]
EXPERIMENT = {
    "account_id": ACCOUNT,
    "experiment_id": "x",
    "client_id": "a",
    "name": "X",
    "study_id": None,
    "metric": "cpa",
    "minimum_effect": Decimal("0.1"),
    "since": date(2026, 10, 1),
    "until": None,
    "hypothesis": "50 % more\x00",
    "place": "clients.yml:7",
    "problem": None,
}
ARMS = [
    {
        "account_id": ACCOUNT,
        "experiment_id": "x",
        "arm_id": arm_id,
        "position": position,
        "name": arm_id.upper(),
        "is_control": position == 1,
        "arm_account_id": ACCOUNT,
        "level": "campaign",
        "objects": [{"id": "1"}, {"name": "ab\x00 | ü"}],
    }
    for position, arm_id in enumerate(("a", "b"), start=1)
]
METRIC = {
    "account_id": ACCOUNT,
    "metric": "cost_per_cart",
    "label": "Cost per cart",
    "numerator": "spend",
    "denominator": "adds_to_cart",
    "multiplier": Decimal(1),
    "format": "money",
    "is_lower_better": True,
    "place": "clients.yml:17",
    "problem": None,
}
TABLES = ("client_account", "experiment", "experiment_arm", "custom_metric", "exchange_rate")


def rate(day: date, value: str = "0.9", currency: str = "USD", target: str = "EUR") -> dict[str, Any]:
    return {"target_currency": target, "currency": currency, "day": day, "rate": Decimal(value)}


def sync(warehouse: Warehouse, **changes: Any) -> ops.Changes:
    declared: dict[str, Any] = {
        "accounts": ACCOUNTS,
        "experiments": [EXPERIMENT],
        "arms": ARMS,
        "custom_metrics": [METRIC],
        "exchange_rates": [rate(date(2026, 11, 1))],
    }
    return ops.sync_declarations(warehouse, **declared | changes)


def versions(warehouse: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    return {table: query(warehouse, f"SELECT t.xmin::text, t::text FROM ops.{table} AS t") for table in TABLES}


def due(warehouse: Warehouse) -> list[tuple[int, date]]:
    return query(warehouse, "SELECT account_id, day FROM ops.slice WHERE build_id IS NULL ORDER BY 1, 2")


@pytest.fixture
def settled(warehouse: Warehouse) -> Warehouse:
    """Two accounts with three days each, all declared, all built."""
    for account in (ACCOUNT, OTHER):
        for back in range(3):
            day = DAY - timedelta(days=back)
            replace_slice(warehouse, AD_DAILY, account, day, [row(1, day, account)], provenance())
    sync(warehouse)
    query(warehouse, "UPDATE ops.slice SET build_id = 1")
    return warehouse


DAYS = [DAY - timedelta(days=back) for back in (2, 1, 0)]


def test_what_did_not_change_is_not_written_and_makes_nothing_due(settled: Warehouse) -> None:
    before = versions(settled)
    changes = sync(settled)
    assert changes == ops.Changes(ops.SyncCounts(0, 0, 0, 2), 0, 0, 0)
    assert versions(settled) == before
    assert due(settled) == []
    assert query(settled, "SELECT hypothesis FROM ops.experiment") == [("50 % more\ufffd",)]
    assert query(settled, "SELECT objects -> 1 ->> 'name' FROM ops.experiment_arm WHERE arm_id = 'a'") == [
        ("ab\ufffd | ü",)
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"experiments": [EXPERIMENT | {"metric": "cvr"}]},
        {"experiments": [EXPERIMENT | {"problem": "has one arm"}], "arms": []},
        {"arms": [ARMS[0], ARMS[1] | {"objects": [{"id": "2"}]}]},
        {"arms": [ARMS[0]]},
        {"experiments": [], "arms": []},
    ],
)
def test_a_changed_experiment_makes_a_build_due_with_the_newest_day_alone(
    settled: Warehouse, changed: dict[str, Any]
) -> None:
    assert sync(settled, **changed).experiments == 1
    assert due(settled) == [(ACCOUNT, DAY)]
    assert query(settled, "SELECT count(*) FROM ops.experiment") == [(len(changed.get("experiments", [1])),)]
    assert query(settled, "SELECT count(*) FROM ops.experiment_arm") == [(len(changed.get("arms", ARMS)),)]


@pytest.mark.parametrize("rows", [[METRIC | {"multiplier": Decimal(1000)}], [METRIC | {"metric": "other"}], []])
def test_a_changed_metric_builds_every_day_of_its_account(settled: Warehouse, rows: list[Any]) -> None:
    assert sync(settled, custom_metrics=rows).custom_metrics >= 1
    assert due(settled) == [(ACCOUNT, day) for day in DAYS]
    assert query(settled, "SELECT metric, multiplier FROM ops.custom_metric") == [
        (row["metric"], row["multiplier"]) for row in rows
    ]


def test_a_declaration_that_only_moved_down_its_file_builds_nothing(settled: Warehouse) -> None:
    moved = {"place": "clients.yml:99"}
    changes = sync(settled, experiments=[EXPERIMENT | moved], custom_metrics=[METRIC | moved])
    assert (changes.experiments, changes.custom_metrics) == (0, 0)
    assert due(settled) == []
    assert query(settled, "SELECT place FROM ops.experiment UNION ALL SELECT place FROM ops.custom_metric") == [
        ("clients.yml:99",),
        ("clients.yml:99",),
    ]


def test_a_rate_builds_the_days_from_its_own_on_and_only_accounts_that_it_converts(settled: Warehouse) -> None:
    upsert_entities(settled, "accounts", OTHER, [{"id": f"act_{OTHER}", "currency": "USD"}], provenance())
    upsert_entities(settled, "accounts", ACCOUNT, [{"id": f"act_{ACCOUNT}", "currency": "EUR"}], provenance())
    query(settled, "UPDATE ops.slice SET build_id = 1")
    old = rate(date(2026, 11, 1))
    assert sync(settled, exchange_rates=[old, rate(DAYS[1])]).exchange_rates == 1
    assert due(settled) == [(OTHER, day) for day in DAYS[1:]]
    query(settled, "UPDATE ops.slice SET build_id = 1")
    sync(settled, exchange_rates=[old, rate(DAYS[1]), rate(DAYS[0], target="GBP"), rate(DAYS[0], currency="JPY")])
    assert due(settled) == [], "nobody reports in pounds, and no account spends yen"
    sync(settled, exchange_rates=[])
    assert due(settled) == [(OTHER, day) for day in DAYS]
    assert query(settled, "SELECT count(*) FROM ops.exchange_rate") == [(0,)]


def test_a_reporting_currency_builds_every_day_of_the_account(settled: Warehouse) -> None:
    sync(settled, accounts=[ACCOUNTS[0], ACCOUNTS[1] | {"reporting_currency": None}])
    assert due(settled) == [(OTHER, day) for day in DAYS]


def test_a_name_that_is_not_known_leaves_the_stored_one(settled: Warehouse) -> None:
    sync(settled, accounts=[ACCOUNTS[0] | {"account_name": "From Meta"}])
    query(settled, "UPDATE ops.slice SET build_id = 1")
    assert sync(settled).accounts.changed == 0
    assert query(settled, "SELECT account_name FROM ops.client_account ORDER BY account_id") == [
        ("From Meta",),
        (None,),
    ]
    assert due(settled) == []


def test_one_bad_row_changes_nothing_at_all(settled: Warehouse) -> None:
    before = versions(settled)
    with pytest.raises(RowRejected, match="twice"):
        sync(settled, experiments=[], arms=[], exchange_rates=[rate(DAY), rate(DAY, "0.8")])
    assert versions(settled) == before
    assert due(settled) == []
