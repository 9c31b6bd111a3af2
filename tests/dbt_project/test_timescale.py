"""The first build on TimescaleDB, with every unit test and data test: the SQL means the same there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.databases import Databases
from tests.dbt_project import world
from tests.dbt_project.project import Project
from warehouse.connect import Warehouse

pytestmark = [pytest.mark.integration, pytest.mark.timescale, pytest.mark.xdist_group("dbt-timescale")]


def test_every_test_of_the_project_holds_on_timescale(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with databases.fresh("timescale") as url, Warehouse(url) as warehouse:
        project = Project(warehouse, tmp_path)
        for name, value in project.environment().items():
            monkeypatch.setenv(name, value)
        world.fill(warehouse)
        built = project.run("build")
        assert built.success, built.complaints
        assert built.complaints == []
        assert len(built.of_kind("unit_test")) >= 90
        assert len(built.of_kind("test")) >= 350
        (version,) = project.rows("SELECT extname FROM pg_extension WHERE extname = 'timescaledb'")
        assert version == ("timescaledb",)
