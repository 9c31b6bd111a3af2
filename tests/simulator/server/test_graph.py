"""Versions, paths, fields, edges, paging, validation: what a client sees of plain reads."""

from __future__ import annotations

import json

import pytest

from .fake_world import ADSET, BUSINESS, CBO, FIRST_AD, PLAIN, STUDY, A, B

pytestmark = pytest.mark.integration


def error(got):
    found = got.json()["error"]
    return got.status_code, found["code"], found.get("error_subcode")


def test_versions(make_server, server):
    assert server.call("GET", ADSET, "v25.0").headers["Facebook-API-Version"] == "v25.0"
    for version in ("v24.0", "v19.0", ""):
        assert error(server.call("GET", ADSET, version)) == (400, 2635, None)
    assert error(server.call("GET", ADSET, "v99.0"))[1] == 2500
    upgrading = make_server(retired="upgrade")
    got = upgrading.call("GET", ADSET, "v23.0")
    assert got.status_code == 200
    assert "v25.0" in got.headers["X-Ad-Api-Version-Warning"]
    assert error(upgrading.call("GET", ADSET, ""))[1] == 2635


@pytest.mark.parametrize("path", [ADSET, f"{ADSET}/", f"/{ADSET}//"])
def test_slashes(server, path):
    assert server.get(path).json() == {"id": ADSET}


def test_ids(server):
    got = server.get("/", ids=f"{ADSET},{CBO}", fields="name").json()
    assert got == {ADSET: {"name": "S2", "id": ADSET}, CBO: {"name": "CBO", "id": CBO}}
    assert error(server.get("/", ids=f"{ADSET},999")) == (400, 100, 33)
    got = server.get("insights", ids=f"{ADSET},{CBO}", date_preset="yesterday").json()
    assert got[ADSET]["data"][0]["impressions"] == "100"
    assert server.admin("state")["calls"] == 6


def test_me_and_businesses(server):
    assert server.get("me").json().keys() == {"id", "name"}
    assert server.get("me/businesses").json()["data"][0]["id"] == BUSINESS
    assert server.get("me/adaccounts").json()["data"] == [
        {"id": f"act_{A}", "account_id": A},
        {"id": f"act_{B}", "account_id": B},
    ]
    owned = server.get(f"{BUSINESS}/owned_ad_accounts", fields="name").json()["data"]
    assert owned == [{"name": "Shop 0", "id": f"act_{A}"}]
    assert server.get(f"{BUSINESS}/client_ad_accounts").json()["data"] == []


def test_accounts_need_their_prefix(server):
    assert server.get(f"act_{A}").status_code == 200
    assert error(server.get(A)) == (400, 100, 33)


def test_nested_fields(server):
    got = server.get(STUDY, fields="name,cells{id,name,adsets{id,name}}").json()
    assert got["cells"]["data"][1] == {"id": "62", "name": "Group 1", "adsets": {"data": [{"id": ADSET, "name": "S2"}]}}
    got = server.get(f"{STUDY}/cells", fields="treatment_percentage,adsets").json()["data"]
    assert got[0]["treatment_percentage"] == 50
    got = server.get(PLAIN, fields="ads.limit(2).fields(id,adset{name})").json()
    assert got["ads"]["data"] == [
        {"id": str(FIRST_AD), "adset": {"name": "S2", "id": ADSET}},
        {"id": str(FIRST_AD + 1), "adset": {"name": "S2", "id": ADSET}},
    ]
    assert error(server.get(STUDY, fields="name,cells{id"))[1] == 2500


def test_insights_inside_a_selection(server):
    fields = 'name,insights.time_range({"since":"2026-11-01","until":"2026-11-02"}).time_increment(1){impressions}'
    got = server.get(f"act_{A}/campaigns", fields=fields).json()["data"]
    assert [r["impressions"] for r in got[0]["insights"]["data"]] == ["100", "101"]
    assert (
        f"/v26.0/{CBO}/insights?"
        in server.get(CBO, fields="insights.limit(1).date_preset(last_3d).time_increment(1)").json()["insights"][
            "paging"
        ]["next"]
    )
    assert server.get(ADSET, fields='["name","insights.date_preset(nonsense)"]').status_code == 400


def test_unknown_and_restricted_fields(server):
    got = server.get(ADSET, fields="name,nonsense")
    assert error(got) == (400, 100, None)
    assert "(nonsense)" in got.json()["error"]["message"]
    server.admin("tokens", {"value": "few", "scopes": ["ads_read"]})
    assert server.get(f"act_{A}", fields="owner").status_code == 200
    assert error(server.call("GET", f"act_{A}", token="few", params={"fields": "owner"})) == (403, 200, None)
    assert error(server.get(f"act_{A}", fields="funding_source_details"))[1] == 100


def test_entity_listing_rules(server):
    def names(edge, **params):
        return [n["name"] for n in server.get(f"act_{A}/{edge}", fields="name", limit=50, **params).json()["data"]]

    assert names("adsets") == ["S1", "S2"]
    assert names("adsets", effective_status='["ACTIVE","ARCHIVED"]') == ["S1", "S2", "S3"]
    assert len(names("ads")) == 11
    newer = [{"field": "adset.updated_time", "operator": "GREATER_THAN", "value": 1793491200}]
    assert names("adsets", filtering=json.dumps(newer)) == ["S2"]
    assert names("adsets", updated_since="1793491200") == ["S2"]
    deleted = [{"field": "ad.effective_status", "operator": "IN", "value": ["DELETED"]}]
    assert names("ads", filtering=json.dumps(deleted)) == ["Ad 11"]
    refused = json.dumps([{"field": "ad.adset_id", "operator": "EQUAL", "value": "1"}])
    assert error(server.get(f"act_{A}/ads", filtering=refused)) == (400, 100, None)
    assert error(server.get(f"act_{A}/ads", effective_status='["NONSENSE"]')) == (400, 100, None)


def test_entity_cursors_survive_changes(server):
    first = server.get(f"act_{A}/ads", limit=4, summary="true").json()
    assert first["summary"] == {"total_count": 11}
    assert "previous" not in first["paging"]
    server.post(str(FIRST_AD + 3), status="DELETED")
    server.post(str(FIRST_AD), status="DELETED")
    second = server.http.get(first["paging"]["next"]).json()
    assert [n["id"] for n in second["data"]] == [str(FIRST_AD + i) for i in range(4, 8)]
    last = server.http.get(second["paging"]["next"]).json()
    assert "next" not in last["paging"]
    back = server.http.get(last["paging"]["previous"]).json()
    assert [n["id"] for n in back["data"]] == [n["id"] for n in second["data"]]


def test_insights_cursors(server):
    params = {"level": "ad", "date_preset": "yesterday", "limit": 4}
    first = server.get(f"act_{A}/insights", **params).json()
    assert "access_token=SIMULATOR" in first["paging"]["next"]
    second = server.http.get(first["paging"]["next"]).json()
    assert [r["impressions"] for r in second["data"]] == ["104", "105", "106", "107"]
    back = server.http.get(second["paging"]["previous"]).json()
    assert back["data"] == first["data"]
    after = first["paging"]["cursors"]["after"]
    for broken in ("nonsense", after[:-3] + "AZD", after + "x"):
        assert error(server.get(f"act_{A}/insights", **params, after=broken)) == (400, 2642, None)
    assert error(server.get(f"act_{A}/insights", level="ad", after=after)) == (400, 2642, None)


def test_insights_parameters_reach_the_world(server):
    got = server.get(
        f"act_{A}/insights",
        level="campaign",
        fields='["impressions","actions"]',
        time_ranges='[{"since":"2026-11-01","until":"2026-11-02"},{"since":"2026-10-01","until":"2026-10-02"}]',
        time_increment=1,
        breakdowns="age,gender",
        action_attribution_windows='["1d_click","7d_view","28d_view"]',
        filtering='[{"field":"campaign.id","operator":"IN","value":["1"]}]',
        sort='["actions:link_click_descending"]',
        default_summary="true",
    ).json()
    query = server.world.queries[-1]
    assert (query.level, query.fields, query.breakdowns) == ("campaign", ("impressions", "actions"), ("age", "gender"))
    assert (len(query.ranges), query.time_increment) == (2, None)
    assert query.windows == ("1d_click",)
    assert query.filters[0].field == "campaign.id"
    assert query.sort == ("actions:link_click", True)
    assert got["summary"] == {"impressions": "201"}


def test_a_json_body_and_a_post_standing_for_get(server):
    url = f"{server.url}/v26.0/act_{A}/insights?access_token=SIMULATOR"
    got = server.http.post(url, json={"level": "ad", "fields": ["impressions"], "date_preset": "today"})
    assert "report_run_id" in got.json()
    got = server.http.post(url, data={"method": "get", "date_preset": "today"})
    assert got.json()["data"][0]["impressions"] == "100"
    bearer = server.http.get(f"{server.url}/v26.0/me", headers={"Authorization": "Bearer SIMULATOR"})
    assert bearer.status_code == 200


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({"fields": "impressions,foo"}, 100, "(#100) foo is not valid for fields param"),
        ({"fields": "age"}, 100, "age is not valid for fields"),
        ({"level": "banner"}, 100, "level must be one of"),
        ({"breakdowns": "age,country"}, 100, "(action_type, age, country) is invalid"),
        ({"breakdowns": "age,gender,country"}, 100, "is invalid"),
        ({"breakdowns": "impression_device"}, 100, "is invalid"),
        ({"breakdowns": "platform_position"}, 100, "is invalid"),
        ({"breakdowns": "body_asset,title_asset"}, 100, "is invalid"),
        ({"breakdowns": "dma"}, 100, "comscore_market"),
        ({"breakdowns": "nonsense"}, 100, "breakdowns[0] must be one of"),
        ({"breakdowns": "frequency_value", "fields": "impressions"}, 100, "reach"),
        ({"action_breakdowns": "action_device", "fields": "spend"}, 100, "actions field"),
        ({"action_attribution_windows": "3d_click"}, 100, "action_attribution_windows[0]"),
        ({"date_preset": "lifetime"}, 100, "date_preset must be one of"),
        ({"time_range": '{"since":"2026-11-02","until":"2026-11-01"}'}, 100, "since must be earlier"),
        ({"time_range": '{"since":"1763000000","until":"2026-11-01"}'}, 100, "YYYY-MM-DD"),
        ({"time_range": "{broken"}, 100, "time_range"),
        ({"time_range": '{"since":"2022-11-02","until":"2026-11-01"}'}, 3018, "37 months"),
        ({"time_increment": "91"}, 100, "time_increment"),
        ({"limit": "many"}, 100, "limit"),
        ({"limit": "0"}, 100, "limit"),
        ({"sort": '["reach_descending","spend_ascending"]'}, 100, "at most one"),
        ({"sort": "foo_descending"}, 100, "Sorting"),
        ({"filtering": '[{"field":"ad.foo","operator":"EQUAL","value":1}]'}, 100, "'ad.foo'"),
        ({"filtering": '[{"field":"ad.id","operator":"LIKE","value":1}]'}, 100, "operator"),
        ({"filtering": '[{"field":"ad.id"}]'}, 100, "filtering[0]"),
    ],
)
def test_parameter_errors(server, params, code, text):
    got = server.get(f"act_{A}/insights", **params)
    assert error(got) == (400, code, None)
    assert text in got.json()["error"]["message"]


def test_a_level_above_the_node_is_1_99(server):
    assert error(server.get(f"{ADSET}/insights", level="account")) == (500, 1, 99)


def test_a_long_url(server):
    ids = json.dumps([{"field": "ad.id", "operator": "IN", "value": [str(FIRST_AD + i) for i in range(2000)]}])
    assert server.get(f"act_{A}/insights", level="ad", filtering=ids).status_code == 200


def test_other_edges(server):
    budgets = server.get(f"act_{A}/minimum_budgets").json()["data"][0]
    assert (budgets["currency"], budgets["min_daily_budget_imp"]) == ("EUR", 100)
    first = server.get(f"act_{A}/activities", limit=2).json()
    assert len(first["data"]) == 2
    server.advance(3600)
    second = server.http.get(first["paging"]["next"]).json()
    assert second["data"][0]["event_time"] < first["data"][-1]["event_time"]
    assert error(server.get(f"act_{A}/nonsense")) == (400, 100, 33)
    assert error(server.get(f"act_{A}/insights/x"))[1] == 2500


def test_page_too_large(make_server):
    server = make_server(page_limit_max=5)
    got = server.get(f"act_{A}/ads", limit=11)
    assert got.json()["error"]["message"].startswith("Please reduce the amount of data")
    assert server.get(f"act_{A}/ads", limit=5).status_code == 200
