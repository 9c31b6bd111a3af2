"""The command that checks raw data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from orchestration.commands.shared import account_ids, day, opened, out, settings_for_command
from orchestration.demo import DEMO_FOLDER, demo_settings
from orchestration.errors import UserError
from orchestration.platform import Platform, open_platform
from orchestration.progress import Display
from orchestration.quality import check_raw_data
from warehouse.quality import ENTITIES, Outcome, QualityResult, write_page
from warehouse.query import account_overview

_DOCS = "quality"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("check")(check)


def check(
    account: Annotated[list[str] | None, typer.Option(help="Only this account (act_...); may be repeated.")] = None,
    report: Annotated[list[str] | None, typer.Option(help="Only this report; may be repeated.")] = None,
    since: Annotated[str | None, typer.Option(help="First day (YYYY-MM-DD); default: the last 28 days.")] = None,
    until: Annotated[str | None, typer.Option(help="Last day, included; default: the newest.")] = None,
    docs: Annotated[Path | None, typer.Option(help="Where the page goes; default: .meta-ads/quality.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Check the demo's data.")] = False,
) -> None:
    """Check raw data: keys, ranges, gaps, freshness, volumes, fields. Exit code 1 if something must not be used."""
    first, last = day(since, "--since"), day(until, "--until")
    if first and last and first > last:
        raise UserError(f"--since {first} lies after --until {last}.", "swap them")
    accounts, reports = account_ids(account), tuple(report or ())
    if demo:
        base = settings_for_command()
        # Reason: the simulator need not run; what it sent is in the warehouse.
        settings = demo_settings(base, base.meta_graph_url)
        if not (base.meta_ads_home / DEMO_FOLDER / "postgres").is_dir():
            raise UserError("There is no demo yet.", "run `meta-ads demo` first")
        with open_platform(settings, Display()) as platform:
            result = check_raw_data(platform, accounts, reports, first, last)
            _show(platform, result, docs)
    else:
        with opened() as platform:
            result = check_raw_data(platform, accounts, reports, first, last)
            _show(platform, result, docs)
    if not result.passed:
        raise typer.Exit(1)


def _show(platform: Platform, result: QualityResult, docs: Path | None) -> None:
    names = {int(row["account_id"]): str(row["account_name"] or "") for row in account_overview(platform.warehouse)}
    failed = sorted(result.failures(), key=lambda outcome: (outcome.severity, outcome.account_id))
    if failed:
        table = Table("", "Account", "Report", "What is wrong", "To mend it")
        for outcome in failed:
            table.add_row(*_row(outcome, names))
        out.print(table)
    errors = sum(outcome.severity == "error" for outcome in failed)
    reports = len({outcome.report for outcome in result.outcomes} - {ENTITIES})
    accounts = len({outcome.account_id for outcome in result.outcomes})
    verdict = f"[red]{errors} errors[/]" if errors else "[green]no error[/]"
    out.print(
        f"{accounts} accounts, {reports} reports, {result.since} to {result.until}: {len(result.outcomes):,} "
        f"expectations, {verdict}, {len(failed) - errors} warnings ({sum(result.seconds.values()):.1f} s)."
    )
    page = write_page(result, docs or platform.settings.meta_ads_home / _DOCS, names)
    out.print(f"Data docs: {escape(str(page))}", soft_wrap=True)


def _row(outcome: Outcome, names: dict[int, str]) -> tuple[str, ...]:
    mark = "[red]error[/]" if outcome.severity == "error" else "[yellow]warning[/]"
    examples = "".join(f"\n  {example}" for example in outcome.examples)
    where = names.get(outcome.account_id) or f"act_{outcome.account_id}"
    return mark, escape(where), outcome.report, escape(outcome.message + examples), escape(outcome.mend)
