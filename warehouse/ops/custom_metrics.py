"""Declared metrics (`ops.custom_metric`).

What belongs here: their columns, and what a change of them makes due. What does not: reading and checking declarations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from warehouse.ops.mirror import Mirrored
from warehouse.ops.slices import unmark
from warehouse.pool import Connection

CUSTOM_METRICS = Mirrored(
    "custom_metric",
    ("account_id", "metric"),
    ("label", "numerator", "denominator", "multiplier", "format", "is_lower_better", "place", "problem"),
)


def mirror_custom_metrics(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> int:
    """Stores exactly these; every day of an account whose metrics changed is built again.

    Returns:
        How many metrics changed, counted once for each account.
    """
    changed = CUSTOM_METRICS.make_equal(connection, rows)
    unmark(connection, {account_id for account_id, _ in changed})
    return len(changed)
