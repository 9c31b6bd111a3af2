"""Faults for crash tests, and the log."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.metabase.client import Metabase


@pytest.fixture
def admin(metabase: Metabase) -> Metabase:
    return metabase.set_up()


def _names(admin: Metabase) -> list[str]:
    return [c["name"] for c in admin.get("collection") if c["id"] != "root" and not c["personal_owner_id"]]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_answered_fault_does_nothing_else(admin: Metabase, status: int) -> None:
    admin.faults({"do": "answer", "status": status, "method": "POST", "path": "/collection$"})
    answer = admin.ask("POST", "collection", {"name": "One"})
    assert answer.status_code == status
    assert ("Retry-After" in answer.headers) == (status in {429, 503})
    assert _names(admin) == []
    admin.post("collection", {"name": "One"})
    assert _names(admin) == ["One"]


def test_a_dropped_connection_did_what_was_asked_and_a_cut_one_did_not(admin: Metabase) -> None:
    admin.faults({"do": "drop", "method": "POST"}, {"do": "cut", "method": "PUT"})
    with pytest.raises(requests.ConnectionError):
        admin.ask("POST", "collection", {"name": "One"})
    assert _names(admin) == ["One"]
    with pytest.raises(requests.ConnectionError):
        admin.ask("PUT", "setting/site-name", {"value": "Changed"})
    assert admin.get("setting/site-name") == "Ads"
    log = admin.log(path="/collection$", method="POST")
    (entry,) = log["requests"]
    assert (entry["fault"], entry["acted"], entry["status"]) == ("drop", True, None)


def test_faults_begin_after_some_requests_and_end_after_some(admin: Metabase) -> None:
    admin.faults({"do": "answer", "status": 500, "path": "/health", "after": 2, "times": 3})
    assert [admin.status("GET", "health") for _ in range(7)] == [200, 200, 500, 500, 500, 200, 200]


def test_a_stop_ends_everything_until_it_is_taken_back(admin: Metabase) -> None:
    admin.faults({"do": "stop", "method": "POST", "after": 1})
    admin.post("collection", {"name": "One"})
    for method, path in (("POST", "collection"), ("GET", "collection"), ("GET", "health")):
        with pytest.raises(requests.ConnectionError):
            admin.ask(method, path, {"name": "Two"})
    assert admin.faults() == []
    assert _names(admin) == ["One"]


def test_the_log_counts_by_method(admin: Metabase) -> None:
    admin.control("POST", "reset", {"keep": ["state"]})
    admin.post("collection", {"name": "One"})
    admin.get("collection", archived="false")
    admin.status("GET", "card/1")
    log = admin.log()
    assert (log["total"], log["writes"]) == (3, 1)
    assert log["by_method"] == {"POST": 1, "GET": 2}
    assert log["by_status"] == {"200": 2, "404": 1}
    first, second, _ = log["requests"]
    assert (first["n"], first["path"], first["body"]) == (1, "/api/collection", {"name": "One"})
    assert (second["query"], second["body"], second["user"]) == ({"archived": "false"}, None, "ada@example.com")
    assert admin.log(after=1, method="GET")["total"] == 2
    assert _names(admin) == ["One"]


@pytest.mark.parametrize(
    "rule",
    [{"do": "explode"}, {"do": "answer", "status": 200}, {"do": "cut", "when": 1}, {"do": "cut", "path": "("}],
)
def test_rules_that_are_none_are_refused(admin: Metabase, rule: dict[str, Any]) -> None:
    answer = requests.post(f"{admin.url}/_standin/faults", json=[rule], timeout=9)
    assert (answer.status_code, "error" in answer.json()) == (400, True)
    assert admin.control("GET", "faults") == []


def test_options_that_are_none_are_refused(admin: Metabase) -> None:
    for path, body in (("options", {"colour": 1}), ("options", {"state": "x"}), ("reset", {"keep": ["all"]})):
        assert requests.post(f"{admin.url}/_standin/{path}", json=body, timeout=9).status_code == 400


def test_a_reset_makes_a_fresh_instance(admin: Metabase) -> None:
    admin.post("collection", {"name": "One"})
    token = admin.control("POST", "reset", {})["setup_token"]
    assert admin.status("GET", "collection") == 401
    assert admin.anonymous().get("session/properties")["setup-token"] == token
    assert admin.log()["total"] == 2
