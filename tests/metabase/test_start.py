"""Starting, setting up, logging in, who is let in, and what a request that fits no schema is told."""

from __future__ import annotations

import pytest
import requests

from tests.metabase.client import ADMIN, Metabase
from tests.metabase.conftest import eventually


def test_health_says_initializing_and_nothing_else_is_served_meanwhile(metabase: Metabase) -> None:
    metabase.options(starting_seconds=0.4)
    metabase.reset()
    answer = metabase.ask("GET", "health")
    assert (answer.status_code, answer.json()["status"]) == (503, "initializing")
    assert 0 <= answer.json()["progress"] < 1
    assert metabase.status("GET", "session/properties") == 503
    eventually(lambda: metabase.status("GET", "health") == 200)
    assert metabase.get("health") == {"status": "ok"}


def test_properties_tell_the_version_and_the_setup_token_until_it_is_used(metabase: Metabase) -> None:
    before = metabase.get("session/properties")
    assert before["version"]["tag"] == "v0.62.20"
    assert before["setup-token"] == metabase.token
    assert before["has-user-setup"] is False
    metabase.set_up()
    after = metabase.anonymous().get("session/properties")
    assert (after["setup-token"], after["has-user-setup"]) == (None, True)
    assert after["site-name"] == "Ads"
    assert "report-timezone" not in after
    assert "report-timezone" in metabase.get("session/properties")


def test_set_up_happens_once(metabase: Metabase) -> None:
    body = {"token": metabase.token, "user": ADMIN, "prefs": {"site_name": "Ads"}}
    wrong = metabase.ask("POST", "setup", body | {"token": "another"})
    assert wrong.status_code == 400
    assert "setup token" in wrong.json()["errors"]["token"]
    answer = metabase.ask("POST", "setup", body)
    assert metabase.as_session(answer.json()["id"]).get("user/current")["is_superuser"] is True
    assert answer.cookies["metabase.SESSION"] == answer.json()["id"]
    assert metabase.status("POST", "setup", body) == 403


def test_a_pinned_setup_token_is_the_environments(metabase: Metabase) -> None:
    metabase.options(setup_token="pinned")
    assert metabase.reset().token == "pinned"


@pytest.mark.parametrize(
    ("complexity", "password", "good"),
    [
        ("normal", "short", False),
        ("normal", "nodigits", False),
        ("normal", "password1", False),
        ("normal", "long-enough-1", True),
        ("weak", "nodigits", True),
        ("strong", "long-enough-1", False),
        ("strong", "Long-Enough-1", True),
    ],
)
def test_passwords_are_as_complex_as_the_instance_asks(
    metabase: Metabase, complexity: str, password: str, good: bool
) -> None:
    metabase.options(password_complexity=complexity)
    body = {"token": metabase.token, "user": ADMIN | {"password": password}, "prefs": {"site_name": "Ads"}}
    answer = metabase.ask("POST", "setup", body)
    assert answer.ok == good
    assert good or answer.json()["errors"]["user"]["password"]


def test_addresses_are_checked(metabase: Metabase) -> None:
    body = {"token": metabase.token, "user": ADMIN | {"email": "nobody"}, "prefs": {"site_name": "Ads"}}
    assert metabase.ask("POST", "setup", body).json()["errors"]["user"]["email"]


def test_logging_in_and_out(metabase: Metabase) -> None:
    metabase.set_up()
    nobody = metabase.anonymous()
    session = nobody.post("session", {"username": "ADA@example.com", "password": ADMIN["password"]})["id"]
    ada = metabase.as_session(session)
    assert ada.get("user/current")["email"] == ADMIN["email"]
    assert requests.get(f"{metabase.url}/api/user/current", cookies={"metabase.SESSION": session}, timeout=9).ok
    assert ada.status("DELETE", "session") == 204
    assert ada.status("GET", "user/current") == 401
    assert ada.status("DELETE", "session") == 404


def test_a_wrong_password_is_401_and_too_many_lock_the_name(metabase: Metabase) -> None:
    metabase.options(throttle=3)
    metabase.set_up()
    nobody = metabase.anonymous()
    wrong = {"username": ADMIN["email"], "password": "wrong"}
    for _ in range(3):
        answer = nobody.ask("POST", "session", wrong)
        assert (answer.status_code, list(answer.json()["errors"])) == (401, ["password"])
    right = nobody.ask("POST", "session", wrong | {"password": ADMIN["password"]})
    assert right.status_code == 401
    assert right.json()["errors"]["username"].startswith("Too many attempts!")
    other = nobody.ask("POST", "session", {"username": "x@example.com", "password": "y"})
    assert list(other.json()["errors"]) == ["password"]


def test_nobody_gets_401_and_a_member_403_for_an_administrators_work(metabase: Metabase) -> None:
    metabase.set_up()
    answer = metabase.anonymous().ask("GET", "user/current")
    assert (answer.status_code, answer.text) == (401, "Unauthenticated")
    assert metabase.as_session("no-such-session").status("GET", "database") == 401
    assert metabase.as_key("mb_wrong").status("GET", "database") == 401
    member = metabase.member()
    assert member.get("database") == {"data": [], "total": 0}
    for method, path, body in (
        ("GET", "setting", None),
        ("GET", "permissions/graph", None),
        ("GET", "api-key", None),
        ("POST", "database", {"name": "x", "engine": "postgres", "details": {}}),
        ("PUT", "setting/site-name", {"value": "x"}),
    ):
        answer = member.ask(method, path, body)
        assert (answer.status_code, answer.text) == (403, "You don't have permissions to do that."), path


def test_what_is_not_there_is_404(metabase: Metabase) -> None:
    metabase.set_up()
    assert metabase.ask("GET", "card/99").text == "Not found."
    assert metabase.ask("GET", "no-such-thing").text == '"API endpoint does not exist."'
    assert metabase.status("GET", "no-such-thing") == 404
    assert metabase.status("PATCH", "card/1") == 404


def test_a_body_that_fits_no_schema_is_400_with_its_fields(metabase: Metabase) -> None:
    metabase.set_up()
    missing = metabase.ask("POST", "collection", {})
    assert missing.status_code == 400
    assert missing.json()["specific-errors"] == {"name": ["missing required key, received: nil"]}
    wrong = metabase.ask("POST", "collection", {"name": " ", "parent_id": "1"}).json()
    assert set(wrong["errors"]) == {"name", "parent_id"}
    assert metabase.ask("POST", "collection", [1]).status_code == 400
    broken = requests.post(
        f"{metabase.url}/api/collection",
        data="{",
        headers=metabase.headers | {"Content-Type": "application/json"},
        timeout=9,
    )
    assert broken.status_code == 400
    plain = requests.post(f"{metabase.url}/api/collection", data='{"name": "x"}', headers=metabase.headers, timeout=9)
    assert plain.json()["specific-errors"] == {"name": ["missing required key, received: nil"]}


def test_unknown_keys_are_refused_or_dropped_without_a_word(metabase: Metabase) -> None:
    metabase.set_up()
    body = {"name": "One", "colour": "#123456"}
    refused = metabase.ask("POST", "collection", body)
    assert refused.status_code == 400
    assert refused.json()["errors"] == {"colour": "unexpected key"}
    metabase.options(unknown_keys="drop")
    made = metabase.post("collection", body)
    assert (made["name"], "colour" in made) == ("One", False)
    assert metabase.log()["requests"][-1]["dropped"] == ["colour"]
    assert metabase.log()["requests"][-1]["body"] == body


def test_the_form_of_a_request_is_looked_at_before_the_permission(metabase: Metabase) -> None:
    metabase.set_up()
    member = metabase.member()
    assert member.status("POST", "api-key", {"name": "x"}) == 400
    assert member.status("POST", "api-key", {"name": "x", "group_id": 2}) == 403
