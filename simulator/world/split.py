"""Splitting whole numbers so that the parts add up exactly.

What belongs here: the arithmetic. What does not: which cells there are.
"""

from __future__ import annotations

import numpy as np

from simulator.world.hashing import F64, I64


def split(total: I64, weights: F64, phase: F64) -> I64:
    """Split each total over the cells of its row in proportion to weights.

    The running total is rounded with a random phase, so a cell's expectation is exact, cells of weight zero stay
    empty, and the parts of a row always sum to its total.

    Args:
        total: Shape (n,), not negative.
        weights: Shape (n, cells), not negative; a row of zeros gets its total in the last cell.
        phase: Shape (n,), in [0, 1).

    Returns:
        Shape (n, cells).
    """
    running = np.cumsum(weights, axis=1)
    whole = running[:, -1:]
    np.divide(running, whole, out=running, where=whole > 0)
    # Reason: the last positive cell divides to exactly one; trailing cells of weight zero then stay empty.
    edges = np.floor(total[:, None] * running + phase[:, None]).astype(np.int64)
    np.minimum(edges, total[:, None], out=edges)
    edges[:, -1] = total
    edges[:, 1:] -= edges[:, :-1].copy()
    return edges
