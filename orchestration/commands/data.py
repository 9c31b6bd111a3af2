"""Commands that move data: accounts, pull, import, build, doctor."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from ingestion.entities import discover_accounts
from orchestration.build import BuildSummary, build_marts
from orchestration.commands.shared import account_ids, day, opened, out, settings_for_command
from orchestration.doctor import examine
from orchestration.errors import UserError
from orchestration.importing import ImportSummary, as_options, import_files
from orchestration.progress import Display
from orchestration.pull import run_pull
from orchestration.pull_model import PullRequest, PullSummary
from warehouse.query import account_overview

log = logging.getLogger(__name__)

_MARKS = {"ok": "[green]     ok[/]", "warning": "[yellow]warning[/]", "problem": "[red]problem[/]"}


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("pull")(pull)
    app.command("build")(build)
    app.command("import")(import_exports)
    app.command("accounts")(accounts)
    app.command("doctor")(doctor)


def pull(
    account: Annotated[list[str] | None, typer.Option(help="Only this account (act_...); may be repeated.")] = None,
    report: Annotated[list[str] | None, typer.Option(help="Only this report; may be repeated.")] = None,
    since: Annotated[str | None, typer.Option(help="First day (YYYY-MM-DD), the account's own.")] = None,
    until: Annotated[str | None, typer.Option(help="Last day, included; default: yesterday.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Also what was pulled within the last 15 minutes.")] = False,
    entities: Annotated[bool, typer.Option(help="Also campaigns, ad sets, ads, creatives, history.")] = True,
    marts: Annotated[bool, typer.Option(help="Build the marts afterwards.")] = True,
    today: Annotated[
        bool, typer.Option("--today", help="The current day instead: changed objects, hours of ads that deliver.")
    ] = False,
) -> None:
    """Pull what is due from Meta: new days, gaps, and the last 28 days, which Meta still changes."""
    first, last = day(since, "--since"), day(until, "--until")
    if today and (report or since or until or again):
        raise UserError("--today goes with no report and no range.", "leave --report, --since, --until, --again out")
    if last and not first:
        raise UserError("--until needs --since.", "name both ends of the range, or none for what is due")
    if first and last and first > last:
        raise UserError(f"--since {first} lies after --until {last}.", "swap them")
    if first and first > datetime.now(UTC).date():
        raise UserError(f"--since {first} lies in the future.", "name a day that has been")
    with opened() as platform:
        request = PullRequest(account_ids(account), tuple(report or ()), first, last, again, entities, current=today)
        summary = run_pull(platform, request)
        show_pull(summary)
        if marts:
            show_build(build_marts(platform))
    if summary.status != "succeeded":
        raise typer.Exit(1)


def build(
    full: Annotated[bool, typer.Option("--full", help="Rebuild every table from all raw data.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Run dbt even if nothing is due.")] = False,
) -> None:
    """Build the marts for the account days that changed."""
    with opened() as platform:
        show_build(build_marts(platform, full=full, force=force))


def import_exports(
    files: Annotated[list[Path], typer.Argument(help="Ads Manager exports, CSV or XLSX, one row per day.")],
    account: Annotated[str | None, typer.Option(help="The account's id, if the file has none.")] = None,
    account_name: Annotated[str | None, typer.Option(help="The account's name, if the file has none.")] = None,
    currency: Annotated[str | None, typer.Option(help="ISO code, if the headers name none.")] = None,
    time_zone: Annotated[str | None, typer.Option(help="The account's, e.g. Europe/Berlin.")] = None,
    decimal: Annotated[str | None, typer.Option(help="The decimal sign, '.' or ',', if it cannot be told.")] = None,
    date_order: Annotated[str | None, typer.Option(help="dmy or mdy, if it cannot be told.")] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="'HEADER=FIELD' for a header that is not understood; may be repeated.")
    ] = None,
    client: Annotated[str | None, typer.Option(help="Id of the client that owns the account.")] = None,
    replace_api: Annotated[bool, typer.Option("--replace-api", help="Overwrite days pulled from the API.")] = False,
    marts: Annotated[bool, typer.Option(help="Build the marts afterwards.")] = True,
) -> None:
    """Import Ads Manager exports: the way in without an API token."""
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        raise UserError(f"There is no file {missing[0]}.", "check the path")
    with opened() as platform:
        summary = import_files(
            platform,
            files,
            replace_api=replace_api,
            client_id=client,
            account_id=account_ids([account])[0] if account else None,
            account_name=account_name,
            currency=currency,
            time_zone=time_zone,
            decimal=decimal,
            date_order=date_order,
            columns=_columns(column),
        )
        show_import(summary)
        if marts:
            show_build(build_marts(platform))


def _columns(texts: list[str] | None) -> dict[str, str] | None:
    if not texts:
        return None
    pairs = [text.rpartition("=") for text in texts]
    wrong = [text for text, (header, _, name) in zip(texts, pairs, strict=True) if not header or not name]
    if wrong:
        raise UserError(f"--column {wrong[0]!r} is no HEADER=FIELD.", "write it like --column 'Kosten (EUR)=spend'")
    return {header.strip(): name.strip() for header, _, name in pairs}


def accounts() -> None:
    """List the ad accounts that the token sees and the warehouse holds."""
    with opened() as platform:
        rows = {int(row["account_id"]): dict(row) for row in account_overview(platform.warehouse)}
        if platform.settings.meta_access_token is not None:
            client = platform.graph_client()
            try:
                visible = {int(account["account_id"]): account for account in discover_accounts(client)}
            finally:
                client.close()
        else:
            visible = {}
        table = Table("Account", "Name", "Client", "Currency", "Time zone", "Visible", "Days held", "Last pull")
        for account_id in sorted(set(rows) | set(visible)):
            row, seen = rows.get(account_id, {}), visible.get(account_id, {})
            owner = platform.clients.find(account_id)
            table.add_row(
                f"act_{account_id}",
                str(row.get("account_name") or seen.get("name") or ""),
                owner[0].name if owner else str(row.get("client_name") or ""),
                str(row.get("currency") or seen.get("currency") or ""),
                str(row.get("time_zone") or seen.get("timezone_name") or ""),
                "yes" if seen else "-",
                str(row.get("days") or 0),
                f"{row['last_pull']:%Y-%m-%d %H:%M}" if row.get("last_pull") else "never",
            )
        out.print(table)


def doctor() -> None:
    """Check token, scopes, expiry, versions, database and disk; say how to mend what is wrong."""
    worst = "ok"
    for finding in examine(settings_for_command(), Display()):
        out.print(f"{_MARKS[finding.status]}  [bold]{finding.name}[/]: {escape(finding.text)}", soft_wrap=True)
        if finding.mend:
            out.print(f"         -> {escape(finding.mend)}", soft_wrap=True)
        worst = max(worst, finding.status, key=["ok", "warning", "problem"].index)
    if worst == "problem":
        raise typer.Exit(2)


def show_pull(summary: PullSummary) -> None:
    """Prints what a pull did."""
    slices = sum(outcome.slices for outcome in summary.outcomes)
    unchanged = sum(outcome.unchanged for outcome in summary.outcomes)
    rows = sum(outcome.rows for outcome in summary.outcomes)
    again = "Continued an interrupted pull. " if summary.resumed else ""
    out.print(
        f"{again}{len(summary.outcomes)} accounts, {slices:,} slices ({unchanged:,} unchanged), {rows:,} rows, "
        f"{summary.calls:,} calls to Meta."
    )
    for outcome in summary.outcomes:
        for problem in outcome.problems:
            out.print(f"[red]failed[/] {escape(problem)}", soft_wrap=True)
        for note in outcome.notes:
            out.print(f"[yellow]note[/] {escape(note)}", soft_wrap=True)


def show_build(summary: BuildSummary) -> None:
    """Prints what a build did."""
    if summary.isolation_problem:
        out.print(f"[yellow]clients' schemas[/] {escape(summary.isolation_problem)}", soft_wrap=True)
    if summary.result is None:
        out.print("Marts are up to date; nothing to build.")
        return
    out.print(
        f"Marts built for {summary.account_days:,} account days ({summary.result.models} models, "
        f"{summary.result.tests} tests)."
    )
    for warning in summary.result.warnings:
        out.print(f"[yellow]odd numbers[/] {warning}; nothing was stopped", soft_wrap=True)


def show_import(summary: ImportSummary) -> None:
    """Prints what an import did, every rejected row included."""
    for export in summary.exports:
        out.print(
            f"{export.path.name}: {export.row_count:,} rows, {len(export.days)} days, level {export.level}, "
            f"{export.account_name} (act_{export.account_id}), {export.currency}",
            soft_wrap=True,
        )
        for row in export.rejected:
            out.print(f"  [yellow]not loaded[/] line {row.line}: {escape(as_options(row.reason))}", soft_wrap=True)
        if export.rejected_total > len(export.rejected):
            out.print(f"  [yellow]not loaded[/] {export.rejected_total - len(export.rejected)} more rows")
        if export.dropped_totals:
            out.print(f"  {export.dropped_totals} total rows left out")
        for warning in export.warnings:
            out.print(f"  [yellow]note[/] {escape(as_options(warning))}", soft_wrap=True)
    out.print(f"Loaded {summary.slices:,} days, {summary.rows:,} rows.")
    if summary.kept:
        out.print(f"{summary.kept:,} rows of earlier imports stay beside them.")
    if summary.skipped:
        days = sorted(day for _, day in summary.skipped)
        out.print(
            f"[yellow]{len(days)} days left alone[/] ({days[0]} to {days[-1]}): the API delivered them. "
            "Use --replace-api to overwrite them."
        )
