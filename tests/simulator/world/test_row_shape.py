"""Every row is JSON of the documented types: numbers as strings, absent instead of zero, money by currency."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from simulator.contract import Filter
from simulator.world.fields import SCALARS, STATS

from .helpers import ANCHOR, NOON, days_back, everyone, make_query, read

NUMBER = re.compile(r"(0|[1-9]\d*)(\.\d{1,6})?")
STATIC = (
    *("account_id", "account_name", "account_currency", "campaign_id", "campaign_name", "objective", "buying_type"),
    *("adset_id", "adset_name", "optimization_goal", "ad_id", "ad_name", "attribution_setting"),
)
LISTS = ("actions", "action_values", "cost_per_action_type")
RANKINGS = ("quality_ranking", "engagement_rate_ranking", "conversion_rate_ranking")
ALL = (*STATIC, *SCALARS, *STATS, *LISTS, *RANKINGS, "results", "cost_per_result", "dda_results", "wish_bid")


def check_number(text):
    assert isinstance(text, str)
    assert NUMBER.fullmatch(text), text
    assert "." not in text or not text.endswith("0")


def check_row(row, windows):
    assert date.fromisoformat(row["date_start"]) <= date.fromisoformat(row["date_stop"])
    for name, value in row.items():
        if name in SCALARS:
            check_number(value)
        elif name in STATS or name in LISTS:
            assert value
            for action in value:
                assert isinstance(action.pop("action_type"), str)
                assert {"value"} <= set(action) <= {"value", *windows}
                for number in action.values():
                    check_number(number)
        elif name in ("results", "cost_per_result"):
            check_number(value[0]["values"][0]["value"])
        else:
            assert isinstance(value, str)


@pytest.mark.parametrize("level", ["account", "campaign", "adset", "ad"])
@pytest.mark.parametrize("increment", [1, "monthly", None])
def test_all_fields_have_their_documented_type(demo, level, increment):
    for account in demo.accounts(NOON):
        query = make_query(
            account.id,
            level,
            fields=ALL,
            windows=("1d_click", "7d_click"),
            ranges=days_back(21),
            time_increment=increment,
        )
        rows = read(demo, query, NOON)
        assert rows
        for row in rows:
            check_row(row, ("1d_click", "7d_click"))
            assert "dda_results" not in row
            assert ("ad_id" in row) == ("quality_ranking" in row) == (level == "ad")


def test_the_sample_rows_fields_are_all_there(demo, account):
    rows = read(demo, make_query(account, "ad", fields=ALL, ranges=days_back(60)), NOON)
    assert set().union(*rows) == {*ALL, "date_start", "date_stop"} - {"dda_results", "wish_bid"}


def test_zero_is_absent(demo, account):
    rows = read(demo, make_query(account, "ad", ranges=days_back(60)), NOON)
    assert all(int(row["impressions"]) > 0 for row in rows)
    numbers = {
        number for row in rows for action in row.get("actions", ()) for key, number in action.items() if key != "value"
    }
    assert "0" not in numbers
    some = [row for row in rows if "action_values" not in row]
    assert some


def test_ratios_follow_from_the_numbers(demo, account):
    for row in read(demo, make_query(account, "ad", fields=ALL, ranges=days_back(20)), NOON):
        spend, shown, clicks = float(row["spend"]), int(row["impressions"]), int(row["clicks"])
        assert float(row["ctr"]) == pytest.approx(100 * clicks / shown, abs=1e-6) if "ctr" in row else clicks == 0
        assert float(row["cpm"]) == pytest.approx(1000 * spend / shown, abs=1e-6)
        assert float(row["frequency"]) == pytest.approx(shown / int(row["reach"]), abs=1e-6)
        assert int(row.get("inline_link_clicks", 0)) <= clicks <= shown
        assert 1 <= int(row["reach"]) <= shown


def test_overlapping_action_types_carry_the_same_events(demo, account):
    for row in read(demo, make_query(account, "ad", ranges=days_back(30)), NOON):
        by_type = {action.pop("action_type"): action for action in row.get("actions", ())}
        assert by_type.get("omni_purchase") == by_type.get("purchase")
        assert by_type.get("purchase") == by_type.get("offsite_conversion.fb_pixel_purchase")
        contained = ("link_click", "post_engagement", "page_engagement")
        counts = [int(by_type.get(name, {"value": 0})["value"]) for name in contained]
        assert counts == sorted(counts)
        if "link_click" in by_type:
            assert by_type["link_click"]["value"] == row["inline_link_clicks"]


def test_currency_without_minor_unit(demo):
    yen = next(node for node in demo.accounts(NOON) if node.data["currency"] == "JPY")
    rows = read(demo, make_query(yen.id, "account", ranges=days_back(20)), NOON)
    for row in rows:
        assert row["spend"].isdigit()
        assert int(row["spend"]) > 1000
        assert all(action["value"].isdigit() for action in row.get("action_values", ()))
    adsets = [node.data for node in demo.edge(yen.id, "adsets", NOON) if "daily_budget" in node.data]
    assert all(int(data["daily_budget"]) < 200_000 for data in adsets)


def test_lead_accounts_report_leads(demo):
    types = set()
    for account in demo.accounts(NOON):
        for row in read(
            demo, make_query(account.id, "campaign", ranges=days_back(30), fields=("objective", "actions")), NOON
        ):
            mine = {action["action_type"] for action in row.get("actions", ())}
            assert not (row["objective"] == "OUTCOME_LEADS" and "purchase" in mine)
            types |= mine
    assert {"lead", "offsite_conversion.fb_pixel_lead", "purchase"} <= types


def test_account_level_numbers_are_plausible(demo):
    for account in demo.accounts(NOON):
        row = read(
            demo, make_query(account.id, "account", fields=ALL, ranges=days_back(180), time_increment=None), NOON
        )[0]
        level = 160 if account.data["currency"] == "JPY" else 1
        assert 3 <= float(row["cpm"]) / level <= 20
        assert 0.5 <= float(row["inline_link_click_ctr"]) <= 3
        if "purchase_roas" in row:
            assert 1 <= float(row["purchase_roas"][0]["value"]) <= 5
        counts = {action["action_type"]: int(action["value"]) for action in row["actions"]}
        buys = counts.get("purchase", 0) + counts.get("lead", 0)
        assert 0.01 <= buys / counts["link_click"] <= 0.05


def test_opt_in_breakdowns_return_nothing_without_it(demo):
    for account in demo.accounts(NOON):
        for names in (
            ("impression_device", "publisher_platform"),
            ("hourly_stats_aggregated_by_audience_time_zone",),
            ("frequency_value",),
        ):
            rows = read(demo, make_query(account.id, "ad", breakdowns=names), NOON)
            assert bool(rows) == (account.data["currency"] != "JPY")


def test_hourly_rows_have_no_reach_and_no_videos(demo, account):
    name = "hourly_stats_aggregated_by_advertiser_time_zone"
    query = make_query(account, "campaign", fields=ALL, breakdowns=(name,), ranges=((ANCHOR, ANCHOR),))
    rows = read(demo, query, NOON)
    assert {row["reach"] for row in rows} == {row["frequency"] for row in rows} == {"0"}
    assert not any(key.startswith("video") or key == "unique_clicks" for row in rows for key in row)
    assert all(re.fullmatch(r"\d\d:00:00 - \d\d:59:59", row[name]) for row in rows)
    assert max(row[name] for row in rows) < "14"


def test_reach_with_breakdowns_ends_after_13_months(demo, account):
    old = NOON.date() - timedelta(days=400)
    query = make_query(account, "ad", fields=ALL, breakdowns=("age",), ranges=((old, old + timedelta(days=2)),))
    rows = read(demo, query, NOON)
    assert rows
    assert not any(key in row for row in rows for key in ("reach", "frequency", "cpp"))
    assert all("reach" in row for row in read(demo, replace(query, breakdowns=()), NOON))
    assert all("reach" in row for row in read(demo, replace(query, ranges=days_back(3)), NOON))


def test_only_wanted_action_types(demo, account):
    query = make_query(account, filters=(*everyone("ad"), Filter("action_type", "IN", ["purchase"])))
    rows = read(demo, query, NOON)
    assert {action["action_type"] for row in rows for action in row.get("actions", ())} == {"purchase"}


def test_nothing_before_history(demo, account):
    long_ago = date(2022, 1, 1)
    assert read(demo, make_query(account, ranges=((long_ago, long_ago + timedelta(days=60)),)), NOON) == []
    assert read(demo, make_query("999"), datetime(2026, 11, 1, tzinfo=UTC)) == []
    assert read(demo, make_query(account, breakdowns=("age", "country")), NOON) == []
