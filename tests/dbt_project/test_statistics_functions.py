"""The SQL functions of statistics against scipy, on a grid, on both kinds of server."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy import stats

from tests.databases import Databases
from tests.dbt_project.project import Project
from warehouse.connect import Warehouse

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("statistics")]

DEGREES = [*range(1, 41), 59, 60, 89, 90, 364, 365, 729]
TAILS = [1e-6, 1e-4, 0.0005, 0.005, 0.0125, 0.025, 0.05, 0.1, 0.2, 0.3, 0.45, 0.499, 0.5]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("plain", marks=pytest.mark.integration),
        pytest.param("timescale", marks=[pytest.mark.integration, pytest.mark.timescale]),
    ],
)
def functions(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Project]:
    with databases.fresh(request.param) as url, Warehouse(url) as warehouse, pytest.MonkeyPatch.context() as patch:
        project = Project(warehouse, tmp_path_factory.mktemp("functions"))
        for name, value in project.environment().items():
            patch.setenv(name, value)
        outcome = project.run("build", "--select", "resource_type:function")
        assert outcome.success, outcome.complaints
        yield project


def ask(functions: Project, call: str, types: str, arguments: Sequence[Sequence[Any]]) -> list[float | None]:
    """The call for each row of arguments `a`, `b`, in one statement."""
    columns = ", ".join(f"%s::{name}[]" for name in types.split())
    names = ", ".join("ab"[: len(types.split())])
    with functions.warehouse.connection() as connection:
        rows = connection.execute(
            f"SELECT marts.{call} FROM unnest({columns}) WITH ORDINALITY AS given ({names}, n) ORDER BY n".encode(),
            [list(column) for column in zip(*arguments, strict=True)],
        )
        return [row[0] for row in rows]


def test_normal_cdf(functions: Project) -> None:
    grid = [*np.linspace(-38, 38, 401).tolist(), 0.0]
    found = ask(functions, "normal_cdf(a)", "float8", [[x] for x in grid])
    np.testing.assert_allclose(found, stats.norm.cdf(grid), rtol=1e-12, atol=1e-300)


def test_normal_quantile(functions: Project) -> None:
    tails = [*(10.0**-power for power in range(1, 300, 7)), 0.02424, 0.02425, *np.linspace(0.001, 0.5, 101).tolist()]
    grid = [*tails, *(1 - tail for tail in tails if tail > 1e-9)]
    found = ask(functions, "normal_quantile(a)", "float8", [[p] for p in grid])
    np.testing.assert_allclose(found, stats.norm.ppf(grid), rtol=1e-12, atol=1e-13)


def test_students_t_two_sided_p(functions: Project) -> None:
    statistics = [0.0, 1e-4, 0.1, 0.7, 1.0, 1.96, -2.5, 4.0, 9.0, 30.0, -400.0, 1e6, 1e200]
    grid = list(product(statistics, DEGREES))
    found = ask(functions, "students_t_two_sided_p(a, b)", "float8 int4", grid)
    expected = [2 * stats.t.sf(abs(t), df) for t, df in grid]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    assert all(0 <= p <= 1 for p in found if p is not None)


def test_students_t_quantile(functions: Project) -> None:
    grid = list(product([*TAILS, *(1 - tail for tail in TAILS)], DEGREES))
    found = ask(functions, "students_t_quantile(a, b)", "float8 int4", grid)
    np.testing.assert_allclose(found, [stats.t.ppf(p, df) for p, df in grid], rtol=1e-10, atol=1e-12)


def test_chi_square_tail(functions: Project) -> None:
    grid = list(product([0.0, 1e-9, 0.3, 1.0, 3.84, 10.0, 22.774, 80.0, 800.0, 1e9], range(1, 21)))
    found = ask(functions, "chi_square_tail(a, b)", "float8 int4", grid)
    np.testing.assert_allclose(found, [stats.chi2.sf(x, df) for x, df in grid], rtol=0, atol=1e-13)


@pytest.mark.parametrize(
    ("call", "types", "arguments"),
    [
        ("normal_cdf(a)", "float8", [[None]]),
        ("normal_quantile(a)", "float8", [[None], [0.0], [1.0], [-0.1], [1.1], [float("nan")], [float("inf")]]),
        (
            "students_t_two_sided_p(a, b)",
            "float8 int4",
            [[None, 5], [1.0, None], [1.0, 0], [1.0, -3], [float("nan"), 5]],
        ),
        ("students_t_quantile(a, b)", "float8 int4", [[None, 5], [0.5, None], [0.5, 0], [0.0, 5], [1.0, 5], [2.0, 5]]),
        ("chi_square_tail(a, b)", "float8 int4", [[None, 1], [1.0, None], [1.0, 0], [-1.0, 1], [float("nan"), 1]]),
    ],
)
def test_an_argument_without_meaning_gives_null_and_no_error(
    functions: Project, call: str, types: str, arguments: list[list[Any]]
) -> None:
    assert ask(functions, call, types, arguments) == [None] * len(arguments)


def test_infinity_is_an_end_and_no_error(functions: Project) -> None:
    infinite = float("inf")
    assert ask(functions, "normal_cdf(a)", "float8", [[infinite], [-infinite]]) == [1, 0]
    assert ask(functions, "students_t_two_sided_p(a, b)", "float8 int4", [[infinite, 7], [-infinite, 8]]) == [0, 0]
    assert ask(functions, "chi_square_tail(a, b)", "float8 int4", [[infinite, 3]]) == [pytest.approx(0, abs=1e-200)]


def test_a_thousand_p_values_take_no_second(functions: Project) -> None:
    started = time.monotonic()
    ask(functions, "students_t_two_sided_p(a, b)", "float8 int4", [[i / 300, 27] for i in range(1000)])
    # Reason for so wide a bound: compiled anew in each call, which is what it guards against, they took minutes.
    assert time.monotonic() - started < 10
