"""Totals that only grow (`ops.counter`): what monitoring reads, whatever is purged beside them.

What belongs here: adding. What does not: what is counted (`warehouse.ops.work`, `warehouse.ops.runs`,
`warehouse.ops.usage`), how it is shown (`warehouse.ops.metrics`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from warehouse.pool import Connection
from warehouse.sqlvalues import jsonb

SLICES = "slices_written"
ROWS = "rows_written"
CALLS = "api_calls"
WAITS = "throttle_waits"
WAIT_SECONDS = "throttle_wait_seconds"
REFUSALS = "throttle_refusals"
RUNS = "runs"
BUILDS = "builds"

Labels = tuple[tuple[str, str], ...]
Additions = Mapping[tuple[str, Labels], float]

# Reason for the order: two processes that add to the same totals would otherwise wait for each other.
_ADD = """
    INSERT INTO ops.counter AS held (name, labels, value)
    SELECT name, labels, value
    FROM unnest(%s::text[], %s::jsonb[], %s::float8[]) AS given (name, labels, value)
    WHERE value > 0
    ORDER BY name, labels
    ON CONFLICT (name, labels) DO UPDATE SET value = held.value + excluded.value
"""


def add(connection: Connection, additions: Additions) -> None:
    """Adds to totals; the caller opens the transaction. Rows stay locked until it ends, so do this last.

    Args:
        connection: In a transaction, or in autocommit mode.
        additions: By name and labels; what is not above zero is left out.
    """
    if not additions:
        return
    names: list[str] = []
    labels: list[Any] = []
    values: list[float] = []
    for (name, pairs), value in additions.items():
        names.append(name)
        labels.append(jsonb(dict(pairs)))
        values.append(float(value))
    connection.execute(_ADD, [names, labels, values])
