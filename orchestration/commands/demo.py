"""The demo's command: from a fresh clone to a table of results."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer
from babel.numbers import get_currency_precision
from rich.markup import escape
from rich.table import Table

from orchestration.build import build_marts
from orchestration.commands.data import show_build, show_pull
from orchestration.commands.shared import out, settings_for_command
from orchestration.demo import DEMO_FOLDER, demo_settings, start_simulator
from orchestration.platform import open_platform
from orchestration.progress import Display
from orchestration.pull import run_pull
from orchestration.pull_model import PullRequest, raise_if_nothing_came
from orchestration.site.building import build_site
from warehouse.query import ab_verdicts, demo_summary


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("demo")(demo)


def demo(
    again: Annotated[bool, typer.Option("--again", help="Ask Meta again for what was just pulled.")] = False,
) -> None:
    """Show the whole platform at work on a simulated Meta: five accounts of three clients, 120 days."""
    started = time.monotonic()
    base = settings_for_command()
    url = start_simulator(base.meta_ads_home / DEMO_FOLDER).url
    settings = demo_settings(base, url)
    with open_platform(settings, Display()) as platform:
        summary = run_pull(platform, PullRequest(again=again))
        raise_if_nothing_came(summary)
        show_pull(summary)
        show_build(build_marts(platform))
        show_clients(demo_summary(platform.warehouse))
        show_experiments(ab_verdicts(platform.warehouse))
        database = platform.warehouse.safe_url
        site = build_site(platform)
    out.print(f"\nDone in {time.monotonic() - started:.0f} s. Where to look next:")
    out.print(f"  dashboards {site.index.as_uri()}", soft_wrap=True)
    out.print("             or `meta-ads site serve --demo`, where filters work")
    out.print(f"  database   psql '{database}'   (schemas raw, ops, marts)", soft_wrap=True)
    out.print(f"  simulator  {url}/v26.0/me/adaccounts?access_token=SIMULATOR", soft_wrap=True)
    out.print("  raw data   meta-ads check --demo   (what arrived against what is expected of it)")
    out.print("  own data   docs/cookbooks/new-account.md, or `meta-ads import FILE` for an Ads Manager export")
    out.print("  stop       make down")
    if summary.status != "succeeded":
        raise typer.Exit(1)


def show_clients(rows: list[dict[str, Any]]) -> None:
    """Prints the table of clients: the last 28 days beside the 28 before."""
    table = Table(title="Last 28 days, beside the 28 days before", title_justify="left")
    for name in ("Client", "Currency"):
        table.add_column(name)
    for name in ("Spend", "ROAS", "CPA"):
        table.add_column(name, justify="right", no_wrap=True)
        table.add_column("change", justify="right", no_wrap=True, style="dim")
    table.add_column("Reconciled", no_wrap=True)
    for row in rows:
        table.add_row(
            row["client_name"],
            row["currency"],
            _money(row["spend"], row["currency"]),
            _change(row["spend"], row["spend_before"]),
            _ratio(row["roas"]),
            _change(row["roas"], row["roas_before"]),
            _money(row["cpa"], row["currency"]),
            _change(row["cpa"], row["cpa_before"]),
            f"[green]all {row['days']} days[/]" if row["days"] == row["reconciled_days"]
            else f"[yellow]{row['reconciled_days']} of {row['days']} days[/]",
        )  # fmt: skip
    out.print(table)
    out.print("[dim]Meta still changes the numbers of the last 28 days: conversions arrive late.[/]")


def show_experiments(rows: list[dict[str, Any]]) -> None:
    """Prints what each experiment says, and why."""
    if not rows:
        return
    table = Table(
        title="\nExperiments: split tests of Meta, and declared comparisons (observational)",
        title_justify="left",
        show_lines=True,
    )
    table.add_column("Experiment", max_width=26)
    table.add_column("Days", justify="right", no_wrap=True)
    table.add_column("Verdict", max_width=20)
    table.add_column("Why", max_width=33)
    styles = {"winner": "green", "cheaper": "green", "no difference": "cyan", "invalid": "red"}
    for row in rows:
        kind = "" if row["kind"].startswith("randomised") else " (observational)"
        planned = row["planned_days"]
        table.add_row(
            escape(f"{row['account_name']}: {row['experiment_name']}{kind}"),
            str(row["mature_days"]) if planned is None else f"{row['mature_days']} of {planned}",
            f"[{styles.get(row['verdict'], 'yellow')}]{escape(row['verdict_in_words'])}[/]",
            escape(row["reason"]),
        )
    out.print(table)
    out.print("[dim]Only days that Meta no longer restates count. Findings and edits: marts.mart_ab_test.[/]")
    out.print("[dim]Observational: Meta decided who saw which ad, so a winner may owe it to its audience.[/]")


def _money(value: Any, currency: str) -> str:
    return "-" if value is None else f"{value:,.{get_currency_precision(currency)}f}"


def _ratio(value: Any) -> str:
    return "-" if value is None else f"{value:.2f}"


def _change(value: Any, before: Any) -> str:
    if value is None or not before:
        return "-"
    return f"{100 * (float(value) / float(before) - 1):+.1f} %"
