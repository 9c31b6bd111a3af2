"""From what became of reports to causes.

What belongs here: pure functions, and from when on a report is late. What does not: reading the rows
(`orchestration.alerts.facts`), sending reports (`orchestration.reports`).

A report that was given up, or may have been sent, is an error until somebody sends it, a later one was sent, or nobody
cares any more. One that is late is a warning, which is over when it is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from orchestration.alerts.model import Cause, Kind, sample
from orchestration.clients.models import Client, ClientsFile, EmailReport
from warehouse.ops.report_deliveries import Delivery

#: How long a report may wait before somebody is told. Yesterday's data come in the first three hours of an account's
#: day; a report that is sent at seven and waits for two hours is missed by those who read it at their desk.
LATE = timedelta(hours=2)


def report_owners(clients: ClientsFile) -> set[str]:
    """Everybody who is in charge of a report."""
    return {report.owner for client in clients.clients for report in client.reports if report.owner}


def unsent_reports(rows: Iterable[Delivery], clients: ClientsFile, now: datetime, *, can_mail: bool) -> Iterator[Cause]:
    """Reports that were not sent as they should.

    Args:
        rows: By client and report, the newest period first.
        clients: What is declared; reports that nobody declares, or that are switched off, concern nobody.
        now: With a time zone.
        can_mail: Whether an owner can be told at all.
    """
    declared = {
        (client.id, report.name): (client, report)
        for client in clients.clients
        for report in client.reports
        if report.enabled
    }
    sent_since: set[tuple[str, str]] = set()
    for row in rows:
        name = (row.client_id, row.report)
        if name not in declared or name in sent_since:
            continue
        client, report = declared[name]
        found = _cause(row, client, report, now, report.owner if can_mail else None)
        if found:
            yield found
        if row.state == "sent":
            sent_since.add(name)


def _cause(row: Delivery, client: Client, report: EmailReport, now: datetime, owner: str | None) -> Cause | None:
    what = f"{report.title or f'{client.name}, {report.name}'}, {row.first_day} to {row.last_day}"
    match row.state:
        case "given_up":
            title = f"{what}: not sent, and given up"
        case "unsure":
            title = f"{what}: may not have been sent"
        case "sent" if row.refused:
            title = f"{what}: refused for {len(row.refused)} of {len(row.recipients)} recipients"
        case "writing" | "withheld" | "failed" if now - max(row.due_at, row.begun_at) >= LATE:
            title = f"{what}: not sent yet"
        case _:
            return None
    is_error = row.state in ("given_up", "unsure")
    subject = f"{row.client_id}/{row.report}"
    return Cause(
        f"{Kind.REPORT_NOT_SENT}:{subject}:{row.first_day}:{row.last_day}",
        Kind.REPORT_NOT_SENT,
        "error" if is_error else "warning",
        title,
        row.reason,
        row.mend,
        samples={subject: {**sample(), "owner": owner}},
    )
