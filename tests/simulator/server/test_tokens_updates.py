"""Credentials and writes."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from .fake_world import ADSET, ADSET_ARCHIVED, ADSET_CBO, BUSINESS, CBO, PLAIN, A, B

pytestmark = pytest.mark.integration


def error(got):
    found = got.json()["error"]
    return got.status_code, found["code"], found.get("error_subcode")


def test_bad_tokens(server):
    assert error(server.call("GET", "me", token="nonsense")) == (400, 190, None)
    got = server.http.get(f"{server.url}/v26.0/me")
    assert error(got)[1] == 2500
    server.admin("tokens", {"value": "short", "expires_in": 60})
    assert server.call("GET", "me", token="short").status_code == 200
    server.advance(61)
    got = server.call("GET", "me", token="short")
    assert error(got) == (400, 190, 463)
    assert got.headers["WWW-Authenticate"].startswith('OAuth "Facebook Platform" "invalid_token"')
    server.admin("tokens", {"value": "gone", "error": "token_password"})
    assert error(server.call("GET", "me", token="gone")) == (400, 190, 460)


def test_scopes_and_accounts(server):
    server.admin("tokens", {"value": "one", "scopes": ["ads_read"], "accounts": [f"act_{B}"]})

    def call(path, method="GET", **params):
        return server.call(method, path, token="one", params=params)

    assert [a["account_id"] for a in call("me/adaccounts").json()["data"]] == [B]
    assert error(call(f"act_{A}/insights")) == (403, 200, None)
    assert error(call(ADSET)) == (400, 100, 33)
    assert error(call("me/businesses")) == (403, 200, None)
    assert error(call(BUSINESS)) == (403, 200, None)
    assert error(call(f"act_{B}", "POST", name="x")) == (403, 200, None)
    run = server.post(f"act_{A}/insights").json()["report_run_id"]
    assert error(call(run)) == (400, 100, 33)


def test_appsecret_proof(make_server):
    server = make_server(require_proof=True)
    assert error(server.get("me"))[1] == 100
    proof = hmac.new(b"simulator-app-secret", b"SIMULATOR", hashlib.sha256).hexdigest()
    assert server.get("me", appsecret_proof=proof).status_code == 200
    assert error(server.get("me", appsecret_proof="0" * 64))[1] == 100


def test_debug_token(server):
    got = server.get("debug_token", input_token="SIMULATOR").json()["data"]
    assert (got["is_valid"], got["expires_at"], got["type"]) == (True, 0, "SYSTEM_USER")
    server.admin("tokens", {"value": "old", "expires_at": 1, "accounts": [A]})
    got = server.get("debug_token", input_token="old").json()["data"]
    assert (got["is_valid"], got["error"]["code"], got["error"]["subcode"]) == (False, 190, 463)
    assert got["granular_scopes"][0]["target_ids"] == [A]


def test_exchange(server):
    params = {
        "grant_type": "fb_exchange_token",
        "client_id": "138483919580948",
        "client_secret": "simulator-app-secret",
        "fb_exchange_token": "SIMULATOR",
    }
    url = f"{server.url}/v26.0/oauth/access_token"
    got = server.http.get(url, params=params).json()
    assert (got["token_type"], got["expires_in"]) == ("bearer", 5183944)
    assert server.call("GET", "me", token=got["access_token"]).status_code == 200
    server.advance(5183945)
    assert error(server.call("GET", "me", token=got["access_token"])) == (400, 190, 463)
    params["fb_exchange_token"] = got["access_token"]
    assert server.http.get(url, params=params).json()["error"]["error_subcode"] == 463
    params["client_secret"] = "wrong"
    assert server.http.get(url, params=params).status_code == 400


def test_budget_rules(server):
    def refused(path, **data):
        got = server.post(path, **data)
        found = got.json()["error"]
        assert isinstance(found.get("error_data", ""), str)
        return error(got)[1:]

    assert refused(ADSET, daily_budget=50) == (100, 1885272)
    assert refused(ADSET_CBO, daily_budget=5000) == (100, 1885621)
    assert refused(PLAIN, daily_budget=5000) == (100, 1885621)
    assert refused(ADSET_ARCHIVED, daily_budget=5000) == (100, 1487056)
    assert refused(ADSET, daily_budget="much") == (100, None)
    assert refused(ADSET, status="RUNNING") == (100, None)
    server.world.spent = 1000
    assert refused(ADSET, daily_budget=1099) == (100, 1885650)
    assert server.post(ADSET, daily_budget=1100).json() == {"success": True}
    assert server.post(CBO, daily_budget=60000).json() == {"success": True}
    assert server.world.nodes[ADSET].data["daily_budget"] == "1100"


def test_validate_only_changes_nothing(server):
    got = server.post(ADSET, daily_budget=2500, execution_options='["validate_only"]')
    assert got.json() == {"success": True}
    assert server.world.nodes[ADSET].data["daily_budget"] == "2000"
    assert server.post(ADSET, daily_budget=1, execution_options='["validate_only"]').status_code == 400


def test_four_budget_changes_an_hour(server):
    for value in (2100, 2200, 2300, 2400):
        assert server.post(ADSET, daily_budget=value).status_code == 200
    assert error(server.post(ADSET, daily_budget=2500)) == (400, 613, 1487632)
    assert server.post(ADSET, daily_budget=2400).status_code == 200
    assert server.post(CBO, daily_budget=61000).status_code == 200
    server.advance(3601)
    assert server.post(ADSET, daily_budget=2500).status_code == 200


def test_spend_caps_and_end_dates(server):
    codes = [server.post(f"act_{A}", spend_cap=10_000 + i).status_code for i in range(11)]
    assert codes == [200] * 10 + [400]
    assert error(server.post(f"act_{A}", spend_cap=1)) == (400, 17, 1885172)
    assert error(server.post(CBO, spend_cap=50)) == (400, 100, 2446307)
    assert error(server.post(ADSET, end_time="2026-01-01T00:00:00+0100")) == (400, 100, 1487033)
    assert server.post(ADSET, end_time="2027-01-01T00:00:00+0100").status_code == 200


def test_delete_and_creation(server):
    assert server.call("DELETE", ADSET).json() == {"success": True}
    assert error(server.post(ADSET, status="ACTIVE")) == (400, 100, 1487056)
    assert error(server.post(f"act_{A}/campaigns", name="x")) == (400, 100, 33)
    study = {"name": "T", "start_time": 1, "end_time": 2, "cells": json.dumps([{}])}
    assert error(server.post(f"{BUSINESS}/ad_studies", **study)) == (403, 10, None)
    assert error(server.post(f"{BUSINESS}/ad_studies", name="T")) == (400, 100, None)
