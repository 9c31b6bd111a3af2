"""Commands that start and stop what runs in the background: simulate, up, down, status."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import typer
from rich.table import Table

from orchestration.commands.shared import out, settings_for_command
from orchestration.demo import DEMO_FOLDER, start_simulator
from orchestration.processes import Processes
from warehouse import embedded
from warehouse.connect import connect
from warehouse.migrations import current, upgrade


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    passing = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    app.command("simulate", context_settings=passing)(simulate)
    app.command("up")(up)
    app.command("down")(down)
    app.command("status")(status)
    app.command("migrate")(migrate)


def simulate(context: typer.Context) -> None:
    """Run the stand-in for Meta's API in the foreground; options as in `meta-ads simulate --help`."""
    try:
        code = subprocess.call([sys.executable, "-m", "simulator", *context.args])  # noqa: S603 - our own program
    except KeyboardInterrupt:
        code = 0
    raise typer.Exit(code)


def up(port: Annotated[int, typer.Option(help="Port of the simulator; 0 picks a free one.")] = 0) -> None:
    """Start the embedded database and, without a token, the simulator; they run until `meta-ads down`."""
    settings = settings_for_command()
    if settings.warehouse_url is None:
        settings.meta_ads_home.mkdir(parents=True, exist_ok=True)
        with connect(state_directory=settings.meta_ads_home / "postgres") as warehouse:
            out.print(f"PostgreSQL: {warehouse.safe_url}", soft_wrap=True)
    else:
        out.print("PostgreSQL: the one of WAREHOUSE_URL")
    if settings.meta_access_token is None:
        home = settings.meta_ads_home / DEMO_FOLDER
        url = start_simulator(home, port)
        out.print(f"Simulator:  {url} (META_GRAPH_URL={url} META_ACCESS_TOKEN=SIMULATOR)", soft_wrap=True)
    else:
        out.print(f"Meta:       {settings.meta_graph_url} with your token")
    out.print("Stop with `meta-ads down`.")


def down() -> None:
    """Stop what `up` and `demo` started. Data stays."""
    settings = settings_for_command()
    stopped = []
    for home in (settings.meta_ads_home, settings.meta_ads_home / DEMO_FOLDER):
        processes = Processes(home)
        stopped += [process.name for process in processes.running() if processes.stop(process.name)]
        if (home / "postgres").exists() and embedded.stop(home / "postgres"):
            stopped.append(f"PostgreSQL in {home}")
    out.print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


def migrate() -> None:
    """Bring the database's schema up to this release; every other command does so by itself."""
    settings = settings_for_command()
    url = settings.warehouse_url.get_secret_value() if settings.warehouse_url else None
    with connect(url, state_directory=settings.meta_ads_home / "postgres") as warehouse:
        upgrade(warehouse)
        out.print(f"{warehouse.safe_url} is at schema revision {current(warehouse)}.", soft_wrap=True)


def status() -> None:
    """Tell what runs where."""
    settings = settings_for_command()
    table = Table("What", "Where", "Process", "Log")
    for home in (settings.meta_ads_home, settings.meta_ads_home / DEMO_FOLDER):
        server = embedded.attach(home / "postgres") if (home / "postgres").exists() else None
        if server:
            table.add_row("PostgreSQL", server.url(), "-", str(home / "postgres" / "server.log"))
        for process in Processes(home).running():
            table.add_row(process.name, process.url if process.port else "-", str(process.pid), process.log_file)
    out.print(table if table.row_count else "Nothing is running. Start with `meta-ads up` or `meta-ads demo`.")
