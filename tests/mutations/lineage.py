"""What a bug can reach: from the text that it changes to models, their unit tests and the test modules that know them.

What belongs here: reading dbt's manifest of the sound project. What does not: running anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from tests.mutations.mutant import Mutant

_BASIC = ("test_build", "test_facts", "test_incremental")
#: Folder or file of the bug -> the test modules that know it. What dbt's own tests let pass must pass all of these.
_NEAREST = (
    ("models/intermediate/experiments/", ("test_experiments",)),
    ("models/marts/experiments/", ("test_experiments",)),
    ("macros/experiments.sql", ("test_experiments",)),
    ("functions/safe_div.sql", _BASIC),
    ("functions/", ("test_statistics_functions", "test_experiments")),
    ("models/intermediate/history/", ("test_history",)),
    ("models/marts/history/", ("test_history",)),
    ("models/marts/budget/", ("test_history", "test_incremental")),
    ("macros/as_of_day.sql", ("test_history",)),
    ("macros/object_changes.sql", ("test_history",)),
    ("macros/delivery.sql", ("test_history",)),
    ("macros/lookback_replace.sql", ("test_history", "test_incremental")),
    ("macros/performance_daily.sql", (*_BASIC, "test_periods")),
    ("macros/performance_columns.sql", ("test_build", "test_periods")),
    ("macros/performance_period.sql", ("test_periods",)),
    ("macros/creative_daily.sql", ("test_history", "test_periods")),
    ("models/marts/creative/", ("test_periods",)),
    ("models/marts/funnel/", ("test_build", "test_periods")),
    ("models/marts/custom/", ("test_build", "test_periods")),
    ("macros/slice_replace.sql", ("test_incremental", "test_periods", "test_history")),
    ("macros/maturity.sql", (*_BASIC, "test_maturity")),
    ("macros/maturity_adjusted.sql", ("test_maturity",)),
    ("models/intermediate/int_maturity", ("test_maturity",)),
    ("models/marts/maturity/", ("test_maturity",)),
)


@dataclass(frozen=True)
class Reach:
    """Which nodes a bug changes, by name, for dbt's `--select`.

    Attributes:
        models: Models and snapshots whose own text the bug changes; empty if it cannot be told (a macro that dbt finds
            by its name, as that of an incremental strategy).
        functions: SQL functions that the bug changes.
    """

    models: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()


def reach(mutant: Mutant, manifest: dict[str, Any]) -> Reach:
    """What the mutant changes."""
    stem = PurePosixPath(mutant.file).stem
    if mutant.file.startswith("functions/"):
        return Reach(functions=(stem,))
    if mutant.file.startswith("models/"):
        return Reach(models=(stem,))
    changed = {
        identity
        for identity, macro in manifest["macros"].items()
        if macro["original_file_path"] == mutant.file and mutant.old.strip() in macro["macro_sql"]
    }
    return Reach(models=tuple(sorted(_users(changed, manifest))))


def _users(macros: set[str], manifest: dict[str, Any]) -> Iterable[str]:
    """Names of the models and snapshots that use one of the macros, or a macro that does."""
    while True:
        wider = macros | {
            identity
            for identity, macro in manifest["macros"].items()
            if macros.intersection(macro["depends_on"]["macros"])
        }
        if wider == macros:
            break
        macros = wider
    return {
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] in ("model", "snapshot") and macros.intersection(node["depends_on"]["macros"])
    }


def modules(mutant: Mutant) -> list[str]:
    """The modules of `tests/dbt_project` that know the bug's place."""
    names = next((names for place, names in _NEAREST if mutant.file.startswith(place)), _BASIC)
    return [f"tests/dbt_project/{name}.py" for name in names]
