"""What the market does to everyone in an account: weekdays, seasons, drift, hours of the day.

What belongs here: factors that depend on (account, day) or on the hour. What does not: ad sets, budgets, creatives.
"""

from __future__ import annotations

import numpy as np

from simulator.world.hashing import F64, I64, U64, cross, keys, lognormal, normal, spread, uniform

_EPOCH_ORDINAL = 719_163
_HOURS = np.array([3, 2, 1.4, 1, 1, 1.6, 2.8, 4, 4.6, 4.8, 4.8, 5, 5.4, 5.2, 5, 5, 5.2, 5.6, 6, 6.6, 7, 6.8, 5.6, 4.2])
_WEEKDAY_BUYING = np.array([1.04, 1.02, 1.0, 0.98, 0.94, 0.97, 1.06])
_WEEKDAY_PRICE = np.array([0.97, 0.98, 1.0, 1.02, 1.05, 1.01, 0.97])


class Demand:
    """Demand of one account. All factors are near one and pure functions of the day."""

    def __init__(self, key: int) -> None:
        self._key: U64 = keys(key, 1)
        jitter = keys(key, 7)
        self._buying = _WEEKDAY_BUYING * (1 + 0.05 * (uniform(jitter, "weekday") - 0.5))
        self._waves = keys(key, 3)
        self._periods = spread(self._waves, "period", 90.0, 500.0)
        self._phases = spread(self._waves, "phase", 0.0, 2 * np.pi)
        hours = _HOURS * lognormal(keys(key, 24), "hour", 0.12)
        self.hour_edges: F64 = np.concatenate([[0.0], np.cumsum(hours) / hours.sum()])
        self.hour_edges[-1] = 1.0

    def profile(self, part_of_day: F64) -> F64:
        """Share of a day's delivery that has happened when this part of the day has passed."""
        return np.interp(part_of_day, np.linspace(0.0, 1.0, 25), self.hour_edges)

    def buying(self, days: I64) -> F64:
        """Factor on conversions: weekday, season with a November peak, slow drift, a shared daily shock."""
        waves = np.sin(2 * np.pi * days[:, None] / self._periods + self._phases).sum(axis=1)
        shock = lognormal(cross(self._key, days), "buying", 0.08)
        found: F64 = (
            self._buying[_weekday(days)] * _season(days) * np.exp(0.05 * waves + 0.05 * self._walk(days)) * shock
        )
        return found

    def price(self, days: I64) -> F64:
        """Factor on the price of a thousand impressions: dearer at the end of weeks and before Christmas."""
        shock = lognormal(cross(self._key, days), "price", 0.05)
        return _WEEKDAY_PRICE[_weekday(days)] * (0.6 + 0.4 * _season(days)) * shock

    def supply(self, days: I64) -> F64:
        """Factor on how much an ad set could spend at most."""
        return 0.7 + 0.3 * _season(days)

    def _walk(self, days: I64) -> F64:
        # Reason: noise drawn per four weeks and interpolated drifts without a state to carry from day to day.
        block, part = days // 28, (days % 28) / 28.0
        left, right = normal(cross(self._key, block), "walk"), normal(cross(self._key, block + 1), "walk")
        return left * (1 - part) + right * part


def _weekday(days: I64) -> I64:
    return (days - 1) % 7  # ordinal 1 was a Monday


def _season(days: I64) -> F64:
    dates = (days - _EPOCH_ORDINAL).astype("datetime64[D]")
    of_year = (dates - dates.astype("datetime64[Y]")).astype(np.int64)
    yearly = 1.0 + 0.07 * np.cos(2 * np.pi * (of_year - 340) / 365.25)
    black_friday = 0.45 * np.exp(-0.5 * ((of_year - 331) / 4.0) ** 2)
    christmas = 0.22 * np.exp(-0.5 * ((of_year - 347) / 7.0) ** 2)
    found: F64 = yearly + black_friday + christmas
    return found
