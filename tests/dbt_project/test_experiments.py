"""The A/B marts: equal to an independent Python implementation, and a reason for everything that cannot be told."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from psycopg.rows import dict_row

from tests.databases import Databases
from tests.dbt_project import experiment_world as world
from tests.dbt_project.experiment_world import FIRST, NUMBERS, PULLED, Case, Sums
from tests.dbt_project.project import Project
from tests.statistics.reference import Arm, Plan, compare_all
from warehouse.connect import Warehouse

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("experiments")]

CASES = world.cases()
#: Column of the mart -> key of the reference.
COLUMNS = {
    "paired_days": "paired_days",
    "control_value": "control_value",
    "arm_value": "arm_value",
    "log_effect": "log_effect",
    "effect": "effect",
    "effect_low": "effect_low",
    "effect_high": "effect_high",
    "p": "p_value",
    "p_adjusted": "p_value_adjusted",
    "effect_always_low": "always_valid_effect_low",
    "effect_always_high": "always_valid_effect_high",
    "p_always": "always_valid_p",
    "p_always_adjusted": "always_valid_p_adjusted",
    "standard_error": "standard_error",
    "standard_error_days": "standard_error_days",
    "standard_error_counts": "standard_error_counts",
    "degrees_of_freedom": "degrees_of_freedom",
    "dispersion": "dispersion",
    "autocorrelation": "autocorrelation",
    "drift_factor": "drift_factor",
    "chance_to_win": "chance_to_win",
    "expected_loss": "expected_loss",
    "power_now": "power_now",
    "minimum_detectable_effect": "minimum_detectable_effect",
    "days_needed": "days_needed",
    "days_still_needed": "days_still_needed",
}


@pytest.fixture(scope="module")
def lab(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with databases.fresh("plain") as url, Warehouse(url) as warehouse, pytest.MonkeyPatch.context() as patch:
        opened = Project(warehouse, tmp_path_factory.mktemp("experiments"))
        for name, value in opened.environment().items():
            patch.setenv(name, value)
        world.load(warehouse, CASES)
        declare_bad_ones(warehouse)
        built = opened.run("build", "--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")
        assert built.success, built.complaints
        # Reason: negative counts, which are wanted here, fail the tests of the facts.
        tested = opened.run("test", "--select", "mart_ab_test+", "int_experiments+", "--exclude", "test_type:unit")
        assert tested.success, tested.complaints
        assert len(tested.of_kind("test")) > 15
        yield opened


def table(lab: Project, name: str, where: str = "true") -> list[dict[str, Any]]:
    with lab.warehouse.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(f"SELECT * FROM marts.{name} WHERE {where}".encode()).fetchall()


def reference(case: Case) -> dict[tuple[str, str], dict[str, Any]]:
    """What the Python implementation says of a case: from its mature days, as the day of the pull knew them."""
    known = (PULLED[case.account].date() - timedelta(days=28) - FIRST).days + 1
    days = min(case.days, known, case.planned_days or case.days)
    weekdays = [(FIRST + timedelta(days=offset)).isoweekday() for offset in range(days)]
    plan = Plan(
        minimum_effect=case.minimum_effect or None,
        planned_days=case.planned_days,
        running=case.planned_days is None or case.planned_days > min(known, 35),
        weekdays=weekdays,
    )
    control, *arms = (as_arm(sums, days) for sums in case.arms)
    return compare_all(control, {f"arm-{n}": arm for n, arm in enumerate(arms, 2)}, case.metric, plan)


def as_arm(sums: Sums, days: int) -> Arm:
    return Arm(**{name: sums[name][:days] for name in NUMBERS})


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_sql_equals_python(lab: Project, case: Case) -> None:
    expected = reference(case)
    found = {
        (row["metric"], row["arm_id"]): row
        for row in table(lab, "mart_ab_test_result", f"experiment_name = '{case.name}'")
    }
    assert found.keys() == expected.keys()
    wrong = []
    for key, row in found.items():
        for column, name in COLUMNS.items():
            ours, theirs = row[column], expected[key][name]
            if not same(ours, theirs):
                wrong.append((key, column, ours, theirs))
        if row["verdict"] != expected[key]["verdict"]:
            wrong.append((key, "verdict", row["verdict"], expected[key]["verdict"], row["reason"]))
    assert not wrong, wrong


def same(ours: Any, theirs: Any) -> bool:
    if ours is None or theirs is None:
        return ours is None and theirs is None
    return math.isfinite(ours) and abs(float(ours) - float(theirs)) <= 1e-9 * max(1.0, abs(float(theirs)))


def declare_bad_ones(warehouse: Warehouse) -> None:
    """Experiments that cannot be judged, on the ads of the cases."""
