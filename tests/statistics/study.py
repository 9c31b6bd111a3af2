"""What the simulation study measures: shares of drawn experiments, in percent.

What belongs here: one function per question (how often wrong, how often covered, how often named). What does not: which
worlds are asked about and how it is shown (`tests/bench/ab_study.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from tests.statistics.decide import LEAST
from tests.statistics.many import ALPHA, BURN_IN, PARTS, analyse
from tests.statistics.worlds import Array, Effects, Sums, World, draw

NOTHING = Effects()


def growth(percent: float) -> Effects:
    """Conversion rate of arm B higher by so many percent."""
    return Effects(conversion_rate=float(np.log1p(percent / 100)))


def better_ads(percent: float) -> Effects:
    """Arm B better by so many percent in CTR, and so by the same in CPA and ROAS."""
    return Effects(click_rate=float(np.log1p(percent / 100)))


@dataclass(frozen=True)
class Fixed:
    """One look after the last day, in percent of the experiments."""

    significant: float
    covered: float


def fixed(seed: int, experiments: int, days: int, world: World, effects: Effects = NOTHING) -> dict[str, Fixed]:
    """p < 0.05 and whether the 95 % interval holds the truth, for each metric."""
    sums = draw(np.random.default_rng(seed), experiments, days, world, effects)
    found = {}
    for metric in PARTS:
        results = analyse(sums, metric)
        covered = abs(results.theta - effects.of(metric)) <= results.half
        found[metric] = Fixed(_percent(results.p < ALPHA), _percent(covered | np.isnan(results.half)))
    return found


def naive(sums: Sums, metric: str) -> Array:
    """The usual p of each experiment: two proportions (CTR, CVR), or two Poisson rates per unit of spend (CPA)."""
    tops, bottoms = (getattr(sums, part).sum(-1) for part in PARTS[metric])
    with np.errstate(divide="ignore", invalid="ignore"):
        if metric == "cpa":
            score = np.diff(np.log(tops / bottoms))[:, 0] / np.sqrt((1 / tops).sum(-1))
        else:
            pooled = tops.sum(-1) / bottoms.sum(-1)
            score = np.diff(tops / bottoms)[:, 0] / np.sqrt(pooled * (1 - pooled) * (1 / bottoms).sum(-1))
    return 2 * stats.norm.sf(abs(score))


def naive_fixed(seed: int, experiments: int, days: int, world: World) -> dict[str, float]:
    """How often the usual test finds a difference between identical arms."""
    sums = draw(np.random.default_rng(seed), experiments, days, world)
    return {metric: _percent(naive(sums, metric) < ALPHA) for metric in ("ctr", "cvr", "cpa")}


@dataclass(frozen=True)
class Daily:
    """A look every day from the 7th to the planned end, in percent of the experiments.

    Attributes:
        always: The always-valid p was below 0.05 on some day.
        always_covered: The always-valid interval held the truth on every day.
        fixed_p: The p for one look was below 0.05 on some day: what looking every day does to it.
        naive: The same with the usual test; NaN for ROAS and CPM.
        right: The verdict named the better arm; with identical arms: arm B.
        wrong: It named the worse arm; with identical arms: arm A.
        alike: It said that there is no difference larger than the minimum effect.
        right_at_end: The better arm was named at the planned end by someone who had not looked before.
    """

    always: float
    always_covered: float
    fixed_p: float
    naive: float
    right: float
    wrong: float
    alike: float
    right_at_end: float


def daily(
    seed: int,
    experiments: int,
    planned: int,
    world: World,
    effects: Effects = NOTHING,
    metrics: tuple[str, ...] = ("ctr", "cvr", "cpa", "roas"),
    minimum_effect: float = 0.10,
) -> dict[str, Daily]:
    """Experiments looked at every day; the first verdict other than `not enough data` ends one."""
    sums = draw(np.random.default_rng(seed), experiments, planned, world, effects)
    return {metric: _daily(sums, planned, metric, effects.of(metric), minimum_effect) for metric in metrics}


def _daily(sums: Sums, planned: int, metric: str, truth: float | Array, minimum_effect: float) -> Daily:
    experiments = len(sums.spend)
    no: NDArray[np.bool_] = np.zeros(experiments, dtype=bool)
    always, outside, fixed_p, usual, alike = no.copy(), no.copy(), no.copy(), no.copy(), no.copy()
    named = np.zeros(experiments, dtype=int)
    better = np.where(np.asarray(truth) >= 0, 1, -1) * np.ones(experiments, dtype=int)
    at_end = no
    for days in range(BURN_IN, planned + 1):
        so_far = sums.first(days)
        results = analyse(so_far, metric, planned)
        always |= results.p_always < ALPHA
        outside |= abs(results.theta - truth) > results.half_always
        fixed_p |= results.p < ALPHA
        if metric in {"ctr", "cvr", "cpa"}:
            usual |= naive(so_far, metric) < ALPHA
        verdict = results.verdict(LEAST[metric], float(np.log1p(minimum_effect)), running=days < planned)
        undecided = (named == 0) & ~alike
        alike |= undecided & verdict.alike
        named = np.where(undecided, verdict.winner, named)
        at_end = verdict.winner == better
    return Daily(
        always=_percent(always),
        always_covered=100 - _percent(outside),
        fixed_p=_percent(fixed_p),
        naive=_percent(usual) if metric in {"ctr", "cvr", "cpa"} else float("nan"),
        right=_percent(named == better),
        wrong=_percent(named == -better),
        alike=_percent(alike),
        right_at_end=_percent(at_end),
    )


def _percent(which: NDArray[np.bool_]) -> float:
    return 100 * float(np.mean(which))
