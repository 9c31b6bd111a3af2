"""The first build: everything parses quietly, every test holds, the numbers are the world's."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.dbt_project.project import Outcome, Project
from tests.dbt_project.world import DAYS, IMPORTED, STEADY, YEN

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("dbt")]


def test_the_project_parses_without_warnings_or_deprecations(parsed: Outcome) -> None:
    assert parsed.success
    assert parsed.complaints == []


def test_the_first_build_runs_every_test_and_complains_of_nothing(built: Outcome) -> None:
    assert built.success, built.complaints
    assert built.complaints == []
    # Reason: an exposure is in the lineage and does nothing.
    did = {status for name, status in built.nodes.items() if not name.startswith("exposure.")}
    assert did <= {"pass", "success"}
    assert set(built.of_kind("exposure").values()) == {"no-op"}
    assert len(built.of_kind("unit_test")) >= 20
    assert len(built.of_kind("test")) >= 80


def test_every_published_model_has_a_contract_a_key_and_words_for_each_column(marts: Project) -> None:
    published = marts.rows(
        "SELECT c.oid::regclass::text, obj_description(c.oid) IS NOT NULL,"
        " EXISTS (SELECT FROM pg_constraint WHERE conrelid = c.oid AND contype = 'p'),"
        " (SELECT bool_and(col_description(c.oid, attnum) IS NOT NULL) FROM pg_attribute"
        "  WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped)"
        " FROM pg_class c WHERE relnamespace = 'marts'::regnamespace AND relkind = 'r' ORDER BY 1"
    )
    assert len(published) >= 45
    assert all(row[1:] == (True, True, True) for row in published), published


def test_a_ratio_divides_the_sums_and_people_come_from_the_report(marts: Project) -> None:
    (row,) = marts.rows(
        "SELECT spend, impressions, reach, frequency, link_clicks, conversions, conversion_value, ctr, cpa, roas,"
        f" is_reconciled, is_mature FROM marts.mart_performance_daily__account WHERE account_id = {STEADY}"
        f" AND day = '{DAYS[0]}'"
    )
    spend, value = Decimal("20.02"), Decimal("200.40")
    assert row[:7] == (spend, 2000, 1500, Decimal("1.333333"), 40, 4, value)
    assert row[7] == Decimal("0.02")
    assert row[8] == spend / 4
    assert row[9] == pytest.approx(value / spend)
    assert row[10:] == (True, False)


def test_every_grain_gives_the_same_totals(marts: Project) -> None:
    totals = {
        marts.rows(f"SELECT sum(spend), sum(conversions), sum(link_clicks) FROM marts.{table}")[0]
        for table in (
            "fct_ad_day",
            *(f"mart_performance_daily__{grain}" for grain in ("account", "campaign", "ad_set", "ad")),
        )
    }
    assert len(totals) == 1


def test_objects_are_named_by_meta_or_else_by_insights(marts: Project) -> None:
    names = marts.rows(
        f"SELECT ad_id, ad_name, is_inferred, thumbnail_url FROM marts.dim_ad WHERE account_id = {STEADY} ORDER BY 1"
    )
    assert names == [
        (1111, "Listed ad", False, "https://example.com/77.jpg"),
        (1112, "Ad 2 from insights", True, None),
    ]
    assert marts.rows(
        f"SELECT daily_budget FROM marts.dim_campaign WHERE account_id IN ({STEADY}, {YEN}) ORDER BY account_id"
    ) == [
        (Decimal("50.55"),),
        (Decimal(5055),),
    ]


def test_an_imported_row_is_marked_and_guesses_nothing(marts: Project) -> None:
    (row,) = marts.rows(
        "SELECT mart.source, mart.conversions, mart.link_clicks, mart.reconciliation_status, mart.client_id,"
        " fact.api_version, fact.has_derived_ids, ad.has_derived_id, ad.ad_name"
        " FROM marts.mart_performance_daily__ad AS mart"
        " JOIN marts.fct_ad_day AS fact USING (account_id, day, ad_id)"
        " JOIN marts.dim_ad AS ad USING (account_id, ad_id)"
        f" WHERE mart.account_id = {IMPORTED}"
    )
    assert row == ("import", None, 19, "no_control", "unassigned", None, True, True, "Ad 1 from insights")


def test_a_source_is_as_fresh_as_its_latest_slice(marts: Project) -> None:
    with marts.warehouse.connection() as connection:
        for report, age in (("ad_hourly", 1), ("campaign_period", 30), ("account_period", 60)):
            connection.execute(
                "INSERT INTO ops.slice VALUES (%s, %s, '2026-01-01', gen_random_uuid(), 'api', 'v26.0', '{}',"
                " now() - make_interval(hours => %s), now(), 0, 0)",
                [STEADY, report, age],
            )
    tables = ("ad_hourly", "campaign_period", "account_period")
    outcome = marts.run("source", "freshness", "--select", *(f"source:raw.insights_{table}" for table in tables))
    assert [outcome.nodes[f"source.meta_ads.raw.insights_{table}"] for table in tables] == ["pass", "warn", "error"]


def test_the_documentation_is_made_and_knows_every_published_table(marts: Project) -> None:
    outcome = marts.run("docs", "generate")
    assert outcome.success, outcome.complaints
    catalog = json.loads((marts.scratch / "target" / "catalog.json").read_text())
    documented = {name.split(".")[-1] for name in catalog["nodes"]}
    published = marts.rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'marts'::regnamespace AND relkind IN ('r', 'v')"
    )
    assert {row[0] for row in published} <= documented


def test_no_function_knows_the_name_of_its_database(marts: Project) -> None:
    """A copy of the warehouse, or one restored under another name, goes on building."""
    ((bodies, named),) = marts.rows(
        "SELECT count(*), count(*) FILTER (WHERE prosrc LIKE '%' || current_database() || '%')"
        " FROM pg_proc WHERE pronamespace = 'marts'::regnamespace"
    )
    assert bodies >= 6
    assert named == 0
