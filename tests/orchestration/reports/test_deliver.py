"""A report goes out once, whatever the mail server, the database and the processes do: on real ones of each."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dashboards.errors import DashboardError
from dashboards.reports.model import File, Message
from orchestration.errors import ConfigurationError
from orchestration.reports.deliver import DEADLINE, RETRY, RETRY_SOON, deliver, send_copy, send_now
from orchestration.reports.errors import AlreadySent, ReportBusy, ReportNotSent, ReportWithheld
from tests.dashboards.reports.account_days import build, write
from tests.orchestration.reports.office import DUE, FIRST, LAST, SENDER, Office
from tests.orchestration.reports.sample import written
from tests.receivers import Mailbox
from warehouse.connect import Warehouse
from warehouse.errors import DeliveryChanged, WarehouseError
from warehouse.ops.report_deliveries import deliveries, put, turn

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
TO = ["ann@example.com", "bob@example.com"]


def delivered(office: Office) -> str:
    row = deliver(office.desk, office.due)
    assert row is not None
    return row.state


def test_it_is_sent_once_however_often_it_is_asked_for(office: Office, box: Mailbox) -> None:
    row = deliver(office.desk, office.due)
    assert row is not None
    assert (row.state, row.sent_at, row.attempts, row.copy) == ("sent", office.now, 1, 0)
    assert (row.recipients, row.refused, row.reason) == (tuple(TO), {}, "")
    for later in (timedelta(0), timedelta(hours=5), timedelta(days=6)):
        office.now += later
        assert deliver(office.desk, office.due) == row
    (mail,) = box.received
    assert mail["Message-ID"] == row.message_id
    assert box.envelopes[0].rcpt_tos == TO
    assert box.envelopes[0].mail_from == SENDER
    assert len(office.orders) == 1


def test_the_next_period_is_another_report(office: Office, box: Mailbox) -> None:
    assert delivered(office) == "sent"
    office.now += timedelta(days=7)
    write(office.warehouse, "marts", 1001, [LAST + timedelta(days=n) for n in range(1, 8)])
    write(office.warehouse, "marts", 1002, [LAST + timedelta(days=n) for n in range(1, 8)])
    assert delivered(office) == "sent"
    assert len({mail["Message-ID"] for mail in box.received}) == len(box.received) == 2


def test_the_writer_sees_the_clients_own_schema_alone(office: Office) -> None:
    office.declare(accounts=["Shop 2"], sections=["budget"], words="Hello", language="de")
    assert delivered(office) == "sent"
    order, space, library, now = office.orders[0]
    assert (space.name, space.schema, str(space.zone)) == ("client-1", "client_client_1", "Europe/Berlin")
    assert (order.accounts, order.client, order.title) == (("1002",), "Client 1", "Acme weekly")
    assert (order.period.first, order.period.last, order.language, order.words) == (FIRST, LAST, "de", "Hello")
    assert [section.dashboard for section in order.sections] == ["budget"]
    assert "budget" in library.dashboards
    assert now == office.now


@pytest.mark.parametrize(
    ("trouble", "words"),
    [
        ({"refuse": dict.fromkeys(TO, "550 no such user")}, "550 no such user"),
        ({"refuse": dict.fromkeys(TO, "450 greylisted")}, "450 greylisted"),
        ({"verdict": "554 looks like spam"}, "554 looks like spam"),
        ({"verdict": "451 come again"}, "451 come again"),
        ({"hang_up": "mail"}, "closed the connection"),
        ({"hang_up": "data"}, "closed the connection"),
    ],
)
def test_what_the_server_did_not_take_is_tried_again(
    office: Office, box: Mailbox, trouble: dict[str, Any], words: str
) -> None:
    usual = {name: getattr(box, name) for name in trouble}
    for name, value in trouble.items():
        setattr(box, name, value)
    for attempt in (1, 2):
        row = deliver(office.desk, office.due)
        assert row is not None
        assert (row.state, row.attempts, row.retry_at) == ("failed", attempt, office.now + RETRY)
        assert words in row.reason
        assert row.mend
        office.now += RETRY
    for name, value in usual.items():
        setattr(box, name, value)
    assert delivered(office) == "sent"
    assert delivered(office) == "sent"
    assert len(box.received) == 1


def test_no_server_at_all(office: Office) -> None:
    office.use(1)
    row = deliver(office.desk, office.due)
    assert row is not None
    assert row.state == "failed"
    assert "cannot be reached" in row.reason
    office.use(1, smtp_host=None)
    with pytest.raises(ConfigurationError, match="SMTP_HOST is not set"):
        _ = office.desk
    office.use(1, report_email_from=None)
    with pytest.raises(ConfigurationError, match="no sender"):
        _ = office.desk


def test_a_server_that_never_answers(office: Office, box: Mailbox) -> None:
    with socket.socket() as mute:
        mute.bind(("localhost", 0))
        mute.listen()
        office.use(mute.getsockname()[1])
        office.timeout_seconds = 0.3
        row = deliver(office.desk, office.due)
    assert row is not None
    assert (row.state, "did not answer" in row.reason) == ("failed", True)
    office.use(box.port)
    office.timeout_seconds = 5
    assert delivered(office) == "sent"


def test_what_is_odd_about_a_report_that_was_sent_is_noted(office: Office, box: Mailbox) -> None:
    def writes(*given: Any) -> Message:
        large = File("large.pdf", "application/pdf", b"x" * 1_000_000)
        return replace(written(*given), files=(large,), problems=("Spend: it took too long",))

    office.writer = writes
    office.use(box.port, report_max_megabytes=1)
    row = deliver(office.desk, office.due)
    assert row is not None
    assert row.state == "sent"
    assert row.reason == "Too large to be attached: large.pdf. Without an answer: Spend: it took too long"


@pytest.mark.parametrize("state", ["withheld", "writing", "sending"])
def test_what_was_left_of_yesterday_is_closed_when_todays_is_due(office: Office, box: Mailbox, state: str) -> None:
    """A daily report that waited for a day: two of them side by side would help nobody."""
    office.declare(schedule="0 7 * * *", period="yesterday")
    write(office.warehouse, "marts", 1001, [LAST], status="mismatch")
    old = deliver(office.desk, office.due)
    assert old is not None
    assert old.state == "withheld"
    if state != "withheld":
        put(office.warehouse, replace(old, state=state, message_id="<a@b>", retry_at=None))  # type: ignore[arg-type]
    office.now += timedelta(days=1)
    for account in (1001, 1002):
        write(office.warehouse, "marts", account, [LAST + timedelta(days=1)])
    assert delivered(office) == "sent"
    newest, closed = deliveries(office.warehouse)
    assert (newest.state, newest.last_day) == ("sent", LAST + timedelta(days=1))
    assert closed.state == ("unsure" if state == "sending" else "given_up")
    assert "--period-ending 2026-11-15" in closed.mend
    assert ("The next report is due." in closed.reason) == (state != "sending")
    assert len(box.received) == 1


def test_a_connection_that_breaks_after_the_last_byte_leaves_it_unsure(office: Office, box: Mailbox) -> None:
    box.hang_up, box.hang_up_times = "end", 1
    row = deliver(office.desk, office.due)
    assert row is not None
    assert (row.state, row.retry_at) == ("unsure", None)
    assert "did not say what became of it" in row.reason
    assert row.message_id is not None
    assert row.message_id in row.mend
    assert "meta-ads report send client-1 weekly --period-ending 2026-11-15 --again" in row.mend
    office.now += timedelta(hours=1)
    assert deliver(office.desk, office.due) == row
    with pytest.raises(AlreadySent, match="may have been sent"):
        send_now(office.desk, office.due)
    assert box.received == []
    again = send_now(office.desk, office.due, again=True)
    assert (again.state, again.copy) == ("sent", 1)
    assert again.message_id != row.message_id
    assert [mail["Message-ID"] for mail in box.received] == [again.message_id]


def test_a_server_that_is_silent_after_the_last_byte(office: Office, box: Mailbox) -> None:
    box.silent_seconds, office.verdict_seconds = 3, 0.3
    assert delivered(office) == "unsure"
    box.silent_seconds = 0
    assert delivered(office) == "unsure"


def test_some_recipients_are_refused_and_nobody_gets_it_twice(office: Office, box: Mailbox) -> None:
    box.refuse = {TO[0]: "550 no such user"}
    row = deliver(office.desk, office.due)
    assert row is not None
    assert (row.state, row.refused) == ("sent", {TO[0]: "550 no such user"})
    assert "550 no such user" in row.reason
    box.refuse = {}
    assert deliver(office.desk, office.due) == row
    assert [envelope.rcpt_tos for envelope in box.envelopes] == [[TO[1]]]


def test_it_waits_for_its_data_and_is_given_up_at_last(office: Office, box: Mailbox) -> None:
    write(office.warehouse, "marts", 1002, [LAST], status="mismatch")
    row = deliver(office.desk, office.due)
    assert row is not None
    assert (row.state, row.retry_at) == ("withheld", office.now + RETRY)
    assert row.reason == "Shop 2: the ads do not add up to Meta's total: 2026-11-15."
    assert "meta-ads pull --account act_1002" in row.mend
    office.now = DUE + DEADLINE - timedelta(minutes=1)
    row = deliver(office.desk, office.due)
    assert row is not None
    assert row.retry_at is not None
    assert (row.state, row.retry_at >= DUE + DEADLINE) == ("withheld", True)
    office.now = row.retry_at
    row = deliver(office.desk, office.due)
    assert row is not None
    assert (row.state, row.retry_at, row.attempts) == ("given_up", None, 3)
    assert row.mend.endswith("then `meta-ads report send client-1 weekly --period-ending 2026-11-15`")
    write(office.warehouse, "marts", 1002, [LAST])
    assert deliver(office.desk, office.due) == row
    assert box.received == []
    assert send_now(office.desk, office.due).state == "sent"
    assert (len(box.received), delivered(office)) == (1, "sent")


def test_the_deadline_of_one_that_is_first_tried_late_counts_from_then(office: Office) -> None:
    """A platform that stood still for two days gets its day."""
    office.now = DUE + timedelta(days=2)
    write(office.warehouse, "marts", 1002, [LAST], status="mismatch")
    assert delivered(office) == "withheld"
    office.now += DEADLINE
    assert delivered(office) == "given_up"


def test_data_that_come_in_time_are_sent(office: Office, box: Mailbox) -> None:
    write(office.warehouse, "marts", 1001, [LAST], is_built=False)
    assert delivered(office) == "withheld"
    write(office.warehouse, "marts", 1001, [LAST])
    office.now += RETRY
    row = deliver(office.desk, office.due)
    assert row is not None
    assert (row.state, row.reason, row.mend) == ("sent", "", "")
    assert len(box.received) == 1


def test_marts_that_change_while_it_is_written(office: Office, box: Mailbox) -> None:
    def builds(*given: Any) -> Message:
        build(office.warehouse, "succeeded")
        return written(*given)

    office.writer = builds
    row = deliver(office.desk, office.due)
    assert row is not None
    assert (row.state, row.retry_at) == ("withheld", office.now + RETRY_SOON)
    build(office.warehouse, "running")
    office.writer = written
    row = deliver(office.desk, office.due)
    assert row is not None
    assert (row.state, row.retry_at) == ("withheld", office.now + RETRY_SOON)
    assert box.received == []
    build(office.warehouse, "succeeded")
    assert delivered(office) == "sent"


def test_a_client_without_a_schema_of_its_own(office: Office, box: Mailbox) -> None:
    owner = office.platform.clients.clients[0].model_copy(update={"id": "nobody"})
    office.platform.clients = office.platform.clients.model_copy(update={"clients": [owner]})
    row = deliver(office.desk, office.due)
    assert row is not None
    assert row.state == "withheld"
    assert "no schema of its own" in row.reason
    assert box.received == []


def test_a_writer_that_stumbles(office: Office, box: Mailbox) -> None:
    def stumbles(*_: Any) -> Message:
        raise ZeroDivisionError("spend / 0")

    office.writer = stumbles
    row = deliver(office.desk, office.due)
    assert row is not None
    assert (row.state, row.retry_at) == ("failed", office.now + RETRY)
    assert "ZeroDivisionError: spend / 0" in row.reason
    with pytest.raises(ReportNotSent, match="ZeroDivisionError"):
        send_now(office.desk, office.due)
    assert box.received == []


def test_a_writer_that_says_what_is_wrong(office: Office) -> None:
    def refuses(*_: Any) -> Message:
        raise DashboardError("No card had an answer.", "build the marts")

    office.writer = refuses
    row = deliver(office.desk, office.due)
    assert row is not None
    assert (row.state, row.mend) == ("failed", "build the marts")
    assert row.reason == "It cannot be written. No card had an answer."


def test_whoever_lost_its_turn_sends_nothing(office: Office, box: Mailbox) -> None:
    """The connection that held the lock broke, and another process took over while this one was writing."""

    def loses(*given: Any) -> Message:
        row = office.row
        assert row is not None
        assert row.state == "writing"
        put(office.warehouse, row)
        return written(*given)

    office.writer = loses
    with pytest.raises(DeliveryChanged):
        deliver(office.desk, office.due)
    assert box.received == []


def test_one_process_at_a_time(office: Office, box: Mailbox) -> None:
    with turn(office.warehouse, "client-1", "weekly"):
        assert deliver(office.desk, office.due) is None
        with pytest.raises(ReportBusy):
            send_now(office.desk, office.due, again=True)
    assert box.received == []
    assert delivered(office) == "sent"


def test_sent_by_hand_it_is_not_sent_by_schedule(office: Office, box: Mailbox) -> None:
    assert send_now(office.desk, office.due).state == "sent"
    assert delivered(office) == "sent"
    with pytest.raises(AlreadySent, match=r"was sent on 2026-11-16 06:00 UTC to ann@example\.com, bob@example\.com"):
        send_now(office.desk, office.due)
    assert len(box.received) == 1
    for copy in (1, 2):
        assert send_now(office.desk, office.due, again=True).copy == copy
    assert len({mail["Message-ID"] for mail in box.received}) == 3


@pytest.mark.parametrize("state", [None, "sent", "withheld"])
def test_what_fails_by_hand_leaves_the_row_as_it_was(office: Office, box: Mailbox, state: str | None) -> None:
    if state == "sent":
        assert delivered(office) == "sent"
    if state == "withheld":
        write(office.warehouse, "marts", 1001, [LAST], status="mismatch")
        assert delivered(office) == "withheld"
        with pytest.raises(ReportWithheld, match="do not add up"):
            send_now(office.desk, office.due)
        write(office.warehouse, "marts", 1001, [LAST])
    before = office.row
    box.verdict = "554 spam"
    with pytest.raises(ReportNotSent, match="554 spam"):
        send_now(office.desk, office.due, again=True)
    after = office.row
    assert (after and replace(after, version=0)) == (before and replace(before, version=0))
    box.verdict = None
    assert delivered(office) == "sent"
    assert len(box.received) == 1


def test_a_copy_for_somebody_counts_for_nothing(office: Office, box: Mailbox) -> None:
    send_copy(office.desk, office.due, "me@example.com")
    assert deliveries(office.warehouse) == []
    assert delivered(office) == "sent"
    assert [envelope.rcpt_tos for envelope in box.envelopes] == [["me@example.com"], TO]
    assert box.received[0]["To"] == "me@example.com"
    assert box.received[0]["Message-ID"] != box.received[1]["Message-ID"]
    box.verdict = "554 spam"
    with pytest.raises(ReportNotSent):
        send_copy(office.desk, office.due, "me@example.com")


def test_replies_go_to_whoever_is_in_charge(office: Office, box: Mailbox) -> None:
    office.use(box.port, alert_email_to="ops@example.com, more@example.com", alert_email_from="a@example.com")
    send_copy(office.desk, office.due, "me@example.com")
    office.declare(owner="owner@example.com")
    send_copy(office.desk, office.due, "me@example.com")
    assert [mail["Reply-To"] for mail in box.received] == ["ops@example.com", "owner@example.com"]


def test_the_database_is_gone_before_anything_is_sent(office: Office, box: Mailbox) -> None:
    def cuts(*given: Any) -> Message:
        office.platform.warehouse = Warehouse("postgresql://nobody@127.0.0.1:1/nowhere")
        return written(*given)

    office.writer = cuts
    kept = office.platform.warehouse
    with pytest.raises(WarehouseError, match=r"127\.0\.0\.1"):
        deliver(office.desk, office.due)
    office.platform.warehouse = kept
    assert box.received == []
    row = office.row
    assert row is not None
    assert row.state == "writing"
    office.writer = written
    assert delivered(office) == "sent"
