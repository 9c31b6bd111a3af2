"""Sends a report, once for each period.

What belongs here: what follows from each state of `ops.report_delivery`, and the order of writing, noting and sending.
What does not: when a report is due (`orchestration.reports.due`), its data (`orchestration.reports.writing`), its parts
(`orchestration.reports.compose`), the conversation with the mail server (`orchestration.mail`).

That a message is handed over is noted before the first byte, and what became of it after the last. A process that dies
before the first note has sent nothing; one that dies between the two leaves `sending`, which nobody repeats by itself:
a client would rather wait for somebody to look than get two reports. What the mail server certainly did not take is
tried again until the deadline. One process works on a report at a time, and of two that hold the same version of its
row, as after a broken connection, only one can note that it sends.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from dashboards.errors import DashboardError
from dashboards.reports.model import Message
from orchestration.mail import MailError, MailUnsure, send
from orchestration.redaction import redactor
from orchestration.reports.compose import Envelope, Letter, compose, message_id
from orchestration.reports.desk import Desk
from orchestration.reports.due import Due
from orchestration.reports.errors import AlreadySent, ReportBusy, ReportNotSent, ReportWithheld
from orchestration.reports.writing import write
from warehouse.connect import Warehouse
from warehouse.errors import WarehouseError
from warehouse.ops import report_deliveries as store
from warehouse.ops.report_deliveries import Delivery

log = logging.getLogger(__name__)

#: How long after it was due, or was first tried where that was later, a report is still sent: until the next day's.
DEADLINE = timedelta(hours=24)
#: How long after a failure it is tried again. Pulls and builds that mend its data run every 15 minutes.
RETRY = timedelta(minutes=30)
#: The same where the marts were just being built.
RETRY_SOON = timedelta(minutes=2)
FINAL = frozenset({"sent", "unsure", "given_up"})
_MEGABYTE = 1024 * 1024
_SEND = "`meta-ads report send {client} {report} --period-ending {day} --again`"
_DIED = "The process that sent it died while the mail server was being given it, so nobody knows whether it arrived."


class _NotTaken(Exception):
    """The mail server had none of it.

    Attributes:
        row: As it was when it was handed over.
        problem: What the server did.
    """

    def __init__(self, row: Delivery, problem: MailError) -> None:
        super().__init__(problem.message)
        self.row, self.problem = row, problem


def deliver(desk: Desk, due: Due) -> Delivery | None:
    """Sends a report that is due, unless its period was sent; what keeps it back is noted, and when to try again.

    Returns:
        What became of it; None while another process works on it.

    Raises:
        WarehouseError: The database failed. Nothing was sent, or the row says `sending`.
    """
    warehouse = desk.platform.warehouse
    with store.turn(warehouse, due.client.id, due.report.name) as is_mine:
        if not is_mine:
            return None
        _close_older(desk, due)
        found = _found(desk, due)
        if found and found.state in FINAL:
            return found
        now = desk.now()
        row = found or _new(due, now)
        row = store.put(
            warehouse, replace(row, state="writing", tried_at=now, retry_at=None, attempts=row.attempts + 1)
        )
        try:
            return _hand_over(desk, row, _letter(desk, due, row, _written(desk, due)))
        except ReportWithheld as problem:
            wait = RETRY_SOON if problem.is_brief else RETRY
            return _kept(desk, row, "withheld", problem.message, problem.mend, wait)
        except ReportNotSent as problem:
            return _kept(desk, row, "failed", problem.message, problem.mend)
        except _NotTaken as problem:
            return _kept(desk, problem.row, "failed", problem.problem.message, problem.problem.mend)


def send_now(desk: Desk, due: Due, *, again: bool = False) -> Delivery:
    """Sends a report because somebody asked for it; where that fails, its row is what it was.

    Args:
        desk: What sending needs.
        due: Which report and period.
        again: Also one that was sent, or may have been.

    Returns:
        What became of it: `sent` or `unsure`.

    Raises:
        AlreadySent: It went out before, or may have, and `again` was not asked for.
        ReportBusy: Another process works on it.
        ReportWithheld: Its data are not complete or not reconciled.
        ReportNotSent: It could not be written, or the server had none of it.
        WarehouseError: The database failed. Nothing was sent, or the row says `sending`.
    """
    warehouse = desk.platform.warehouse
    with store.turn(warehouse, due.client.id, due.report.name) as is_mine:
        if not is_mine:
            raise ReportBusy(f"Another process works on {due.name}.", "wait until it is done")
        found = _found(desk, due)
        was_sent = found is not None and found.state in ("sent", "unsure")
        if found and was_sent and not again:
            raise _already(found)
        now = desk.now()
        row = found or _new(due, now)
        row = replace(row, tried_at=now, attempts=row.attempts + 1, copy=row.copy + (1 if was_sent else 0))
        try:
            return _hand_over(desk, row, _letter(desk, due, row, _written(desk, due)))
        except _NotTaken as refused:
            if found:
                store.put(warehouse, replace(found, version=refused.row.version))
            else:
                store.drop(warehouse, refused.row)
            raise ReportNotSent(refused.problem.message, refused.problem.mend) from None


def send_copy(desk: Desk, due: Due, address: str) -> None:
    """Sends a report to somebody who wants to see it. It counts for nothing: nobody else gets it, no row is written.

    Raises:
        ReportWithheld: As for `send_now`.
        ReportNotSent: The server had none of it, or may have.
        WarehouseError: The database failed.
    """
    now = desk.now()
    report = due.report.model_copy(update={"recipients": [address]})
    # Reason: with the id of the report itself, a mail program would hide whichever of the two comes second.
    row = replace(_new(due, now), copy=int(now.timestamp()))
    letter = _letter(desk, replace(due, report=report), row, _written(desk, due))
    try:
        send(desk.server, letter.mail, letter.recipients)
    except MailError as problem:
        raise ReportNotSent(problem.message, problem.mend) from None


def already_sent(warehouse: Warehouse, due: Due) -> AlreadySent | None:
    """What would keep a report from being sent a second time; None where nothing does."""
    found = store.find(warehouse, due.client.id, due.report.name, due.period.first, due.period.last)
    return _already(found) if found and found.state in ("sent", "unsure") else None


def _found(desk: Desk, due: Due) -> Delivery | None:
    """The row of a period. One that says `sending` was left by a process that died: its lock is ours now."""
    warehouse = desk.platform.warehouse
    found = store.find(warehouse, due.client.id, due.report.name, due.period.first, due.period.last)
    return _died(desk, found) if found and found.state == "sending" else found


def _close_older(desk: Desk, due: Due) -> None:
    """Gives up what was to be tried again of periods before: nobody wants yesterday's report beside today's."""
    for row in store.unfinished(desk.platform.warehouse, due.client.id, due.report.name):
        if row.last_day >= due.period.last:
            continue
        if row.state == "sending":
            _died(desk, row)
        else:
            _give_up(desk, row, f"{row.reason} The next report is due.".strip(), row.mend)


def _died(desk: Desk, row: Delivery) -> Delivery:
    unsure = replace(row, state="unsure", reason=_DIED, mend=_look_first(row), retry_at=None)
    return store.put(desk.platform.warehouse, unsure)


def _new(due: Due, now: datetime) -> Delivery:
    days = (due.period.first, due.period.last)
    return Delivery(due.client.id, due.report.name, *days, due_at=due.at, begun_at=now, tried_at=now, state="writing")


def _written(desk: Desk, due: Due) -> Message:
    try:
        return write(desk.platform, due, desk.writer, desk.now())
    except (ReportWithheld, ReportNotSent, WarehouseError):
        raise
    except DashboardError as problem:
        raise ReportNotSent(f"It cannot be written. {problem.message}", problem.mend) from None
    except Exception as error:
        # Reason: whatever a writer stumbles over, the report is not sent, which somebody has to be told.
        log.exception("%s cannot be written.", due.name)
        said = redactor.redact(f"{type(error).__name__}: {error}".strip())
        raise ReportNotSent(
            f"It cannot be written ({said}).", "see the log; this is a defect of the platform"
        ) from error


def _letter(desk: Desk, due: Due, row: Delivery, message: Message) -> Letter:
    settings, report = desk.platform.settings, due.report
    first, last = row.first_day.isoformat(), row.last_day.isoformat()
    envelope = Envelope(
        desk.sender,
        tuple(report.recipients),
        report.owner or next(iter(settings.alert_email_to), None),
        message_id(row.client_id, row.report, first, last, desk.sender, row.copy),
        desk.now(),
        settings.report_max_megabytes * _MEGABYTE,
    )
    return compose(due.client, report, message, envelope)


def _hand_over(desk: Desk, row: Delivery, letter: Letter) -> Delivery:
    warehouse = desk.platform.warehouse
    row = store.put(
        warehouse,
        replace(
            row,
            state="sending",
            reason="",
            mend="",
            retry_at=None,
            sent_at=None,
            message_id=letter.message_id,
            digest=letter.digest,
            recipients=letter.recipients,
            refused={},
        ),
    )
    try:
        refused = send(desk.server, letter.mail, letter.recipients)
    except MailUnsure as problem:
        reason = redactor.redact(problem.message)
        return store.put(warehouse, replace(row, state="unsure", reason=reason, mend=_look_first(row)))
    except MailError as problem:
        raise _NotTaken(row, problem) from None
    refused = {one: redactor.redact(said) for one, said in refused.items()}
    listing = "; ".join(f"{one}: {said}" for one, said in refused.items())
    notes = [f"The mail server refused some recipients: {listing}"] if refused else []
    notes += [f"Too large to be attached: {', '.join(letter.left_out)}."] if letter.left_out else []
    notes += [f"Without an answer: {'; '.join(letter.problems)}"] if letter.problems else []
    return store.put(
        warehouse,
        replace(
            row,
            state="sent",
            sent_at=desk.now(),
            refused=refused,
            reason=" ".join(notes),
            mend="correct the recipients in clients.yml" if refused else "",
        ),
    )


def _kept(desk: Desk, row: Delivery, state: store.State, reason: str, mend: str, wait: timedelta = RETRY) -> Delivery:
    """Notes why a report did not go out, and when it is tried again, if it is."""
    now = desk.now()
    deadline = max(row.due_at, row.begun_at) + DEADLINE
    reason, mend = redactor.redact(reason), redactor.redact(mend)
    if now >= deadline:
        return _give_up(desk, row, reason, mend)
    kept = replace(row, state=state, reason=reason, mend=mend, retry_at=min(now + wait, deadline))
    return store.put(desk.platform.warehouse, kept)


def _give_up(desk: Desk, row: Delivery, reason: str, mend: str) -> Delivery:
    mend = "; then ".join(part for part in (mend.rstrip("."), _command(row, again=False)) if part)
    given_up = replace(row, state="given_up", reason=reason, mend=mend, retry_at=None)
    return store.put(desk.platform.warehouse, given_up)


def _already(found: Delivery) -> AlreadySent:
    days = f"{found.first_day} to {found.last_day}"
    if found.state == "sent":
        what = f"The report of {days} was sent on {found.sent_at:%Y-%m-%d %H:%M} UTC to {', '.join(found.recipients)}."
        return AlreadySent(what, "add --again to send it once more")
    return AlreadySent(f"The report of {days} may have been sent. {found.reason}", _look_first(found))


def _look_first(row: Delivery) -> str:
    return f"look whether it arrived ({row.message_id}); if not, {_command(row, again=True)}"


def _command(row: Delivery, *, again: bool) -> str:
    command = _SEND.format(client=row.client_id, report=row.report, day=row.last_day)
    return command if again else command.replace(" --again", "")
