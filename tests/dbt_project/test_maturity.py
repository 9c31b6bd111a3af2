"""Maturity curves against a world whose delays are known: pulled every morning, and pulled once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulator.world import build_world
from simulator.world.maturity import describe
from tests.databases import Databases
from tests.dbt_project.project import Project
from tests.dbt_project.revisions import Shop, shops
from warehouse.connect import Warehouse

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("dbt")]

TODAY = date(2026, 11, 20)
YESTERDAY = TODAY - timedelta(days=1)
SIZE = "accounts=1,campaigns=4,adsets=2,ads_per_adset=3,history=120"
CURVES = "mart_performance_daily__campaign mart_maturity_adjusted_daily__account mart_maturity_adjusted_daily__campaign"


@contextmanager
def opened(databases: Databases, folder: Path) -> Iterator[Project]:
    with databases.fresh("plain") as url, Warehouse(url) as warehouse, pytest.MonkeyPatch.context() as patch:
        project = Project(warehouse, folder)
        for name, value in project.environment().items():
            patch.setenv(name, value)
        yield project


def build(project: Project) -> None:
    kinds = ("--exclude-resource-type", "unit_test", "--exclude-resource-type", "test")
    outcome = project.run("build", *kinds, "--select", *(f"+{name}" for name in CURVES.split()))
    assert outcome.success, outcome.complaints


def curve(project: Project, window: str) -> dict[int, tuple[Any, ...]]:
    return {
        row[0]: row[1:]
        for row in project.rows(
            "SELECT age_days, basis, share, share_low, share_high FROM marts.mart_maturity_curve"
            f" WHERE attribution_window = '{window}' AND measure = 'conversions' ORDER BY age_days"
        )
    }


def truth(window: str) -> dict[float, float]:
    """Shares by age. Age 1 of a morning's pull is a day and six hours after the day began."""
    told = describe()
    return dict(zip(told["age_days"], told["share_of_final"][window], strict=True))


def estimates(project: Project, shop: Shop, window: str) -> list[tuple[int, float, float, float, float, float]]:
    """Age, reported, adjusted, low and high of each campaign day, and what it was in the end."""
    final: dict[tuple[date, int], float] = defaultdict(float)
    for day, campaign, count, _ in shop.final(TODAY - timedelta(days=28), YESTERDAY, window):
        final[day, campaign] += count
    return [
        (age, *(float(number) for number in numbers), final[day, campaign])
        for age, *numbers, day, campaign in project.rows(
            "SELECT age_days, conversions, conversions_adjusted, conversions_low, conversions_high, day, campaign_id"
            " FROM marts.mart_maturity_adjusted_daily__campaign WHERE conversions_estimate = 'estimated'"
        )
    ]


def check_form(points: dict[int, tuple[Any, ...]]) -> None:
    """Shares never fall, end at 1 and lie within their limits."""
    assert list(points) == list(range(29))
    shares = [share for _, share, _, _ in points.values() if share is not None]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert all(low <= share <= high for _, share, low, high in points.values() if share is not None)


def test_a_curve_measured_on_daily_pulls_finds_the_worlds_delays(databases: Databases, tmp_path: Path) -> None:
    (shop,) = shops(build_world(7, SIZE, TODAY))
    with opened(databases, tmp_path) as project:
        shop.register(project.warehouse, "28d_click")
        shop.pull_daily(project.warehouse, TODAY - timedelta(days=50), TODAY)
        build(project)
        for window in ("7d_click", "28d_click"):
            points, known = curve(project, window), truth(window)
            check_form(points)
            assert {points[age][0] for age in range(1, 29)} == {"revisions"}
            for age in (1, 2, 3, 5, 7, 10, 14):
                below = known[float(age)]
                above = known.get(age + 0.5, known[next(a for a in sorted(known) if a > age)])
                assert below - 0.03 <= float(points[age][1]) <= above + 0.03, (window, age)
        found = estimates(project, shop, "28d_click")
        young = [row for row in found if row[0] <= 14]
        covered = sum(low <= final <= high for _, _, _, low, high, final in young) / len(young)
        reported, adjusted, final = (sum(row[place] for row in young) for place in (1, 2, 5))
        assert len(young) > 40
        assert reported / final < 0.9
        assert adjusted / final == pytest.approx(1, abs=0.06)
        assert 0.65 <= covered <= 0.97


def test_a_history_pulled_at_once_still_tells_the_delays_from_nested_windows(
    databases: Databases, tmp_path: Path
) -> None:
    (shop,) = shops(build_world(7, SIZE, TODAY))
    with opened(databases, tmp_path) as project:
        shop.register(project.warehouse, "7d_click")
        shop.pull(project.warehouse, TODAY, TODAY - timedelta(days=90), YESTERDAY)
        build(project)
        points, known = curve(project, "7d_click"), truth("7d_click")
        check_form(points)
        assert {points[age][0] for age in range(1, 29)} == {"windows"}
        for age in (1, 2, 3, 5, 7):
            _, share, low, high = points[age]
            assert float(share) == pytest.approx(known[float(age)], abs=0.06)
            assert low < share <= high
        viewed = curve(project, "1d_view")
        assert {viewed[age][0] for age in range(28)} == {"none"}
        assert {viewed[age][1] for age in range(28)} == {None}
