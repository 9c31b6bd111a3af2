"""Filtering, sorting and summaries."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from simulator.contract import Filter

from .helpers import NOON, days_back, everyone, make_query, read, totals

FIELDS = (
    "ad_id",
    "ad_name",
    "adset_id",
    "adset_name",
    "campaign_id",
    "impressions",
    "reach",
    "spend",
    "actions",
    "ctr",
)


@pytest.fixture(scope="module")
def query(account):
    return make_query(account, "ad", fields=FIELDS, ranges=days_back(10), filters=())


@pytest.fixture(scope="module")
def rows(demo, query):
    return read(demo, query, NOON)


def filtered(demo, query, *filters):
    return read(demo, replace(query, filters=filters), NOON)


@pytest.mark.parametrize(
    ("operator", "value", "fits"),
    [
        ("GREATER_THAN", "20", lambda spend: spend > 20),
        ("GREATER_THAN_OR_EQUAL", 20, lambda spend: spend >= 20),
        ("LESS_THAN", 20, lambda spend: spend < 20),
        ("LESS_THAN_OR_EQUAL", 20, lambda spend: spend <= 20),
        ("IN_RANGE", [10, 30], lambda spend: 10 <= spend <= 30),
        ("NOT_IN_RANGE", [10, 30], lambda spend: not 10 <= spend <= 30),
    ],
)
@pytest.mark.parametrize("field", ["spend", "ad.spend"])
def test_numbers(demo, query, rows, field, operator, value, fits):
    found = filtered(demo, query, Filter(field, operator, value))
    assert found == [row for row in rows if fits(float(row["spend"]))]
    assert 0 < len(found) < len(rows)


@pytest.mark.parametrize(
    ("operator", "value", "fits"),
    [
        ("CONTAIN", "video", lambda name: "video" in name.lower()),
        ("NOT_CONTAIN", "Video", lambda name: "Video" not in name),
        ("CONTAINS_ANY", ["video", "image"], lambda name: "Video" in name or "Image" in name),
        ("STARTS_WITH", "Video", lambda name: name.startswith("Video")),
        ("ENDS_WITH", "v1", lambda name: name.endswith("v1")),
    ],
)
def test_names(demo, query, rows, operator, value, fits):
    found = filtered(demo, query, Filter("ad.name", operator, value))
    assert found == [row for row in rows if fits(row["ad_name"])]
    assert 0 < len(found) < len(rows)


def test_ids_of_any_level(demo, query, rows):
    for kind in ("campaign", "adset", "ad"):
        chosen = sorted({row[f"{kind}_id"] for row in rows})[:2]
        expected = [row for row in rows if row[f"{kind}_id"] in chosen]
        assert filtered(demo, query, Filter(f"{kind}.id", "IN", chosen)) == expected
        assert filtered(demo, query, Filter(f"{kind}.id", "EQUAL", chosen[0])) == [
            row for row in rows if row[f"{kind}_id"] == chosen[0]
        ]
        rest = filtered(demo, query, Filter(f"{kind}.id", "NOT_IN", chosen))
        assert len(rest) == len(rows) - len(expected)


def test_splitting_by_ids_loses_nothing(demo, query, rows):
    ids = sorted({row["ad_id"] for row in rows})
    halves = [filtered(demo, query, Filter("ad.id", "IN", part)) for part in (ids[::2], ids[1::2])]
    assert totals(halves[0] + halves[1], "date_start") == totals(rows, "date_start")


def test_statuses(demo, query, account):
    wide = replace(query, ranges=days_back(300), time_increment=None)
    status = {node.id: node.data["effective_status"] for node in demo.edge(account, "ads", NOON)}
    for wanted in (["ACTIVE"], ["ARCHIVED", "DELETED"], ["PAUSED"]):
        rows = filtered(demo, wide, Filter("ad.effective_status", "IN", wanted))
        assert {status[row["ad_id"]] for row in rows} <= set(wanted)
        assert {row["ad_id"] for row in rows} == {ad for ad, name in status.items() if name in wanted}
    both = filtered(demo, wide, Filter("campaign.effective_status", "IN", ["ACTIVE"]))
    assert not {status[row["ad_id"]] for row in both} & {"ARCHIVED", "DELETED"}


def test_nothing_fits(demo, query):
    assert filtered(demo, query, Filter("ad.id", "IN", ["1"])) == []
    assert filtered(demo, query, Filter("impressions", "GREATER_THAN", 10**9)) == []
    assert demo.insights(replace(query, filters=(Filter("ad.id", "IN", ["1"]),)), NOON).summary(("spend",)) == {}


@pytest.mark.parametrize("descending", [True, False])
def test_sorting(demo, query, rows, descending):
    for field in ("reach", "spend", "ctr"):
        found = read(demo, replace(query, sort=(field, descending)), NOON)
        values = [float(row.get(field, 0)) for row in found]
        assert values == sorted(values, reverse=descending)
        assert sorted(map(str, found)) == sorted(map(str, rows))
    found = read(demo, replace(query, sort=("actions:link_click", descending)), NOON)
    clicks = [
        next((int(a["value"]) for a in row.get("actions", ()) if a["action_type"] == "link_click"), 0) for row in found
    ]
    assert clicks == sorted(clicks, reverse=descending)


@pytest.mark.parametrize(
    "changes", [{}, {"breakdowns": ("age", "gender")}, {"time_increment": None}, {"level": "adset"}]
)
def test_summary_adds_up_the_rows(demo, account, changes):
    asked = make_query(account, **({"level": "ad", "filters": everyone("ad")} | changes))
    rows, summary = (
        read(demo, asked, NOON),
        demo.insights(asked, NOON).summary(("spend", "impressions", "reach", "actions")),
    )
    assert Decimal(summary["spend"]) == sum(Decimal(row["spend"]) for row in rows)
    assert int(summary["impressions"]) == sum(int(row["impressions"]) for row in rows)
    assert 0 < int(summary["reach"]) <= int(summary["impressions"])
    assert {action["action_type"] for action in summary["actions"]} >= {"link_click"}
    assert summary["date_start"] < summary["date_stop"]


def test_text_filters_do_not_change_the_summary(demo, query):
    plain = demo.insights(query, NOON).summary(("spend",))
    text = demo.insights(replace(query, filters=(Filter("ad.name", "CONTAIN", "Video"),)), NOON).summary(("spend",))
    other = demo.insights(replace(query, filters=(Filter("ad.name", "ENDS_WITH", "v1"),)), NOON).summary(("spend",))
    assert plain == text != other


def test_ranges_come_one_after_the_other(demo, query):
    ranges = (*days_back(3), *days_back(5))
    rows = read(demo, replace(query, ranges=ranges), NOON)
    assert rows == [
        *read(demo, replace(query, ranges=ranges[:1]), NOON),
        *read(demo, replace(query, ranges=ranges[1:]), NOON),
    ]
