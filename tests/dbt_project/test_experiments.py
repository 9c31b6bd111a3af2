"""The A/B marts: equal to an independent Python implementation, and a reason for everything that cannot be told."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, timedelta
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


#: Name -> (columns of the declaration, objects of each arm (the last may lie in another account), what is said).
YEN = 703
BAD: dict[str, tuple[dict[str, Any], list[list[dict[str, str]]], str]] = {
    "one-arm": ({}, [[{"id": "701000"}]], "it has 1 arm(s); a comparison needs two"),
    "no-arm": ({}, [], "it has 0 arm(s); a comparison needs two"),
    "overlap": ({}, [[{"id": "701000"}, {"id": "701001"}], [{"id": "701001"}]], "1 ad(s) belong to more than one arm"),
    "unknown": ({}, [[{"id": "701000"}], [{"name": "Typo"}]], "not found in the account: ad Typo"),
    "not-a-number": ({}, [[{"id": "701000"}], [{"id": "x1"}]], "not found in the account: ad x1"),
    "no-days": (
        {"since": date(2020, 1, 1), "until": date(2020, 1, 31)},
        [[{"id": "701000"}], [{"id": "701001"}]],
        "no day of the experiment is in the warehouse",
    ),
    "reversed": (
        {"since": date(2026, 8, 20), "until": date(2026, 8, 1)},
        [[{"id": "701000"}], [{"id": "701001"}]],
        "no day of the experiment is in the warehouse",
    ),
    "problem": (
        {"problem": "reversed dates in clients.yml:9"},
        [[{"id": "701000"}]],
        "reversed dates in clients.yml:9",
    ),
    "no-such-study": ({"study_id": 77, "since": None}, [], "Meta lists no split test of this id in the account"),
    "metric": ({"metric": "cpc"}, [[{"id": "701000"}], [{"id": "701001"}]], "unknown metric cpc"),
    "other-currency": (
        {"until": date(2026, 8, 14)},
        [[{"id": "701000"}], [{"id": "703000"}]],
        "the arms are in different currencies, so money cannot be compared",
    ),
    "no-conversions": (
        {"account_id": YEN, "metric": "cvr", "until": date(2026, 8, 14)},
        [[{"id": "703000"}], [{"id": "703001"}]],
        "the account declares no conversion",
    ),
}


def declare_bad_ones(warehouse: Warehouse) -> None:
    """Experiments that cannot be judged, on the ads of the cases."""
    yen = world.Case("yen", CASES[0].arms[:2], YEN, "ctr", 0.1, None)
    world.PULLED.setdefault(YEN, PULLED[701])
    world.load(warehouse, [yen])
    with warehouse.connection() as connection:
        connection.execute(
            'UPDATE raw.accounts SET payload = payload || \'{"currency": "JPY"}\' WHERE account_id = %s', [YEN]
        )
        connection.execute(
            "UPDATE ops.client_account SET conversion_action = NULL, value_action = NULL WHERE account_id = %s", [YEN]
        )
    for name, (columns, arms, _) in BAD.items():
        account = columns.get("account_id", 701)
        world.experiment(warehouse, account, name, **{key: x for key, x in columns.items() if key != "account_id"})
        for position, objects in enumerate(arms, 1):
            home = YEN if any(item.get("id", "").startswith("703") for item in objects) else account
            world.arm(warehouse, account, name, position, objects, arm_account=home)


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_judged_says_why(lab: Project, name: str) -> None:
    identifier = "study-77" if name == "no-such-study" else name
    (row,) = table(lab, "mart_ab_test", f"experiment_id = '{identifier}'")
    expected = "not enough data" if name in {"no-days", "reversed"} else "invalid"
    assert (row["verdict"], row["reason"]) == (expected, BAD[name][2])
    assert row["winner_arm_id"] is None
    for result in table(lab, "mart_ab_test_result", f"experiment_id = '{identifier}' AND is_primary"):
        assert result["verdict"] == expected
        assert result["winner_arm_id"] is None


def test_money_is_not_compared_across_currencies_but_rates_are(lab: Project) -> None:
    rows = {row["metric"]: row for row in table(lab, "mart_ab_test_result", "experiment_id = 'other-currency'")}
    assert {metric for metric, row in rows.items() if "currencies" in row["reason"]} == {"cpa", "roas", "cpm"}
    assert rows["ctr"]["effect"] is not None
    assert {row["currency"] for row in rows.values()} == {None}


def test_the_curve_ends_where_the_result_stands(lab: Project) -> None:
    ends = lab.rows(
        "SELECT count(*), count(*) FILTER (WHERE result.effect IS NOT DISTINCT FROM daily.effect"
        " AND result.p IS NOT DISTINCT FROM daily.p AND result.p_always IS NOT DISTINCT FROM daily.p_always)"
        " FROM marts.mart_ab_test_result AS result JOIN marts.mart_ab_test_daily AS daily"
        " USING (account_id, experiment_id, metric, arm_id) WHERE daily.is_mature AND daily.day = result.last_day"
    )[0]
    assert ends[0] == ends[1] > 150
    # Immature days go on with the curve and decide nothing.
    rows = lab.rows(
        "SELECT max(day) FILTER (WHERE is_mature), max(day) FROM marts.mart_ab_test_daily WHERE account_id = 702"
    )
    assert rows == [(FIRST + timedelta(days=17), FIRST + timedelta(days=30))]


def test_a_later_look_at_the_curve_is_an_experiment_of_that_length(lab: Project) -> None:
    case = next(case for case in CASES if case.days == 28 and case.planned_days == 28)
    cut = Case(
        case.name, [{name: values[:11] for name, values in sums.items()} for sums in case.arms], metric=case.metric
    )
    plan = Plan(minimum_effect=case.minimum_effect, planned_days=28, running=True)
    control, *arms = (as_arm(sums, 11) for sums in cut.arms)
    expected = compare_all(control, {f"arm-{n}": arm for n, arm in enumerate(arms, 2)}, case.metric, plan)
    day = FIRST + timedelta(days=10)
    found = table(lab, "mart_ab_test_daily", f"experiment_name = '{case.name}' AND day = '{day}'")
    assert len(found) == len(expected)
    for row in found:
        other = expected[row["metric"], row["arm_id"]]
        for column in ("effect", "p", "p_always", "effect_low", "effect_always_high", "drift_factor"):
            assert same(row[column], other[COLUMNS[column]]), (row["metric"], column)


def test_building_again_touches_nothing(lab: Project) -> None:
    def versions() -> list[tuple[Any, ...]]:
        return lab.rows(
            "SELECT experiment_id, metric, arm_id, xmin::text FROM marts.mart_ab_test_result"
            " UNION ALL SELECT experiment_id, NULL, NULL, xmin::text FROM marts.mart_ab_test ORDER BY 1, 2, 3"
        )

    before = versions()
    outcome = lab.run("run", "--select", "int_experiments+", "config.materialized:incremental")
    assert outcome.success, outcome.complaints
    assert versions() == before
