"""Reach counts people once: it never adds up, and it is never beyond its parts."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.world import reach

from .helpers import NOON, days_back, make_query, read

FIELDS = ("ad_id", "adset_id", "campaign_id", "account_id", "impressions", "reach", "frequency")


@pytest.mark.parametrize("level", ["account", "campaign", "adset", "ad"])
def test_reach_of_a_period_is_between_its_best_day_and_the_sum(demo, account, level):
    days = defaultdict(list)
    for row in read(demo, make_query(account, level, fields=FIELDS, ranges=days_back(28)), NOON):
        days[row[f"{level}_id"]].append(int(row["reach"]))
    for increment in (None, 28):
        query = make_query(account, level, fields=FIELDS, ranges=days_back(28), time_increment=increment)
        for row in read(demo, query, NOON):
            parts = days[row[f"{level}_id"]]
            assert max(parts) <= int(row["reach"]) <= sum(parts)
            if len(parts) > 5:
                assert int(row["reach"]) < sum(parts)


@pytest.mark.parametrize("increment", [1, 7, None])
def test_reach_of_a_parent_is_between_its_largest_child_and_the_sum(demo, account, increment):
    for parent, child in (("account", "campaign"), ("campaign", "adset"), ("adset", "ad")):
        children = defaultdict(list)
        query = make_query(account, child, fields=FIELDS, ranges=days_back(14), time_increment=increment)
        for row in read(demo, query, NOON):
            children[row[f"{parent}_id"], row["date_start"]].append(int(row["reach"]))
        query = make_query(account, parent, fields=FIELDS, ranges=days_back(14), time_increment=increment)
        for row in read(demo, query, NOON):
            parts = children[row[f"{parent}_id"], row["date_start"]]
            assert max(parts) <= int(row["reach"]) <= sum(parts)


@pytest.mark.parametrize("names", [("age", "gender"), ("country",), ("publisher_platform", "platform_position")])
def test_cells_reach_at_least_the_whole(demo, account, names):
    cells = defaultdict(list)
    for row in read(demo, make_query(account, "campaign", fields=FIELDS, breakdowns=names), NOON):
        assert int(row["reach"]) <= int(row["impressions"])
        cells[row["campaign_id"], row["date_start"]].append(int(row["reach"]))
    for row in read(demo, make_query(account, "campaign", fields=FIELDS), NOON):
        parts = cells[row["campaign_id"], row["date_start"]]
        assert sum(parts) >= int(row["reach"]) >= max(parts)


@given(st.lists(st.integers(1, 10**7), min_size=2, max_size=20), st.floats(1e3, 1e7))
def test_the_curve_saturates(impressions, audience):
    shown = np.array(sorted(impressions))
    people = reach.people(shown, np.full(len(shown), audience))
    assert (people >= 1).all()
    assert (people <= shown).all()
    assert (np.diff(people) >= 0).all()
    assert people.max() <= audience + 1
    together = reach.people(np.array([shown.sum()]), np.array([audience]))[0]
    assert people.max() <= together <= people.sum()
