"""Published examples of the methods that are used or stood beside: each to 1e-5 or better.

What belongs here: cases with a source. What does not: our own estimator (`test_reference.py`), which no book lists.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import integrate, special, stats
from statsmodels.stats import power, proportion, rates

from tests.statistics.decide import adjust, sample_ratio

BENJAMINI_HOCHBERG = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459]
BENJAMINI_HOCHBERG += [0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0]


def test_two_proportions() -> None:
    """Documentation of statsmodels: 5 of 83 against 12 of 99."""
    z, p = proportion.proportions_ztest([5, 12], [83, 99])
    assert (z, p) == pytest.approx((-1.40783, 0.15918), abs=1e-5)


@pytest.mark.parametrize(
    ("method", "p"),
    [("score", 0.000632), ("wald", 0.000712), ("exact-cond", 0.000675), ("cond-midp", 0.000557), ("etest", 0.000567)],
)
def test_two_poisson_rates(method: str, p: float) -> None:
    """Gu, Ng, Tang and Schucany 2008: 60 cases in 51,477.5 person-years against 30 in 54,308.7."""
    assert rates.test_poisson_2indep(60, 51477.5, 30, 54308.7, method=method).pvalue == pytest.approx(p, abs=1e-6)


def test_ratio_of_two_poisson_rates() -> None:
    low, high = rates.confint_poisson_2indep(60, 51477.5, 30, 54308.7, method="score", compare="ratio")
    assert (low, high) == pytest.approx((1.36596, 3.25931), abs=1e-5)


def test_difference_of_two_proportions() -> None:
    """Newcombe 1998: 56 of 70 against 48 of 80."""
    low, high = proportion.confint_proportions_2indep(56, 70, 48, 80, method="newcomb", compare="diff")
    assert (low, high) == pytest.approx((0.05243, 0.33387), abs=1e-5)


def test_interval_of_one_proportion() -> None:
    """Newcombe 1998, Wilson's interval: 81 of 263."""
    assert proportion.proportion_confint(81, 263, method="wilson") == pytest.approx((0.25529, 0.36621), abs=1e-5)


@pytest.mark.parametrize(("method", "rejected"), [("fdr_bh", 4), ("holm", 3)])
def test_several_p_values(method: str, rejected: int) -> None:
    """Benjamini and Hochberg 1995, 15 p values: their procedure rejects 4 at 0.05, Holm's 3."""
    adjusted = adjust(BENJAMINI_HOCHBERG, method)
    assert sum(p < 0.05 for p in adjusted if p is not None) == rejected


def test_several_p_values_by_hand() -> None:
    """The step-down and step-up definitions themselves, with a tie and a p that is not known."""
    holm = adjust([0.01, None, 0.02, 0.02, 0.9], "holm")
    assert holm[1] is None
    assert [p for p in holm if p is not None] == pytest.approx([0.04, 0.06, 0.06, 0.9])
    assert adjust([0.01, 0.02, 0.03, 0.9], "fdr_bh") == pytest.approx([0.04, 0.04, 0.04, 0.9])


@pytest.mark.parametrize(
    ("observed", "chi2", "p", "digits"),
    [([600, 400], 40.0, 2.54e-10, 1e-12), ([821_588, 815_482], 22.774, 1.8e-6, 1e-7)],
)
def test_sample_ratio(observed: list[int], chi2: float, p: float, digits: float) -> None:
    """600 against 400, and the example of Kohavi, Tang and Xu: both fail a planned 50/50."""
    found_chi2, found_p = sample_ratio(observed, [0.5, 0.5])
    assert found_chi2 == pytest.approx(chi2, abs=1e-3)
    assert found_p == pytest.approx(p, abs=digits)


def test_chance_to_beat() -> None:
    """Miller 2015: 120 of 1,000 against 100 of 1,000 under uniform priors."""
    a_a, b_a, a_b, b_b = 101, 901, 121, 881
    i = np.arange(a_b)
    terms = special.betaln(a_a + i, b_a + b_b) - np.log(b_b + i) - special.betaln(1 + i, b_b) - special.betaln(a_a, b_a)
    assert float(np.exp(terms).sum()) == pytest.approx(0.9231834, abs=1e-7)

    def loss(rate: float) -> float:  # what is lost where A's rate is `rate` and B's is below it
        below = rate * stats.beta.cdf(rate, a_b, b_b) - a_b / (a_b + b_b) * stats.beta.cdf(rate, a_b + 1, b_b)
        return float(below * stats.beta.pdf(rate, a_a, b_a))

    assert integrate.quad(loss, 0.04, 0.2, points=[0.1, 0.12])[0] == pytest.approx(0.000485, abs=1e-6)


def test_people_needed() -> None:
    """5 against 6 %, two-sided 0.05, 80 %: by statsmodels and by the arcsine formula."""
    effect = proportion.proportion_effectsize(0.06, 0.05)
    assert power.NormalIndPower().solve_power(effect, alpha=0.05, power=0.8) == pytest.approx(8142.6, abs=0.1)
    quantiles: Callable[[float], float] = stats.norm.ppf
    per_arm = 2 * ((quantiles(0.975) + quantiles(0.8)) / (2 * math.asin(0.06**0.5) - 2 * math.asin(0.05**0.5))) ** 2
    assert per_arm == pytest.approx(8142.6, abs=0.1)
