"""clients.yml: every mistake with its line, all at once, and what a valid file means."""

from __future__ import annotations

import json
import logging
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingestion.reports import PRESETS
from orchestration.clients import ClientsFile, ClientsFileError, Problem, default_plan, load_clients, parse_clients
from orchestration.clients.cron import check_cron
from orchestration.errors import ConfigurationError, UnknownAccountError

ROOT = Path(__file__).parents[2]
PATH = Path("clients.yml")

BAD = """\
version: 1
clients:
  - id: acme
    nmae: Acme
    accounts:
      - id: act_12
        goals: {roass: 3, cpa: "1,000"}
        conversion:
          window: 7d_view
      - id: 1.5e3
      - id: act_13
        pull:
          reports: {ad_dayly: 3, ad_daily: -1}
  - id: acme
    name: Other
    accounts:
      - id: "12"
    reports:
      - {name: a, recipients: [a@b, c@d.ef], schedule: "61 * * * *", time_zone: berlin, period: last_wek}
      - name: a
        recipients: a@b.de
        schedule: 0 0 31 feb *
        time_zone: Europe/Berlni
        period: last_week
restatement_days: 3
custom_reports:
  - name: ad_daily
    level: ads
    fields: [spend]
    breakdowns: [dma, age]
    action_breakdowns: [action_type]
    windows: [28d_view, 7dclick]
"""

EXPECTED = [
    (3, 5, "`name` is missing", "add `name:`"),
    (4, 5, "unknown key `nmae`", "did you mean name?"),
    (7, 17, "unknown key `roass`", "did you mean roas?"),
    (7, 32, "goals.cpa is '1,000'", "without a currency or thousands"),
    (9, 19, "7d_view is retired: Meta has returned nothing for it since 2026-01-12", "1d_click, 7d_click"),
    (10, 13, "1500.0 is no ad account id", "act_1010035716096012"),
    (13, 21, "unknown report `ad_dayly`", "did you mean ad_daily?"),
    (13, 44, "is -1", "at least 0"),
    (14, 9, "client id acme is already on line 3", "rename"),
    (17, 13, "account act_12 is already on line 6", "belongs to one client"),
    (19, 32, "'a@b' is no e-mail address", "name@example.com"),
    (19, 56, "has '61' as its minute, not 0 to 59", "0 7 * * mon"),
    (19, 81, "'berlin' is no time zone", "did you mean Europe/Berlin?"),
    (19, 97, "'last_wek' is no period", "did you mean last_week?"),
    (20, 15, "report a is already on line 19", "rename"),
    (21, 21, "recipients is 'a@b.de'", "a list"),
    (22, 19, "never fires", "0 7 * * mon"),
    (23, 20, "'Europe/Berlni' is no time zone", "did you mean Europe/Berlin?"),
    (25, 1, "unknown key `restatement_days`", "belongs under pull"),
    (27, 11, "ad_daily is a report that ships", "pull.reports"),
    (28, 12, "level is 'ads'", "'ad', 'adset', 'campaign' or 'account'"),
    (30, 18, "Meta stopped dma", "comscore_market"),
    (31, 24, "nothing to break down", "add `actions` to fields"),
    (32, 15, "28d_view is retired", "1d_click, 7d_click"),
    (32, 25, "'7dclick' is no attribution window", "did you mean 7d_click?"),
]


def mistakes(text: str) -> ClientsFileError:
    with pytest.raises(ClientsFileError) as caught:
        parse_clients(text, PATH)
    return caught.value


def test_all_mistakes_are_told_at_once_with_line_and_column() -> None:
    error = mistakes(BAD)
    assert [(problem.line, problem.column) for problem in error.problems] == [place[:2] for place in EXPECTED]
    for problem, (line, column, what, mend) in zip(error.problems, EXPECTED, strict=True):
        assert what in problem.what
        assert mend in problem.mend
        assert f"clients.yml:{line}:{column}: " in str(error)
    assert error.exit_code == 2
    assert str(error).startswith("clients.yml has 25 mistakes.")


@pytest.mark.parametrize(
    ("text", "line", "column", "what"),
    [
        ("", 1, 1, "holds no keys"),
        ("- 1", 1, 1, "holds no keys"),
        ("clients: []", 1, 1, "`version` is missing"),
        ("version: 2", 1, 10, "version is 2"),
        ("version: 1\n\tclients: []", 2, 1, "cannot start any token"),
        ("version: 1\nversion: 1", 2, 1, "duplicate key"),
        ("version: 1\nclients: [", 2, 11, "expected the node content"),
        ("version: 1\n---\nversion: 1", 2, 1, "another document"),
        ("version: 1\npull:\n", 2, 1, "pull is empty"),
        ("version: 1\npull: {reports: {3: 4}}", 2, 18, "unknown report `3`"),
        ("1: 2\nversion: 1", 1, 1, "unknown key `1`"),
        ("version: 1\nclients: &a [*a]", 2, 10, "clients[0] is"),
        ("version: 1\nclients: " + "[" * 20 + "]" * 20, 1, 1, "nested too deeply"),
        ("[" * 400 + "]" * 400, 1, 1, "nested too deeply"),
        ("version: 1\nclients:\n  - {id: a, name: b, accounts: []}", 3, 32, "accounts is empty"),
        ("version: 1\nclients:\n  - {id: A!, name: b, accounts: [{id: 1}]}", 3, 10, "'A!' is no id"),
        ("version: 1\npull: {restatement_days: 0}", 2, 26, "is 0"),
        ("version: 1\npull: {reports: {ad_daily: 2000}}", 2, 28, "is 2000"),
        ("version: 1\npull: {reports: {ad_daily: yes}}", 2, 28, "is 'yes'"),
    ],
)
def test_one_mistake(text: str, line: int, column: int, what: str) -> None:
    (problem,) = mistakes(text).problems
    assert (problem.line, problem.column) == (line, column)
    assert what in problem.what


@pytest.mark.parametrize("value", ["act_123", '"123"', "123", "'act_123'"])
def test_spellings_of_an_account_id(value: str) -> None:
    clients = parse_clients(f"version: 1\nclients: [{{id: a, name: A, accounts: [{{id: {value}}}]}}]", PATH)
    assert clients.account("act_123").graph_id == "act_123"
    assert clients.account(123) is clients.account("123")


@pytest.mark.parametrize("value", ["true", "1.0", "act_", "0123x", '"007"', "act_99999999999999999999", "null", "[1]"])
def test_what_is_no_account_id(value: str) -> None:
    (problem,) = mistakes(f"version: 1\nclients: [{{id: a, name: A, accounts: [{{id: {value}}}]}}]").problems
    assert "account id" in problem.what


def test_the_example_is_valid_and_shows_the_defaults() -> None:
    clients = load_clients(ROOT / "clients.example.yml")
    assert clients.warnings == ()
    plan = clients.plan_for("act_1010035716096012")
    assert [report for report in plan if report.report != "ad_daily__region"] == default_plan()
    assert "ad_hourly" not in {report.report for report in clients.plan_for(1010035716096013)}
    account = clients.account(1010035716096013)
    assert account.goals.cpa == Decimal("18.5")
    assert account.conversion.value_action == "lead"
    assert account.conversion.window_key == "value"
    first = clients.client_account_rows()[0]
    assert first["client_id"] == "acme"
    assert first["goals"] == {"roas": "3.5", "monthly_budget": "25000"}
    custom = clients.custom_report("ad_daily__region")
    assert custom is not None
    assert custom.windows == ["7d_click", "1d_view"]


def test_a_missing_file_means_every_account_unless_it_was_named(tmp_path: Path) -> None:
    clients = load_clients(tmp_path / "clients.yml")
    assert clients.path is None
    assert clients.clients == []
    assert clients.plan_for("act_5") == default_plan()
    with pytest.raises(ConfigurationError, match="does not exist"):
        load_clients(tmp_path / "clients.yml", required=True)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_clients(tmp_path)
    (tmp_path / "clients.yml").write_bytes(b"version: 1 # \xff\xfe")
    with pytest.raises(ConfigurationError, match="not UTF-8"):
        load_clients(tmp_path / "clients.yml")


def test_an_unknown_account_is_told_with_what_was_meant() -> None:
    clients = load_clients(ROOT / "clients.example.yml")
    with pytest.raises(UnknownAccountError, match=r"did you mean act_10100357160960\d\d\?"):
        clients.account("act_101003571609601")
    with pytest.raises(UnknownAccountError, match="names no account nonsense"):
        clients.account("nonsense")
    with pytest.raises(UnknownAccountError, match=r"clients\.example\.yml"):
        ClientsFile(version=1).account(1)


def test_every_report_that_ships_has_a_horizon() -> None:
    assert {report.report for report in default_plan()} == set(PRESETS)


def test_horizons_are_laid_over_each_other_and_restatement_never_exceeds_them() -> None:
    clients = parse_clients(
        "version: 1\n"
        "pull: {restatement_days: 10, reports: {ad_daily: 400, ad_hourly: 0}}\n"
        "clients: [{id: a, name: A, accounts: [{id: 1, pull: {reports: {ad_daily: 5, ad_hourly: 3}}}, {id: 2}]}]\n"
        "custom_reports: [{name: mine, level: account, fields: [spend, spend]}]\n",
        PATH,
    )
    first = {report.report: report for report in clients.plan_for(1)}
    assert (first["ad_daily"].history_days, first["ad_daily"].restatement_days) == (5, 5)
    assert first["ad_hourly"].history_days == 3
    assert first["mine"].history_days == 30
    second = {report.report: report for report in clients.plan_for(2)}
    assert (second["ad_daily"].history_days, second["ad_daily"].restatement_days) == (400, 10)
    assert "ad_hourly" not in second
    assert clients.custom_reports[0].fields == ["spend"]


def test_what_is_odd_is_warned_about_and_not_refused(caplog: pytest.LogCaptureFixture) -> None:
    text = (
        "version: 1\npull: {reports: {ad_hourly: 500}}\ncustom_reports:\n"
        "  - {name: a, level: ad, fields: [spend], breakdowns: [age, country]}\n"
        "  - {name: b, level: ad, fields: [reach], breakdowns: [publisher_platform, impression_device],"
        " history_days: 700}\n"
    )
    with caplog.at_level(logging.WARNING):
        clients = parse_clients(text, PATH)
    assert len(clients.warnings) == len(caplog.records) == 4
    joined = "\n".join(clients.warnings)
    assert "clients.yml:2:29: pull.reports.ad_hourly: Meta keeps hourly values" in joined
    assert "clients.yml:4:55: custom_reports[0].breakdowns: age, country is no combination" in joined
    assert "opts in in Ads Manager" in joined


def test_anchors_and_merged_keys_keep_their_line() -> None:
    error = mistakes("version: 1\nclients:\n  - &c {id: x, name: y, accounts: [{id: 1}]}\n  - {<<: *c, id: z}\n")
    assert error.problems[0].line == 4
    assert "already on line 3" in error.problems[0].what


KEYS = ("version", "clients", "accounts", "id", "pull", "reports", "custom_reports", "breakdowns", "name", "x")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


@given(DOCUMENTS)
@example({"version": 1, "clients": [{"accounts": [{"id": [1], "pull": {"reports": [1]}}], "reports": [3]}]})
@example({"version": 1, "pull": {"reports": {"ad_daily": "x"}}, "custom_reports": [{"breakdowns": {"a": 1}}]})
def test_any_document_is_either_read_or_refused_with_lines(document: object) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        parse_clients(json.dumps(document), PATH)
    except ClientsFileError as error:
        problems = error.problems or (Problem("", 0, 0, "refused without a reason"),)
    assert all(problem.line >= 1 and problem.column >= 1 for problem in problems)


@pytest.mark.parametrize(
    "text", ["0 7 * * *", "*/15 0-6,22 1,15 jan-mar mon-fri", "0 0 29 feb *", "5/10 * 31 * *", "0 0 31 2 7"]
)
def test_schedules_that_fire(text: str) -> None:
    assert check_cron(f"  {text.replace(' ', '   ')} ") == text


NEVER = (
    "",
    "* * * *",
    "60 * * * *",
    "* 24 * * *",
    "* * 0 * *",
    "* * * 13 *",
    "* * * * 8",
    "5-1 * * * *",
    "*/0 * * * *",
    "a * * * *",
    "* * * * mon-",
    "@daily",
    "0 0 30 feb *",
    "²  * * * *",
    "1,,2 * * * *",
)


@pytest.mark.parametrize("text", NEVER)
def test_schedules_that_do_not(text: str) -> None:
    with pytest.raises(ValueError, match=r"fields|has|never"):
        check_cron(text)
