"""The verdict's decision table, row by row, and the checks beside the test."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.statistics.decide import Row, delivery_imbalance, verdict
from tests.statistics.reference import METRICS, Arm, Plan, compare, compare_all

READY: Row = {
    "metric": "cpa",
    "paired_days": 28,
    "covers_weekend": True,
    "control_conversions": 200.0,
    "arm_conversions": 260.0,
    "theta": 0.25,
    "half_width": 0.20,
    "standard_error": 0.20 / 1.96,
    "p_value_adjusted": 0.015,
    "always_valid_half_width": 0.24,
    "always_valid_p_adjusted": 0.008,
    "drift_factor": 1.0,
}


@pytest.mark.parametrize(
    ("change", "running", "expected"),
    [
        ({}, False, ("winner", "arm")),
        ({"theta": -0.25}, False, ("winner", "control")),
        ({}, True, ("winner", "arm")),
        ({"always_valid_p_adjusted": 0.02}, True, ("not enough data", None)),  # 0.05 is for the end alone
        ({"always_valid_p_adjusted": 0.02}, False, ("winner", "arm")),
        ({"p_value_adjusted": 0.06}, False, ("not enough data", None)),  # several arms
        ({"drift_factor": 1.3}, False, ("not enough data", None)),
        ({"drift_factor": 1.1}, True, ("not enough data", None)),
        ({"half_width": None}, False, ("not enough data", None)),
        ({"paired_days": 6}, False, ("not enough data", None)),
        ({"covers_weekend": False}, False, ("not enough data", None)),
        ({"control_conversions": 29.0}, False, ("not enough data", None)),
        ({"arm_conversions": 30.0}, False, ("winner", "arm")),
        ({"theta": 0.01, "half_width": 0.08}, False, ("no difference", None)),
        ({"theta": 0.05, "half_width": 0.04, "p_value_adjusted": 0.01}, False, ("no difference", None)),
        ({"theta": 0.01, "half_width": 0.08, "drift_factor": 1.2}, False, ("not enough data", None)),
        ({"theta": 0.01, "half_width": 0.08}, True, ("not enough data", None)),
        ({"theta": 0.01, "half_width": 0.07, "always_valid_half_width": 0.08}, True, ("no difference", None)),
        # A small noisy experiment: significant, but the other way round by 10 % is not out of the question.
        ({"theta": 0.62, "half_width": 0.60, "standard_error": 0.306}, False, ("not enough data", None)),
        ({"theta": 0.80, "half_width": 0.60, "standard_error": 0.306}, False, ("winner", "arm")),
    ],
)
def test_the_table(change: Row, running: bool, expected: tuple[str, str | None]) -> None:
    said = verdict(READY | change, 0.10, running)
    assert (said["verdict"], said["better"]) == expected


def test_without_a_minimum_effect_nothing_is_alike_and_winners_need_more() -> None:
    assert verdict(READY | {"theta": 0.0, "half_width": 0.001}, None, False)["verdict"] == "not enough data"
    assert verdict(READY, None, False)["verdict"] == "not enough data"
    assert verdict(READY | {"theta": 0.30}, None, False)["better"] == "arm"


def test_a_price_is_cheaper_and_wins_nothing() -> None:
    said = verdict(READY | {"metric": "cpm", "control_impressions": 1e6, "arm_impressions": 1e6}, 0.1, False)
    assert said["verdict"] == "cheaper"


@pytest.mark.parametrize(("metric", "column", "least"), [("ctr", "link_clicks", 100), ("cpm", "impressions", 1000)])
def test_each_metric_has_its_minimum(metric: str, column: str, least: int) -> None:
    row = READY | {"metric": metric, f"control_{column}": float(least), f"arm_{column}": 1e6}
    assert verdict(row, 0.1, False)["better"] == "arm"
    assert verdict(row | {f"control_{column}": least - 1.0}, 0.1, False)["better"] is None


def _arm(rng: np.random.Generator, lift: float) -> Arm:
    clicks = rng.poisson(600, 14)
    conversions = rng.poisson(30 * lift, 14)
    return Arm([200.0] * 14, [30_000] * 14, list(clicks), list(conversions), list(60.0 * conversions))


def test_a_whole_experiment_of_three_arms() -> None:
    """One arm much better, one like the control: Holm over the two, Benjamini and Hochberg over the other metrics."""
    rng = np.random.default_rng(21)
    rows = compare_all(_arm(rng, 1), {"better": _arm(rng, 1.6), "alike": _arm(rng, 1)}, "cpa", Plan(planned_days=14))
    assert set(rows) == {(metric, arm) for metric in METRICS for arm in ("better", "alike")}
    better, alike = rows["cpa", "better"], rows["cpa", "alike"]
    assert (better["verdict"], better["better"]) == ("winner", "arm")
    assert float(better["effect"]) < 0  # type: ignore[arg-type]
    assert alike["better"] is None
    assert better["p_value_adjusted"] == pytest.approx(2 * float(better["p_value"]))  # type: ignore[arg-type]
    assert {row["role"] for (metric, _), row in rows.items() if metric == "cpa"} == {"primary"}
    for row in rows.values():
        if row["p_value"] is not None:
            assert float(row["p_value_adjusted"]) >= float(row["p_value"])  # type: ignore[arg-type]
    assert rows["cpm", "alike"]["p_value_adjusted"] is None  # equal spend and impressions: no noise to test against


def test_weekends_are_those_of_paired_days() -> None:
    """Saturday and Sunday are in the window, but one arm was off."""
    rng = np.random.default_rng(2)
    control, arm = _arm(rng, 1), _arm(rng, 2)
    weekdays = [1, 2, 3, 4, 5, 6, 7] * 2
    off = replace(arm, impressions=[0 if day > 5 else 30_000 for day in weekdays])
    plan = Plan(planned_days=14, weekdays=weekdays)
    assert compare(control, arm, "cpa", plan)["covers_weekend"] is True
    assert compare(control, off, "cpa", plan)["covers_weekend"] is False


def test_delivery_imbalance() -> None:
    assert delivery_imbalance([60, 40], [0.5, 0.5]) == pytest.approx([0.2, -0.2])
    assert delivery_imbalance([30, 70], [0.3, 0.7]) == pytest.approx([0, 0])
    assert delivery_imbalance([0, 0], [0.5, 0.5]) == [None, None]


def test_the_99_5_percent_point() -> None:
    """The constant of the page that SQL carries as a literal."""
    assert math.erfc(2.807033768343811 / 2**0.5) == pytest.approx(0.005, abs=1e-12)
