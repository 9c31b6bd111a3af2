"""The commands as a person runs them: what they print, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dashboards.library import load
from orchestration.cli import app
from orchestration.errors import ConfigurationError
from orchestration.settings import Settings
from orchestration.transform import project_version
from tests.dashboards.metabase.conftest import NOW
from tests.dashboards.metabase.marts import AGENCY, Marts, declared
from tests.metabase.client import ADMIN, Metabase
from warehouse.connect import Warehouse

pytestmark = pytest.mark.integration


def write_manifest(folder: Path) -> None:
    """What dbt would write of the project, as far as it is read."""
    nodes = {
        f"model.meta_ads.{table}": {
            "name": table,
            "resource_type": "model",
            "schema": "marts",
            "columns": {name: {"data_type": kind, "description": f"The {name}."} for name, kind in columns.items()},
        }
        for table, columns in declared().items()
    }
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(json.dumps({"nodes": nodes}))


@pytest.fixture
def installation(
    metabase: Metabase, marts: Marts, memory: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Metabase:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "home"
    write_manifest(home / "dbt" / project_version()[:16])
    values = {
        "META_ADS_HOME": str(home),
        "WAREHOUSE_URL": memory.url,
        "METABASE_URL": metabase.url,
        "METABASE_ADMIN_EMAIL": ADMIN["email"],
        "METABASE_ADMIN_PASSWORD": ADMIN["password"],
        "METABASE_WAREHOUSE_URL": f"postgresql://{AGENCY}:s3cret@db:5432/{marts.name}",
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    metabase.options(databases={"db": marts.url}, now=NOW)
    return metabase


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["dashboards", *arguments])


def test_from_an_empty_instance_to_a_quiet_plan(installation: Metabase) -> None:
    assert run("lint").output == f"{len(load().dashboards)} dashboards, 0 mistakes.\n"
    applied = run("apply")
    assert applied.exit_code == 0, applied.output
    assert "Metabase was set up" in applied.output
    assert "s3cret" not in applied.output
    assert ADMIN["password"] not in applied.output
    planned = run("plan")
    assert (planned.exit_code, planned.output.partition(" (")[0]) == (0, "Nothing to do")
    session = installation.post("session", {"username": ADMIN["email"], "password": ADMIN["password"]})["id"]
    installation.headers = {"X-Metabase-Session": session}
    board = next(row for row in installation.get("dashboard") if row["name"] == "Campaigns")
    installation.put(f"dashboard/{board['id']}", {"name": "Renamed"})
    planned = run("plan")
    assert planned.exit_code == 3
    assert "update" in planned.output
    assert "Agency: Campaigns" in planned.output
    assert installation.get(f"dashboard/{board['id']}")["name"] == "Renamed"
    mended = run("apply")
    assert "Changed by hand, is set back: dashboard Agency: Campaigns: name" in mended.output
    assert installation.get(f"dashboard/{board['id']}")["name"] == "Campaigns"
    pruned = run("prune")
    assert (pruned.exit_code, pruned.output.partition(" (")[0]) == (0, "Nothing to put away")


@pytest.mark.parametrize("missing", ["METABASE_URL", "METABASE_WAREHOUSE_URL"])
def test_a_setting_that_is_missing_is_named(
    installation: Metabase, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(missing)
    done = run("plan")
    assert isinstance(done.exception, ConfigurationError)
    assert missing in str(done.exception)


def test_tables_are_listed_with_their_columns(installation: Metabase) -> None:
    listed = run("tables").output
    assert "dim_day\n" in listed
    assert "account_id bigint" in listed
