"""The two implementations in Python against each other: one experiment at a time, and thousands at once."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.statistics.decide import LEAST, adjust, verdict
from tests.statistics.many import PARTS, analyse
from tests.statistics.reference import Arm, Plan, compare
from tests.statistics.worlds import Effects, Sums, World, draw

WORLDS = {
    "usual": World(),
    "heavy": World(arm_day_sd=0.35, arm_day_memory=0.6),
    "few conversions": World(conversions=0.6, spend=20),
}
SAME = {
    "theta": "theta",
    "half": "half_width",
    "p": "p_value",
    "se": "standard_error",
    "se_days": "standard_error_days",
    "se_counts": "standard_error_counts",
    "half_always": "always_valid_half_width",
    "p_always": "always_valid_p",
    "drift": "drift_factor",
}


def _arm(sums: Sums, experiment: int, arm: int) -> Arm:
    return Arm(*(getattr(sums, name)[experiment, arm] for name in sums.__dataclass_fields__))


@pytest.mark.parametrize("metric", sorted(PARTS))
@pytest.mark.parametrize("days", [1, 5, 9, 21])
@pytest.mark.parametrize("name", WORLDS)
def test_both_implementations_agree(name: str, days: int, metric: str) -> None:
    """To 1e-9, NULLs included; and so do the verdicts, before the planned end and at it."""
    sums = draw(np.random.default_rng(days), 6, days, WORLDS[name], Effects(click_rate=0.2, conversion_rate=0.4))
    results = analyse(sums, metric, planned=21)
    plan = Plan(minimum_effect=0.1, planned_days=21)
    for number in range(6):
        row = compare(_arm(sums, number, 0), _arm(sums, number, 1), metric, plan)
        for ours, column in SAME.items():
            expected = math.nan if row[column] is None else row[column]
            assert getattr(results, ours)[number] == pytest.approx(expected, abs=1e-9, rel=1e-9, nan_ok=True), column
        if row["degrees_of_freedom"] is not None:
            assert results.df[number] == row["degrees_of_freedom"]
        row["p_value_adjusted"], row["always_valid_p_adjusted"] = row["p_value"], row["always_valid_p"]
        for running in (False, True):
            many = results.verdict(LEAST[metric], math.log(1.1), running)
            said = verdict(row, 0.1, running)
            words = (
                "no difference" if many.alike[number] else {1: "arm", -1: "control", 0: None}[int(many.winner[number])]
            )
            assert (said["better"] or (said["verdict"] if said["verdict"] == "no difference" else None)) == words


def test_the_agreement_covers_every_verdict() -> None:
    """Guards the test above: worlds as these give winners on both sides, likeness, and neither."""
    sums = draw(np.random.default_rng(3), 300, 21, World(), Effects(click_rate=0.1))
    verdicts = analyse(sums, "ctr", 21).verdict(LEAST["ctr"], math.log(1.3), running=False)
    narrow = analyse(sums, "ctr", 21).verdict(LEAST["ctr"], math.log(1.02), running=False)
    assert verdicts.alike.any()
    assert set(narrow.winner) == {0, 1}


def test_pairs_are_kept_apart() -> None:
    """An experiment's result does not depend on those beside it."""
    sums = draw(np.random.default_rng(5), 40, 10, World())
    alone = Sums(*(getattr(sums, name)[7:8] for name in sums.__dataclass_fields__))
    assert analyse(sums, "roas").p[7] == pytest.approx(analyse(alone, "roas").p[0], rel=1e-12)


def test_worlds_have_the_truth_that_they_are_asked_for() -> None:
    """The generator itself: means, effects and shares within their sampling errors."""
    world = replace(World(), share=0.4, conversions=20, spend=400)
    truth = Effects(click_rate=0.1, conversion_rate=0.2, order_value=0.3)
    sums = draw(np.random.default_rng(6), 4_000, 14, world, truth)
    for metric, (top, bottom) in PARTS.items():
        tops, bottoms = (getattr(sums, part).sum(axis=(0, 2)) for part in (top, bottom))
        assert math.log(tops[1] / bottoms[1] * bottoms[0] / tops[0]) == pytest.approx(truth.of(metric), abs=0.01), (
            metric
        )
    assert sums.spend[:, 1].sum() / sums.spend.sum() == pytest.approx(0.4, abs=0.003)
    # Arm A has 60 % of twice the budget; and the mean of 1 over a log-normal price is above 1 over its mean.
    assert sums.conversions[:, 0].mean() == pytest.approx(20 * 1.2 * math.exp(0.10**2 + 0.20**2), rel=0.02)


@pytest.mark.parametrize("method", ["holm", "fdr_bh"])
def test_nothing_to_adjust(method: str) -> None:
    assert adjust([None, None], method) == [None, None]
    assert adjust([0.03], method) == [0.03]
