"""The commands about clients: what each may see in the database."""

from __future__ import annotations

import typer
from rich.markup import escape
from rich.table import Table

from orchestration.commands.shared import opened, out
from orchestration.isolating import sync_clients_apart
from warehouse.isolation import AGENCY_ROLE, ClientSchema, SyncResult, open_doors, role_name, told


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="What each client may see in the database.")
    group.callback()(_group)
    group.command("sync")(sync)
    app.add_typer(group, name="clients")


def _group() -> None:
    """What each client may see in the database."""  # Reason: a group of one command would else be that command.


def sync() -> None:
    """Bring the clients' schemas in line with clients.yml and the marts; exit code 1 if a login may do too much."""
    with opened() as platform:
        result = sync_clients_apart(platform)
        if not result.clients:
            out.print("No client has marts yet; pull and build first.")
            return
        _show(result)
        roles = {role_name(client.client_id): client.client_id for client in result.clients}
        doors = {role: open_doors(platform.warehouse, client_id) for role, client_id in roles.items()}
        doors[AGENCY_ROLE] = open_doors(platform.warehouse, None)
    for role, found in doors.items():
        if found:
            out.print(f"[red]open[/] {escape(told(role, found))}", soft_wrap=True)
    if any(doors.values()):
        raise typer.Exit(1)


def _show(result: SyncResult) -> None:
    table = Table("Client", "Schema", "Accounts", "Views", "Changed", "Login")
    for client in result.clients:
        table.add_row(*_row(client))
    out.print(table)
    waiting = sum(len(client.waiting) for client in result.clients)
    if waiting:
        out.print(f"{waiting} accounts open to their client with the next build of the marts.")
    for name in result.unpublished:
        out.print(f"[yellow]note[/] marts.{escape(name)} has no account_id: no client sees it.")


def _row(client: ClientSchema) -> tuple[str, ...]:
    accounts = f"{len(client.accounts)}" + (f" (+ {len(client.waiting)})" if client.waiting else "")
    changed = ((len(client.created), "new"), (len(client.replaced), "replaced"), (len(client.dropped), "dropped"))
    return (
        escape(client.client_id) + (" [yellow](not declared any more)[/]" if client.is_retired else ""),
        client.schema,
        accounts,
        str(client.views),
        ", ".join(f"{count} {word}" for count, word in changed if count) or "-",
        "yes" if client.has_login else "-",
    )
