"""The loop is closed: what is set changes what is spent and bought afterwards, and nothing before."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from simulator.world import WorldSize, build_world

from .helpers import ANCHOR, NOON, make_query, read, totals

FUTURE = ((ANCHOR + timedelta(days=2), ANCHOR + timedelta(days=31)),)
SETTLED = datetime(2027, 3, 1, tzinfo=UTC)


def budget_holders(world, at=NOON):
    for account in world.accounts(at):
        for edge in ("campaigns", "adsets"):
            for node in world.edge(account.id, edge, at):
                if node.data.get("daily_budget", "0") != "0" and node.data["effective_status"] == "ACTIVE":
                    yield node


def numbers(world, node, ranges=FUTURE, at=SETTLED):
    level = node.kind
    found = totals(read(world, make_query(node.id, level, ranges=ranges, time_increment=None), at))
    return found[()] if found else {}


def test_spend_follows_the_daily_budget(demo):
    ratios = []
    yen = {node.id for node in demo.accounts(NOON) if node.data["currency"] == "JPY"}
    for node in budget_holders(demo):
        budget = int(node.data["daily_budget"]) / (1 if node.account_id in yen else 100)
        odd = {
            entry["object"] for entry in demo.truth(node.account_id)["anomalies"] if entry["last_day"] >= "2026-11-14"
        }
        edited = {entry["object_id"] for entry in demo.activities(node.account_id, NOON - timedelta(days=6), SETTLED)}
        below = {child.id for child in demo.edge(node.id, "adsets", NOON) or ()}
        if ({node.id} | below) & (odd | edited):
            continue
        rows = read(demo, make_query(node.id, node.kind, ranges=((ANCHOR - timedelta(days=5), ANCHOR),)), SETTLED)
        ratios += [float(row["spend"]) / budget for row in rows]
    assert len(ratios) > 40
    assert max(ratios) <= 1.25
    assert 0.85 < sorted(ratios)[len(ratios) // 2] < 1.05


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_a_new_budget_changes_the_future_with_diminishing_returns(fresh, factor):
    plain, changed = fresh(), fresh()
    spend_ratio, buy_ratio, holders = 0.0, 0.0, 0
    for node in list(budget_holders(changed))[:12]:
        changed.update(node.id, {"daily_budget": str(int(int(node.data["daily_budget"]) * factor))}, NOON)
        before, after = numbers(plain, node), numbers(changed, node)
        spend_ratio += float(after["spend"] / before["spend"])
        event = next(name for name in before if name in ("actions:lead:28d_click", "actions:purchase:28d_click"))
        buy_ratio += float(after.get(event, 0) / before[event])
        holders += 1
    spend_ratio, buy_ratio = spend_ratio / holders, buy_ratio / holders
    if factor > 1:
        assert 1.3 < spend_ratio <= 2.05
        assert 1.05 < buy_ratio < spend_ratio
    else:
        assert 0.45 < spend_ratio < 0.6
        assert spend_ratio < buy_ratio < 0.95


def test_a_change_leaves_the_past_alone_and_acts_from_its_moment(fresh):
    plain, changed = fresh(), fresh()
    node = next(budget_holders(changed))
    ranges = ((ANCHOR - timedelta(days=3), ANCHOR),)
    query = make_query(node.account_id, "ad", ranges=ranges)
    before = read(plain, query, NOON)
    changed.update(node.id, {"daily_budget": str(int(node.data["daily_budget"]) * 3)}, NOON)
    assert read(changed, query, NOON) == before
    spent = [changed.spend_so_far_today(node.id, NOON + timedelta(minutes=15 * quarter)) for quarter in range(-20, 41)]
    usual = [plain.spend_so_far_today(node.id, NOON + timedelta(minutes=15 * quarter)) for quarter in range(-20, 41)]
    assert spent == sorted(spent)
    assert spent[:20] == usual[:20]
    assert spent[-1] > 1.1 * usual[-1]


def test_pausing_stops_delivery(fresh):
    world = fresh()
    account = world.accounts(NOON)[0].id
    ads = [node for node in world.edge(account, "ads", NOON) if node.data["effective_status"] == "ACTIVE"]
    count = world.active_ads(account, NOON)
    assert count == len(ads)
    world.update(ads[0].data["adset_id"], {"status": "PAUSED"}, NOON)
    paused = world.node(ads[0].id, NOON)
    assert paused.data["effective_status"] == "ADSET_PAUSED"
    assert world.active_ads(account, NOON) < count
    assert read(world, make_query(ads[0].id, "ad", ranges=FUTURE), SETTLED) == []
    world.update(ads[0].data["adset_id"], {"status": "ACTIVE"}, NOON + timedelta(days=10))
    rows = read(world, make_query(ads[0].data["adset_id"], "adset", ranges=FUTURE), SETTLED)
    assert min(date.fromisoformat(row["date_start"]) for row in rows) == (NOON + timedelta(days=10)).date()


def test_a_change_writes_an_activity_and_bumps_the_time(fresh):
    world = fresh()
    node = next(node for node in budget_holders(world) if node.kind == "adset")
    new = int(node.data["daily_budget"]) + 700
    world.update(node.id, {"daily_budget": str(new), "name": "Renamed – ü"}, NOON)
    after = world.node(node.id, NOON)
    assert after.data["daily_budget"] == str(new)
    assert after.data["name"] == "Renamed – ü"
    assert datetime.strptime(after.data["updated_time"], "%Y-%m-%dT%H:%M:%S%z") == NOON
    assert after.data["learning_stage_info"]["status"] == "LEARNING"
    activities = world.activities(node.account_id, NOON - timedelta(hours=1), NOON)
    assert {entry["event_type"] for entry in activities} >= {"update_ad_set_budget", "update_ad_set_name"}
    budget = next(entry for entry in activities if entry["event_type"] == "update_ad_set_budget")
    extra = json.loads(budget["extra_data"])
    assert (extra["old_value"], extra["new_value"]) == (int(node.data["daily_budget"]), new)
    rows = read(world, make_query(node.id, "adset", fields=("adset_name", "spend")), NOON)
    assert {row["adset_name"] for row in rows} == {"Renamed – ü"}
    assert world.truth(node.account_id)["updates"][-1]["object"] == node.id


def test_changes_that_change_nothing_leave_no_trace(fresh):
    world = fresh()
    node = next(budget_holders(world))
    before = world.activities(node.account_id, NOON - timedelta(days=1), NOON + timedelta(days=1))
    world.update(node.id, {"daily_budget": node.data["daily_budget"], "status": "ACTIVE"}, NOON)
    assert world.activities(node.account_id, NOON - timedelta(days=1), NOON + timedelta(days=1)) == before
    with pytest.raises(KeyError):
        world.update("123", {"status": "PAUSED"}, NOON)


def test_campaign_budgets_move_money_between_ad_sets(fresh):
    world = fresh()
    node = next(node for node in budget_holders(world) if node.kind == "campaign")
    adsets = world.edge(node.id, "adsets", NOON)
    assert all("daily_budget" not in adset.data and "lifetime_budget" not in adset.data for adset in adsets)
    live = [adset for adset in adsets if adset.data["effective_status"] == "ACTIVE"]
    before = numbers(fresh(), node)
    world.update(live[0].id, {"status": "PAUSED"}, NOON)
    if len(live) > 1:
        assert float(numbers(world, node)["spend"]) > 0.6 * float(before["spend"])


def test_many_updates_on_a_day_add_up():
    world = build_world(2, WorldSize(accounts=1), ANCHOR)
    node = next(budget_holders(world))
    base = int(node.data["daily_budget"])
    for step in range(8):
        world.update(node.id, {"daily_budget": base + 100 * (step + 1)}, NOON + timedelta(minutes=37 * step))
    account = node.account_id
    rows = {
        level: totals(read(world, make_query(account, level, ranges=((ANCHOR, ANCHOR),)), SETTLED))
        for level in ("account", "campaign", "adset", "ad")
    }
    assert rows["account"] == rows["campaign"] == rows["adset"] == rows["ad"]
    hours = make_query(
        account, "ad", ranges=((ANCHOR, ANCHOR),), breakdowns=("hourly_stats_aggregated_by_advertiser_time_zone",)
    )
    hourly = totals(read(world, hours, SETTLED))[()]
    assert hourly["spend"] == rows["account"][()]["spend"]
    assert hourly["impressions"] == rows["account"][()]["impressions"]
