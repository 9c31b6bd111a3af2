"""Draws many A/B experiments at once: the day sums of two arms whose truth is known.

What belongs here: how spend becomes impressions, clicks, orders and revenue, and what disturbs it. What does not:
estimating. Nothing here is fitted to the estimator: counts are Poisson and binomial, revenue is the sum of orders drawn
one by one, and day shocks multiply.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
MEAN_ORDER = 60.0
PRICE_OF_1000 = 8.0
CONVERSION_RATE = 0.03
BLOCK = 2_000_000
Orders = Literal["lognormal", "pareto", "equal", "very heavy"]


@dataclass(frozen=True)
class World:
    """What an experiment is drawn from.

    Attributes:
        conversions: Expected conversions a day and arm, without an effect.
        spend: Expected spend a day and arm, in the account's currency.
        arm_day_sd: Over-dispersion: sd of a day's shock to one arm, apart for price, click rate and conversion rate.
        arm_day_memory: How much of the arm's shock of yesterday is still there today (AR(1) coefficient).
        shared_sd: Sd of the day's shock to both arms, apart for budget, price, click rate and conversion rate.
        shared_memory: The same coefficient for the shared shock.
        shocks: Law of the arm's shock.
        spend_sd: Sd of a day's spend of one arm around its budget.
        share: Arm B's share of the spend.
        weekday: Amplitude of the week's wave in spend (0.4: from 0.6 to 1.4 times).
        orders: Law of the value of one order.
        follows_spend: Elasticity of the conversion rate to the day's spend, common to both arms.
    """

    conversions: float = 7.0
    spend: float = 200.0
    arm_day_sd: float = 0.10
    arm_day_memory: float = 0.0
    shared_sd: float = 0.20
    shared_memory: float = 0.0
    shocks: Literal["lognormal", "gamma"] = "lognormal"
    spend_sd: float = 0.10
    share: float = 0.5
    weekday: float = 0.0
    orders: Orders = "lognormal"
    follows_spend: float = 0.0


@dataclass(frozen=True)
class Effects:
    """The truth: logarithm of arm B's rate over arm A's; one number, or one for each experiment."""

    click_rate: float | Array = 0.0
    conversion_rate: float | Array = 0.0
    order_value: float | Array = 0.0

    def of(self, metric: str) -> float | Array:
        """The true log-ratio of a metric's yield (conversions per money for CPA), so larger is better."""
        return {
            "ctr": self.click_rate,
            "cvr": self.conversion_rate,
            "cpa": self.click_rate + self.conversion_rate,
            "roas": self.click_rate + self.conversion_rate + self.order_value,
            "cpm": 0.0,
        }[metric]


@dataclass(frozen=True)
class Sums:
    """Day sums, each of shape (experiments, 2 arms, days); arm 0 is the control."""

    spend: Array
    impressions: Array
    link_clicks: Array
    conversions: Array
    conversion_value: Array

    def first(self, days: int) -> Sums:
        """The same experiments as they stood after `days` days."""
        return Sums(*(getattr(self, name)[..., :days] for name in self.__dataclass_fields__))


def draw(rng: np.random.Generator, experiments: int, days: int, world: World, effects: Effects | None = None) -> Sums:
    """Draws `experiments` independent experiments of `days` days."""
    truth = effects or Effects()
    shape = (experiments, 2, days)

    def arms_own() -> Array:
        sd, memory = world.arm_day_sd, world.arm_day_memory
        if world.shocks == "gamma" and sd > 0:
            squared = np.expm1(sd * sd)
            return rng.gamma(1 / squared, squared, shape)
        return np.exp(_walk(rng.normal(size=shape), memory) * sd - sd * sd / 2)

    def both() -> Array:
        noise = _walk(rng.normal(size=(experiments, 1, days)), world.shared_memory)
        return np.exp(noise * world.shared_sd - world.shared_sd**2 / 2)

    phase = rng.integers(0, 7, (experiments, 1, 1))
    wave = 1 + world.weekday * np.cos(2 * np.pi * (np.arange(days) + phase) / 7)
    split = np.array([2 * (1 - world.share), 2 * world.share])[:, None]
    own_spend = np.exp(rng.normal(size=shape) * world.spend_sd - world.spend_sd**2 / 2)
    spend = np.round(world.spend * split * wave * own_spend * both(), 2)
    impressions = rng.poisson(spend / (PRICE_OF_1000 * arms_own() * both()) * 1000)
    click_rate = world.conversions / CONVERSION_RATE / (world.spend / PRICE_OF_1000 * 1000)
    clicks = rng.binomial(impressions, np.minimum(1.0, click_rate * arms_own() * both() * _on_b(truth.click_rate)))
    chance = CONVERSION_RATE * arms_own() * both() * _on_b(truth.conversion_rate)
    chance = chance * (spend.mean(axis=1, keepdims=True) / world.spend) ** world.follows_spend
    conversions = rng.binomial(clicks, np.minimum(1.0, chance))
    value = _revenue(rng, world.orders, conversions.ravel()).reshape(shape)
    return Sums(
        spend,
        impressions.astype(np.float64),
        clicks.astype(np.float64),
        conversions.astype(np.float64),
        np.round(value * _on_b(truth.order_value), 2),
    )


def _on_b(log_ratio: float | Array) -> Array:
    """1 for arm A and the ratio for arm B, to be multiplied with (experiments, arms, days)."""
    each = np.atleast_1d(log_ratio)
    return np.exp(np.stack([np.zeros_like(each), each], axis=-1))[..., None]


def _walk(noise: Array, memory: float) -> Array:
    """Stationary AR(1) along the last axis, of variance 1."""
    if memory == 0:
        return noise
    walk = noise.copy()
    for day in range(1, noise.shape[-1]):
        walk[..., day] = memory * walk[..., day - 1] + np.sqrt(1 - memory**2) * noise[..., day]
    return walk


def _revenue(rng: np.random.Generator, law: Orders, conversions: NDArray[np.int64]) -> Array:
    """Sum of so many order values for each entry; in blocks, since a large world has a hundred million orders."""
    value = np.empty(conversions.size)
    block = max(1, int(BLOCK / max(1.0, conversions.mean())))
    for first in range(0, conversions.size, block):
        counts = conversions[first : first + block]
        cell = np.repeat(np.arange(counts.size), counts)
        value[first : first + block] = np.bincount(cell, _orders(rng, law, cell.size), minlength=counts.size)
    return value


def _orders(rng: np.random.Generator, law: Orders, count: int) -> Array:
    """Values of single orders with mean `MEAN_ORDER`."""
    if law == "equal":
        return np.full(count, MEAN_ORDER)
    if law == "pareto":  # a variance, but no third moment
        return (rng.pareto(2.5, count) + 1) * MEAN_ORDER * 1.5 / 2.5
    sd = 0.85 if law == "lognormal" else 1.3
    return np.exp(rng.normal(-sd * sd / 2, sd, count)) * MEAN_ORDER
