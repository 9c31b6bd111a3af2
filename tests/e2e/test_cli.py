"""What a person sees who types something wrong: one clear error, exit code 2, nothing half-written."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import pytest

from orchestration import cli
from orchestration.redaction import redactor
from tests.e2e.harness import Simulator, account_ids, scalar
from warehouse.connect import Warehouse

pytestmark = pytest.mark.integration

WITH_MARTS = pytest.mark.parametrize("warehouse_url", [True], indirect=True, ids=["marts"])
HEADER = "Campaign Name;Date;Spend [USD];Impressions;Reach;Website Clicks;Purchase\n"


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


@pytest.fixture
def warehouse_url(databases, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Migrated; with `WITH_MARTS`, the empty marts stand in it as well."""
    with databases.built(tmp_path / "home") if hasattr(request, "param") else databases.fresh("plain") as url:
        yield url


@pytest.fixture
def run(
    simulator: Simulator,
    warehouse_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Result]:
    """`meta-ads` in this process, on a simulator and a fresh database, in an empty folder."""
    for name, value in {
        "META_ACCESS_TOKEN": "SIMULATOR",
        "META_GRAPH_URL": simulator.url,
        "WAREHOUSE_URL": warehouse_url,
        "META_ADS_HOME": str(tmp_path / "home"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CLIENTS_FILE", raising=False)
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["meta-ads", *arguments])
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return Result(code, captured.out, captured.err)

    yield call
    redactor.add()  # keeps what was registered: secrets stay secret for later tests


def test_pull_of_named_days_without_marts(run, simulator, warehouse_url):
    account = account_ids(simulator)[0]
    result = run(
        "pull",
        "--account",
        f"act_{account}",
        "--report",
        "ad_daily",
        "--since",
        "2026-09-01",
        "--until",
        "2026-09-02",
        "--no-marts",
    )
    assert result.code == 0, result.text
    assert "2 slices" in result.out
    with Warehouse(warehouse_url) as warehouse:
        assert scalar(warehouse, "SELECT count(*) FROM ops.slice") == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("pull", "--since", "2026-13-01"), "2026-13-01"),
        (("pull", "--since", "2026-09-02", "--until", "2026-09-01"), "lies after"),
        (("pull", "--until", "2026-09-01"), "--until needs --since"),
        (("pull", "--since", "2099-01-01"), "future"),
        (("pull", "--account", "act_999"), "act_999"),
        (("pull", "--account", "My Shop"), "My Shop"),
        (("pull", "--report", "ad_weekly"), "ad_weekly"),
        (("import", "nowhere.csv"), "nowhere.csv"),
    ],
)
def test_mistyped(run, warehouse_url, arguments, said):
    result = run(*arguments)
    assert result.code == 2, result.text
    assert said in result.text
    assert "To mend it" in result.err
    with Warehouse(warehouse_url) as warehouse:
        assert scalar(warehouse, "SELECT count(*) FROM ops.slice") == 0


def test_malformed_clients_file_names_every_line(run, tmp_path, monkeypatch):
    (tmp_path / "clients.yml").write_text("version: 1\nclients:\n  - id: a\n    nmae: A\n    accounts: [{id: act_x}]\n")
    result = run("pull")
    assert result.code == 2
    assert "clients.yml:4" in result.text
    assert "name" in result.text  # did you mean
    assert "clients.yml:5" in result.text


def test_no_database(run, monkeypatch):
    monkeypatch.setenv("WAREHOUSE_URL", "postgresql://someone:hunter2-secret@127.0.0.1:1/none")
    result = run("pull")
    assert result.code == 2
    assert "127.0.0.1:1" in result.text
    assert "hunter2" not in result.text


def test_no_token(run, monkeypatch):
    monkeypatch.delenv("META_ACCESS_TOKEN")
    result = run("pull")
    assert result.code == 2
    assert "META_ACCESS_TOKEN" in result.text


def test_nobody_answers(run, monkeypatch):
    monkeypatch.setenv("META_GRAPH_URL", "http://127.0.0.1:9")
    monkeypatch.setattr(
        "orchestration.platform.SystemClock", lambda: __import__("tests.ingestion.fakes", fromlist=["x"]).ManualClock()
    )
    result = run("pull")
    assert result.code == 2
    assert "127.0.0.1:9" in result.text
    assert "SIMULATOR" not in result.text


def test_a_refused_token_exits_with_one_and_the_mend(run, simulator):
    simulator.inject("token_expired")
    result = run("pull")
    assert result.code == 1
    assert "expired" in result.text
    assert "META_ACCESS_TOKEN" in result.text


def test_one_forbidden_account_is_named_and_the_exit_code_tells(run, simulator):
    bad = account_ids(simulator)[-1]
    simulator.inject("permission_200", account=str(bad))
    result = run("pull", "--since", "2026-09-01", "--until", "2026-09-01", "--report", "account_daily", "--no-marts")
    assert result.code == 1
    assert f"act_{bad}" in result.out
    assert "ads_read" in result.out


def test_doctor_says_what_is_wrong_and_how_to_mend_it(run, simulator, tmp_path, monkeypatch):
    assert run("doctor").code == 0
    (tmp_path / "clients.yml").write_text(
        "version: 1\nclients:\n  - id: a\n    name: A\n    accounts: [{id: 'act_123456789012345'}]\n"
    )
    result = run("doctor")
    assert result.code == 2
    assert "act_123456789012345" in result.out
    monkeypatch.setenv("META_ACCESS_TOKEN", "NOT-A-TOKEN-AT-ALL")
    result = run("doctor")
    assert result.code == 2
    assert "rotate-token" in result.out
    assert "NOT-A-TOKEN-AT-ALL" not in result.text


def test_accounts_lists_what_is_visible(run, simulator):
    result = run("accounts")
    assert result.code == 0
    for account in account_ids(simulator):
        assert f"act_{account}" in result.out


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "empty"),
        ("photo.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "photo.csv"),
        (
            "weekly.csv",
            b"Campaign name,Reporting starts,Reporting ends,Amount spent (EUR),Impressions\n"
            b"A,2026-09-01,2026-09-07,5.00,100\n",
            "Day",
        ),
        ("nospend.csv", b"Campaign name,Day,Impressions\nA,2026-09-01,100\n", "spen"),
        ("letter.txt", b"Dear Sir or Madam,\n\nplease find attached\n", "letter.txt"),
    ],
)
def test_a_file_that_is_no_daily_export_is_refused(run, tmp_path, warehouse_url, name, content, said):
    good = tmp_path / "good.csv"
    good.write_text(HEADER + "Control;1.08.2019;2280;82702;56930;7016;618\n")
    (tmp_path / name).write_bytes(content)
    result = run("import", str(good), str(tmp_path / name), "--no-marts")
    assert result.code == 2, result.text
    assert said in result.text
    with Warehouse(warehouse_url) as warehouse:
        assert scalar(warehouse, "SELECT count(*) FROM ops.slice") == 0  # not even the good file


def test_import_reports_the_broken_row_and_loads_the_rest(run, tmp_path, warehouse_url):
    rows = [
        f"Control Campaign;{day}.08.2019;{2000 + day};{80000 + day};5000;{700 + day};{60 + day}" for day in range(1, 11)
    ]
    rows[4] = "Control Campaign;5.08.2019;1835;;;;"
    (tmp_path / "control.csv").write_text(HEADER + "\n".join(rows) + "\n")
    (tmp_path / "test.csv").write_text(HEADER + "\n".join(r.replace("Control", "Test") for r in rows[:4]) + "\n")
    result = run("import", "control.csv", "--no-marts")
    assert result.code == 0, result.text
    assert "line 6" in result.out
    # A second file of the same account and days must not delete the first one's campaign.
    result = run("import", "test.csv", "--no-marts")
    assert result.code == 0, result.text
    assert "stay beside them" in result.out
    again = run("import", "test.csv", "--no-marts")
    assert again.code == 0
    with Warehouse(warehouse_url) as warehouse:
        assert scalar(warehouse, "SELECT count(*) FROM ops.slice WHERE source = 'import'") == 9
        assert scalar(warehouse, "SELECT count(*) FROM raw.insights_ad_daily") == 13
        assert scalar(warehouse, "SELECT count(DISTINCT campaign_id) FROM raw.insights_ad_daily") == 2
        assert scalar(warehouse, "SELECT max(campaign_id) FROM raw.insights_ad_daily") < 0  # derived, and marked so


def test_import_of_a_spreadsheet_leaves_days_of_the_api_alone(run, simulator, tmp_path, warehouse_url):
    account = account_ids(simulator)[0]
    run(
        "pull",
        "--account",
        str(account),
        "--report",
        "ad_daily",
        "--since",
        "2026-09-01",
        "--until",
        "2026-09-01",
        "--no-marts",
    )
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Campaign name", "Day", "Amount spent (JPY)", "Impressions", "Link clicks"])
    sheet.append(["Brand", "2026-09-01", 1200, 5000, 60])
    sheet.append(["Brand", "2026-08-01", 1300, 5100, 61])
    book.save(tmp_path / "export.xlsx")
    result = run("import", "export.xlsx", "--account", str(account), "--no-marts")
    assert result.code == 0, result.text
    assert "1 days left alone" in result.out
    with Warehouse(warehouse_url) as warehouse:
        sources = scalar(warehouse, "SELECT array_agg(source ORDER BY day) FROM ops.slice")
    assert sources == ["import", "api"]


@WITH_MARTS
def test_a_declaration_is_built_without_a_pull_and_a_bad_one_stops_nothing(run, tmp_path, warehouse_url):
    rows = [f"Control Campaign;{day}.08.2019;{2000 + day};80000;5000;700;60" for day in range(1, 4)]
    (tmp_path / "control.csv").write_text(HEADER + "\n".join(rows) + "\n")
    (tmp_path / "test.csv").write_text(HEADER + "\n".join(rows).replace("Control", "Test") + "\n")
    declared = "version: 1\nclients:\n  - id: shop\n    name: Shop\n    accounts: [{imported: Old shop}]\n"
    (tmp_path / "clients.yml").write_text(declared)
    imported = ("import", "control.csv", "test.csv", "--account-name", "Old shop", "--no-marts")
    assert run(*imported).code == 0
    assert "Marts built for 3 account days" in run("build").out
    assert "nothing to build" in run("build").out
    (tmp_path / "clients.yml").write_text(
        declared + "    custom_metrics: [{name: bad, numerator: spnd, denominator: leads}]\n"
        "    experiments:\n"
        "      - {id: pages, since: 2019-08-01, until: 2019-08-03,"
        " arms: [{name: A, campaigns: [Control Campaign]}, {name: B, campaigns: [Test Campaign]}]}\n"
        "      - {id: alone, since: 2019-08-01, arms: [{name: A, campaigns: [Control Campaign]}]}\n"
    )
    result = run("build")
    assert result.code == 0, result.text
    assert "Marts built for 3 account days" in result.out  # a new metric concerns every day
    for said in (
        "clients.yml:6:45: custom metric bad: numerator `spnd`",
        "clients.yml:9:46: experiment alone: has one",
    ):
        assert said in result.text
    assert "nothing to build" in run("build").out
    with Warehouse(warehouse_url) as warehouse:
        client = "SELECT client_id FROM marts.dim_account WHERE account_name = 'Old shop'"
        assert scalar(warehouse, client) == "shop"
        assert scalar(warehouse, "SELECT count(*) FROM ops.experiment_arm WHERE arm_account_id < 0") == 2
        assert scalar(warehouse, "SELECT count(*) FROM ops.experiment WHERE problem IS NOT NULL") == 1
        assert scalar(warehouse, "SELECT problem FROM ops.custom_metric").startswith("numerator `spnd`")
    doctor = run("doctor")
    assert doctor.code == 0, doctor.text
    assert "warning  clients: " in doctor.out
    assert "did you mean spend?" in doctor.out
    (tmp_path / "clients.yml").write_text(declared)
    assert run(*imported).code == 0
    with Warehouse(warehouse_url) as warehouse:
        assert scalar(warehouse, "SELECT count(*) FROM ops.experiment") == 0


def test_a_pull_leaves_accounts_alone_that_only_files_know(run, simulator, tmp_path, warehouse_url):
    account = account_ids(simulator)[0]
    (tmp_path / "clients.yml").write_text(
        "version: 1\nclients: [{id: a, name: A, reporting_currency: EUR,"
        f" accounts: [{{id: {account}}}, {{imported: Old shop}}]}}]\n"
        "exchange_rates: [{day: 2026-01-01, currency: USD, target_currency: EUR, rate: 0.9}]\n"
    )
    result = run("pull", "--since", "2026-09-01", "--until", "2026-09-01", "--no-entities", "--no-marts")
    assert result.code == 0, result.text
    assert "1 accounts" in result.out
    with Warehouse(warehouse_url) as warehouse:
        assert scalar(warehouse, "SELECT count(*) FROM ops.client_account WHERE reporting_currency = 'EUR'") == 2
        assert scalar(warehouse, "SELECT count(*) FROM ops.exchange_rate") == 1


def test_raw_data_is_checked_and_a_hole_in_it_ends_with_exit_code_1(run, simulator, warehouse_url, tmp_path):
    account = account_ids(simulator)[0]
    empty = run("check")
    assert empty.code == 2
    assert "meta-ads pull" in empty.text
    range_ = (
        "--account",
        f"act_{account}",
        "--report",
        "account_daily",
        "--since",
        "2026-10-01",
        "--until",
        "2026-10-05",
    )
    assert run("pull", *range_, "--no-entities", "--no-marts").code == 0
    clean = run("check", *range_)
    assert clean.code == 0, clean.text
    assert "no error" in clean.out
    assert (tmp_path / "home" / "quality" / "index.html").is_file()
    with Warehouse(warehouse_url) as warehouse, warehouse.connection() as connection:
        connection.execute("DELETE FROM ops.slice WHERE day = '2026-10-03'")
        connection.execute("DELETE FROM raw.insights_account_daily WHERE day = '2026-10-03'")
    holed = run("check", *range_, "--docs", str(tmp_path / "page"))
    assert holed.code == 1
    assert "1 days are missing: 2026-10-03" in " ".join(holed.out.split())
    assert "2026-10-03" in (tmp_path / "page" / "index.html").read_text()
    assert run("check", "--account", "act_1").code == 2
    assert run("check", "--report", "nothing").code == 2
