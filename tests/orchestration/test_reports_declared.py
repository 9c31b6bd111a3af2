"""Reports in `clients.yml`: what they may name, and every mistake with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.clients import ClientsFileError, load_clients, parse_clients
from orchestration.clients.models import Client, EmailReport, ReportSection
from orchestration.demo import write_demo_clients

ROOT = Path(__file__).parents[2]
PATH = Path("clients.yml")
HEAD = """\
version: 1
clients:
  - id: acme
    name: Acme
    accounts: [{id: act_12, name: Acme EU}, {id: 13}, {imported: Archive}]
    custom_metrics: [{name: cost_per_lead, numerator: spend, denominator: leads}]
    reports:
      - name: weekly
        recipients: [a@b.de]
        schedule: "0 7 * * mon"
        time_zone: Europe/Berlin
        period: last_week
"""


def report_of(lines: str = "") -> tuple[Client, EmailReport]:
    client = parse_clients(HEAD + lines, PATH).clients[0]
    return client, client.reports[0]


def test_what_is_left_out_has_a_meaning() -> None:
    _, report = report_of()
    assert (report.title, report.accounts, report.sections, report.custom_metrics) == (None, [], [], [])
    assert (report.words, report.language, report.attachments, report.owner) == (None, "en", [], None)
    assert report.enabled


def test_a_report_says_what_is_in_it() -> None:
    client, report = report_of(
        "        accounts: [Acme EU, 13, act_13, Archive]\n"
        "        sections: [budget, {dashboard: campaigns, tab: ads, cards: [ads], title: Ads}]\n"
        "        custom_metrics: [cost_per_lead]\n"
        "        words: |\n          Hello,\n          all is well.\n"
        "        language: ja\n        attachments: [csv, pdf]\n        enabled: false\n"
    )
    assert report.sections == [
        ReportSection(dashboard="budget"),
        ReportSection(dashboard="campaigns", tab="ads", cards=["ads"], title="Ads"),
    ]
    assert client.account_ids(report.accounts) == (12, 13, client.accounts[2].id)
    assert client.account_ids([]) == ()
    assert (report.words, report.language, report.enabled) == ("Hello,\nall is well.\n", "ja", False)


def test_accounts_of_one_name_are_all_meant() -> None:
    text = HEAD.replace("{id: 13}", "{id: 13, name: Acme EU}")
    client = parse_clients(text, PATH).clients[0]
    assert client.account_ids(["Acme EU"]) == (12, 13)


@pytest.mark.parametrize(
    ("lines", "line", "what", "mend"),
    [
        ("accounts: [Acme UE]", 13, "this client has no account Acme UE", "did you mean Acme EU?"),
        ("accounts: [99]", 13, "this client has no account 99", "this client has Acme EU, act_12, act_13, Archive"),
        ("sections: [buget]", 13, "there is no dashboard buget", "did you mean budget?"),
        ("sections:\n          - {dashboard: nothing}", 14, "there is no dashboard nothing", "executive_overview"),
        ("sections: [{dashboard: budget, tab: paceing}]", 13, "has no tab paceing", "did you mean pacing?"),
        (
            "sections: [{dashboard: campaigns, tab: ads, cards: [campaigns]}]",
            13,
            "tab ads of dashboard campaigns has no card campaigns",
            "write one of ads",
        ),
        ("sections: [{dashboard: budget, cards: [curv]}]", 13, "has no card curv", "did you mean curve?"),
        ("sections: [{dashboard: budget, card: curve}]", 13, "unknown key `card`", "did you mean cards?"),
        ("custom_metrics: [cost_per_lad]", 13, "no custom metric cost_per_lad", "did you mean cost_per_lead?"),
        ("language: dk", 13, "language is 'dk'", "'en', 'de', 'fr', 'es' or 'ja'"),
        ("attachments: [doc]", 13, "is 'doc'", "'pdf', 'xlsx' or 'csv'"),
        ("attachments: [pdf, pdf]", 13, "pdf is listed twice", "remove"),
        ("owner: ann", 13, "'ann' is no e-mail address", "name@example.com"),
        ("words: ' '", 13, "is no text of a report", "4000"),
        ("enabled: 1", 13, "enabled is 1", "true or false"),
    ],
)
def test_a_mistake_is_told_with_its_line(lines: str, line: int, what: str, mend: str) -> None:
    with pytest.raises(ClientsFileError) as caught:
        parse_clients(f"{HEAD}        {lines}\n", PATH)
    (problem,) = caught.value.problems
    assert problem.line == line
    assert what in problem.what
    assert mend in problem.mend


def test_another_clients_account_is_none_of_this_one() -> None:
    text = HEAD + "        accounts: [Other]\n  - {id: o, name: O, accounts: [{id: 77, name: Other}]}\n"
    with pytest.raises(ClientsFileError, match="this client has no account Other"):
        parse_clients(text, PATH)


def test_the_examples_declare_reports(tmp_path: Path) -> None:
    example = load_clients(ROOT / "clients.example.yml")
    assert [report.title for client in example.clients for report in client.reports] == ["Acme weekly"]
    demo = load_clients(write_demo_clients(tmp_path))
    assert [[report.name for report in client.reports] for client in demo.clients] == [["weekly"]] * 3
    assert all(address.endswith(".example") for c in demo.clients for r in c.reports for address in r.recipients)
