"""How many people saw something: a curve that saturates, so that reach never adds up.

What belongs here: reach from impressions. What does not: who the audience is.
"""

from __future__ import annotations

import numpy as np

from simulator.world.hashing import F64, I64

_HETEROGENEITY = 0.45
_TURNOVER = 0.35


def people(impressions: I64 | F64, audience: F64, days: float | F64 = 1.0) -> I64:
    """People reached, by the negative binomial reach curve; at least one and at most the impressions.

    Args:
        impressions: Impressions of an object over a period.
        audience: People who might be shown the object on one day.
        days: Length of the period: longer periods see more different people.
    """
    pool = audience * np.power(days, _TURNOVER)
    reached = pool * -np.expm1(-_HETEROGENEITY * np.log1p(impressions / (pool * _HETEROGENEITY)))
    return np.clip(np.ceil(reached), np.minimum(impressions, 1), impressions).astype(np.int64)


def cells(cell_impressions: I64, impressions: I64, reach: I64, overlap: float) -> I64:
    """Reach of the cells of a breakdown; the sum over cells is never below the reach of the whole.

    Args:
        cell_impressions: Impressions of each cell.
        impressions: Impressions of the whole row the cell belongs to.
        reach: Reach of that whole row.
        overlap: How much more than their share cells reach, because people are in several (0 for age or gender).
    """
    share = np.ceil(cell_impressions * (reach / np.maximum(impressions, 1)) * (1.0 + overlap) - 1e-9)
    return np.minimum(np.minimum(share, cell_impressions), np.maximum(reach, 0)).astype(np.int64)
