"""Splits of changes: exact, whatever the campaigns did."""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.reports.contributions import Pair, split_ratio, split_sum

AMOUNTS = st.one_of(st.just(Decimal(0)), st.decimals(0, 10_000_000, places=2, allow_nan=False))
WORLDS = st.lists(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS), min_size=1, max_size=12).map(
    lambda rows: [Pair(f"c{number}", *row) for number, row in enumerate(rows)]
)


@settings(deadline=None)
@given(WORLDS)
def test_parts_sum_up_to_the_change_exactly(pairs: list[Pair[str]]) -> None:
    found = split_ratio(pairs)
    now, before = sum(one.denominator for one in pairs), sum(one.denominator_before for one in pairs)
    assert (found is None) == (not now or not before)
    if found is not None:
        total = sum(Fraction(one.numerator) for one in pairs) / Fraction(now)
        assert found.now == total
        assert sum(part.total for part in found.parts) == found.change
        assert {part.key for part in found.parts} == {one.key for one in pairs}


@settings(deadline=None)
@given(WORLDS, st.randoms(use_true_random=False))
def test_the_order_of_campaigns_does_not_matter(pairs: list[Pair[str]], chance: random.Random) -> None:
    other = list(pairs)
    chance.shuffle(other)
    assert split_ratio(pairs) == split_ratio(other)


@settings(deadline=None)
@given(WORLDS)
def test_where_nothing_changed_nobody_contributed(pairs: list[Pair[str]]) -> None:
    same = [Pair(one.key, one.numerator, one.denominator, one.numerator, one.denominator) for one in pairs]
    found = split_ratio(same)
    if found is not None:
        assert all(part.rate == part.mix == 0 for part in found.parts)


@settings(deadline=None)
@given(WORLDS)
def test_turned_round_every_part_has_the_other_sign(pairs: list[Pair[str]]) -> None:
    turned = [
        Pair(one.key, one.numerator_before, one.denominator_before, one.numerator, one.denominator) for one in pairs
    ]
    found, back = split_ratio(pairs), split_ratio(turned)
    if found is not None and back is not None:
        signs = {part.key: (part.rate, part.mix) for part in found.parts}
        assert {part.key: (-part.rate, -part.mix) for part in back.parts} == signs


@settings(deadline=None)
@given(WORLDS, st.integers(1, 1000))
def test_another_unit_of_money_changes_the_parts_as_it_changes_the_ratio(pairs: list[Pair[str]], rate: int) -> None:
    dearer = [
        Pair(one.key, one.numerator * rate, one.denominator, one.numerator_before * rate, one.denominator_before)
        for one in pairs
    ]
    found, scaled = split_ratio(pairs), split_ratio(dearer)
    if found is not None and scaled is not None:
        totals = {part.key: part.total * rate for part in found.parts}
        assert {part.key: part.total for part in scaled.parts} == totals


def test_a_better_rate_and_a_better_mix_are_told_apart() -> None:
    rate = split_ratio([Pair("a", 300, 100, 200, 100), Pair("b", 100, 100, 100, 100)])
    assert rate is not None
    assert [(part.key, part.rate, part.mix) for part in rate.parts] == [("a", Fraction(1, 2), 0), ("b", 0, 0)]
    mix = split_ratio([Pair("good", 600, 150, 400, 100), Pair("bad", 50, 50, 100, 100)])
    assert mix is not None
    assert (mix.before, mix.now) == (Fraction(5, 2), Fraction(13, 4))
    assert all(part.rate == 0 and part.mix > 0 for part in mix.parts)


def test_a_campaign_that_began_raises_the_ratio_if_it_is_better_than_the_others() -> None:
    found = split_ratio([Pair("old", 200, 100, 200, 100), Pair("new", 400, 100, 0, 0)])
    assert found is not None
    new = next(part for part in found.parts if part.key == "new")
    assert (new.rate, new.mix > 0) == (0, True)


def test_money_spent_without_a_conversion_has_its_part_in_the_change_of_cpa() -> None:
    found = split_ratio([Pair("sells", 100, 10, 100, 10), Pair("idle", 50, 0, 0, 0)])
    assert found is not None
    assert (found.before, found.now) == (10, 15)
    assert {part.key: part.total for part in found.parts} == {"sells": 0, "idle": 5}


@pytest.mark.parametrize("pairs", [[], [Pair("a", 1, 0, 1, 1)], [Pair("a", 1, 1, 1, 0)]])
def test_without_a_ratio_in_both_periods_there_is_no_change(pairs: list[Pair[str]]) -> None:
    assert split_ratio(pairs) is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=3), AMOUNTS, AMOUNTS), max_size=10))
def test_a_sum_is_split_by_differences(values: list[tuple[str, Decimal, Decimal]]) -> None:
    found = split_sum(values)
    assert sum(change for _, change in found) == sum(Fraction(now) - Fraction(before) for _, now, before in values)
    assert [abs(change) for _, change in found] == sorted((abs(change) for _, change in found), reverse=True)
