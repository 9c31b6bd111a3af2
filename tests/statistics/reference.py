"""A second opinion on `mart_ab_test_result`: one experiment, from its day sums, with scipy and statsmodels.

What belongs here: the estimator of `docs/reference/ab-statistics.md` as a statistician would write it down: days really
left out one by one, the confidence sequence by inverting its test, the loss by integration. What does not: the verdict
(`decide.py`), speed (`many.py`) and data. Nothing here is taken from the SQL, so that an error in either shows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import integrate, optimize, stats

from tests.statistics.decide import BURN_IN, COUNTED, LEAST, Row, adjust, number, verdict

METRICS = {
    "ctr": ("link_clicks", "impressions"),
    "cvr": ("conversions", "link_clicks"),
    "cpa": ("conversions", "spend"),
    "roas": ("conversion_value", "spend"),
    "cpm": ("impressions", "spend"),
}
LOWER_IS_BETTER = {"cpa", "cpm"}
FLOOR_SHARE = 0.5
PRIOR_SD = 0.25
DEFAULT_PLAN = 28


@dataclass(frozen=True)
class Arm:
    """Sums per day of one arm; every sequence has one entry a day, NaN where the number is not known."""

    spend: Sequence[float]
    impressions: Sequence[float]
    link_clicks: Sequence[float]
    conversions: Sequence[float]
    conversion_value: Sequence[float]

    def part(self, name: str) -> np.ndarray:
        """One of the sums as an array."""
        return np.asarray(getattr(self, name), dtype=float)


@dataclass(frozen=True)
class Plan:
    """What was declared, and where the experiment stands.

    Attributes:
        minimum_effect: Fraction, or None if not declared.
        planned_days: Days of the window, or None without a declared end.
        running: Whether the planned end is ahead, or days of the window are still immature.
        weekdays: ISO weekday (1 Monday to 7 Sunday) of each day; None: the days cover a weekend.
    """

    minimum_effect: float | None = 0.1
    planned_days: int | None = None
    running: bool = False
    weekdays: Sequence[int] | None = None


def compare(control: Arm, arm: Arm, metric: str, plan: Plan) -> Row:
    """A row's columns but adjusted p and verdict; None for NULL. Effects are in the metric's own direction."""
    top, bottom = METRICS[metric]
    parts = [control.part(top), control.part(bottom), arm.part(top), arm.part(bottom)]
    if (counted := COUNTED[metric]) is not None:
        parts += [control.part(counted), arm.part(counted)]
    both = (control.part("impressions") > 0) & (arm.part("impressions") > 0) & np.isfinite(parts).all(axis=0)
    table = np.array([part[both] for part in parts[:4]])
    counts = np.array([part[both].sum() for part in parts[4:]]) if counted else None
    days = table.shape[1]
    row: Row = {"metric": metric, "paired_days": days, "unpaired_days": int((~both).sum())}
    weekdays = plan.weekdays or [6, 7] * len(both)
    row["covers_weekend"] = {6, 7} <= {day for day, is_paired in zip(weekdays, both, strict=False) if is_paired}
    for prefix, one in (("control", control), ("arm", arm)):
        for name in ("spend", "impressions", "link_clicks", "conversions", "conversion_value"):
            total = float(one.part(name)[both].sum())
            row[f"{prefix}_{name}"] = total if math.isfinite(total) else None
    row["control_value"] = _shown(metric, *table[:2].sum(axis=1))
    row["arm_value"] = _shown(metric, *table[2:].sum(axis=1))

    theta = _log_ratio(table)
    moves = _moves(table, theta)
    error = _error(moves)
    df = _degrees(table) if theta is not None else None
    counting = _counting_error(metric, table, counts) if theta is not None else None
    half, p = _interval(theta, error, df, counting)
    se = None if half is None else half / stats.norm.isf(0.025)
    sign = -1 if metric in LOWER_IS_BETTER else 1
    row |= {"theta": theta, "standard_error_days": error, "standard_error_counts": counting, "degrees_of_freedom": df}
    row |= {"half_width": half, "standard_error": se, "p_value": p}
    row |= _effects("", sign, theta, half)
    row["dispersion"] = error**2 / counting**2 if error is not None and counting else None
    row |= _always_valid(sign, theta, se, days, plan.planned_days or DEFAULT_PLAN)
    row |= _bayes(theta, se)
    row |= _power(days, error, counting, df, counts, metric, plan)
    row |= _drift(moves, error)
    return row


def compare_all(control: Arm, arms: Mapping[str, Arm], primary: str, plan: Plan) -> dict[tuple[str, str], Row]:
    """The experiment's table by (metric, arm), adjusted for several arms and metrics, with verdicts."""
    rows = {(metric, name): compare(control, arm, metric, plan) for metric in METRICS for name, arm in arms.items()}
    for key, method, group in (("primary", "holm", True), ("secondary", "fdr_bh", False)):
        members = [row for (metric, _), row in rows.items() if (metric == primary) is group]
        for column in ("p_value", "always_valid_p"):
            for row, adjusted in zip(members, adjust([number(row[column]) for row in members], method), strict=True):
                row[f"{column}_adjusted"] = adjusted
        for row in members:
            row.update(verdict(row, plan.minimum_effect, plan.running), role=key)
    return rows


def _shown(metric: str, top: float, bottom: float) -> float | None:
    above, below = (bottom, top) if metric in LOWER_IS_BETTER else (top, bottom)
    return None if below == 0 else float(above / below) * (1000 if metric == "cpm" else 1)


def _log_ratio(table: np.ndarray) -> float | None:
    sums = table.sum(axis=1)
    if table.shape[1] == 0 or (sums <= 1e-9).any():
        return None
    control_top, control_bottom, arm_top, arm_bottom = np.log(sums)
    return float(arm_top - arm_bottom - control_top + control_bottom)


def _moves(table: np.ndarray, theta: float | None) -> np.ndarray | None:
    """How far the estimate moves when each day is left out; None if it then cannot be computed."""
    if theta is None or table.shape[1] < 2:
        return None
    sums = table.sum(axis=1)
    moves = []
    for day in range(table.shape[1]):
        rest = np.delete(table, day, axis=1)
        if (rest.sum(axis=1) < 1e-12 * sums).any():
            return None
        logs = np.log(rest.sum(axis=1) / sums)
        moves.append(-(logs[2] - logs[3] - logs[0] + logs[1]))
    return np.array(moves)


def _error(moves: np.ndarray | None) -> float | None:
    if moves is None:
        return None
    error = math.sqrt((len(moves) - 1) * float(np.mean(moves**2)))
    return 0.0 if error < 1e-9 else error


def _degrees(table: np.ndarray) -> int:
    days = table.shape[1]
    weights = (table / table.sum(axis=1, keepdims=True)).mean(axis=0)
    effective_days = 1 / float(weights @ weights)
    return max(1, min(math.floor(effective_days - 1 + 0.5), days - 1))


def _counting_error(metric: str, table: np.ndarray, counts: np.ndarray | None) -> float | None:
    if counts is None or (counts <= 0).any():
        return None
    missing = np.ones(2)
    if metric in {"ctr", "cvr"}:
        sums = table.sum(axis=1)
        missing = np.clip(1 - sums[[0, 2]] / sums[[1, 3]], 0, None)
    return float(np.sqrt((missing / counts).sum()))


def _interval(
    theta: float | None, error: float | None, df: int | None, counting: float | None
) -> tuple[float | None, float | None]:
    """Half width of the 95 % interval of theta, and p."""
    if theta is None or error is None or df is None:
        return None, None
    tests = [stats.t(df, scale=error)] if error > 0 else []
    if counting:
        tests.append(stats.norm(scale=FLOOR_SHARE * counting))
    if not tests:
        return None, None
    return max(float(test.isf(0.025)) for test in tests), max(float(2 * test.sf(abs(theta))) for test in tests)


def _effects(prefix: str, sign: int, theta: float | None, half: float | None) -> Row:
    names = [f"{prefix}{name}" for name in ("log_effect", "log_effect_low", "log_effect_high")]
    if theta is None or half is None:
        logs: list[float | None] = [None if theta is None else sign * theta, None, None]
    else:
        logs = [sign * theta, *sorted((sign * theta - half, sign * theta + half))]
    row: Row = dict(zip(names, logs, strict=True))
    return row | {name.replace("log_", ""): None if row[name] is None else math.expm1(row[name]) for name in names}  # type: ignore[arg-type]


def _always_valid(sign: int, theta: float | None, se: float | None, days: int, planned: int) -> Row:
    if theta is None or se is None or days < BURN_IN:
        none: Row = {"always_valid_half_width": None, "always_valid_p": None}
        return none | _effects("always_valid_", sign, theta, None)
    first = -2 * math.log(0.05)
    variance = 1 + days * (first + math.log(first + 1)) / planned

    def log_p(score: float) -> float:
        # How much likelier the score is without an effect than under effects spread as a normal law.
        return (math.log(variance) - score**2 * (1 - 1 / variance)) / 2

    score = optimize.brentq(lambda value: log_p(value) - math.log(0.05), 0, 1000, xtol=1e-13, rtol=1e-14)
    half = score * se
    row: Row = {"always_valid_half_width": half, "always_valid_p": min(1.0, math.exp(log_p(theta / se)))}
    return row | _effects("always_valid_", sign, theta, half)


def _bayes(theta: float | None, se: float | None) -> Row:
    if theta is None or se is None:
        return {"chance_to_win": None, "expected_loss": None}
    precision = 1 / se**2 + 1 / PRIOR_SD**2
    mean, sd = theta / se**2 / precision, precision**-0.5
    loss, upper = 0.0, -mean / sd
    if upper > -38:  # further out the density is zero in double precision
        lower = min(upper, 0.0) - 12.0
        loss = integrate.quad(lambda x: -(mean + sd * x) * math.exp(-x * x / 2), lower, upper, epsabs=1e-13, limit=200)[
            0
        ]
        loss /= math.sqrt(2 * math.pi)
    return {"chance_to_win": float(stats.norm.sf(0, loc=mean, scale=sd)), "expected_loss": float(loss)}


def _power(
    days: int,
    error: float | None,
    counting: float | None,
    df: int | None,
    counts: np.ndarray | None,
    metric: str,
    plan: Plan,
) -> Row:
    names = ("power_now", "minimum_detectable_effect", "days_needed", "days_still_needed")
    row: Row = dict.fromkeys(names)
    noise = max(error or 0.0, counting or 0.0)
    if error is None or df is None or noise == 0:
        return row
    critical, power80 = stats.t.isf(0.025, df), stats.norm.ppf(0.8)
    row["minimum_detectable_effect"] = math.expm1(float(critical + power80) * noise)
    if plan.minimum_effect:
        wished = math.log1p(plan.minimum_effect) / noise
        row["power_now"] = float(stats.norm.sf(critical - wished) + stats.norm.cdf(-critical - wished))
        needed = math.ceil(days * ((stats.norm.isf(0.025) + power80) / wished) ** 2)
        missing = [0, needed - days, BURN_IN - days]
        if counts is not None and counts.min() > 0:
            missing.append(math.ceil(days * LEAST[metric] / counts.min()) - days)
        row |= {"days_needed": needed, "days_still_needed": max(missing)}
    return row


def _drift(moves: np.ndarray | None, error: float | None) -> Row:
    if moves is None or len(moves) < BURN_IN or not error:
        return {"autocorrelation": None, "drift_factor": 1.0}
    days, away = len(moves), moves - moves.mean()
    r = float(away[1:] @ away[:-1] / (away @ away))
    if r <= days**-0.5 - 1 / days:
        return {"autocorrelation": r, "drift_factor": 1.0}
    mended = min(0.8, r + (1 + 3 * r) / days)
    return {"autocorrelation": r, "drift_factor": math.sqrt((1 + mended) / (1 - mended))}
