"""The commands about alerts: what is open, and whether messages arrive."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from orchestration.alerts.channels import LOG, Channel, channels
from orchestration.alerts.facts import known_accounts
from orchestration.alerts.model import Account, Alert, Cause, Event, Kind, Message, Outcome, label
from orchestration.alerts.render import Context
from orchestration.commands.shared import opened, out, settings_for_command
from orchestration.demo import DEMO_FOLDER, demo_settings
from orchestration.errors import UserError
from orchestration.platform import Platform, open_platform
from orchestration.progress import Display
from warehouse.ops.alerts import board

_MARKS = {"error": "[red]error[/]", "warning": "[yellow]warning[/]"}
_ACCOUNTS_SHOWN = 5


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="List open alerts; see whether messages arrive.", invoke_without_command=True)
    group.callback()(list_open)
    group.command("test")(test)
    app.add_typer(group, name="alerts")


def list_open(
    context: typer.Context,
    demo: Annotated[bool, typer.Option("--demo", help="Those of the demo.")] = False,
) -> None:
    """List the alerts that are open, and whether they were told."""
    if context.invoked_subcommand is not None:
        return
    if not demo:
        with opened() as platform:
            _show(platform, channels(platform.settings))
        return
    base = settings_for_command()
    if not (base.meta_ads_home / DEMO_FOLDER / "postgres").is_dir():
        raise UserError("There is no demo yet.", "run `meta-ads demo` first")
    with open_platform(demo_settings(base, base.meta_graph_url), Display()) as platform:
        _show(platform, [])


def test() -> None:
    """Send a test message on every channel, and tell what became of it. Exit code 1 if one was not delivered."""
    settings = settings_for_command()
    configured = [channel for channel in channels(settings) if channel.name != LOG]
    if not configured:
        raise UserError(
            "Nobody is told: neither ALERT_EMAIL_TO nor ALERT_WEBHOOK_URL is set.",
            "set one of them (docs/cookbooks/alerts.md)",
        )
    now = datetime.now(UTC)
    cause = Cause(Kind.TEST, Kind.TEST, "warning", "Alerts of Meta Ads Analytics arrive here")
    message = Message(Event.TEST, Kind.TEST, (Alert(0, cause, now, now),), now)
    ok = True
    for channel in configured:
        done = channel.send(message, Context({}, settings.dagster_web_url))
        is_good = done.outcome is Outcome.DELIVERED and not done.problem
        ok = ok and is_good
        mark = "[green]     ok[/]" if is_good else "[red]problem[/]"
        said = done.problem or "delivered"
        out.print(f"{mark}  [bold]{channel.name}[/] to {escape(channel.where)}: {escape(said)}", soft_wrap=True)
        if done.mend:
            out.print(f"         -> {escape(done.mend)}", soft_wrap=True)
    if not ok:
        raise typer.Exit(1)


def _show(platform: Platform, configured: list[Channel]) -> None:
    found = [alert for alert in board(platform.warehouse, datetime.now(UTC)) if alert.resolved_at is None]
    if not found:
        out.print("No alert is open.")
        return
    _, accounts = known_accounts(platform)
    table = Table("", "Since (UTC)", "What is wrong", "Concerns", "Told", "To mend it")
    for alert in sorted(found, key=lambda alert: (alert.cause.severity != "error", alert.opened_at)):
        cause = alert.cause
        table.add_row(
            _MARKS[cause.severity],
            f"{alert.opened_at:%Y-%m-%d %H:%M}",
            escape(f"{cause.title}\n{cause.detail}".strip()),
            escape(_concerns(alert, accounts)),
            escape(_told(alert, configured)),
            escape(cause.mend),
        )
    out.print(table)


def _concerns(alert: Alert, accounts: dict[int, Account]) -> str:
    names = [label(account_id, accounts) for account_id in alert.accounts]
    more = [f"and {len(names) - _ACCOUNTS_SHOWN} more"] if len(names) > _ACCOUNTS_SHOWN else []
    return "\n".join(names[:_ACCOUNTS_SHOWN] + more)


def _told(alert: Alert, configured: list[Channel]) -> str:
    lines = []
    for name in sorted({channel.name for channel in configured} | set(alert.deliveries)):
        found = alert.deliveries.get(name)
        when = f"{found.told_at:%Y-%m-%d %H:%M}" if found and found.told_at else "not yet"
        lines.append(f"{name}: {when}{f' ({found.problem})' if found and found.problem else ''}")
    return "\n".join(lines)
