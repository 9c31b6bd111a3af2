"""From an empty instance to a finished one, and again; how much that costs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from dashboards.library import Definition, Library
from dashboards.metabase.identity import mark
from tests.dashboards.metabase.conftest import Bench
from tests.dashboards.metabase.marts import ACME, declared
from tests.metabase.client import Metabase

pytestmark = pytest.mark.integration
TEN = 10
MOST_READS = 90
"""Requests of a run that finds nothing to do, for ten dashboards in two spaces; one for each dashboard, and some."""


def managed(admin: Metabase, key: str) -> dict[str, Any]:
    number = next(row["id"] for row in admin.get("dashboard") if mark(key) in str(row["description"]))
    found: dict[str, Any] = admin.get(f"dashboard/{number}")
    return found


@pytest.mark.parametrize(
    "options",
    [
        {"unknown_keys": "refuse"},
        {"unknown_keys": "drop", "template_tags": "list", "tls": True},
        {"sync_seconds": 0.3, "version": "v0.63.14"},
    ],
    ids=str,
)
def test_an_empty_instance_is_finished_in_one_run_and_the_second_writes_nothing(
    bench: Bench, options: dict[str, Any]
) -> None:
    bench.standin.options(**options)
    first = bench.run()
    assert first.notes == (
        "Metabase was set up, with ada@example.com as its administrator.",
        f"An API key was made and is kept in {bench.credentials.key_file}; other machines need it as "
        "METABASE_API_KEY. METABASE_ADMIN_PASSWORD may go.",
    )
    assert not [entry for entry in bench.standin.log()["requests"] if entry["dropped"]]
    second = bench.run()
    assert (second.changes, second.writes) == ((), 0)
    assert bench.run(is_plan=True).changes == ()
    assert second.notes == ()


def test_what_stands_there_is_what_the_definitions_say(bench: Bench) -> None:
    bench.run()
    admin = bench.admin()
    collections = {row["name"]: row for row in admin.get("collection") if row.get("description")}
    assert collections["Acme"]["location"] == f"/{collections['Clients']['id']}/"
    assert collections["Agency"]["location"] == "/"
    for key, definition in bench.wish.library.dashboards.items():
        for space in bench.wish.spaces:
            board = managed(admin, f"{space.key}/{key}")
            tabs = definition.dashboard.tabs
            assert [tab["name"] for tab in board["tabs"]] == ([tab.title for tab in tabs] if len(tabs) > 1 else [])
            assert [one["id"] for one in board["parameters"]] == definition.dashboard.filters
            cards = [one["card"]["name"] for one in board["dashcards"] if one["card_id"]]
            context = [placed.card.title for placed in bench.wish.library.context]
            assert sorted(cards) == sorted([placed.card.title for placed in definition.cards] + context * len(tabs))
    campaigns = managed(admin, "client-acme/campaigns")
    tabs = {tab["name"]: tab["id"] for tab in campaigns["tabs"]}
    click = next(
        settings["click_behavior"]
        for one in campaigns["dashcards"]
        for settings in (one["visualization_settings"].get("column_settings") or {}).values()
        if one["card"]["name"] == "Campaigns"
    )
    assert (click["targetId"], click["tabId"]) == (campaigns["id"], tabs["Ad sets"])
    shown = {row["key"]: row["value"] for row in admin.get("setting")}
    assert shown["start-of-week"] == "monday"
    assert shown["enable-public-sharing"] is False
    assert shown["report-timezone"] == "Europe/Berlin"
    assert admin.get("pulse") == []


def test_a_dashboard_whose_tables_a_space_lacks_is_left_out_there_and_named(bench: Bench) -> None:
    bench.run()
    with_less = replace(bench.wish.spaces[1], schema="client_less")
    warehouse = bench.marts
    warehouse.execute(f"CREATE SCHEMA client_less; GRANT USAGE ON SCHEMA client_less TO {ACME}")
    try:
        for table, columns in declared().items():
            if table != "mart_creative_fatigue" and (table == "dim_day" or "account_id" in columns):
                warehouse.execute(f"CREATE VIEW client_less.{table} AS SELECT * FROM client_acme.{table}")
        warehouse.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA client_less TO {ACME}")
        bench.wish = replace(bench.wish, spaces=[bench.wish.spaces[0], with_less])
        outcome = bench.run()
    finally:
        warehouse.execute("DROP SCHEMA client_less CASCADE")
    assert [note for note in outcome.notes if "does not get" in note] == [
        "Acme does not get dashboard Creatives: schema client_less has no mart_creative_fatigue."
    ]


def test_ten_dashboards_in_two_spaces_cost_so_many_requests(bench: Bench) -> None:
    bench.wish = replace(bench.wish, library=_times(bench.wish.library, TEN))
    first, second = bench.run(), bench.run()
    cards = len(bench.admin().get("card"))
    print(f"ten dashboards in two spaces, {cards} cards: {first.requests} requests, {first.seconds:.1f} s;")
    print(f"again: {second.requests} requests, {second.seconds:.1f} s")
    assert (second.changes, second.writes) == ((), 0)
    assert second.requests <= MOST_READS
    assert first.requests <= cards + 4 * TEN * len(bench.wish.spaces) + 2 * MOST_READS


def _times(library: Library, count: int) -> Library:
    known = list(library.dashboards.values())
    made: dict[str, Definition] = dict(library.dashboards)
    while len(made) < count:
        one = known[len(made) % len(known)]
        key = f"{one.key}_{len(made)}"
        made[key] = replace(one, key=key)
    return replace(library, dashboards=made)
