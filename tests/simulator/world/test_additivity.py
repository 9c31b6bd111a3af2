"""Rows of lower levels and of breakdowns add up to the rows above them, to the minor unit."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import orjson
import pytest

from simulator.contract import InsightsQuery
from simulator.world import build_world

from .helpers import BASE, LATER, NOON, days_back, everyone, make_query, read, totals

ADDITIVE_BREAKDOWNS = [
    ("age",),
    ("gender",),
    ("age", "gender"),
    ("country",),
    ("user_segment_key",),
    ("publisher_platform",),
    ("publisher_platform", "platform_position"),
    ("publisher_platform", "platform_position", "impression_device"),
    ("device_platform",),
]
TYPE_ONE = [("region",), ("hourly_stats_aggregated_by_advertiser_time_zone",), ("comscore_market",)]


@pytest.mark.parametrize("at", [NOON, LATER])
@pytest.mark.parametrize("number", range(5))
def test_levels_add_up_per_day(demo, number, at):
    node = demo.accounts(at)[number].id
    whole = totals(read(demo, make_query(node, "account", ranges=days_back(45)), at), "date_start")
    assert len(whole) == 45
    for level in ("campaign", "adset", "ad"):
        assert totals(read(demo, make_query(node, level, ranges=days_back(45)), at), "date_start") == whole


def test_children_add_up_to_each_parent(demo, account):
    ads = read(demo, make_query(account, "ad"), NOON)
    for level in ("campaign", "adset"):
        parents = read(demo, make_query(account, level), NOON)
        assert totals(ads, "date_start", f"{level}_id") == totals(parents, "date_start", f"{level}_id")


@pytest.mark.parametrize("increment", [1, 7, 30, "monthly", None])
def test_periods_add_up(demo, account, increment):
    whole = totals(read(demo, make_query(account, "account", ranges=days_back(200)), NOON))
    for level in ("account", "adset", "ad"):
        rows = read(demo, make_query(account, level, ranges=days_back(200), time_increment=increment), NOON)
        assert totals(rows) == whole


@pytest.mark.parametrize("breakdown", ADDITIVE_BREAKDOWNS, ids="+".join)
@pytest.mark.parametrize("level", ["ad", "campaign"])
def test_breakdowns_add_up(demo, account, breakdown, level):
    plain = read(demo, make_query(account, level), NOON)
    cells = read(demo, make_query(account, level, breakdowns=breakdown), NOON)
    assert len(cells) > len(plain)
    assert totals(cells, "date_start", f"{level}_id") == totals(plain, "date_start", f"{level}_id")


@pytest.mark.parametrize("breakdown", TYPE_ONE, ids="+".join)
def test_type_one_breakdowns_add_up_without_off_meta_actions(demo, account, breakdown):
    plain = totals(read(demo, make_query(account, "ad"), NOON), "date_start", "ad_id")
    rows = read(demo, make_query(account, "ad", breakdowns=breakdown), NOON)
    cells = totals(rows, "date_start", "ad_id")
    types = {action["action_type"] for row in rows for action in row.get("actions", ())}
    assert "link_click" in types
    assert not any("purchase" in name or "pixel" in name or name == "landing_page_view" for name in types)
    assert not any("action_values" in row for row in rows)
    for key, group in plain.items():
        kept = {name: value for name, value in group.items() if ":" not in name or name.split(":")[1] in types}
        assert cells[key] == kept


def test_marginal_breakdowns_agree_with_the_joint_one(demo, account):
    joint = read(demo, make_query(account, "ad", breakdowns=("age", "gender")), NOON)
    for name in ("age", "gender"):
        single = read(demo, make_query(account, "ad", breakdowns=(name,)), NOON)
        assert totals(joint, "date_start", "ad_id", name) == totals(single, "date_start", "ad_id", name)


def test_breakdown_of_a_period_is_the_sum_of_its_days(demo, account):
    daily = read(demo, make_query(account, "ad", breakdowns=("country",)), NOON)
    whole = read(demo, make_query(account, "ad", breakdowns=("country",), time_increment=None), NOON)
    assert totals(daily, "ad_id", "country") == totals(whole, "ad_id", "country")


def test_action_device_splits_actions_exactly(demo, account):
    query = make_query(account, "ad")
    plain = totals(read(demo, query, NOON), "date_start", "ad_id")
    rows = read(demo, replace(query, action_breakdowns=("action_type", "action_device")), NOON)
    assert {action["action_device"] for row in rows for action in row["actions"]} >= {"iphone", "desktop"}
    assert totals(rows, "date_start", "ad_id") == plain


def test_parents_contain_deleted_children_and_lists_do_not(demo, account):
    query = make_query(account, "ad", ranges=days_back(400), time_increment=None, filters=())
    listed = read(demo, query, NOON)
    everything = read(demo, replace(query, filters=everyone("ad")), NOON)
    gone = {
        node.id for node in demo.edge(account, "ads", NOON) if node.data["effective_status"] in ("DELETED", "ARCHIVED")
    }
    assert gone
    assert {row["ad_id"] for row in everything} - {row["ad_id"] for row in listed} == gone
    campaign = totals(read(demo, make_query(account, "account", ranges=days_back(400), time_increment=None), NOON))
    assert totals(everything) == campaign != totals(listed)


def test_a_node_below_the_account_gives_its_own_rows(demo, account):
    ads = read(demo, make_query(account, "ad"), NOON)
    for kind in ("campaign", "adset", "ad"):
        node = ads[0][f"{kind}_id"]
        rows = read(demo, make_query(node, "ad"), NOON)
        assert rows == [row for row in ads if row[f"{kind}_id"] == node]
        own = read(demo, make_query(node, kind, fields=BASE), NOON)
        assert totals(own, "date_start") == totals(rows, "date_start")


def test_levels_above_the_node_have_no_rows(demo, account):
    ad = read(demo, make_query(account, "ad"), NOON)[0]["ad_id"]
    assert read(demo, make_query(ad, "campaign"), NOON) == []


@pytest.mark.parametrize("breakdowns", [("age", "gender"), ("country",), ("publisher_platform", "platform_position")])
def test_link_clicks_are_clicks_in_every_cell(breakdowns):
    world = build_world(1, "demo", date(2026, 11, 20))
    account = world.accounts(datetime(2026, 11, 20, 12, tzinfo=UTC))[0]
    query = InsightsQuery(
        node_id=account.id,
        level="ad",
        ranges=((date(2026, 10, 1), date(2026, 10, 7)),),
        time_increment=1,
        fields=("clicks", "inline_link_clicks", "outbound_clicks", "impressions"),
        breakdowns=breakdowns,
    )
    result = world.insights(query, datetime(2026, 11, 20, 12, tzinfo=UTC))
    assert len(result) > 100
    for row in map(orjson.loads, result.page(0, len(result))):
        clicks = int(row.get("clicks", 0))
        links = int(row.get("inline_link_clicks", 0))
        outbound = int(row["outbound_clicks"][0]["value"]) if "outbound_clicks" in row else 0
        assert outbound <= links <= clicks <= int(row["impressions"])
