"""What facts must never do: lose, double or mix rows, whatever Meta sends; each test says what it prevents."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest

from tests.dbt_project.project import PROJECT, Project
from tests.dbt_project.world import DAYS, STEADY, YEN, account_row, ad_row, commit, declare, entity

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("dbt")]

CELLS = 201
GRAIN_TESTS = ("primary_key", "unique_grain")
OBJECT_KEY = re.compile(r"\.(campaign|ad_set|ad|creative|object)_id = ")


@pytest.fixture(scope="module")
def manifest(marts_once: Project) -> dict[str, Any]:
    return json.loads((marts_once.scratch / "target" / "manifest.json").read_text())


@pytest.fixture(scope="module")
def marts_once(built: Any, project: Project) -> Project:
    assert built.success, built.complaints
    return project


@pytest.fixture(scope="module")
def cells(marts_once: Project) -> Project:
    """An account with two ads a day, in every report."""
    warehouse = marts_once.warehouse
    entity(warehouse, "accounts", CELLS, CELLS, "Cells", currency="EUR", timezone_name="Europe/Berlin")
    declare(warehouse, CELLS, "omni_purchase", "omni_purchase", "value")
    day = DAYS[0]
    commit(warehouse, "ad_daily", CELLS, day, [ad_row(CELLS, day, 1), ad_row(CELLS, day, 2)])
    commit(warehouse, "account_daily", CELLS, day, [account_row(CELLS, day, 2)])

    def halves(column: str, values: tuple[str, str], **more: str) -> list[dict[str, Any]]:
        """Each ad's row in two cells that add up to it; reach does not."""
        rows = []
        for ad in (1, 2):
            for value, share in zip(values, ((400, 10, "4.00"), (600, 20, "6.01")), strict=True):
                shown, clicks, spend = share
                rows.append(
                    ad_row(CELLS, day, ad, impressions=str(shown), clicks=str(clicks), spend=spend, reach="390")
                    | {column: value}
                    | more
                )
        return rows

    commit(warehouse, "ad_daily__country", CELLS, day, halves("country", ("DE", "AT")))
    commit(warehouse, "ad_daily__age_gender", CELLS, day, halves("gender", ("female", "male"), age="25-34"))
    # Reason: what an account without the opt-in gets - a report without rows and without an error.
    commit(warehouse, "ad_daily__placement", CELLS, day, [])
    hour = "hourly_stats_aggregated_by_advertiser_time_zone"
    commit(warehouse, "ad_hourly", CELLS, day, halves(hour, ("01:00:00 - 01:59:59", "23:00:00 - 23:59:59")))
    marts_once.rebuild((CELLS, day))
    return marts_once


def published(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        node["name"]: node
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["schema"] == "marts"
    }


def test_no_published_table_goes_without_a_test_of_its_grain(manifest: dict[str, Any]) -> None:
    tested = {
        node["attached_node"]: node["test_metadata"]["kwargs"]["columns"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and (node.get("test_metadata") or {}).get("name") in GRAIN_TESTS
    }
    for name, node in published(manifest).items():
        assert tested[node["unique_id"]] == node["config"]["meta"]["grain"], name
        # A calendar is nobody's: each node of a distributed database has a copy.
        if node["config"]["meta"]["distribute"] != "reference":
            assert node["config"]["meta"]["grain"][0] == "account_id", name


def test_no_published_table_is_rebuilt_whole_on_each_run(manifest: dict[str, Any]) -> None:
    for name, node in published(manifest).items():
        # A view writes nothing.
        assert node["config"]["materialized"] in ("incremental", "view"), name


def test_every_row_of_a_fact_names_its_client_and_account(manifest: dict[str, Any], marts_once: Project) -> None:
    for name, node in published(manifest).items():
        if name.startswith(("fct_", "mart_")):
            assert {"account_id", "client_id"} <= set(node["columns"]), name
            assert marts_once.rows(f"SELECT count(*) FROM marts.{name} WHERE client_id IS NULL") == [(0,)], name


def test_revenue_without_its_action_is_not_lost(marts_once: Project) -> None:
    account = 202
    entity(marts_once.warehouse, "accounts", account, account, "Values only", currency="EUR", timezone_name="UTC")
    declare(marts_once.warehouse, account, "lead", "omni_purchase", "value")
    row = ad_row(account, DAYS[0], 1, actions=[{"action_type": "lead", "value": "2"}])
    commit(marts_once.warehouse, "ad_daily", account, DAYS[0], [row])
    marts_once.rebuild((account, DAYS[0]))
    for table in ("fct_ad_day", "mart_performance_daily__account", "mart_performance_daily__ad"):
        assert marts_once.rows(
            f"SELECT conversions, conversion_value FROM marts.{table} WHERE account_id = {account}"
        ) == [(2, Decimal("150.30"))]
    assert marts_once.rows(
        "SELECT conversions_default, conversion_value_default FROM marts.mart_attribution_window_daily"
        f" WHERE account_id = {account}"
    ) == [(2, Decimal("150.30"))]


def test_purchases_and_leads_are_never_one_number(marts_once: Project) -> None:
    """The rows hold 3 purchases, under two names, and 5 leads; the declared window holds 2 purchases."""
    for table, column in (("mart_performance_daily__ad", "conversions"), ("fct_ad_day", "conversions")):
        assert marts_once.rows(f"SELECT DISTINCT {column} FROM marts.{table} WHERE account_id = {STEADY}") == [(2,)]


def test_a_ratio_divides_by_the_whole_denominator_and_none_is_dimensionless_by_mistake(marts_once: Project) -> None:
    for table in ("account", "campaign", "ad_set", "ad"):
        wrong = marts_once.rows(
            f"SELECT * FROM marts.mart_performance_daily__{table} WHERE spend > 0 AND ("
            " abs(ctr * impressions - link_clicks) > 0.000001 OR abs(cpc * link_clicks - spend) > 0.000001"
            " OR abs(cpm * impressions - 1000 * spend) > 0.0001 OR abs(cvr * link_clicks - conversions) > 0.000001"
            " OR abs(cpa * conversions - spend) > 0.000001 OR abs(roas * spend - conversion_value) > 0.000001"
            " OR abs(aov * conversions - conversion_value) > 0.000001)"
        )
        assert wrong == []


def test_cells_and_hours_add_up_to_the_ads(cells: Project) -> None:
    day = f"account_id = {CELLS} AND day = '{DAYS[0]}'"
    whole = cells.rows(f"SELECT sum(spend), sum(impressions), sum(clicks_all) FROM marts.fct_ad_day WHERE {day}")
    for table in (
        "fct_ad_day__country",
        "fct_ad_day__age_gender",
        "fct_ad_hour",
        "mart_audience_daily__country",
        "mart_audience_daily__age_gender",
    ):
        found = cells.rows(f"SELECT sum(spend), sum(impressions), sum(clicks_all) FROM marts.{table} WHERE {day}")
        assert found == whole, table
    assert cells.rows(f"SELECT report, status FROM marts.mart_reconciliation__breakdown WHERE {day} ORDER BY 1") == [
        ("ad_daily__age_gender", "reconciled"),
        ("ad_daily__country", "reconciled"),
        ("ad_daily__placement", "withheld"),
        ("ad_hourly", "reconciled"),
    ]


def test_a_cell_that_meta_withdrew_vanishes(cells: Project) -> None:
    count = f"SELECT count(*) FROM marts.{{}} WHERE account_id = {CELLS}"
    assert cells.rows(count.format("mart_audience_daily__country")) == [(2,)]
    row = ad_row(CELLS, DAYS[0], 1) | {"country": "DE"}
    commit(cells.warehouse, "ad_daily__country", CELLS, DAYS[0], [row])
    cells.rebuild((CELLS, DAYS[0]))
    assert cells.rows(count.format("fct_ad_day__country")) == [(1,)]
    assert cells.rows(count.format("mart_audience_daily__country")) == [(1,)]
    assert cells.rows(
        f"SELECT status FROM marts.mart_reconciliation__breakdown WHERE account_id = {CELLS}"
        " AND report = 'ad_daily__country'"
    ) == [("mismatch",)]


def test_a_day_that_fails_in_another_window_than_the_declared_is_marked_everywhere(marts_once: Project) -> None:
    account, day = 203, DAYS[0]
    entity(marts_once.warehouse, "accounts", account, account, "Windows", currency="EUR", timezone_name="UTC")
    declare(marts_once.warehouse, account, "omni_purchase", "omni_purchase", "value")
    commit(marts_once.warehouse, "ad_daily", account, day, [ad_row(account, day, 1)])
    total = account_row(account, day, 1)
    total["actions"][1]["7d_click"] = "7"
    commit(marts_once.warehouse, "account_daily", account, day, [total])
    marts_once.rebuild(
        (account, day), marts=["mart_reconciliation", "mart_reconciliation__window", "mart_performance_daily__ad"]
    )
    assert marts_once.rows(
        f"SELECT status, failing_windows, conversions_difference FROM marts.mart_reconciliation"
        f" WHERE account_id = {account}"
    ) == [("mismatch", "7d_click", 0)]
    assert marts_once.rows(
        f"SELECT DISTINCT is_reconciled FROM marts.mart_performance_daily__ad WHERE account_id = {account}"
    ) == [(False,)]
    assert marts_once.rows(
        "SELECT attribution_window, status, conversions_difference FROM marts.mart_reconciliation__window"
        f" WHERE account_id = {account} ORDER BY 1"
    ) == [("7d_click", "mismatch", -5), ("default", "reconciled", 0)]


def test_the_long_form_of_actions_holds_what_the_wide_one_does(marts_once: Project) -> None:
    assert marts_once.rows(
        "SELECT action_type, attribution_window, sum(actions), sum(action_value) FROM marts.fct_ad_day_action"
        f" WHERE account_id = {YEN} AND action_type = 'omni_purchase' GROUP BY 1, 2 ORDER BY 2"
    ) == [
        ("omni_purchase", "7d_click", 8, Decimal("400.80")),
        ("omni_purchase", "default", 12, Decimal("601.20")),
    ]


def test_no_model_joins_on_an_object_without_its_account() -> None:
    """An object id is a key only within its account: every join on one names the account, too."""
    offenders = []
    for path in sorted([*(PROJECT / "models").rglob("*.sql"), *(PROJECT / "macros").rglob("*.sql")]):
        for clause in path.read_text().split("join ")[1:]:
            condition = clause.split("\n\n")[0].split(" join ")[0]
            if OBJECT_KEY.search(condition) and "account_id = " not in condition:
                offenders.append((path.name, condition))
    assert offenders == []
