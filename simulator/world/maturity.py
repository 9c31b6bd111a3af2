"""How a day's numbers change after the day: late conversions, corrections, withdrawn rows.

What belongs here: what depends on a row's age. What does not: how much there is in the end.

Conversions belong to the day of the impression and arrive later. A conversion's delay decides its window, so the
windows are nested at any age; a small part is reported late whatever its delay. Everything stands still 28 days
after the day's start (fact sheet 2.7).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.world.clock import DAY_SECONDS
from simulator.world.hashing import F64, I64, U64, spread, uniform

FROZEN_AFTER_DAYS = 28.0
CLICK_WINDOWS = (1, 7, 28)
_FAST_SHARE, _FAST_DAYS, _SLOW_DAYS = 0.62, 0.25, 6.0
_LATE_SHARE, _LATE_DAYS = 0.08, 3.0


def _delay(days: F64 | float) -> Any:
    return _FAST_SHARE * -np.expm1(-np.asarray(days) / _FAST_DAYS) + (1 - _FAST_SHARE) * -np.expm1(
        -np.asarray(days) / _SLOW_DAYS
    )


_DELAY_ALL = float(_delay(FROZEN_AFTER_DAYS))
_LATE_REST = float(np.exp(-FROZEN_AFTER_DAYS / _LATE_DAYS))


def _reported(age: F64) -> F64:
    return 1.0 - _LATE_SHARE * (np.exp(-age / _LATE_DAYS) - _LATE_REST) / (1.0 - _LATE_REST)


def final_share(window: int) -> float:
    """Share of all 28-day click conversions that fall into a click window in the end."""
    return float(_delay(float(window))) / _DELAY_ALL


def click_share(age: F64, window: int) -> F64:
    """Share of a day's 28-day click conversions that a click window shows at an age in days since the day's start."""
    age = np.clip(age, 0.0, FROZEN_AFTER_DAYS)
    found: F64 = _delay(np.minimum(age, float(window))) / _DELAY_ALL * _reported(age)
    return found


def view_share(age: F64) -> F64:
    """Share of a day's 1-day view conversions shown at an age in days."""
    age = np.clip(age, 0.0, FROZEN_AFTER_DAYS)
    found: F64 = _delay(np.minimum(age, 1.0)) / float(_delay(1.0)) * _reported(age)
    return found


def age_in_days(moment: int, starts: I64) -> F64:
    """Days since the start of each day; negative for the future."""
    return (moment - starts) / DAY_SECONDS


def correction(key: U64, age: F64, share: float) -> F64:
    """Factor on delivery: invalid traffic taken out of some (ad, day) rows one to three days after the day's start."""
    chosen = uniform(key, "corrected") < share
    due = age >= spread(key, "corrected at", 1.2, 3.0)
    return np.where(chosen & due, 1.0 - spread(key, "corrected by", 0.002, 0.03), 1.0)


def withdrawn(key: U64, age: F64, share: float) -> Any:
    """Which (ad, day) rows are gone at an age: a fixed share, removed 2 to 11 days after the day's start."""
    return (uniform(key, "withdrawn") < share) & (age >= spread(key, "withdrawn at", 2.0, 11.0))


def describe() -> dict[str, Any]:
    """The maturity curve by window and age in days, as shares of the final value of that window."""
    ages = np.array([0.5, 1, 1.5, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 17, 21, 24, 28])
    curves = {f"{window}d_click": click_share(ages, window) / final_share(window) for window in CLICK_WINDOWS}
    curves["1d_view"] = view_share(ages)
    return {
        "age_days": ages.tolist(),
        "share_of_final": {name: np.round(curve, 6).tolist() for name, curve in curves.items()},
        "share_of_28d_click": {f"{window}d_click": final_share(window) for window in CLICK_WINDOWS},
        "frozen_after_days": FROZEN_AFTER_DAYS,
    }
