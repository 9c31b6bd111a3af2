"""Splitting is exact whatever the weights."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulator.world.split import split


@given(
    st.integers(0, 10**9),
    st.lists(st.one_of(st.just(0.0), st.floats(1e-3, 1e3)), min_size=1, max_size=30),
    st.floats(0, 1, exclude_max=True),
)
def test_parts_add_up_and_empty_cells_stay_empty(total, weights, phase):
    parts = split(np.array([total]), np.array([weights]), np.array([phase]))[0]
    assert parts.sum() == total
    assert (parts >= 0).all()
    if sum(weights):
        share = np.array(weights) / sum(weights)
        assert (np.abs(parts - total * share) <= 1 + 1e-6 * total).all()
        assert (parts[share == 0] == 0).all()
