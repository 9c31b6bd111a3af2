"""The estimator of `docs/reference/ab-statistics.md` for thousands of experiments at once, for the simulation study.

What belongs here: sections 2 to 4 and the verdict on arrays. What does not: the reference for one experiment
(`reference.py`, written apart and compared with this in `test_many.py`), and drawing experiments (`worlds.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from tests.statistics.worlds import Array, Sums

Z = 1.959963984540054
Z80 = 0.8416212335729143
KAPPA = 0.5
TINY_SUM, TINY_REST, TINY_ERROR = 1e-9, 1e-12, 1e-9
ALPHA = 0.05
EARLY_ALPHA = 0.01
WRONG_WAY = 2.807033768343811
BURN_IN = 7
PARTS = {
    "ctr": ("link_clicks", "impressions"),
    "cvr": ("conversions", "link_clicks"),
    "cpa": ("conversions", "spend"),
    "roas": ("conversion_value", "spend"),
    "cpm": ("impressions", "spend"),
}
MINIMUM = {"ctr": 100, "cvr": 30, "cpa": 30, "roas": 30, "cpm": 1000}


@dataclass(frozen=True)
class Results:
    """One value per experiment; NaN where the document says NULL. `theta` is oriented: larger is better for arm B."""

    theta: Array
    half: Array
    p: Array
    se: Array
    se_days: Array
    se_counts: Array
    df: Array
    half_always: Array
    p_always: Array
    drift: Array
    counts: Array
    days: int

    def verdict(self, minimum: float, delta: float, running: bool) -> Verdicts:
        """Section 9 for a single arm, without the checks that a drawn experiment always passes.

        Args:
            minimum: Least count of each arm (link clicks or conversions).
            delta: Logarithm of 1 + minimum effect.
            running: Whether the planned end is still ahead, so that only the always-valid columns speak.
        """
        half, p, alpha = (self.half_always, self.p_always, EARLY_ALPHA) if running else (self.half, self.p, ALPHA)
        size = abs(self.theta)
        ready = (self.counts.min(-1) >= minimum) & np.isfinite(half) & (self.days >= BURN_IN)
        alike = ready & (size + half * self.drift < delta)
        sure = (p < alpha) & (size > half * self.drift) & (size + delta > WRONG_WAY * self.se * self.drift)
        return Verdicts(alike, np.where(ready & ~alike & sure, np.sign(self.theta), 0).astype(int))


@dataclass(frozen=True)
class Verdicts:
    """`alike`: no difference larger than the minimum effect. `winner`: +1 arm B, -1 arm A, 0 nobody."""

    alike: NDArray[np.bool_]
    winner: NDArray[np.int_]


def analyse(sums: Sums, metric: str, planned: int | None = None, kappa: float = KAPPA) -> Results:
    """All experiments' results for one metric, every day of `sums` being a paired day."""
    m, d = (getattr(sums, part) for part in PARTS[metric])
    days = m.shape[-1]
    total_m, total_d = m.sum(-1), d.sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        defined = (total_m > TINY_SUM) & (total_d > TINY_SUM)
        theta = np.where(defined.all(-1), np.diff(np.log(total_m / total_d))[:, 0], np.nan)
        a, b = m / total_m[..., None], d / total_d[..., None]
        u = np.diff(_log_rest(b) - _log_rest(a), axis=1)[:, 0]
        se_days = np.sqrt((days - 1) / days * (u * u).sum(-1))
        weight = (a + b).mean(1) / 2
        df = np.floor(1 / (weight * weight).sum(-1) - 0.5)
        df = np.clip(df, 1, max(1, days - 1))
        counts = {"ctr": sums.link_clicks, "cpm": sums.impressions}.get(metric, sums.conversions).sum(-1)
        share = np.maximum(0, 1 - total_m / total_d) if metric in {"ctr", "cvr"} else np.ones_like(total_m)
        se_counts = np.sqrt((share / counts).sum(-1)) if metric != "cpm" else np.full_like(theta, np.nan)
        se_counts = np.where(np.isfinite(theta) & np.isfinite(se_counts), se_counts, np.nan)
        se_days = np.where(np.isfinite(theta) & np.isfinite(se_days) & (days > 1), se_days, np.nan)
        se_days = np.where(se_days < TINY_ERROR, 0.0, se_days)
        t = special.stdtrit(df, 0.975)
        half = np.fmax(t * se_days, Z * kappa * se_counts)
        half = np.where(np.isnan(se_days) | (half <= 0), np.nan, half)
        p = np.fmax(
            2 * special.stdtr(df, -abs(theta) / se_days), special.erfc(abs(theta) / (kappa * se_counts * 2**0.5))
        )
        se = half / Z
        first = -2 * np.log(ALPHA)
        g = days * (first + np.log(first + 1)) / (planned or days)
        half_always = se * np.sqrt(2 * (g + 1) / g * np.log(np.sqrt(g + 1) / ALPHA))
        p_always = np.minimum(1, np.sqrt(g + 1) * np.exp(-g * (theta / se) ** 2 / (2 * (g + 1))))
        if days < BURN_IN:
            half_always, p_always = half_always * np.nan, p_always * np.nan
        p = np.where(np.isnan(half), np.nan, p)
    return Results(theta, half, p, se, se_days, se_counts, df, half_always, p_always, _drift(u), counts, days)


def _log_rest(share: Array) -> Array:
    """Logarithm of what is left of a total without the day; NaN where nothing is."""
    return np.where(1 - share >= TINY_REST, np.log1p(-share), np.nan)


def _drift(u: Array) -> Array:
    """Section 8: how much wider the interval becomes if neighbouring days go the same way; 1 where they do not."""
    days = u.shape[-1]
    if days < BURN_IN:
        return np.ones(len(u))
    away = u - u.mean(-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (away[:, 1:] * away[:, :-1]).sum(-1) / (away * away).sum(-1)
        mended = np.minimum(0.8, r + (1 + 3 * r) / days)
        return np.where(r > 1 / np.sqrt(days) - 1 / days, np.sqrt((1 + mended) / (1 - mended)), 1.0)
