"""One warehouse, filled and built once; tests change accounts of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import Databases
from tests.dbt_project import world
from tests.dbt_project.project import Outcome, Project
from warehouse.connect import Warehouse


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All of them on one worker: each worker would build a warehouse of its own, which takes a minute."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent) and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("dbt"))


@pytest.fixture(scope="session")
def project(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with databases.fresh("plain") as url, Warehouse(url) as warehouse, pytest.MonkeyPatch.context() as patch:
        opened = Project(warehouse, tmp_path_factory.mktemp("dbt"))
        for name, value in opened.environment().items():
            patch.setenv(name, value)
        yield opened


@pytest.fixture(scope="session")
def parsed(project: Project) -> Outcome:
    return project.run("parse", "--no-partial-parse", "--show-all-deprecations")


@pytest.fixture(scope="session")
def built(parsed: Outcome, project: Project) -> Outcome:
    """The first build, on which every model, test and unit test ran."""
    world.fill(project.warehouse)
    return project.run("build")


@pytest.fixture
def marts(built: Outcome, project: Project) -> Project:
    assert built.success, built.complaints
    return project
