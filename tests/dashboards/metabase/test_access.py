"""Coming in: keys, set-up, versions, an instance that is starting or broken."""

from __future__ import annotations

import json
import stat
from dataclasses import replace

import pytest

from dashboards.errors import (
    MetabaseKeyWeak,
    MetabaseKeyWrong,
    MetabaseNotSetUp,
    MetabaseRefused,
    MetabaseSyncFailed,
    MetabaseUnreachable,
    MetabaseUnsafe,
)
from dashboards.metabase.access import Credentials, come_in
from dashboards.metabase.client import Metabase as Client
from dashboards.metabase.versions import check_version
from dashboards.spaces import Space
from tests.dashboards.metabase.conftest import QUICK, Bench
from tests.dashboards.metabase.marts import ACME, AGENCY
from tests.metabase.client import ADMIN

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("tag", ["v0.58.27", "v0.57.99", "v0.59.12", "v0.60.7", "v0.61.18", "v1.62.16", "v0.63.13"])
def test_a_version_with_the_hole_is_refused(tag: str) -> None:
    with pytest.raises(MetabaseUnsafe, match="CVE-2026-72898"):
        check_version(tag)


@pytest.mark.parametrize(
    ("tag", "is_warned"),
    [
        *((tag, False) for tag in ("v0.61.19", "v1.62.17", "v0.63.14.1")),
        *((tag, True) for tag in ("v0.58.28", "v0.64.0", "v0.65.0-beta", "vUNKNOWN")),
    ],
)
def test_a_version_that_nobody_tried_is_warned_of(tag: str, is_warned: bool) -> None:
    assert (check_version(tag) is not None) == is_warned


def test_too_old_an_instance_is_not_even_logged_into(bench: Bench) -> None:
    bench.standin.options(version="v0.61.18")
    with pytest.raises(MetabaseUnsafe):
        bench.run()
    assert bench.standin.log()["by_method"] == {"GET": 2}


def test_an_empty_instance_is_set_up_and_its_key_is_kept_for_its_owner_alone(bench: Bench) -> None:
    bench.run()
    file = bench.credentials.key_file
    assert file is not None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["url"] == bench.standin.url
    bench.standin.control("POST", "reset", {"keep": ["state"]})
    assert bench.run(credentials=Credentials(key_file=file)).changes == ()
    assert {entry["user"] for entry in bench.standin.log()["requests"]} - {None} != {ADMIN["email"]}
    elsewhere = replace(bench.credentials, key_file=file.with_name("other"))
    bench.run(credentials=elsewhere)
    assert len(bench.admin().get("api-key")) == 1
    # The key of the first machine is drawn anew for the second; the password mends it.
    with pytest.raises(MetabaseKeyWrong):
        bench.run(credentials=Credentials(key_file=file))
    assert bench.run().changes == ()


def test_a_plan_sets_nothing_up(bench: Bench) -> None:
    with pytest.raises(MetabaseNotSetUp, match="dashboards apply"):
        bench.run(is_plan=True)
    with pytest.raises(MetabaseNotSetUp, match="METABASE_ADMIN_EMAIL"):
        bench.run(credentials=Credentials())
    assert bench.standin.log()["writes"] == 0
    bench.standin.set_up()
    with pytest.raises(MetabaseNotSetUp, match="METABASE_API_KEY"):
        bench.run(credentials=Credentials())


def test_a_password_that_metabase_finds_too_weak_is_told(bench: Bench) -> None:
    with pytest.raises(MetabaseNotSetUp, match="another METABASE_ADMIN_PASSWORD"):
        bench.run(credentials=replace(bench.credentials, password="short"))


@pytest.mark.parametrize(
    "wrong", [Credentials(api_key="mb_wrong"), Credentials(email=ADMIN["email"], password="wrong-1")]
)
def test_a_wrong_key_or_password_is_told(bench: Bench, wrong: Credentials) -> None:
    bench.standin.set_up()
    with pytest.raises(MetabaseKeyWrong):
        bench.run(credentials=wrong)


def test_a_key_that_is_no_administrators_changes_nothing(bench: Bench) -> None:
    admin = bench.standin.set_up()
    key = admin.post("api-key", {"name": "reader", "group_id": 1})["unmasked_key"]
    writes = admin.log()["writes"]
    with pytest.raises(MetabaseKeyWeak, match="group Administrators"):
        bench.run(credentials=Credentials(api_key=key))
    assert admin.log()["writes"] == writes


def test_it_waits_for_an_instance_that_is_starting_and_not_for_ever(bench: Bench) -> None:
    bench.standin.options(starting_seconds=0.5)
    bench.standin.control("POST", "reset", {})
    told: list[str] = []
    client = bench.client()
    come_in(client, bench.credentials, may_write=True, tell=told.append)
    assert told == ["Metabase is starting"]
    bench.standin.options(starting_seconds=60)
    bench.standin.control("POST", "reset", {})
    with pytest.raises(MetabaseUnreachable, match="still starting"):
        bench.run(patience=replace(QUICK, start=0.1))


def test_an_address_where_nobody_listens_is_told() -> None:
    client = Client("http://127.0.0.1:1", patience=QUICK, sleep=lambda _: None)
    with pytest.raises(MetabaseUnreachable, match="cannot be reached"):
        come_in(client, Credentials(), may_write=False)
    assert client.requests == QUICK.attempts


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_passes_is_asked_again_but_never_a_post(bench: Bench, status: int) -> None:
    bench.standin.faults(
        {"do": "answer", "status": status, "method": "GET", "times": 2, "path": "user/current"},
        {"do": "answer", "status": status, "method": "PUT", "times": 1},
        {"do": "drop", "method": "PUT", "path": "api/setting", "times": 1},
    )
    bench.run()
    assert max(bench.waits) >= (1.0 if status in {429, 503} else QUICK.pause)
    bench.standin.reset()
    bench.standin.faults({"do": "answer", "status": status, "method": "POST", "path": "api/collection"})
    with pytest.raises(MetabaseRefused, match="POST /api/collection"):
        bench.run()
    assert len(bench.standin.log(method="POST", path="^/api/collection$")["requests"]) == 1


def test_settings_that_the_environment_holds_are_told_and_not_written(bench: Bench) -> None:
    bench.standin.options(env_settings={"report-timezone": "UTC", "site-name": "Ads"})
    outcome = bench.run()
    assert [note for note in outcome.notes if "fixed" in note] == [
        "Setting report-timezone is fixed by the environment of Metabase (MB_REPORT_TIMEZONE=UTC) "
        "and should be Europe/Berlin: change it there."
    ]
    sent = bench.standin.log(method="PUT", path="^/api/setting$")["requests"]
    assert [set(entry["body"]) & {"report-timezone", "site-name"} for entry in sent] == [set()]
    assert bench.run().changes == ()


def test_a_wrong_password_of_a_role_is_told_and_a_new_one_is_sent_once(bench: Bench) -> None:
    bench.standin.options(passwords={AGENCY: f"s3cret of {AGENCY}", ACME: "another"})
    with pytest.raises(MetabaseRefused, match="space client-acme") as refused:
        bench.run()
    assert "s3cret" not in str(refused.value)
    agency, acme = bench.wish.spaces
    changed = replace(acme, connection=replace(acme.connection, password="another"))
    bench.wish = replace(bench.wish, spaces=[agency, changed])
    bench.run()
    assert bench.run().changes == ()


def test_passwords_that_nobody_names_are_drawn_given_and_kept_nowhere(bench: Bench) -> None:
    given: dict[str, str] = {}

    class Logins:
        def give(self, space: Space, password: str) -> None:
            given[space.key] = password
            bench.standin.options(passwords={space.connection.user: password})

    agency, acme = bench.wish.spaces
    nameless = replace(acme, connection=replace(acme.connection, password=None))
    bench.wish = replace(bench.wish, spaces=[agency, nameless])
    bench.run(logins=Logins())
    first = given["client-acme"]
    assert len(first) > 40
    assert bench.run(logins=Logins()).changes == ()
    assert given == {"client-acme": first}
    outcome = bench.run(logins=Logins(), renew_passwords=True)
    assert [(one.kind, one.keys) for one in outcome.changes] == [("database", ("password",))]
    assert given["client-acme"] != first
    kept = str(bench.objects.all())
    assert first not in kept
    assert given["client-acme"] not in kept


def test_a_schema_without_the_marts_is_told(bench: Bench) -> None:
    agency, acme = bench.wish.spaces
    lost = replace(agency, schema="nowhere")
    bench.wish = replace(bench.wish, spaces=[lost, acme])
    with pytest.raises(MetabaseSyncFailed, match="schema nowhere"):
        bench.run(patience=replace(QUICK, sync=0.2))
