"""The reference itself: what must hold whatever the numbers are, and cases worked out by hand.

What belongs here: properties of one row. What does not: how often it errs (`test_study.py`), and verdicts
(`test_decide.py`).
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from tests.statistics.reference import METRICS, Arm, Plan, Row, compare

PLAN = Plan(minimum_effect=0.1, planned_days=28)
PARTS = ("spend", "impressions", "link_clicks", "conversions", "conversion_value")
METRIC = st.sampled_from(sorted(METRICS))


@st.composite
def arms(draw: st.DrawFn, least: int = 2) -> tuple[Arm, Arm]:
    """Two plausible arms over the same days."""
    days = draw(st.integers(least, 30))
    both = []
    for _ in range(2):
        clicks = draw(st.lists(st.integers(20, 900), min_size=days, max_size=days))
        rates = draw(st.lists(st.floats(0.005, 0.2), min_size=days, max_size=days))
        conversions = [max(1, round(c * rate)) for c, rate in zip(clicks, rates, strict=True)]
        spend = draw(st.lists(st.floats(5, 500), min_size=days, max_size=days))
        orders = draw(st.lists(st.floats(5, 300), min_size=days, max_size=days))
        values = [order * count for order, count in zip(orders, conversions, strict=True)]
        both.append(Arm(spend, [c * 37 for c in clicks], clicks, conversions, values))
    return both[0], both[1]


def _all(one: Arm, change: object) -> Arm:
    return Arm(**{name: change(one.part(name)) for name in PARTS})  # type: ignore[operator]


def _close(one: Row, other: Row, names: tuple[str, ...]) -> None:
    for name in names:
        assert (one[name] is None) == (other[name] is None), name
        if one[name] is not None:
            assert one[name] == pytest.approx(other[name], rel=1e-7, abs=1e-10), name


@given(arms(), METRIC)
@settings(max_examples=30, deadline=None)
def test_swapping_the_arms_turns_the_effect_round(both: tuple[Arm, Arm], metric: str) -> None:
    one, other = compare(*both, metric, PLAN), compare(*both[::-1], metric, PLAN)
    _close(one, other, ("p_value", "always_valid_p", "dispersion", "standard_error", "degrees_of_freedom", "power_now"))
    assert one["theta"] == pytest.approx(-other["theta"], abs=1e-12)  # type: ignore[operator]
    if one["p_value"] is not None:
        assert one["log_effect_low"] == pytest.approx(-other["log_effect_high"], abs=1e-9)  # type: ignore[operator]
        assert one["chance_to_win"] == pytest.approx(1 - other["chance_to_win"], abs=1e-9)  # type: ignore[operator]


@given(arms(), METRIC)
@settings(max_examples=20, deadline=None)
def test_the_currency_does_not_matter(both: tuple[Arm, Arm], metric: str) -> None:
    def in_cents(one: Arm) -> Arm:
        return replace(one, spend=one.part("spend") * 100, conversion_value=one.part("conversion_value") * 100)

    one, other = compare(*both, metric, PLAN), compare(*map(in_cents, both), metric, PLAN)
    _close(
        one, other, ("log_effect", "log_effect_low", "log_effect_high", "p_value", "always_valid_p", "expected_loss")
    )


@given(arms(), METRIC, st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_the_order_of_days_matters_to_the_drift_alone(both: tuple[Arm, Arm], metric: str, random: object) -> None:
    order = list(range(len(both[0].spend)))
    random.shuffle(order)  # type: ignore[attr-defined]
    one = compare(*both, metric, PLAN)
    other = compare(*(_all(arm, lambda part: part[order]) for arm in both), metric, PLAN)
    _close(one, other, tuple(name for name in one if name not in {"metric", "autocorrelation", "drift_factor"}))


@given(arms(), METRIC)
@settings(max_examples=30, deadline=None)
def test_interval_and_p_agree(both: tuple[Arm, Arm], metric: str) -> None:
    row = compare(*both, metric, PLAN)
    if row["p_value"] is None:
        return
    low, estimate, high = (float(row[f"log_effect{end}"]) for end in ("_low", "", "_high"))  # type: ignore[arg-type]
    assert low <= estimate <= high
    assert (low > 0 or high < 0) == (row["p_value"] < 0.05)  # type: ignore[operator]
    if row["always_valid_p"] is not None:
        wide = [float(row[f"always_valid_log_effect_{end}"]) for end in ("low", "high")]  # type: ignore[arg-type]
        assert wide[0] < low
        assert high < wide[1]
        assert (wide[0] > 0 or wide[1] < 0) == (row["always_valid_p"] < 0.05)  # type: ignore[operator]


@given(arms(least=7), METRIC)
@settings(max_examples=30, deadline=None)
def test_an_arm_and_itself(both: tuple[Arm, Arm], metric: str) -> None:
    row = compare(both[0], both[0], metric, PLAN)
    assert row["log_effect"] == 0
    assert row["p_value"] is None if metric == "cpm" else row["p_value"] == 1
    assert row["standard_error_days"] in {0, None}


@given(arms(least=7), st.floats(1.01, 3))
@settings(max_examples=20, deadline=None)
def test_a_larger_effect_is_more_evident(both: tuple[Arm, Arm], factor: float) -> None:
    """Revenue times a factor moves the estimate by its logarithm and nothing else, so p falls as it leaves 0."""
    control, arm = both
    better = replace(arm, conversion_value=arm.part("conversion_value") * factor)
    one, other = compare(control, arm, "roas", PLAN), compare(control, better, "roas", PLAN)
    assert other["theta"] == pytest.approx(one["theta"] + math.log(factor))  # type: ignore[operator]
    _close(one, other, ("standard_error", "degrees_of_freedom"))
    if one["theta"] >= 0 and one["p_value"] is not None:  # type: ignore[operator]
        assert other["p_value"] <= one["p_value"] + 1e-12  # type: ignore[operator]
        assert other["chance_to_win"] >= one["chance_to_win"] - 1e-12  # type: ignore[operator]


CENTS = st.integers(-10_000, 100_000).map(lambda cents: cents / 100)
ANY = st.one_of(st.just(0.0), st.just(math.nan), CENTS, st.integers(0, 5).map(float))


@given(st.integers(0, 12).flatmap(lambda n: st.lists(st.lists(ANY, min_size=n, max_size=n), min_size=10, max_size=10)))
@settings(max_examples=120, deadline=None)
def test_ugly_numbers_never_become_nan_or_infinity(parts: list[list[float]]) -> None:
    control, arm = Arm(*parts[:5]), Arm(*parts[5:])
    for metric in METRICS:
        for name, value in compare(control, arm, metric, PLAN).items():
            if isinstance(value, float):
                assert math.isfinite(value), (metric, name)


SEVEN = Arm([100.0] * 7, [10_000] * 7, [200] * 7, [6, 9, 7, 8, 5, 10, 6], [300.0] * 7)
NONE = replace(SEVEN, conversions=[0] * 7, conversion_value=[0] * 7)
ONE_DAY = replace(SEVEN, conversions=[40, 0, 0, 0, 0, 0, 0])
WITHDRAWN = replace(SEVEN, conversion_value=[50.0, -10, -10, -10, -10, -10, 0])


@pytest.mark.parametrize("arm", [NONE, ONE_DAY, WITHDRAWN], ids=["nothing", "all on one day", "corrections"])
def test_no_interval_where_there_can_be_none(arm: Arm) -> None:
    metric = "roas" if arm is WITHDRAWN else "cpa"
    row = compare(SEVEN, arm, metric, PLAN)
    assert [row[name] for name in ("p_value", "half_width", "chance_to_win", "always_valid_p", "power_now")] == [
        None
    ] * 5
    assert (row["log_effect"] is None) == (arm is not ONE_DAY)


def test_a_single_day_has_an_estimate_and_no_interval() -> None:
    one, other = (Arm([100.0], [1000], [50], [c], [50.0 * c]) for c in (4, 6))
    row = compare(one, other, "cpa", PLAN)
    assert row["effect"] == pytest.approx(4 / 6 - 1)
    assert (row["p_value"], row["standard_error_days"], row["degrees_of_freedom"]) == (None, None, 1)


def test_days_without_both_arms_are_not_paired() -> None:
    """A paused arm, and a day on which conversions are not known: neither is read as zero."""
    paused = replace(SEVEN, impressions=[0, *[10_000] * 6], spend=[0.0, *[100.0] * 6])
    unknown = replace(SEVEN, conversions=[math.nan, *SEVEN.conversions[1:]])
    rest = _all(SEVEN, lambda part: part[1:])
    other = replace(SEVEN, conversions=[7, 5, 9, 9, 8, 6, 11])
    expected = compare(rest, _all(other, lambda part: part[1:]), "cpa", PLAN)
    for control in (paused, unknown):
        row = compare(control, other, "cpa", PLAN)
        assert (row["paired_days"], row["unpaired_days"]) == (6, 1)
        _close(row, expected, ("effect", "p_value", "control_spend", "arm_conversions", "standard_error"))


def test_equal_days_give_the_paired_t_test_of_textbooks() -> None:
    """With steady spend and small changes a day left out is the linearised paired t-test, D-1 degrees of freedom."""
    control = Arm(
        [100.0] * 10, [1e6] * 10, [20_000 + d for d in (9, -4, 3, 0, -7, 2, 5, -6, 1, -3)], [1] * 10, [1.0] * 10
    )
    arm = replace(control, link_clicks=[20_040 + d for d in (2, 6, -5, 4, 0, -8, 3, 1, -2, -1)])
    row = compare(control, arm, "ctr", PLAN)
    expected = stats.ttest_rel(np.log(arm.part("link_clicks")), np.log(control.part("link_clicks")))
    assert row["degrees_of_freedom"] == 9
    assert row["theta"] / row["standard_error_days"] == pytest.approx(expected.statistic, rel=1e-3)  # type: ignore[operator]


def test_a_worked_example() -> None:
    """Figures of a spreadsheet: two days, spend 100 a day; 10 and 10 conversions against 10 and 20."""
    control = Arm([100.0, 100], [1000, 1000], [50, 50], [10, 10], [100.0, 100])
    arm = Arm([100.0, 100], [1000, 1000], [50, 50], [10, 20], [100.0, 200])
    row = compare(control, arm, "cpa", PLAN)
    assert row["control_value"] == 10
    assert row["arm_value"] == pytest.approx(200 / 30)
    assert row["effect"] == pytest.approx(2 / 3 - 1)
    # Without day 1 the arm has 20 of 30 left, without day 2 10 of 30; the other shares are a half each and cancel.
    moves = [-math.log(2 / 3) + math.log(1 / 2), -math.log(1 / 3) + math.log(1 / 2)]
    error = math.sqrt(0.5 * (moves[0] ** 2 + moves[1] ** 2))
    assert row["standard_error_days"] == pytest.approx(error)
    assert row["standard_error_counts"] == pytest.approx(math.sqrt(1 / 20 + 1 / 30))
    assert row["degrees_of_freedom"] == 1
    assert row["half_width"] == pytest.approx(error * math.tan(math.pi * 0.475))  # the 97.5 % point of a Cauchy law
    assert row["p_value"] == pytest.approx(1 - 2 / math.pi * math.atan(math.log(1.5) / error))


def test_always_valid_columns_by_their_formulas() -> None:
    """The sequence is inverted numerically in the reference; here are the closed forms of the page."""
    other = replace(SEVEN, conversions=[12, 15, 11, 17, 9, 18, 14])
    row = compare(SEVEN, other, "cpa", replace(PLAN, planned_days=14))
    theta, se = float(row["theta"]), float(row["standard_error"])  # type: ignore[arg-type]
    g = 7 * (-2 * math.log(0.05) + math.log(-2 * math.log(0.05) + 1)) / 14
    assert row["always_valid_half_width"] == pytest.approx(
        se * math.sqrt(2 * (g + 1) / g * math.log(math.sqrt(g + 1) / 0.05)), rel=1e-10
    )
    p = math.sqrt(g + 1) * math.exp(-g * (theta / se) ** 2 / (2 * (g + 1)))
    assert row["always_valid_p"] == pytest.approx(min(1, p), rel=1e-10)


def test_bayes_by_its_formulas() -> None:
    other = replace(SEVEN, conversions=[7, 8, 9, 6, 9, 9, 8])
    row = compare(SEVEN, other, "cpa", PLAN)
    theta, se = float(row["theta"]), float(row["standard_error"])  # type: ignore[arg-type]
    mean, sd = theta * 0.0625 / (0.0625 + se**2), math.sqrt(0.0625 * se**2 / (0.0625 + se**2))
    assert row["chance_to_win"] == pytest.approx(stats.norm.cdf(mean / sd), abs=1e-12)
    loss = sd * stats.norm.pdf(mean / sd) - mean * stats.norm.cdf(-mean / sd)
    assert row["expected_loss"] == pytest.approx(loss, abs=1e-12)


def test_power_grows_until_the_days_needed() -> None:
    """After the days that the plan asks for, power is about the 80 % it was planned for."""
    rng = np.random.default_rng(8)
    spend, clicks, impressions = [100.0] * 14, [200] * 14, [10_000] * 14
    control, arm = (Arm(spend, impressions, clicks, list(rng.poisson(40, 14)), [1.0] * 14) for _ in range(2))
    row = compare(control, arm, "cpa", PLAN)
    needed = int(row["days_needed"])  # type: ignore[arg-type]
    assert row["days_still_needed"] == needed - 14
    times = needed / 14
    longer = stats.norm.cdf(
        math.log(1.1) * math.sqrt(times) / max(row["standard_error_days"], row["standard_error_counts"]) - 1.96
    )  # type: ignore[type-var, operator]
    assert 0.80 < longer < 0.83
    assert float(row["power_now"]) < 0.8 < 1  # type: ignore[arg-type]
    assert compare(control, arm, "cpa", replace(PLAN, minimum_effect=None))["days_needed"] is None


def test_days_still_needed_for_the_least_counts() -> None:
    """3 conversions in 7 days: 30 take 70 days, however small the noise seems."""
    few = replace(SEVEN, conversions=[1, 0, 1, 0, 1, 0, 0])
    row = compare(few, SEVEN, "cpa", replace(PLAN, minimum_effect=20.0))
    assert row["days_still_needed"] == 70 - 7
