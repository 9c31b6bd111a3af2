"""`meta-ads report` as a person runs it, on a real database and a real mail server."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dashboards.reports.model import Message
from orchestration import cli
from orchestration.redaction import redactor
from tests.dashboards.reports.account_days import days, empty, write
from tests.orchestration.reports.office import ACCOUNTS
from tests.orchestration.reports.sample import client, png, written
from tests.receivers import Mailbox, mail_server
from warehouse.connect import Warehouse
from warehouse.ops.report_deliveries import deliveries

pytestmark = pytest.mark.integration

SECRET = "sm3tp-s3cret"
TODAY = datetime.now(ZoneInfo("Europe/Berlin")).date()
SUNDAY = TODAY - timedelta(days=TODAY.isoweekday())


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err


class Home:
    """A folder with `clients.yml`, an environment, and a writer of this test's own."""

    def __init__(self, folder: Path, warehouse: Warehouse, box: Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.warehouse, self.box, self._patch = folder, warehouse, box, monkeypatch
        self.call: Callable[..., Result]
        self.declare()
        self.writer(written)

    def declare(self, **report: object) -> None:
        named = client(**report).model_dump(mode="json", exclude_defaults=True)
        named["id"], named["name"] = "client-1", "Client 1"
        for account in named["accounts"]:
            account["id"] = f"act_{account['id']}"
        (self.folder / "clients.yml").write_text(json.dumps({"version": 1, "clients": [named]}))

    def writer(self, write: Any) -> None:
        module = ModuleType("dashboards.reports.write")
        module.write = write  # type: ignore[attr-defined]
        self._patch.setitem(sys.modules, "dashboards.reports.write", module)

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self._patch.setenv(name, value)


@pytest.fixture
def home(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Home]:
    monkeypatch.chdir(tmp_path)
    # Reason: the mail server is part of this process, and would log among what the command says.
    monkeypatch.setattr(logging.getLogger("mail.log"), "propagate", False)
    with mail_server() as box, Warehouse(url) as warehouse:
        empty(warehouse, "marts")
        for account in ACCOUNTS:
            write(warehouse, "marts", account, days(SUNDAY - timedelta(days=20), SUNDAY))
        found = Home(tmp_path, warehouse, box, monkeypatch)
        found.set(
            WAREHOUSE_URL=url,
            META_ADS_HOME=str(tmp_path / "home"),
            SMTP_HOST="localhost",
            SMTP_PORT=str(box.port),
            SMTP_TLS="none",
            SMTP_USER="",
            REPORT_EMAIL_FROM="reports@example.com",
        )

        def call(*arguments: str) -> Result:
            monkeypatch.setattr(sys, "argv", ["meta-ads", *arguments])
            code = 0
            try:
                cli.main()
            except SystemExit as end:
                code = int(end.code or 0)
            captured = capsys.readouterr()
            assert "Traceback" not in captured.out + captured.err
            return Result(code, " ".join(captured.out.split()), " ".join(captured.err.split()))

        found.call = call
        yield found
    redactor.add()


def test_send_and_send_again(home: Home) -> None:
    done = home.call("report", "send", "client-1", "weekly")
    assert done.code == 0, done.text
    assert "Sent to ann@example.com, bob@example.com" in done.out
    (row,) = deliveries(home.warehouse)
    assert (row.state, row.last_day) == ("sent", SUNDAY)
    done = home.call("report", "send", "Client 1", "weekly")
    assert done.code == 1
    assert "was sent on" in done.err
    assert "--again" in done.err
    done = home.call("report", "send", "client-1", "weekly", "--again")
    assert done.code == 0, done.text
    assert len({mail["Message-ID"] for mail in home.box.received}) == 2


def test_an_older_period(home: Home) -> None:
    before = SUNDAY - timedelta(days=7)
    done = home.call("report", "send", "client-1", "weekly", "--period-ending", str(before))
    assert done.code == 0, done.text
    assert deliveries(home.warehouse)[0].last_day == before
    done = home.call("report", "send", "client-1", "weekly", "--period-ending", str(before - timedelta(days=2)))
    assert done.code == 2
    assert "No period `last_week` ends on" in done.err
    done = home.call("report", "send", "client-1", "weekly", "--period-ending", "soon")
    assert (done.code, "'soon' is no date" in done.err) == (2, True)


def test_a_copy_to_oneself_counts_for_nothing(home: Home) -> None:
    for _ in range(2):
        done = home.call("report", "send", "client-1", "weekly", "--to", "me@example.com")
        assert done.code == 0, done.text
    assert deliveries(home.warehouse) == []
    assert [envelope.rcpt_tos for envelope in home.box.envelopes] == [["me@example.com"]] * 2


@pytest.mark.parametrize(
    ("arguments", "said", "mend"),
    [
        (("clent-1", "weekly"), "There is no client 'clent-1'", "did you mean client-1?"),
        (("nobody", "weekly"), "There is no client 'nobody'", "clients with reports: client-1"),
        (("client-1", "wekly"), "Client client-1 has no report 'wekly'", "did you mean weekly?"),
        (("client-1", "x"), "Client client-1 has no report 'x'", "it has weekly"),
        (("client-1", "weekly", "--to", "me"), "--to 'me' is no plain e-mail address", "you@example.com"),
        (("client-1", "weekly", "--to", "a@b.de, c@d.de"), "is no plain e-mail address", "you@example.com"),
        (("client-1", "weekly", "--to", "me@b.de", "--again"), "--again goes with no --to", "any number of times"),
        (("nordlicht", "weekly", "--demo"), "The demo's recipients do not exist", "--to you@example.com"),
        (("nordlicht", "weekly", "--demo", "--to", "me@b.de"), "There is no demo yet", "meta-ads demo"),
    ],
)
def test_mistyped(home: Home, arguments: tuple[str, ...], said: str, mend: str) -> None:
    done = home.call("report", "send", *arguments)
    assert done.code == 2, done.text
    assert said in done.err
    assert mend in done.err
    assert home.box.received == []


def test_without_a_mail_server(home: Home) -> None:
    home.set(SMTP_HOST="")
    done = home.call("report", "send", "client-1", "weekly")
    assert (done.code, "SMTP_HOST is not set" in done.err) == (2, True)
    done = home.call("report", "list")
    assert (done.code, "SMTP_HOST is not set" in done.out) == (0, True)
    done = home.call("report", "preview", "client-1", "weekly")
    assert done.code == 0, done.text
    assert "It would not be sent now: Reports cannot be sent: SMTP_HOST is not set." in done.out


def test_what_is_not_sent_is_told_with_its_reason(home: Home) -> None:
    home.box.verdict = "554 spam"
    done = home.call("report", "send", "client-1", "weekly")
    assert (done.code, "554 spam" in done.err) == (1, True)
    home.box.verdict, home.box.refuse = None, {"ann@example.com": "550 no such user"}
    done = home.call("report", "send", "client-1", "weekly")
    assert done.code == 1
    assert "Sent to bob@example.com" in done.out
    assert "ann@example.com: 550 no such user" in done.err


def test_one_that_may_have_been_sent(home: Home) -> None:
    home.box.hang_up = "end"
    done = home.call("report", "send", "client-1", "weekly")
    assert (done.code, "It may not have been sent." in done.err) == (1, True)
    assert "may not have been sent" in home.call("report", "list").out


def test_data_that_are_not_ready(home: Home) -> None:
    write(home.warehouse, "marts", 1002, [SUNDAY], status="mismatch")
    done = home.call("report", "send", "client-1", "weekly")
    assert (done.code, "do not add up" in done.err) == (1, True)
    done = home.call("report", "preview", "client-1", "weekly")
    assert done.code == 0, done.text
    assert "It would not be sent now: Shop 2: the ads do not add up" in done.out
    assert home.box.received == []


def test_a_preview_opens_from_disk_and_sends_nothing(home: Home, tmp_path: Path) -> None:
    done = home.call("report", "preview", "client-1", "weekly", "--out", "shown")
    assert done.code == 0, done.text
    folder = tmp_path / "shown"
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "report.txt", "weekly.pdf", "weekly.xlsx"]
    html = (folder / "report.html").read_text(encoding="utf-8")
    assert "cid:" not in html
    assert "data:image/png;base64,iVBOR" in html
    assert (folder / "report.html").as_uri() in done.out.replace(" ", "")
    assert "It would be sent now to ann@example.com, bob@example.com." in done.out
    assert "ROAS 3,2" in done.out
    assert (home.box.received, deliveries(home.warehouse)) == ([], [])
    assert home.call("report", "send", "client-1", "weekly").code == 0
    done = home.call("report", "preview", "client-1", "weekly")
    assert "It would not be sent now: The report of" in done.out
    usual = tmp_path / "home" / "reports" / f"client-1-weekly-{SUNDAY}"
    assert (usual / "report.txt").exists()


def test_a_preview_that_cannot_be_written(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = home.call("report", "preview", "client-1", "weekly", "--out", "file")
    assert (done.code, "cannot be written" in done.err) == (2, True)


def test_names_of_files_stay_in_the_folder_and_cards_without_an_answer_are_told(home: Home, tmp_path: Path) -> None:
    from dashboards.reports.model import File

    def writes(*given: Any) -> Message:
        message = written(*given)
        evil = File("../../evil.csv", "text/csv", png())
        return Message(message.subject, message.text, message.html, files=(evil,), problems=("Spend: no answer",))

    home.writer(writes)
    done = home.call("report", "preview", "client-1", "weekly", "--out", "a/b")
    assert done.code == 1
    assert "no answer Spend: no answer" in done.out
    assert (tmp_path / "a" / "b" / "evil.csv").exists()
    assert not (tmp_path / "evil.csv").exists()


def test_list(home: Home) -> None:
    done = home.call("report", "list")
    assert done.code == 0, done.text
    for words in ("client-1 weekly", "Acme weekly", "Mon ", "07:00", "not tried yet"):
        assert words in done.out
    home.call("report", "send", "client-1", "weekly")
    done = home.call("report", "list")
    assert f"to {SUNDAY}" in done.out
    assert "sent" in done.out.partition("07:00")[2]
    home.declare(enabled=False)
    assert "switched off" in home.call("report", "list").out
    (home.folder / "clients.yml").write_text("version: 1\n")
    assert "declares no report" in home.call("report", "list").out


def test_the_doctor_looks_at_reports(home: Home) -> None:
    done = home.call("doctor")
    assert "reports: 1 report by e-mail from reports@example.com by localhost:" in done.out
    assert "nobody is told when a report is not sent: weekly" in done.out
    home.declare(owner="owner@example.com")
    assert "nobody is told" not in home.call("doctor").out
    home.set(SMTP_HOST="")
    done = home.call("doctor")
    assert done.code == 2
    assert "1 report by e-mail, and SMTP_HOST is not set: none is sent" in done.out
    home.declare(enabled=False)
    assert "SMTP_HOST" not in home.call("doctor").out


def test_no_secret_is_printed(home: Home) -> None:
    home.set(SMTP_USER="me@example.com", SMTP_PASSWORD=SECRET)
    done = home.call("report", "send", "client-1", "weekly")
    assert (done.code, "offers no login" in done.err) == (1, True)
    assert SECRET not in done.text + str(deliveries(home.warehouse))
