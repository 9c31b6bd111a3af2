"""One warehouse, filled and built once; tests change accounts of their own, one after the other (the group `dbt`)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import Databases
from tests.dbt_project import world
from tests.dbt_project.project import Outcome, Project
from warehouse.connect import Warehouse


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
