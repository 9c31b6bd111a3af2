"""The same protocol over the real world: every edge, every shipped report, writes that show."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import date
from decimal import Decimal

import pytest

world_module = pytest.importorskip("simulator.world", reason="the world is not there yet")
pytestmark = pytest.mark.integration

RANGE = json.dumps({"since": "2026-11-10", "until": "2026-11-16"})


@pytest.fixture
def real(make_server):
    return make_server(world_module.build_world(seed=7, size="small", anchor=date(2026, 11, 20)))


@pytest.fixture
def account(real):
    return real.get("me/adaccounts").json()["data"][0]["id"]


def everything(server, path, **params):
    body = server.get(path, **params).json()
    found = list(body["data"])
    while "next" in body.get("paging", {}):
        body = server.http.get(body["paging"]["next"]).json()
        found += body["data"]
    return found


FIELDS = {
    "campaigns": "name,objective,status,effective_status,daily_budget,updated_time,bid_strategy",
    "adsets": "name,campaign_id,targeting,promoted_object,attribution_spec,learning_stage_info,optimization_goal",
    "ads": "name,adset_id,campaign_id,creative{id,name,body},adset{name},campaign{name}",
    "adcreatives": "name,body,title,object_story_spec,thumbnail_url",
    "ad_studies": "name,type,start_time,cells{id,name,treatment_percentage,adsets{id,name}},objectives",
    "customconversions": "name,custom_event_type,rule,pixel",
    "adspixels": "name,last_fired_time",
}


@pytest.mark.parametrize("edge", sorted(FIELDS))
def test_every_edge_in_small_pages(real, account, edge):
    whole = real.get(f"{account}/{edge}", fields=FIELDS[edge], limit=500)
    assert whole.status_code == 200, whole.text
    rows = whole.json()["data"]
    assert rows
    assert all("name" in row and "id" in row for row in rows)
    assert everything(real, f"{account}/{edge}", fields=FIELDS[edge], limit=1) == rows
    assert real.get(f"{rows[0]['id']}/", fields="name").json()["name"] == rows[0]["name"]


def test_levels_agree_to_the_cent(real, account):
    totals = {}
    for level in ("account", "campaign", "adset", "ad"):
        rows = everything(
            real, f"{account}/insights", level=level, time_range=RANGE, time_increment=1, fields="spend", limit=50
        )
        totals[level] = sum(Decimal(r["spend"]) for r in rows)
    assert totals["account"] > 0
    assert totals["account"] >= totals["ad"]
    gone = json.dumps([{"field": "ad.effective_status", "operator": "IN", "value": ["ARCHIVED", "DELETED"]}])
    rows = everything(
        real, f"{account}/insights", level="ad", time_range=RANGE, fields="spend", filtering=gone, limit=50
    )
    assert totals["ad"] + sum(Decimal(r["spend"]) for r in rows) == totals["account"]


@pytest.mark.parametrize(
    "breakdowns",
    [
        "hourly_stats_aggregated_by_advertiser_time_zone",
        "age,gender",
        "country",
        "publisher_platform,platform_position,impression_device",
    ],
)
def test_breakdowns_add_up(real, account, breakdowns):
    base = {"level": "ad", "time_range": RANGE, "time_increment": 1, "fields": "ad_id,impressions,spend", "limit": 500}
    plain, split = defaultdict(int), defaultdict(int)
    for row in everything(real, f"{account}/insights", **base):
        plain[row["ad_id"], row["date_start"]] += int(row["impressions"])
    for row in everything(real, f"{account}/insights", **base, breakdowns=breakdowns):
        split[row["ad_id"], row["date_start"]] += int(row["impressions"])
    assert plain == split


def test_runs_equal_synchronous_reads_and_any_page_size(real, account):
    params = {"level": "ad", "time_range": RANGE, "time_increment": 1, "fields": "ad_id,impressions,actions"}
    run = real.post(f"{account}/insights", **params).json()["report_run_id"]
    real.advance(30)
    assert real.get(run).json()["async_status"] == "Job Completed"
    pages = [everything(real, f"{run}/insights", limit=n) for n in (3, 500)]
    assert pages[0] == pages[1] == everything(real, f"{account}/insights", **params, limit=7)


def test_sort_and_summary(real, account):
    rows = real.get(
        f"{account}/insights",
        level="ad",
        time_range=RANGE,
        fields="impressions,spend",
        sort="impressions_descending",
        default_summary="true",
    ).json()
    numbers = [int(r["impressions"]) for r in rows["data"]]
    assert numbers == sorted(numbers, reverse=True)
    assert int(rows["summary"]["impressions"]) >= sum(numbers)


def test_a_budget_change_shows_and_is_remembered(real, account):
    adset = next(
        s
        for s in real.get(f"{account}/adsets", fields="daily_budget,status,end_time", limit=50).json()["data"]
        if int(s.get("daily_budget", 0)) > 0
    )
    value = int(adset["daily_budget"]) * 2
    before = len(real.get(f"{account}/activities", limit=500).json()["data"])
    assert real.post(adset["id"], daily_budget=value).json() == {"success": True}
    assert real.get(adset["id"], fields="daily_budget").json()["daily_budget"] == str(value)
    real.advance(120)
    events = real.get(f"{account}/activities", limit=500, fields="event_time,event_type,object_id,extra_data").json()
    assert len(events["data"]) == before + 1
    assert events["data"][0]["object_id"] == adset["id"]


def test_pausing_a_campaign_reaches_its_ads(real, account):
    campaign = real.get(f"{account}/campaigns", effective_status='["ACTIVE"]').json()["data"][0]["id"]
    assert real.post(campaign, status="PAUSED").json() == {"success": True}
    real.advance(60)
    statuses = {
        a["effective_status"] for a in real.get(f"{campaign}/ads", fields="effective_status", limit=50).json()["data"]
    }
    assert "CAMPAIGN_PAUSED" in statuses
    assert "ACTIVE" not in statuses


def test_final_numbers_and_truth(real, account):
    query = {"node": account, "level": "account", "date_preset": "last_3d", "fields": "impressions,actions"}
    now = real.get(f"{account}/insights", **{k: v for k, v in query.items() if k != "node"}).json()["data"]
    final = real.admin("final/insights", query)["data"]

    def purchases(rows):
        found = {a["action_type"]: int(a["value"]) for a in rows[0].get("actions", [])}
        return max((v for k, v in found.items() if "purchase" in k or "lead" in k), default=0)

    assert purchases(final) > purchases(now) > 0
    assert real.admin(f"truth/{account}")["curves"]


def test_businesses_and_unwritable_objects(real, account):
    business = real.get(account, fields="business").json()["business"]["id"]
    owned = everything(real, f"{business}/owned_ad_accounts", limit=1)
    assert account in {a["id"] for a in owned}
    creative = real.get(f"{account}/adcreatives").json()["data"][0]["id"]
    assert real.post(creative, name="x").json()["error"]["error_subcode"] == 33
    assert everything(real, "me/ad_studies", limit=1)
