"""Objects of the graph: ids resolve, parents and children agree, statuses and budgets follow time."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import orjson
import pytest

from .helpers import ANCHOR, NOON

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}")
EDGES = ("campaigns", "adsets", "ads", "adcreatives", "ad_studies", "customconversions", "adspixels")


def test_businesses_own_the_accounts(demo):
    owners = {node.id for node in demo.businesses()}
    accounts = demo.accounts(NOON)
    assert len(owners) == 3
    assert len(accounts) == 5
    assert {node.data["business"]["id"] for node in accounts} == owners
    listed = [node.id for owner in owners for node in demo.edge(owner, "owned_ad_accounts", NOON)]
    assert sorted(listed) == sorted(node.id for node in accounts)
    assert len({node.data["currency"] for node in accounts}) == 4
    assert len({node.data["timezone_name"] for node in accounts}) == 5


def test_accounts_have_the_documented_fields(demo):
    for node in demo.accounts(NOON):
        assert re.fullmatch(r"\d{15,16}", node.id)
        assert node.data["id"] == "act_" + node.id
        assert demo.node("act_" + node.id, NOON).id == node.id
        assert node.data["amount_spent"].isdigit()
        assert int(node.data["amount_spent"]) > 10_000
        assert isinstance(node.data["min_daily_budget"], int)
        assert set(dict(node.data)) >= {"balance", "spend_cap", "timezone_offset_hours_utc", "created_time", "age"}


def test_every_object_resolves_to_itself_and_is_json(demo):
    for account in demo.accounts(NOON):
        for edge in EDGES:
            nodes = demo.edge(account.id, edge, NOON)
            assert nodes or edge == "ad_studies"
            assert len({node.id for node in nodes}) == len(nodes)
            for node in nodes:
                again = demo.node(node.id, NOON)
                assert (again.kind, again.id, again.account_id) == (node.kind, node.id, account.id)
                assert dict(again.data) == dict(node.data)
                orjson.dumps(dict(node.data))
                assert re.fullmatch(r"1202\d{14}", node.id)


def test_parents_and_children_agree(demo, account):
    ads = demo.edge(account, "ads", NOON)
    for ad in ads:
        adset = demo.node(ad.data["adset_id"], NOON)
        assert adset.data["campaign_id"] == ad.data["campaign_id"]
        assert ad.id in {node.id for node in demo.edge(adset.id, "ads", NOON)}
        assert ad.id in {node.id for node in demo.edge(ad.data["campaign_id"], "ads", NOON)}
        assert demo.node(ad.data["creative"]["id"], NOON).kind == "adcreative"
        assert [node.id for node in demo.edge(ad.id, "adcreatives", NOON)] == [ad.data["creative"]["id"]]
        assert TIME.fullmatch(ad.data["created_time"])
    assert demo.edge(ads[0].id, "ads", NOON) is None
    assert demo.edge(account, "wishes", NOON) is None


@pytest.mark.parametrize("text", ["", "1202", "120200001000000000", "120299991000000123", "abc", "act_1", "9" * 18])
def test_unknown_ids_are_nobody(demo, text):
    assert demo.node(text, NOON) is None
    assert demo.edge(text, "ads", NOON) is None


def test_budgets_sit_on_the_campaign_or_on_its_ad_sets(demo):
    both = set()
    for account in demo.accounts(NOON):
        for campaign in demo.edge(account.id, "campaigns", NOON):
            shared = "daily_budget" in campaign.data
            both.add(shared)
            for adset in demo.edge(campaign.id, "adsets", NOON):
                assert ("budget_remaining" in adset.data) != shared
                if not shared:
                    used = [adset.data[name] for name in ("daily_budget", "lifetime_budget") if adset.data[name] != "0"]
                    assert len(used) == 1
                    assert used[0].isdigit()
                spec = adset.data["attribution_spec"]
                assert spec[0]["event_type"] == "CLICK_THROUGH"
                assert set(adset.data) >= {"targeting", "promoted_object", "learning_stage_info", "start_time"}
    assert both == {True, False}


def test_budget_remaining_shrinks_over_the_day(demo, account):
    start = NOON.replace(hour=2)
    node = next(n for n in demo.edge(account, "campaigns", start) if n.data.get("daily_budget", "0") != "0")
    remaining = [
        int(demo.node(node.id, start + timedelta(hours=hours)).data["budget_remaining"]) for hours in range(0, 20, 3)
    ]
    assert remaining == sorted(remaining, reverse=True)
    assert remaining[0] > remaining[-1]


def test_objects_appear_change_and_go(demo):
    seen = set()
    for account in demo.accounts(NOON):
        early = {node.id for node in demo.edge(account.id, "ads", NOON - timedelta(days=400))}
        late = {node.id: node.data for node in demo.edge(account.id, "ads", NOON)}
        assert early < set(late)
        new = next(iter(set(late) - early))
        assert demo.node(new, NOON - timedelta(days=420)) is None
        seen |= {data["effective_status"] for data in late.values()}
        seen |= {node.data["effective_status"] for node in demo.edge(account.id, "adsets", NOON)}
        for data in late.values():
            assert data["updated_time"][:19] >= data["created_time"][:19]
    assert seen >= {"ACTIVE", "PAUSED", "DELETED", "ARCHIVED"}


def test_activities_tell_the_budget_history(demo):
    for account in demo.accounts(NOON):
        entries = demo.activities(account.id, NOON - timedelta(days=500), NOON)
        times = [entry["event_time"] for entry in entries]
        assert all(TIME.fullmatch(time) for time in times)
        budgets = [entry for entry in entries if entry["event_type"].endswith("budget")]
        assert budgets
        latest = {}
        for entry in budgets:
            latest.setdefault(entry["object_id"], json.loads(entry["extra_data"])["new_value"])
        for object_id, value in latest.items():
            assert demo.node(object_id, NOON).data["daily_budget"] == str(value)
        assert len(demo.activities(account.id, NOON - timedelta(days=30), NOON)) < len(entries)


def test_split_tests_name_their_cells(demo, account):
    studies = demo.edge(account, "ad_studies", NOON)
    assert len(studies) == 3
    for study in studies:
        cells = demo.edge(study.id, "cells", NOON)
        assert [cell.data["treatment_percentage"] for cell in cells] == [50, 50]
        for cell in cells:
            member = cell.data["adsets"]["data"][0]["id"]
            assert demo.node(member, NOON).kind == "adset"
            assert study.id in {node.id for node in demo.edge(member, "ad_studies", NOON)}
            assert demo.node(cell.id, NOON).data == cell.data
        assert demo.node(study.id, NOON - timedelta(days=200)) is None


def test_the_small_world_tests_campaigns():
    from simulator.world import build_world

    world = build_world(1, "small", ANCHOR)
    account = world.accounts(NOON)[0].id
    study = world.edge(account, "ad_studies", NOON)[0]
    cells = world.edge(study.id, "cells", NOON)
    assert all(world.node(cell.data["campaigns"]["data"][0]["id"], NOON).kind == "campaign" for cell in cells)
    assert sum(len(world.edge(node.id, "ads", NOON)) for node in world.accounts(NOON)) >= 8
