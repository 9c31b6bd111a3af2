"""Settings and the cache policy."""

from __future__ import annotations

import pytest

from tests.metabase.client import Metabase


@pytest.fixture
def admin(metabase: Metabase) -> Metabase:
    return metabase.set_up()


def _listed(admin: Metabase, key: str) -> dict[str, object]:
    return next(entry for entry in admin.get("setting") if entry["key"] == key)


def test_one_setting_is_set_read_and_taken_back(admin: Metabase) -> None:
    assert admin.status("GET", "setting/report-timezone") == 204
    assert admin.status("PUT", "setting/report-timezone", {"value": "Europe/Berlin"}) == 204
    answer = admin.ask("GET", "setting/report-timezone")
    assert answer.text == "Europe/Berlin"  # bare, no JSON
    assert admin.get("session/properties")["report-timezone"] == "Europe/Berlin"
    admin.put("setting/report-timezone", {"value": None})
    assert admin.status("GET", "setting/report-timezone") == 204


def test_a_default_is_shown_as_nothing(admin: Metabase) -> None:
    admin.put("setting/start-of-week", {"value": "sunday"})
    assert admin.status("GET", "setting/start-of-week") == 204
    assert _listed(admin, "start-of-week")["default"] == "sunday"
    admin.put("setting/start-of-week", {"value": "monday"})
    assert admin.get("setting/start-of-week") == "monday"


def test_flags_and_numbers_are_json(admin: Metabase) -> None:
    admin.put("setting/enable-public-sharing", {"value": "false"})
    assert admin.get("setting/enable-public-sharing") is False
    assert admin.status("PUT", "setting/enable-public-sharing", {"value": "maybe"}) == 500


def test_many_settings_are_set_together_or_not_at_all(admin: Metabase) -> None:
    assert admin.status("PUT", "setting", {"site-name": "Agency", "no-such-setting": 1, "site_url": "http://x/"}) == 204
    assert (admin.get("setting/site-name"), admin.get("setting/site-url")) == ("Agency", "http://x")
    failed = {"site-name": "Other", "anon-tracking-enabled": "maybe"}
    assert admin.status("PUT", "setting", failed) == 500
    assert admin.get("setting/site-name") == "Agency"


def test_unknown_and_read_only_settings_are_refused(admin: Metabase) -> None:
    assert admin.status("PUT", "setting/no-such-setting", {"value": 1}) == 500
    assert admin.status("PUT", "setting/application-name", {"value": "x"}) == 500
    assert admin.status("PUT", "setting/site-name", {"wert": "x"}) == 400


def test_secrets_are_shown_by_their_last_characters(admin: Metabase) -> None:
    admin.put("setting/email-smtp-password", {"value": "mail-secret"})
    assert _listed(admin, "email-smtp-password")["value"] == "**********et"
    assert "email-smtp-password" not in admin.get("session/properties")


def test_the_environment_wins_and_is_not_shown(admin: Metabase) -> None:
    admin.options(env_settings={"site-name": "From the environment"})
    assert admin.get("session/properties")["site-name"] == "From the environment"
    assert admin.status("GET", "setting/site-name") == 204
    entry = _listed(admin, "site-name")
    assert (entry["is_env_setting"], entry["value"], entry["env_name"]) == (True, None, "MB_SITE_NAME")
    assert "$MB_SITE_NAME" in str(entry["default"])
    assert admin.status("PUT", "setting/site-name", {"value": "Mine"}) == 204
    assert admin.get("session/properties")["site-name"] == "From the environment"
    admin.options(env_writes="refuse")
    assert admin.status("PUT", "setting/site-name", {"value": "Mine"}) == 400


def test_mail_is_configured_once_it_has_a_host(admin: Metabase) -> None:
    assert admin.get("session/properties")["email-configured?"] is False
    admin.put("setting/email-smtp-host", {"value": "mail"})
    assert admin.get("session/properties")["email-configured?"] is True


POLICY = {"model": "root", "model_id": 0, "strategy": {"type": "ttl", "multiplier": 10, "min_duration_ms": 1000}}


def test_the_root_policy_is_stored_read_and_deleted(admin: Metabase) -> None:
    assert admin.get("cache")["data"] == []
    first = admin.put("cache", POLICY)
    assert admin.put("cache", POLICY | {"strategy": {"type": "nocache"}}) == first
    assert admin.get("cache", model="root")["data"] == [
        {"model": "root", "model_id": 0, "strategy": {"type": "nocache"}}
    ]
    assert admin.status("DELETE", "cache", {"model": "root", "model_id": 0}) == 204
    assert admin.get("cache")["data"] == []


@pytest.mark.parametrize(
    "strategy",
    [
        {"type": "duration", "duration": 15, "unit": "minutes"},
        {"type": "schedule", "schedule": "0 0 * * * ?"},
        {"type": "ttl", "multiplier": 10},
        {"type": "ttl", "multiplier": 0, "min_duration_ms": 1},
        {"type": "ttl", "multiplier": 1, "min_duration_ms": 1, "unit": "days"},
        {},
    ],
)
def test_other_strategies_are_refused(admin: Metabase, strategy: dict[str, object]) -> None:
    assert admin.status("PUT", "cache", POLICY | {"strategy": strategy}) == 400


def test_the_open_source_edition_has_no_policies_below_the_root_and_clears_no_cache(admin: Metabase) -> None:
    assert admin.status("PUT", "cache", POLICY | {"model": "database", "model_id": 1}) == 402
    assert admin.status("PUT", "cache", POLICY | {"model_id": 1}) == 404
    assert admin.status("GET", "cache", model="dashboard") == 402
    answer = admin.ask("POST", "cache/invalidate", database=1)
    assert (answer.status_code, answer.json()["status"]) == (402, "error-premium-feature-not-available")
    assert admin.member().status("PUT", "cache", POLICY) == 403
