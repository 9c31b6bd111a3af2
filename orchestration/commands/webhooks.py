"""The command that has Meta send its webhooks here."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.commands.shared import account_ids, opened, out
from orchestration.discovery import accounts_to_work_on
from orchestration.subscribing import subscribe as subscribe_to_meta


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("subscribe")(subscribe)


def subscribe(
    callback_url: Annotated[str, typer.Argument(help="Public address, e.g. https://ads.example.com/webhook")],
    account: Annotated[list[str] | None, typer.Option(help="Only this account (act_...); may be repeated.")] = None,
) -> None:
    """Have Meta send notifications of changes to this platform; the receiver must be running there."""
    with opened() as platform:
        wanted = account_ids(account) or sorted(accounts_to_work_on(platform))
        refused = subscribe_to_meta(platform, callback_url, wanted)
    for text in refused.values():
        out.print(f"Refused: {text}", soft_wrap=True, markup=False)
    out.print(f"{len(wanted) - len(refused)} of {len(wanted)} accounts report to {callback_url}.", soft_wrap=True)
    if refused:
        raise typer.Exit(1)
