"""The graph of data permissions: what a new database and a new group get, and what may be set."""

from __future__ import annotations

from typing import Any

import pytest

from tests.metabase.client import Metabase
from tests.metabase.conftest import Sample

pytestmark = pytest.mark.integration
EVERYTHING = {
    "view-data": "unrestricted",
    "create-queries": "query-builder-and-native",
    "download": {"schemas": "full"},
}
NO_QUERIES = {"view-data": "unrestricted", "download": {"schemas": "full"}}


def _put(admin: Metabase, groups: dict[str, Any], **query: Any) -> Any:
    revision = admin.get("permissions/graph")["revision"]
    return admin.put("permissions/graph", {"revision": revision, "groups": groups}, **query)


def _status(admin: Metabase, groups: Any) -> int:
    revision = admin.get("permissions/graph")["revision"]
    return admin.status("PUT", "permissions/graph", {"revision": revision, "groups": groups})


def test_an_instance_without_databases_has_an_empty_graph(ready: Metabase) -> None:
    assert ready.get("permissions/graph") == {"revision": 0, "groups": {}}


def test_the_first_database_is_open_to_every_group(ready: Metabase, connected: int) -> None:
    graph = ready.get("permissions/graph")["groups"]
    assert graph["1"] == {str(connected): EVERYTHING}
    assert graph["4"] == {str(connected): EVERYTHING | {"data-model": {"schemas": "all"}}}
    assert graph["2"][str(connected)]["details"] == "yes"
    assert "3" not in graph  # tenants' groups get nothing, and nothing is left out


def test_no_queries_is_shown_by_its_absence(ready: Metabase, connected: int) -> None:
    answer = _put(ready, {"1": {str(connected): {"create-queries": "no"}}})
    assert answer == {"revision": 1, "groups": {"1": {str(connected): NO_QUERIES}}}
    assert ready.get("permissions/graph")["groups"]["4"][str(connected)]["create-queries"] == "query-builder-and-native"


def test_later_databases_get_the_lowest_level_that_a_group_has_on_any(
    ready: Metabase, connected: int, sample: Sample
) -> None:
    _put(ready, {"1": {str(connected): {"create-queries": "no"}}})
    second = str(ready.post("database", sample.body("second"))["id"])
    graph = ready.get("permissions/graph")["groups"]
    assert graph["1"][second] == NO_QUERIES
    assert graph["4"][second]["create-queries"] == "query-builder-and-native"
    _put(ready, {"4": {second: {"create-queries": "query-builder"}}})
    third = str(ready.post("database", sample.body("third"))["id"])
    assert ready.get("permissions/graph")["groups"]["4"][third]["create-queries"] == "query-builder"


def test_a_new_group_gets_what_all_users_have_on_each_database(ready: Metabase, connected: int, sample: Sample) -> None:
    second = str(ready.post("database", sample.body("second"))["id"])
    _put(ready, {"1": {str(connected): {"create-queries": "no"}}})
    group = str(ready.post("permissions/group", {"name": "Acme"})["id"])
    graph = ready.get("permissions/graph")["groups"]
    assert graph[group] == {str(connected): NO_QUERIES, second: EVERYTHING}


def test_a_stale_or_missing_revision_is_409_unless_forced(ready: Metabase, connected: int) -> None:
    change = {"1": {str(connected): {"create-queries": "query-builder"}}}
    _put(ready, change)
    for body in ({"groups": change, "revision": 0}, {"groups": change}):
        answer = ready.ask("PUT", "permissions/graph", body)
        assert (answer.status_code, "out of date" in answer.text) == (409, True)
    assert ready.put("permissions/graph", {"groups": change}, force="true")["revision"] == 2


def test_every_accepted_change_is_a_revision_even_one_that_changes_nothing(ready: Metabase, connected: int) -> None:
    for expected in (1, 2):
        answer = _put(ready, {"1": {str(connected): {"create-queries": "no"}}}, **{"skip-graph": "true"})
        assert answer == {"revision": expected}


def test_what_is_not_named_stays(ready: Metabase, connected: int) -> None:
    _put(ready, {"1": {str(connected): {"create-queries": "no", "data-model": {"schemas": "all"}}}})
    _put(ready, {"1": {str(connected): {"create-queries": "query-builder"}}, "4": {}})
    entry = ready.get("permissions/graph")["groups"]["1"][str(connected)]
    assert entry == NO_QUERIES | {"create-queries": "query-builder", "data-model": {"schemas": "all"}}


def test_blocking_is_a_paid_feature_and_contradictions_are_refused(ready: Metabase, connected: int) -> None:
    database = str(connected)
    assert _status(ready, {"1": {database: {"view-data": "blocked"}}}) == 402
    both = {"view-data": "blocked", "create-queries": "query-builder-and-native"}
    assert _status(ready, {"1": {database: both}}) == 400
    assert _status(ready, {"1": {database: {"create-queries": "some"}}}) == 400
    assert _status(ready, {"1": {database: {"native": "write"}}}) == 400
    assert _status(ready, {"everybody": {database: {}}}) == 400
    assert _status(ready, {"1": {"ads": {}}}) == 400
    assert _status(ready, {"99": {database: {"create-queries": "no"}}}) == 500
    assert _status(ready, {"1": {"99": {"create-queries": "no"}}}) == 500
    assert _status(ready, {"4": {database: {"data-model": {"schemas": "none"}}}}) == 400
    without_sql = {"create-queries": "query-builder", "transforms": "yes"}
    assert _status(ready, {"1": {database: without_sql}}) == 400
    assert ready.get("permissions/graph")["revision"] == 0
    body = {"revision": 0, "groups": {}, "sandboxes": [{"id": 1}]}
    assert ready.status("PUT", "permissions/graph", body) == 402


def test_levels_by_schema_and_table(ready: Metabase, connected: int) -> None:
    database = str(connected)
    _put(ready, {"1": {database: {"create-queries": {"client_acme": "query-builder"}}}})
    entry = ready.get("permissions/graph")["groups"]["1"][database]
    assert entry["create-queries"] == {"client_acme": "query-builder"}
    tables = {t["name"]: str(t["id"]) for t in ready.get(f"database/{database}/metadata")["tables"]}
    dim, fct = tables["dim_campaign"], tables["fct_ad_daily"]
    _put(ready, {"1": {database: {"create-queries": {"marts": {dim: "query-builder"}}}}})
    assert ready.get("permissions/graph")["groups"]["1"][database]["create-queries"] == {
        "marts": {dim: "query-builder"}
    }
    member = ready.member()
    assert [t["name"] for t in member.get(f"database/{database}/metadata")["tables"]] == ["dim_campaign"]
    assert member.status("GET", f"table/{fct}") == 403


def test_parts_of_the_graph(ready: Metabase, connected: int, sample: Sample) -> None:
    second = str(ready.post("database", sample.body("second"))["id"])
    assert list(ready.get(f"permissions/graph/db/{second}")["groups"]["1"]) == [second]
    assert list(ready.get("permissions/graph/group/4")["groups"]) == ["4"]


def test_who_may_not_query_does_not_see_the_database(ready: Metabase, connected: int) -> None:
    member = ready.member()
    assert member.get("database")["total"] == 1
    assert "details" not in member.get(f"database/{connected}")
    _put(ready, {"1": {str(connected): {"create-queries": "no"}}})
    assert member.get("database")["total"] == 0
    assert member.status("GET", f"database/{connected}") == 403
    assert member.status("GET", f"database/{connected}/metadata") == 403
