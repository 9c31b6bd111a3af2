"""From the numbers of an experiment's rows to its verdicts, and the checks beside the test.

What belongs here: sections 6, 8 and 9 of `docs/reference/ab-statistics.md` for one experiment. What does not:
estimating (`reference.py`), and what makes an experiment invalid before any number (its declaration, shared ads).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scipy import stats
from statsmodels.stats.multitest import multipletests

Row = dict[str, float | int | str | bool | None]
COUNTED = {"ctr": "link_clicks", "cvr": "conversions", "cpa": "conversions", "roas": "conversions", "cpm": None}
LEAST = {"ctr": 100, "cvr": 30, "cpa": 30, "roas": 30, "cpm": 1000}
BURN_IN = 7


def adjust(values: Sequence[float | None], method: str) -> list[float | None]:
    """Adjusted p values in the given order; None stays None and does not count.

    Args:
        values: p values.
        method: "holm" or "fdr_bh", as statsmodels names them.
    """
    known = [value for value in values if value is not None]
    adjusted = iter(multipletests(known, method=method)[1]) if known else iter(())
    return [None if value is None else float(next(adjusted)) for value in values]


def verdict(row: Row, minimum_effect: float | None, running: bool) -> Row:
    """Section 9, rows 2 to 5: `verdict` and, for a winner, `better`: "arm" or "control".

    Args:
        row: What `reference.compare` says, with the adjusted p values.
        minimum_effect: Fraction, or None if not declared.
        running: Whether only the always-valid columns may speak.
    """
    metric, days = str(row["metric"]), int(row["paired_days"])  # type: ignore[arg-type]
    counted = COUNTED[metric] or "impressions"
    fewest = min(number(row[f"{prefix}_{counted}"]) or 0.0 for prefix in ("control", "arm"))
    nothing: Row = {"verdict": "not enough data", "better": None}
    if row["half_width"] is None or days < BURN_IN or not row["covers_weekend"] or fewest < LEAST[metric]:
        return nothing
    theta, se, drift = (float(row[name]) for name in ("theta", "standard_error", "drift_factor"))  # type: ignore[arg-type]
    kind, level = ("always_valid_", 0.01) if running else ("", 0.05)
    half = float(row[f"{kind}half_width"]) * drift  # type: ignore[arg-type]
    p = float(row["always_valid_p_adjusted" if running else "p_value_adjusted"])  # type: ignore[arg-type]
    delta = math.log1p(minimum_effect or 0.0)
    if max(abs(theta - half), abs(theta + half)) < delta:
        return {"verdict": "no difference", "better": None}
    excludes_zero = (theta - half) * (theta + half) > 0
    # Is the other way round by the minimum effect outside the 99.5 % interval?
    wrong_way_out = (abs(theta) + delta) / (se * drift) > stats.norm.isf(0.0025)
    if p < level and excludes_zero and wrong_way_out:
        return {"verdict": "cheaper" if metric == "cpm" else "winner", "better": "arm" if theta > 0 else "control"}
    return nothing


def sample_ratio(observed: Sequence[float], planned_shares: Sequence[float]) -> tuple[float, float]:
    """Chi-square and p of the arms' reach against their planned shares (which sum to 1)."""
    total = sum(observed)
    chi2, p = stats.chisquare(observed, [total * share for share in planned_shares])
    return float(chi2), float(p)


def delivery_imbalance(spend: Sequence[float], planned_shares: Sequence[float]) -> list[float | None]:
    """Each arm's share of the spend over its planned share, less one; None where nothing was spent."""
    total = sum(spend)
    return [
        spent / total / share - 1 if total > 0 else None for spent, share in zip(spend, planned_shares, strict=True)
    ]


def number(value: float | int | str | bool | None) -> float | None:
    """A cell of a row as a number."""
    return None if value is None else float(value)
