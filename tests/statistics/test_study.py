"""A small part of the simulation study: rates of error within what chance allows, so that a wrong formula shows.

What belongs here: bands wide enough for the number of experiments drawn (seeds are fixed). What does not: the figures
of record, which `python -m tests.bench.ab_study` draws from far more (docs/reference/ab-study.md).
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.bench import ab_study
from tests.statistics import study
from tests.statistics.worlds import Effects, World

METRICS = ("ctr", "cvr", "cpa", "roas")


@pytest.mark.parametrize(("days", "sd"), [(7, 0.10), (7, 0.35), (28, 0.10)])
def test_identical_arms(days: int, sd: float) -> None:
    """5 % of 4,000 has a standard error of 0.34: the usual paired t-test shows 6.2 and 7.2 to 7.8 % at 7 days."""
    found = study.fixed(100 + days, 4_000, days, World(arm_day_sd=sd))
    for metric in METRICS:
        assert 3.4 < found[metric].significant < 6.6, metric
        assert found[metric].covered == pytest.approx(100 - found[metric].significant, abs=0.2)


def test_intervals_hold_a_true_effect_and_power_is_there() -> None:
    found = study.fixed(3, 4_000, 28, World(), study.growth(25))
    for metric in METRICS:
        assert 93.6 < found[metric].covered < 96.4, metric
    assert 48 < found["cpa"].significant < 56
    assert 55 < found["cvr"].significant < 64


def test_looking_every_day() -> None:
    """Identical arms: the always-valid p keeps 5 %, and both the p for one look and the usual z do not."""
    found = study.daily(4, 1_500, 28, World(), metrics=("ctr", "cpa"))
    for one in found.values():
        assert 1 < one.always < 5
        assert one.always_covered == pytest.approx(100 - one.always, abs=0.3)
        assert one.right + one.wrong < 7.5
        assert one.fixed_p > 15
    assert found["ctr"].naive > 65


def test_the_wrong_arm() -> None:
    """True differences around 0, sd 10 %, and one of the minimum effect: 1 % of 2,000 has a standard error of 0.22."""
    drawn = np.random.default_rng(5).normal(size=2_000) * 0.10
    for effects in (Effects(click_rate=drawn), study.better_ads(10)):
        found = study.daily(6, 2_000, 14, World(arm_day_sd=0.35), effects, ("ctr", "cpa"))
        for metric, one in found.items():
            assert one.wrong < 1.6, metric
            assert one.right > one.wrong


def test_the_page_is_whole() -> None:
    """Every cell of the study runs, and each goal of the issue is on the page."""
    page = ab_study.run(4)
    text = ab_study.as_page(page, 1.0)
    assert page.cells == len({ab_study.SEED + number for number in range(page.cells)})
    assert text.count("\n## ") == 6
    for goal in (">= 4.0", "<= 6.0", "<= 5.0", ">= 94.0", "<= 96.0", ">= 48.0", "<= 1.00"):
        assert f"| {goal} % |" in text
