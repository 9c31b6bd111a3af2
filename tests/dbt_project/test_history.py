"""Histories over several builds: what changes makes a version, what does not makes none, and nothing is ever lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from tests.dbt_project.project import Outcome, Project
from tests.dbt_project.world import DAYS, account_row, ad_row, commit, declare
from warehouse.connect import Warehouse
from warehouse.entities import upsert_entities
from warehouse.provenance import Provenance

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("dbt")]

CHANGING, FLIPPING, VANISHING, LOGGED, SPENDING, FOREIGN = 301, 302, 303, 304, 305, 306
FIRST_LOOK = datetime(2026, 11, 10, 6, tzinfo=UTC)
CAMPAIGN, AD_SET, AD = 1000, 1100, 1111
BUDGETS = ("mart_budget_daily", "mart_budget_pacing", "mart_delivery_health")


def look(day: int) -> datetime:
    """The time of the pull on the n-th day after the first look."""
    return FIRST_LOOK + timedelta(days=day)


def pull(warehouse: Warehouse, kind: str, account: int, at: datetime, number: int, **payload: Any) -> None:
    """An object comes in, as the platform stores it."""
    row = {"id": str(number), "account_id": str(account), "status": "ACTIVE", "effective_status": "ACTIVE"} | payload
    upsert_entities(warehouse, kind, account, [row], Provenance(uuid4(), "api", "v26.0", (), at))


def pull_account(warehouse: Warehouse, account: int, at: datetime, **payload: Any) -> None:
    row = {"id": f"act_{account}", "account_id": str(account), "name": f"Shop {account}", "account_status": 1}
    row |= {"currency": "EUR", "timezone_name": "Europe/Berlin"} | payload
    upsert_entities(warehouse, "accounts", account, [row], Provenance(uuid4(), "api", "v26.0", (), at))


def log(warehouse: Warehouse, account: int, *events: dict[str, Any]) -> None:
    """Meta's change log."""
    upsert_entities(warehouse, "activities", account, events, Provenance(uuid4(), "api", "v26.0", (), look(0)))


def build(project: Project, *options: str) -> Outcome:
    outcome = project.run(
        "build",
        "--select",
        "resource_type:snapshot",
        "dim_account",
        "dim_campaign",
        "dim_ad_set",
        "dim_ad",
        "path:models/intermediate/history",
        "path:models/marts/history",
        "--exclude-resource-type",
        "unit_test",
        *options,
    )
    assert outcome.success, outcome.complaints
    assert outcome.complaints == []
    return outcome


def versions(project: Project, level: str, account: int, *columns: str) -> list[tuple[Any, ...]]:
    return project.rows(
        f"SELECT {', '.join(columns)} FROM marts.dim_{level}_history WHERE account_id = {account}"
        " AND NOT is_extrapolated ORDER BY valid_from"
    )


def snapshots(project: Project, level: str, account: int) -> int:
    return int(project.rows(f"SELECT count(*) FROM history.{level}_snapshot WHERE account_id = {account}")[0][0])


def test_snapshots_run_within_the_build_before_what_reads_them(built: Outcome) -> None:
    order = list(built.nodes)
    for level in ("account", "campaign", "ad_set", "ad"):
        snapshot = order.index(f"snapshot.meta_ads.{level}_snapshot")
        assert snapshot < order.index(f"model.meta_ads.dim_{level}_history")
        assert built.nodes[order[snapshot]] == "success"


def test_real_changes_make_versions_and_repetitions_make_none(marts: Project) -> None:
    warehouse = marts.warehouse
    campaign = {"name": "A", "objective": "OUTCOME_SALES", "created_time": "2026-11-01T00:00:00+0100"}
    targeting = {"age_min": 18, "geo_locations": {"countries": ["DE"]}}
    sets = {"campaign_id": str(CAMPAIGN), "name": "S", "bid_amount": 500}
    pull_account(warehouse, CHANGING, look(0))
    pull(warehouse, "campaigns", CHANGING, look(0), CAMPAIGN, **campaign, daily_budget="5000", lifetime_budget="0")
    pull(warehouse, "adsets", CHANGING, look(0), AD_SET, **sets, targeting=targeting)
    pull(warehouse, "ads", CHANGING, look(0), AD, name="X", adset_id=str(AD_SET), creative={"id": "7"})
    build(marts)

    # The same content once more: other keys, another spelling of "not used", another order, spend that went on.
    pull_account(warehouse, CHANGING, look(1), amount_spent="100", spend_cap="0")
    pull(warehouse, "campaigns", CHANGING, look(1), CAMPAIGN, **campaign, daily_budget="5000", budget_remaining="12")
    reordered = {"geo_locations": {"countries": ["DE"]}, "genders": None, "age_min": 18}
    pull(warehouse, "adsets", CHANGING, look(1), AD_SET, **sets, targeting=reordered, daily_budget="0")
    build(marts)
    assert [snapshots(marts, level, CHANGING) for level in ("account", "campaign", "ad_set", "ad")] == [1, 1, 1, 1]

    # Name and budget with Meta's time of the change; targeting and creative without one.
    changed = "2026-11-12T04:00:00+0000"
    pull(warehouse, "campaigns", CHANGING, look(2), CAMPAIGN, **(campaign | {"name": "B"}), daily_budget="6050",
         updated_time=changed)  # fmt: skip
    pull(warehouse, "adsets", CHANGING, look(2), AD_SET, **sets, targeting=targeting | {"age_min": 25})
    pull(warehouse, "ads", CHANGING, look(2), AD, name="X", adset_id=str(AD_SET), creative={"id": "8"})
    build(marts)
    # A parent's pause: the ad set's own time of change is older than what was seen of it.
    pull(warehouse, "adsets", CHANGING, look(3), AD_SET, **sets, targeting=targeting | {"age_min": 25},
         effective_status="CAMPAIGN_PAUSED", updated_time=changed)  # fmt: skip
    build(marts)
    assert versions(marts, "campaign", CHANGING, "valid_from", "campaign_name", "daily_budget", "is_current") == [
        (look(0), "A", Decimal("50.00"), False),
        (datetime(2026, 11, 12, 4, tzinfo=UTC), "B", Decimal("60.50"), True),
    ]
    assert versions(marts, "ad_set", CHANGING, "valid_from", "targeting::jsonb ->> 'age_min'", "effective_status") == [
        (look(0), "18", "ACTIVE"),
        (look(2), "25", "ACTIVE"),
        (look(3), "25", "CAMPAIGN_PAUSED"),
    ]
    assert versions(marts, "ad", CHANGING, "valid_from", "creative_id") == [(look(0), 7), (look(2), 8)]
    found = marts.rows(
        "SELECT object_level, attribute, old_value, new_value, source FROM intermediate.int_object_changes"
        f" WHERE account_id = {CHANGING} AND attribute <> 'targeting' ORDER BY 1, 2"
    )
    assert found == [
        ("ad", "creative", "7", "8", "snapshot"),
        ("campaign", "daily_budget", "50.00", "60.50", "snapshot"),
        ("campaign", "name", "A", "B", "snapshot"),
    ]


def test_back_and_forth_makes_three_versions(marts: Project) -> None:
    pull_account(marts.warehouse, FLIPPING, look(0))
    for day, status in enumerate(("ACTIVE", "PAUSED", "ACTIVE")):
        pull(marts.warehouse, "campaigns", FLIPPING, look(day), CAMPAIGN, name="A", status=status, daily_budget="100")
        build(marts)
    assert versions(marts, "campaign", FLIPPING, "valid_from", "valid_to", "status") == [
        (look(0), look(1), "ACTIVE"),
        (look(1), look(2), "PAUSED"),
        (look(2), None, "ACTIVE"),
    ]


def test_a_vanished_object_and_a_full_refresh_lose_nothing(marts: Project) -> None:
    pull_account(marts.warehouse, VANISHING, look(0))
    for day, budget in enumerate(("100", "200")):
        pull(marts.warehouse, "campaigns", VANISHING, look(day), CAMPAIGN, name="A", daily_budget=budget)
        build(marts)
    with marts.warehouse.connection() as connection:
        connection.execute("DELETE FROM raw.campaigns WHERE account_id = %s", [VANISHING])
    commit(marts.warehouse, "ad_daily", VANISHING, DAYS[0], [ad_row(VANISHING, DAYS[0])])
    marts.rebuild((VANISHING, DAYS[0]))  # Reason: a history belongs to an object that the dimension knows.
    expected = [(look(0), look(1), Decimal("1.00")), (look(1), None, Decimal("2.00"))]
    build(marts)
    assert versions(marts, "campaign", VANISHING, "valid_from", "valid_to", "daily_budget") == expected
    held = marts.rows("SELECT count(*), sum(hashtext(s::text)) FROM history.campaign_snapshot AS s")
    # Reason: a table that is made anew takes the views on it away, so all are made anew.
    outcome = marts.run("build", "--full-refresh", "--resource-type", "model", "--resource-type", "snapshot")
    assert outcome.success, outcome.complaints
    assert marts.rows("SELECT count(*), sum(hashtext(s::text)) FROM history.campaign_snapshot AS s") == held
    assert versions(marts, "campaign", VANISHING, "valid_from", "valid_to", "daily_budget") == expected


def test_metas_log_rebuilds_what_was_before_the_first_look(marts: Project) -> None:
    """Budgets back to the first day, and the same campaign id in another account is not touched by it."""
    for account, currency in ((LOGGED, "JPY"), (FOREIGN, "EUR")):
        pull_account(marts.warehouse, account, look(0), currency=currency)
        pull(marts.warehouse, "campaigns", account, look(0), CAMPAIGN, name="A", daily_budget="3000",
             created_time="2026-10-01T00:00:00+0000")  # fmt: skip
    log(
        marts.warehouse,
        LOGGED,
        {
            "event_time": "2026-10-20T10:00:00+0000",
            "event_type": "update_campaign_budget",
            "object_id": str(CAMPAIGN),
            "extra_data": '{"old_value": {"type": "payment_amount", "currency": "JPY", "old_value": 1000},'
            ' "new_value": {"type": "payment_amount", "currency": "JPY", "new_value": 3000}}',
        },
        {
            "event_time": "2026-10-25T10:00:00+0000",
            "event_type": "update_campaign_run_status",
            "object_id": str(CAMPAIGN),
            "extra_data": '{"old_value": "Inactive", "new_value": "Active", "type": "run_status"}',
        },
    )
    build(marts)
    found = marts.rows(
        "SELECT account_id, to_char(valid_from AT TIME ZONE 'UTC', 'MM-DD'), source, daily_budget, status"
        f" FROM marts.dim_campaign_history WHERE account_id IN ({LOGGED}, {FOREIGN}) ORDER BY 1, valid_from"
    )
    assert found == [
        (LOGGED, "10-01", "extrapolated", Decimal(1000), "PAUSED"),
        (LOGGED, "10-20", "activity", Decimal(3000), "PAUSED"),
        (LOGGED, "10-25", "activity", Decimal(3000), "ACTIVE"),
        (LOGGED, "11-10", "snapshot", Decimal(3000), "ACTIVE"),
        (FOREIGN, "10-01", "extrapolated", Decimal("30.00"), "ACTIVE"),
        (FOREIGN, "11-10", "snapshot", Decimal("30.00"), "ACTIVE"),
    ]


def test_a_restated_day_reaches_the_days_that_look_back_at_it(marts: Project) -> None:
    """Only the first day is in the scope; sums over a week and a month of the second follow, and a rebuild agrees."""
    days = (*DAYS, "2026-11-03")
    pull_account(marts.warehouse, SPENDING, look(0))
    declare(marts.warehouse, SPENDING, "omni_purchase", None, "7d_click")
    pull(marts.warehouse, "campaigns", SPENDING, look(0), CAMPAIGN, name="A", daily_budget="2000")
    for day in days:
        commit(marts.warehouse, "ad_daily", SPENDING, day, [ad_row(SPENDING, day)])
        commit(marts.warehouse, "account_daily", SPENDING, day, [account_row(SPENDING, day, 1)])
    build(marts)
    marts.rebuild(*((SPENDING, day) for day in days), marts=BUDGETS)

    def read() -> list[tuple[Any, ...]]:
        return marts.rows(
            "SELECT budget.day::text, budget.spend, budget.spend_7d, pacing.spend_to_date, health.ad_set_conversions_7d"
            " FROM marts.mart_budget_daily AS budget"
            " JOIN marts.mart_budget_pacing AS pacing USING (account_id, day)"
            " JOIN marts.mart_delivery_health AS health USING (account_id, day)"
            f" WHERE account_id = {SPENDING} ORDER BY 1"
        )

    cents = Decimal("10.01")
    assert read() == [(day, cents, cents * n, cents * n, 2 * n) for n, day in enumerate(days, 1)]
    restated = ad_row(
        SPENDING, DAYS[0], spend="20.01", actions=[{"action_type": "omni_purchase", "value": "9", "7d_click": "5"}]
    )
    commit(marts.warehouse, "ad_daily", SPENDING, DAYS[0], [restated])
    marts.rebuild((SPENDING, DAYS[0]), marts=BUDGETS)
    after = read()
    assert after == [
        (day, cents + (10 if n == 1 else 0), cents * n + 10, cents * n + 10, 2 * n + 3) for n, day in enumerate(days, 1)
    ]
    marts.rebuild(*((SPENDING, day) for day in days), marts=BUDGETS)
    assert read() == after
