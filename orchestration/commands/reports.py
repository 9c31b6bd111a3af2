"""Commands of reports by e-mail: list, preview, send.

What belongs here: options, and what is printed. What does not: whether a report goes out (`orchestration.reports`).

Exit codes beside the usual ones (`orchestration.cli`): 1 where a report was not sent, may not have been sent, did not
reach all recipients, or has cards without an answer; 2 where something has to be mended before it can be tried at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape
from rich.table import Table

from dashboards.checked_yaml import near
from orchestration.clients.models import Client, EmailReport
from orchestration.commands.shared import day, out, settings_for_command
from orchestration.demo import DEMO_FOLDER, demo_settings
from orchestration.errors import UserError
from orchestration.mail_settings import address
from orchestration.platform import Platform, open_platform
from orchestration.progress import Display
from orchestration.reports.deliver import already_sent, send_copy, send_now
from orchestration.reports.desk import Desk
from orchestration.reports.due import ending, last_firing, next_firing
from orchestration.reports.errors import ReportNotSent
from orchestration.reports.preview import write_preview
from orchestration.reports.writing import draft_of, write_report
from warehouse.ops.report_deliveries import Delivery, deliveries

FOLDER = "reports"
_MAIL = ("smtp_host", "smtp_port", "smtp_user", "smtp_password", "smtp_tls", "alert_email_from", "report_email_from")
_WORDS = {
    "writing": "being written",
    "withheld": "[yellow]waits for its data[/]",
    "failed": "[yellow]not sent, tried again[/]",
    "sending": "being sent",
    "sent": "[green]sent[/]",
    "unsure": "[red]may not have been sent[/]",
    "given_up": "[red]not sent, given up[/]",
}
_Demo = Annotated[bool, typer.Option("--demo", help="The demo's clients and data.")]
_ClientName = Annotated[str, typer.Argument(metavar="CLIENT", help="Id of the client in clients.yml.")]
_ReportName = Annotated[str, typer.Argument(metavar="REPORT", help="Name of the report there.")]
_Ending = Annotated[
    str | None, typer.Option("--period-ending", metavar="DAY", help="Last day of the period; default: the newest.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="Reports by e-mail: see when they go out, look at one, send one.", no_args_is_help=True)
    group.command("list")(list_reports)
    group.command("preview")(preview)
    group.command("send")(send)
    app.add_typer(group, name="report")


def list_reports(demo: _Demo = False) -> None:
    """List each report with its next time, and what became of its newest period."""
    with _opened(demo) as platform:
        now = _now(platform)
        rows = deliveries(platform.warehouse)
        declared = [(client, report) for client in platform.clients.clients for report in client.reports]
        if not declared:
            out.print("clients.yml declares no report.")
            return
        table = Table("Report", "To", "Next", "Last sent", "Newest period", "Why")
        for client, report in declared:
            table.add_row(*_row(client, report, rows, now))
        out.print(table)
        if problem := _mail_problem(platform):
            out.print(f"[yellow]No report is sent:[/] {problem.message} -> {problem.mend}", soft_wrap=True)


def preview(
    client: _ClientName,
    report: _ReportName,
    period_ending: _Ending = None,
    target: Annotated[
        Path | None, typer.Option("--out", help="Folder; default: one of .meta-ads/reports for client and days.")
    ] = None,
    demo: _Demo = False,
) -> None:
    """Write a report as files, send nothing, and say whether it would be sent now. Its data need not be complete."""
    last = day(period_ending, "--period-ending")
    with _opened(demo) as platform:
        due = ending(*_find(platform, client, report), last, _now(platform))
        draft = draft_of(platform, due)
        message = write_report(draft.order, draft.space, draft.library, _now(platform))
        name = f"{due.client.id}-{due.report.name}-{due.period.last}"
        paths = write_preview(message, target or platform.settings.meta_ads_home / FOLDER / name)
        out.print(f"[bold]{escape(message.subject)}[/]", soft_wrap=True)
        for path in paths:
            out.print(path.resolve().as_uri(), soft_wrap=True)
        reasons = [] if draft.ready.is_ready else [(draft.ready.reason, draft.ready.mend)]
        if problem := _mail_problem(platform):
            reasons.append((problem.message, problem.mend))
        if already := already_sent(platform.warehouse, due):
            reasons.append((already.message, already.mend))
    for problem_of_card in message.problems:
        out.print(f"[red]no answer[/] {escape(problem_of_card)}", soft_wrap=True)
    for reason, mend in reasons:
        out.print(f"[yellow]It would not be sent now:[/] {escape(reason)}\n  -> {escape(mend)}", soft_wrap=True)
    if not reasons:
        out.print(f"It would be sent now to {', '.join(due.report.recipients)}.", soft_wrap=True)
    if message.problems:
        raise typer.Exit(1)


def send(
    client: _ClientName,
    report: _ReportName,
    period_ending: _Ending = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="ADDRESS", help="A copy to this address alone; it counts for nothing.")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also if its period was sent, or may have been.")] = False,
    demo: _Demo = False,
) -> None:
    """Send a report now, if its data are complete and its period was not sent yet. Exit code 1 if it did not go out."""
    last = day(period_ending, "--period-ending")
    if to is not None:
        _checked(to, again)
    elif demo:
        raise UserError("The demo's recipients do not exist.", "name an address of your own: --to you@example.com")
    with _opened(demo) as platform:
        due = ending(*_find(platform, client, report), last, _now(platform))
        desk = Desk.of(platform)
        if to is not None:
            send_copy(desk, due, to)
            out.print(f"A copy went to {escape(to)}.", soft_wrap=True)
            return
        row = send_now(desk, due, again=again)
    if row.state == "unsure":
        raise ReportNotSent(f"It may not have been sent. {row.reason}", row.mend)
    reached = [one for one in row.recipients if one not in row.refused]
    out.print(f"Sent to {', '.join(reached)} ({row.message_id}).", soft_wrap=True)
    if row.refused:
        raise ReportNotSent(row.reason, row.mend)


def _row(client: Client, report: EmailReport, rows: list[Delivery], now: datetime) -> list[str]:
    mine = [row for row in rows if (row.client_id, row.report) == (client.id, report.name)]
    sent = max((row.sent_at for row in mine if row.sent_at), default=None)
    newest = mine[0] if mine else None
    zone = ZoneInfo(report.time_zone)
    why = ""
    if newest and newest.reason:
        retry = f"; again at {newest.retry_at.astimezone(zone):%H:%M}" if newest.retry_at else ""
        why = escape(f"{newest.reason}{retry}")
    elif not newest and report.enabled:
        why = f"not tried yet; its last time was {last_firing(report, now):%Y-%m-%d %H:%M}"
    return [
        f"[bold]{client.id} {report.name}[/]\n{escape(report.title or '')}".strip(),
        "\n".join(report.recipients),
        f"{next_firing(report, now):%a %Y-%m-%d %H:%M}\n{report.time_zone}" if report.enabled else "switched off",
        f"{sent.astimezone(zone):%Y-%m-%d %H:%M}" if sent else "never",
        f"{newest.first_day} to {newest.last_day}\n{_WORDS[newest.state]}" if newest else "-",
        why,
    ]


def _find(platform: Platform, client: str, report: str) -> tuple[Client, EmailReport]:
    """The report of that name.

    Raises:
        UserError: There is none.
    """
    clients = platform.clients.clients
    found = next((one for one in clients if client in (one.id, one.name)), None)
    if found is None:
        known = [one.id for one in clients if one.reports]
        mend = near(client, [one.id for one in clients]) or f"clients with reports: {', '.join(known) or 'none'}"
        raise UserError(f"There is no client {client!r}.", mend)
    for one in found.reports:
        if one.name == report:
            return found, one
    names = [one.name for one in found.reports]
    mend = near(report, names) or (f"it has {', '.join(names)}" if names else "declare one (docs/cookbooks/reports.md)")
    raise UserError(f"Client {found.id} has no report {report!r}.", mend)


def _mail_problem(platform: Platform) -> UserError | None:
    try:
        Desk.of(platform)
    except UserError as problem:
        return problem
    return None


def _checked(to: str, again: bool) -> None:
    if again:
        raise UserError("--again goes with no --to.", "a copy counts for nothing: it may be sent any number of times")
    try:
        address(to)
    except ValueError:
        raise UserError(f"--to {to!r} is no plain e-mail address.", "write it like you@example.com") from None


@contextmanager
def _opened(demo: bool) -> Iterator[Platform]:
    settings = settings_for_command()
    if demo:
        if not (settings.meta_ads_home / DEMO_FOLDER / "postgres").is_dir():
            raise UserError("There is no demo yet.", "run `meta-ads demo` first")
        # Reason: the demo tells nobody by itself; whoever wants to see a report of it needs a mail server.
        mail = {name: getattr(settings, name) for name in _MAIL}
        settings = demo_settings(settings, settings.meta_graph_url).model_copy(update=mail)
    with open_platform(settings, Display()) as platform:
        yield platform


def _now(platform: Platform) -> datetime:
    return datetime.fromtimestamp(platform.clock.now(), UTC)
