"""The commands of dashboards: check their files, bring them into Metabase, tell dbt about them.

Exit codes of `plan` and `prune`: 0 nothing to do, 3 there is something; of `lint`: 1 there are mistakes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn
from rich.table import Table

from dashboards.answers import Catalog
from dashboards.exposures import exposures as text_of_exposures
from dashboards.library import load
from dashboards.lint import lint as problems_of
from dashboards.metabase.converge import Outcome, converge
from dashboards.metabase.ledger import Change
from dashboards.metabase.prune import prune as put_away
from dashboards.schemas import schemas
from orchestration.commands.shared import opened, out, settings_for_command
from orchestration.metabase import Logins, credentials_of, manifest, opened_metabase, wish_of
from orchestration.platform import Platform
from orchestration.transform import PROJECT
from warehouse.ops.dashboards import MetabaseObjects

SOMETHING_TO_DO = 3
_MARKS = {"create": "[green]create[/]", "update": "[yellow]update[/]", "archive": "[red]archive[/]"}
_KEYS_SHOWN = 6


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="Check dashboards, and bring them into Metabase.", no_args_is_help=True)
    group.command("lint")(lint)
    group.command("plan")(plan)
    group.command("apply")(apply)
    group.command("prune")(prune)
    group.command("tables")(tables)
    group.command("exposures")(exposures)
    app.add_typer(group, name="dashboards")


def lint() -> None:
    """Check the files of dashboards, without a database. Exit code 1 if there are mistakes."""
    settings = settings_for_command()
    library = load()
    problems = problems_of(library, Catalog.of_manifest(manifest(settings)))
    for problem in problems:
        out.print(escape(str(problem)), soft_wrap=True)
    out.print(f"{len(library.dashboards)} dashboards, {len(problems)} mistakes.")
    if problems:
        raise typer.Exit(1)


def plan() -> None:
    """Show what `apply` would do in Metabase; nothing is changed. Exit code 3 if there is something to do."""
    with opened() as platform, opened_metabase(platform.settings) as metabase:
        wish = wish_of(platform)
        outcome = converge(
            metabase, credentials_of(platform.settings), _objects(platform, metabase.url), wish, is_plan=True
        )
    _show(outcome, "Nothing to do", "to do")
    if outcome.changes:
        raise typer.Exit(SOMETHING_TO_DO)


def apply(
    new_passwords: Annotated[
        bool, typer.Option("--new-passwords", help="Draw new passwords for the logins of clients.")
    ] = False,
) -> None:
    """Bring Metabase in line with the dashboards: from an empty instance, or what has changed since."""
    with opened() as platform, opened_metabase(platform.settings) as metabase:
        wish = wish_of(platform)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task("Metabase", total=None)

            def report(done: int, total: int, what: str) -> None:
                progress.update(task, completed=done, total=total, description=escape(what))

            outcome = converge(
                metabase,
                credentials_of(platform.settings),
                _objects(platform, metabase.url),
                wish,
                renew_passwords=new_passwords,
                logins=Logins(platform.warehouse),
                report=report,
                tell=lambda change: _tell_hand(progress.console, change),
            )
    _show(outcome, "Nothing to do", "done")


def prune(
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without, it is only shown.")] = False,
) -> None:
    """Put into Metabase's trash what is ours and no longer defined. Exit code 3 if it was only shown."""
    with opened() as platform, opened_metabase(platform.settings) as metabase:
        wish = wish_of(platform)
        objects = _objects(platform, metabase.url)
        outcome = put_away(metabase, credentials_of(platform.settings), objects, wish, is_plan=not yes)
    _show(outcome, "Nothing to put away", "put away" if yes else "to put away, with --yes")
    if outcome.changes and not yes:
        raise typer.Exit(SOMETHING_TO_DO)


def tables() -> None:
    """List the marts and their columns, for whoever writes a card."""
    catalog = Catalog.of_manifest(manifest(settings_for_command()))
    for table, columns in sorted(catalog.tables.items()):
        out.print(f"[bold]{table}[/]")
        out.print("  " + ", ".join(f"{name} {kind}" for name, kind in columns.items()), soft_wrap=True, markup=False)


def exposures() -> None:
    """Write dbt's exposures and the editors' schemas from the dashboards."""
    written: dict[Path, str] = {PROJECT / "models" / "exposures.yml": text_of_exposures(load()), **schemas()}
    for path, text in written.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        out.print(f"Written: {escape(str(path))}", soft_wrap=True)


def _objects(platform: Platform, url: str) -> MetabaseObjects:
    return MetabaseObjects(platform.warehouse, url)


def _tell_hand(console: Console, change: Change) -> None:
    """Names what somebody changed in Metabase before it is changed back."""
    if change.by_hand:
        what = f"{change.kind} {change.title}: {', '.join(change.by_hand)}"
        console.print(f"[yellow]Changed by hand, is set back:[/] {escape(what)}", soft_wrap=True)


def _show(outcome: Outcome, nothing: str, done: str) -> None:
    if outcome.changes:
        table = Table("", "What", "Which", "Differs", "By hand")
        for change in outcome.changes:
            table.add_row(
                _MARKS[change.action],
                change.kind,
                escape(change.title),
                escape(_listed(change.keys)),
                escape(_listed(change.by_hand)),
            )
        out.print(table)
    for note in outcome.notes:
        out.print(f"[yellow]Note:[/] {escape(note)}", soft_wrap=True)
    count = f"{len(outcome.changes)} changes {done}" if outcome.changes else nothing
    out.print(f"{count} ({outcome.requests} requests, {outcome.seconds:.1f} s).")


def _listed(keys: tuple[str, ...]) -> str:
    more = f" and {len(keys) - _KEYS_SHOWN} more" if len(keys) > _KEYS_SHOWN else ""
    return ", ".join(keys[:_KEYS_SHOWN]) + more
