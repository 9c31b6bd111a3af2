"""Usage headers follow the formulas; blocks lengthen; time is simulated."""

from __future__ import annotations

import json

import pytest

from .fake_world import ADSET, A, B

pytestmark = pytest.mark.integration
ACTIVE_ADS = 11


def usage(got, name="X-Ad-Account-Usage"):
    return json.loads(got.headers[name])


def test_no_headers_before_enough_calls(server):
    seen = ["X-Ad-Account-Usage" in server.get(ADSET).headers for _ in range(6)]
    assert seen == [False] * 4 + [True] * 2


def test_score_of_the_development_tier(make_server):
    server = make_server(tier="development")
    for _ in range(5):
        got = server.get(ADSET)
    assert usage(got)["acc_id_util_pct"] == round(100 * 5 / 60, 2)
    assert usage(got)["reset_time_duration"] == 25
    assert usage(got)["ads_api_access_tier"] == "development_access"
    server.post(ADSET, name="x")
    assert usage(server.get(ADSET))["acc_id_util_pct"] == round(100 * (5 + 3 + 1) / 60, 2)
    server.advance(15)
    assert usage(server.get(ADSET))["acc_id_util_pct"] == round(100 * (9 - 3 + 1) / 60, 2)


def test_business_use_case_percentages(make_server):
    server = make_server(tier="development")
    for _ in range(20):
        got = server.get(ADSET)
    entry = usage(got, "X-Business-Use-Case-Usage")[A][0]
    assert entry["type"] == "ads_management"
    assert entry["call_count"] == 100 * 20 // (300 + 40 * ACTIVE_ADS)
    assert {"total_cputime", "total_time", "estimated_time_to_regain_access", "ads_api_access_tier"} < entry.keys()
    got = server.get(f"act_{A}/insights")
    types = [e["type"] for e in usage(got, "X-Business-Use-Case-Usage")[A]]
    assert types == ["ads_insights", "ads_management"]
    assert set(usage(got, "X-FB-Ads-Insights-Throttle")) == {
        "app_id_util_pct",
        "acc_id_util_pct",
        "ads_api_access_tier",
    }


def test_the_account_score_blocks_and_calling_lengthens_the_block(make_server):
    server = make_server(tier="development")
    codes = [server.get(ADSET).status_code for _ in range(61)]
    assert codes == [200] * 60 + [400]
    error = server.get(ADSET).json()["error"]
    assert (error["code"], error["error_subcode"]) in {(17, 2446079), (613, 1487742)}
    first = server.admin("state")["blocked_until"][A]
    for _ in range(3):
        server.get(ADSET)
    state = server.admin("state")
    assert state["blocked_until"][A] == pytest.approx(first + 3 * 30)
    assert state["calls_while_blocked"] == {A: 4}
    assert server.get(f"act_{B}").status_code == 200
    server.advance(300)
    assert server.get(ADSET).status_code == 400
    server.advance(300)
    assert server.get(ADSET).status_code == 200


def test_the_insights_window_blocks_with_minutes_to_wait(make_server):
    server = make_server(tier="development")
    server.sim.limits.of(A).windows["ads_insights"].add(server.sim.clock.seconds(), 600 + 400 * ACTIVE_ADS, 0, 0)
    got = server.get(f"act_{A}/insights")
    assert (got.status_code, got.json()["error"]["code"]) == (400, 80000)
    for _ in range(5):
        got = server.get(f"act_{A}/insights")
    entry = usage(got, "X-Business-Use-Case-Usage")[A][0]
    assert entry["call_count"] >= 100
    assert 59 <= entry["estimated_time_to_regain_access"] <= 63
    assert server.get(ADSET).status_code == 200
    server.advance(3700)
    assert server.get(f"act_{A}/insights").status_code == 200


def test_the_app_limit_and_header(make_server):
    server = make_server(app_users=1, tier="standard")
    codes = [server.get("me").status_code for _ in range(201)]
    assert codes == [200] * 200 + [403]
    assert usage(server.get("me"), "X-App-Usage")["call_count"] >= 100


def test_at_the_platform_limit_only_part_of_the_calls_pass(make_server):
    server = make_server(insights_calls_per_minute=10)
    got = [server.get(f"act_{A}/insights") for _ in range(20)]
    codes = [g.status_code for g in got]
    assert codes[:10] == [200] * 10
    assert 0 < codes[10:].count(200) < 10
    errors = {g.json()["error"]["error_subcode"] for g in got if g.status_code != 200}
    assert errors == {1504022, 1504039}


def test_limits_can_be_switched_off(make_server):
    server = make_server(tier="development", limits=False)
    assert {server.get(ADSET).status_code for _ in range(80)} == {200}
