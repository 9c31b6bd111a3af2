"""Whoever is in charge of a report learns once that it is not sent: from the row to the mailbox."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from orchestration.alerts.channels import channels
from orchestration.alerts.evaluate import Memory, Watch, evaluate
from orchestration.alerts.failures import EndedRun, happened
from orchestration.alerts.reports import LATE
from orchestration.platform import Platform
from orchestration.reports.deliver import DEADLINE, RETRY, deliver, send_now
from tests.dashboards.reports.account_days import write
from tests.orchestration.reports.office import DUE, LAST, Office, fill, opened
from tests.receivers import Hook, Mailbox, mail_server, web_hook
from warehouse.ops.alerts import Success

pytestmark = pytest.mark.integration


class Desk(Office):
    """An office with alerts: one mailbox for everything, and a webhook."""

    box: Mailbox
    hook: Hook
    memory: Memory

    def look(self, minutes: float = 0) -> list[tuple[str, str]]:
        """One evaluation after a while; recipient and subject of each alert that was sent."""
        self.now += timedelta(minutes=minutes)
        self.box.received.clear()
        settings = self.platform.settings
        evaluate(
            self._opened,
            channels(settings),
            [],
            Watch(set()),
            self.memory,
            timedelta(minutes=settings.alert_quiet_minutes),
            now=lambda _: self.now,
        )
        return [(str(mail["To"]), str(mail["Subject"])) for mail in self.box.received]

    @contextmanager
    def _opened(self) -> Iterator[Platform]:
        yield self.platform


@pytest.fixture
def office(url: str) -> Iterator[Desk]:
    with mail_server() as box, web_hook() as hook, opened(url, box.port) as found:
        fill(found.warehouse)
        with found.warehouse.connection() as connection:
            connection.execute("TRUNCATE ops.alert, ops.alert_delivery")
        desk = Desk(found.platform, found.now)
        desk.box, desk.hook, desk.memory = box, hook, Memory()
        desk.use(
            box.port,
            alert_email_to="ops@example.com",
            alert_email_from="alerts@example.com",
            alert_webhook_url=hook.url,
        )
        yield desk


OPS, OWNER = "ops@example.com", "owner@example.com"
WHAT = "Acme weekly, 2026-11-09 to 2026-11-15"


@pytest.mark.parametrize("owner", [None, OWNER])
def test_late_and_then_given_up_is_told_once_each(office: Desk, owner: str | None) -> None:
    office.declare(owner=owner)
    write(office.warehouse, "marts", 1002, [LAST], status="mismatch")
    heard = []
    while office.now < DUE + DEADLINE + timedelta(hours=30):
        row = office.row
        if row is None or (row.retry_at and office.now >= row.retry_at):
            deliver(office.desk, office.due)
        heard += [(office.now, *one) for one in office.look(15)]
    to = owner or OPS
    assert [one[1:] for one in heard] == [
        (to, f"[Warning] {WHAT}: not sent yet"),
        (to, f"[Error] {WHAT}: not sent, and given up"),
    ]
    assert LATE <= heard[0][0] - DUE <= LATE + timedelta(minutes=15)
    assert DEADLINE <= heard[1][0] - DUE <= DEADLINE + RETRY + timedelta(minutes=15)
    assert [post["text"] for post in office.hook.posts] == [one[2] for one in heard]


def test_what_is_told_says_why_and_what_to_do(office: Desk) -> None:
    write(office.warehouse, "marts", 1002, [LAST], status="mismatch")
    deliver(office.desk, office.due)
    office.look(121)
    text = office.box.received[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Shop 2: the ads do not add up to Meta's total: 2026-11-15." in text
    assert "meta-ads pull --account act_1002 --since 2026-11-15 --until 2026-11-15" in text
    assert "No more about it for" not in text


def test_a_late_report_that_is_sent_at_last_is_told_to_be(office: Desk) -> None:
    write(office.warehouse, "marts", 1002, [LAST], status="mismatch")
    deliver(office.desk, office.due)
    assert office.look(60) == []
    assert len(office.look(61)) == 1
    write(office.warehouse, "marts", 1002, [LAST])
    row = deliver(office.desk, office.due)
    assert row is not None
    assert row.state == "sent"
    heard = [one for _ in range(6) for one in office.look(10)]
    assert heard == [(OPS, f"[All clear] {WHAT}: not sent yet")]


def test_what_is_sent_in_time_is_nobodys_business(office: Desk) -> None:
    deliver(office.desk, office.due)
    assert [one for _ in range(5) for one in office.look(60)] == []


def test_one_that_may_have_been_sent_is_told_at_once_and_once(office: Desk) -> None:
    office.declare(owner=OWNER)
    office.box.hang_up, office.box.hang_up_times = "end", 1
    deliver(office.desk, office.due)
    assert office.look(1) == [(OWNER, f"[Error] {WHAT}: may not have been sent")]
    text = office.box.received[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "--again" in text
    assert [one for _ in range(20) for one in office.look(60)] == []
    assert send_now(office.desk, office.due, again=True).state == "sent"
    assert [one for _ in range(3) for one in office.look(60)] == []


def test_refused_recipients_are_told_until_the_next_report_reaches_all(office: Desk) -> None:
    office.box.refuse = {"ann@example.com": "550 no such user"}
    deliver(office.desk, office.due)
    assert office.look(1) == [(OPS, f"[Warning] {WHAT}: refused for 1 of 2 recipients")]
    assert [one for _ in range(5) for one in office.look(60)] == []
    office.box.refuse = {}
    office.now = DUE + timedelta(days=7, minutes=1)
    for account in (1001, 1002):
        write(office.warehouse, "marts", account, [LAST + timedelta(days=n) for n in range(1, 8)])
    deliver(office.desk, office.due)
    heard = [one for _ in range(3) for one in office.look(10)]
    assert heard == [(OPS, f"[All clear] {WHAT}: refused for 1 of 2 recipients")]


def test_without_a_mail_server_the_webhook_is_told(office: Desk) -> None:
    office.declare(owner=OWNER)
    write(office.warehouse, "marts", 1002, [LAST], status="mismatch")
    deliver(office.desk, office.due)
    office.use(office.box.port, smtp_host=None, alert_webhook_url=office.hook.url)
    office.look(121)
    assert [post["text"] for post in office.hook.posts] == [f"[Warning] {WHAT}: not sent yet"]


def test_a_report_that_nobody_declares_concerns_nobody(office: Desk) -> None:
    office.box.hang_up, office.box.hang_up_times = "end", 1
    deliver(office.desk, office.due)
    office.platform.clients = office.platform.clients.model_copy(update={"clients": []})
    assert office.look(1) == []


def test_several_reports_share_a_message(office: Desk) -> None:
    owner = office.platform.clients.clients[0]
    other = owner.reports[0].model_copy(update={"name": "second", "title": "Second"})
    both = owner.model_copy(update={"reports": [owner.reports[0], other]})
    office.platform.clients = office.platform.clients.model_copy(update={"clients": [both]})
    write(office.warehouse, "marts", 1002, [LAST], status="mismatch")
    deliver(office.desk, office.due)
    from orchestration.reports.due import newest_due

    deliver(office.desk, newest_due(both, other, office.now))
    assert office.look(121) == [(OPS, "[Warning] 2 reports are not sent")]


def test_the_run_of_a_report_is_not_told_beside_it() -> None:
    def failed(step: str, kind: str) -> EndedRun:
        return EndedRun("r", "email_report", "s", False, DUE, step=step, error_kind=kind, text="x")

    assert list(happened([failed("send_report", "ReportNotSent")])) == []
    assert len(list(happened([failed("send_report", "DatabaseUnavailable")]))) == 1
    assert list(happened([EndedRun("r", "email_report", "s", True, DUE)])) == [Success("s")]
