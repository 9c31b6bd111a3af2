"""Declared experiments and their arms (`ops.experiment`, `ops.experiment_arm`).

What belongs here: their columns, and what a change of them makes due. What does not: reading and checking declarations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from warehouse.ops.mirror import Mirrored
from warehouse.ops.slices import unmark_newest
from warehouse.pool import Connection

EXPERIMENTS = Mirrored(
    "experiment",
    ("account_id", "experiment_id"),
    (
        *("client_id", "name", "study_id", "metric", "minimum_effect", "since", "until", "hypothesis"),
        *("place", "problem"),
    ),
)
ARMS = Mirrored(
    "experiment_arm",
    ("account_id", "experiment_id", "arm_id"),
    ("position", "name", "is_control", "arm_account_id", "level", "objects"),
    frozenset({"objects"}),
)


def mirror_experiments(
    connection: Connection, experiments: Iterable[Mapping[str, Any]], arms: Iterable[Mapping[str, Any]]
) -> int:
    """Stores exactly these. A change makes a build due, and no more: experiments are computed whole at each build.

    Returns:
        How many experiments changed.
    """
    changed = {key[:2] for key in EXPERIMENTS.make_equal(connection, experiments)}
    changed |= {key[:2] for key in ARMS.make_equal(connection, arms)}
    unmark_newest(connection, {account_id for account_id, _ in changed})
    return len(changed)
