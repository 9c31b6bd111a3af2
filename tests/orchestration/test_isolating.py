"""Which clients are declared, what a build does for their schemas, and `meta-ads clients sync` as a person runs it."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from rich.console import Console

from orchestration import build
from orchestration.build import build_marts
from orchestration.clients import ClientsFile, parse_clients
from orchestration.commands.data import show_build
from orchestration.commands.shared import out
from orchestration.isolating import keep_clients_apart
from orchestration.platform import Platform
from orchestration.progress import Display
from orchestration.settings import load_settings
from orchestration.transform import TransformError, TransformResult, project_version
from tests.databases import Databases
from tests.warehouse.isolation.agency import ACCOUNTS, ACME, BLOOM, CORVID, Agency, make_agency
from warehouse.connect import Warehouse

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]


@pytest.fixture
def agency(databases: Databases) -> Iterator[Agency]:
    with databases.fresh("plain") as url, Warehouse(url) as warehouse:
        made = make_agency(warehouse)
        yield made
        made.forget_roles()


def text(agency: Agency, clients: Mapping[str, Sequence[int]]) -> str:
    lines = ["version: 1", "clients:"]
    for client, accounts in clients.items():
        lines += [f"  - id: {agency.id(client)}", f"    name: Name of {client}", "    accounts:"]
        lines += [f"      - id: act_{account}" for account in accounts]
    return "\n".join(lines) + "\n"


def platform(agency: Agency, folder: Path, *clients: str, moved: int | None = None) -> Platform:
    """An installation that declares these clients (all that there are, without a file); the last one has one more."""
    wanted = {client: [number for number in ACCOUNTS[client] if number != moved] for client in clients}
    if moved is not None:
        wanted[clients[-1]].append(moved)
    declared = parse_clients(text(agency, wanted), folder / "clients.yml") if clients else ClientsFile(version=1)
    settings = load_settings(None, meta_ads_home=folder / "home")
    return Platform(settings, declared, agency.warehouse, Display(Console(file=io.StringIO())))


def schemas(agency: Agency) -> set[str]:
    """Those that hold views."""
    found = agency.rows("SELECT DISTINCT relnamespace::regnamespace::text FROM pg_class WHERE relkind = 'v'")
    return {name for (name,) in found if name.startswith("client_")}


def test_the_clients_of_the_file_have_schemas_and_without_one_all_have(agency: Agency, tmp_path: Path) -> None:
    assert keep_clients_apart(platform(agency, tmp_path, ACME, BLOOM)) is None
    assert schemas(agency) == {agency.schema(ACME), agency.schema(BLOOM)}
    assert keep_clients_apart(platform(agency, tmp_path)) is None
    assert schemas(agency) == {agency.schema(client) for client in ACCOUNTS}
    assert keep_clients_apart(platform(agency, tmp_path, CORVID)) is None
    assert schemas(agency) == {agency.schema(CORVID)}


def test_a_build_goes_on_where_the_schemas_cannot_be_made_and_says_why(
    agency: Agency, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    agency.run(
        f"CREATE SCHEMA {agency.schema(ACME)}",
        "DELETE FROM ops.slice",
        f"INSERT INTO ops.mart_build (status, slices, project) VALUES ('succeeded', 0, '{project_version()}')",
    )
    with caplog.at_level(logging.WARNING):
        summary = build_marts(platform(agency, tmp_path, ACME, BLOOM))
    assert summary.result is None  # nothing was due
    assert summary.isolation_problem is not None
    assert f"{agency.schema(ACME)} exists and belongs to somebody else" in summary.isolation_problem
    assert any("schemas are not up to date" in record.message for record in caplog.records)
    assert schemas(agency) == {agency.schema(BLOOM)}
    with out.capture() as told:
        show_build(summary)
    assert f"{agency.schema(ACME)} exists" in told.get()
    agency.run(f"DROP SCHEMA {agency.schema(ACME)}")
    assert build_marts(platform(agency, tmp_path, ACME, BLOOM)).isolation_problem is None
    assert schemas(agency) == {agency.schema(ACME), agency.schema(BLOOM)}


def test_a_moved_account_is_closed_before_dbt_runs_and_open_after_and_dropped_views_are_back(
    agency: Agency, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What dbt does to the views is tested with dbt (tests/dbt_project/test_isolation.py); here its place is taken."""
    seen: list[tuple[list[int], list[int]]] = []
    failure: list[TransformError] = []

    def run_dbt(*arguments: object, **options: object) -> TransformResult:
        seen.append((accounts(agency, ACME), accounts(agency, BLOOM)))
        agency.run(
            "UPDATE marts.dim_account SET client_id = declared.client_id FROM ops.client_account AS declared "
            "WHERE declared.account_id = dim_account.account_id",
            "CREATE TABLE marts.mart_daily__dbt_tmp AS SELECT * FROM marts.mart_daily",
            "DROP TABLE marts.mart_daily CASCADE",
            "ALTER TABLE marts.mart_daily__dbt_tmp RENAME TO mart_daily",
        )
        for problem in failure:
            raise problem
        return TransformResult(1, 0, (), 0.1)

    monkeypatch.setattr(build, "run_dbt", run_dbt)
    assert build_marts(platform(agency, tmp_path, ACME, BLOOM)).isolation_problem is None
    assert accounts(agency, ACME) == [101, 102]
    failure.append(TransformError("a test of the data failed"))
    for _ in range(2):
        with pytest.raises(TransformError):
            build_marts(platform(agency, tmp_path, ACME, BLOOM, moved=101))
        assert seen[-1] == ([102], [201, 202, 203])
        assert (accounts(agency, ACME), accounts(agency, BLOOM)) == ([102], [201, 202, 203])
    failure.clear()
    build_marts(platform(agency, tmp_path, ACME, BLOOM, moved=101))
    assert seen[-1] == ([102], [201, 202, 203])
    assert (accounts(agency, ACME), accounts(agency, BLOOM)) == ([102], [101, 201, 202, 203])


def accounts(agency: Agency, client: str) -> list[int]:
    found = agency.rows(f"SELECT DISTINCT account_id FROM {agency.schema(client)}.mart_daily ORDER BY 1")
    return [number for (number,) in found]


def test_the_command_shows_each_client_and_fails_where_a_login_may_do_too_much(agency: Agency, tmp_path: Path) -> None:
    (tmp_path / "clients.yml").write_text(text(agency, {client: ACCOUNTS[client] for client in (ACME, BLOOM)}))
    done = run(agency, tmp_path)
    assert done.returncode == 0, done.stderr
    (acme,) = [line for line in done.stdout.splitlines() if agency.id(ACME) in line]
    assert [cell.strip() for cell in acme.strip("│ ").split("│")] == [
        agency.id(ACME),
        agency.schema(ACME),
        "2",
        "7",
        "7 new",
        "-",
    ]
    assert "marts.mart_totals has no account_id: no client sees it" in done.stdout
    role = agency.let_in(ACME)
    agency.run(f"GRANT pg_read_all_data TO {role}")
    done = run(agency, tmp_path)
    assert done.returncode == 1
    assert f"{role} could do more than read its schema" in done.stdout
    assert f"REVOKE pg_read_all_data FROM {role};" in done.stdout


def run(agency: Agency, folder: Path) -> subprocess.CompletedProcess[str]:
    ours = ("META_", "WAREHOUSE_", "DAGSTER_", "ALERT_", "SMTP_", "CLIENTS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    own = {
        "META_ADS_HOME": str(folder / "home"),
        "WAREHOUSE_URL": agency.warehouse.url,
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "orchestration.cli", "clients", "sync"]
    return subprocess.run(command, cwd=folder, env=kept | own, capture_output=True, text=True, timeout=120)
