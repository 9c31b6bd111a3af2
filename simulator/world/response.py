"""Diminishing returns: how many conversions a day's spend of an ad set buys.

What belongs here: the curve forms. What does not: noise, demand, who spends how much.

A curve maps a day's spend of an ad set (major units of the account's currency) to the expected final number of
conversions in the default window (7-day click and 1-day view) at neutral demand, with fresh creatives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.world.hashing import F64, I64, U64, pick, spread

FORMS = ("power", "hill", "exponential")


@dataclass(frozen=True)
class Curves:
    """Curves of many ad sets.

    `power`: scale * s**shape. `hill`: scale * s**shape / (half**shape + s**shape).
    `exponential`: scale * (1 - exp(-s / half)).
    """

    form: I64
    scale: F64
    shape: F64
    half: F64

    def conversions(self, spend: F64, which: slice) -> F64:
        """Expected conversions for spends of shape (days, ad sets); `which` are the ad sets."""
        form, scale, shape, half = self.form[which], self.scale[which], self.shape[which], self.half[which]
        safe = np.maximum(spend, 1e-12)
        raised = safe**shape
        value = np.where(
            form == 0, raised, np.where(form == 1, raised / (half**shape + raised), -np.expm1(-safe / half))
        )
        return np.where(spend > 0, scale * value, 0.0)

    def describe(self, index: int) -> dict[str, Any]:
        """Form and parameters of one curve, for `truth`."""
        form = FORMS[int(self.form[index])]
        values = {"scale": float(self.scale[index])}
        if form != "exponential":
            values["shape"] = float(self.shape[index])
        if form != "power":
            values["half"] = float(self.half[index])
        return {"form": form, "parameters": values}


def draw_curves(key: U64, reference_spend: F64, reference_conversions: F64) -> Curves:
    """Curves of mixed forms that pass through a reference point each."""
    form = pick(key, "form", 3)
    power = spread(key, "elasticity", 0.55, 0.85)
    hill = spread(key, "hill", 0.9, 1.4)
    shape = np.where(form == 0, power, np.where(form == 1, hill, 1.0))
    half = reference_spend * spread(key, "half", 0.8, 2.6)
    at_reference = np.where(
        form == 0,
        reference_spend**shape,
        np.where(
            form == 1,
            reference_spend**shape / (half**shape + reference_spend**shape),
            -np.expm1(-reference_spend / half),
        ),
    )
    return Curves(form, reference_conversions / at_reference, shape, half)
