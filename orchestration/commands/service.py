"""Commands that start and stop what runs in the background: simulate, up, down, status."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Annotated

import typer
from rich.table import Table

from ingestion.errors import IngestionError
from orchestration import instance
from orchestration.commands.shared import out, settings_for_command
from orchestration.demo import DEMO_FOLDER, demo_environment, demo_settings, start_simulator
from orchestration.discovery import accounts_to_work_on
from orchestration.errors import UserError
from orchestration.platform import open_platform
from orchestration.processes import Processes, RunningProcess
from orchestration.progress import Display
from orchestration.receiver import PATH
from orchestration.settings import Settings
from orchestration.subscribing import subscribe
from warehouse import embedded
from warehouse.connect import connect
from warehouse.errors import WarehouseError
from warehouse.migrations import current, upgrade

log = logging.getLogger(__name__)

_WATCH_SECONDS, _WATCH_DOUBLINGS = 2.0, 5
_NO_WEBHOOKS = "off; they need META_APP_SECRET and META_WEBHOOK_VERIFY_TOKEN (docs/cookbooks/webhooks.md)"


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


def up(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the simulator; 0 picks a free one.")] = 0,
    web_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of Dagster's pages; 0 picks a free one.")
    ] = 3000,
    receiver_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the receiver of webhooks; 0 picks a free one.")
    ] = 3001,
    site_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port of the dashboards; 3002 if it is free, 0 picks a free one."),
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port of the Prometheus metrics; 9464 if it is free, 0 picks a free one."),
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return, and leave all running.")] = False,
) -> None:
    """Start the platform: database, Dagster, site, receiver and, without a token, the simulator. Ctrl-C ends it."""
    base = settings_for_command()
    if base.meta_access_token is None:
        simulators = [start_simulator(base.meta_ads_home / DEMO_FOLDER, port)]
        settings = demo_settings(base, simulators[0].url)
        out.print(f"Simulator:  {settings.meta_graph_url}", soft_wrap=True)
    else:
        settings, simulators = base, []
        out.print(f"Meta:       {settings.meta_graph_url} with your token")
    try:
        with open_platform(settings, Display()) as platform:
            out.print(f"PostgreSQL: {platform.warehouse.safe_url}", soft_wrap=True)
            is_demo = settings is not base
            environment = demo_environment(settings, platform.warehouse.url) if is_demo else dict(os.environ)
            prepared = instance.prepare(settings, environment)
            account_ids = accounts_to_work_on(platform)
            instance.seed(prepared, account_ids)
            ports = {"webserver": web_port, "receiver": receiver_port, "site": site_port, "metrics": metrics_port}
            begun = instance.start(settings, prepared, ports)
            started = {process.name: process for process in (*begun, *simulators)}
            if is_demo:
                subscribe(platform, started["receiver"].url + PATH, account_ids)
    except BaseException:
        if not detach:
            _stop_all(base)
        raise
    out.print(f"Dagster:    {started['webserver'].url}", soft_wrap=True)
    hooks = f"{started['receiver'].url}{PATH}" if "receiver" in started else _NO_WEBHOOKS
    out.print(f"Site:       {started['site'].url}", soft_wrap=True)
    out.print(f"Webhooks:   {hooks}", soft_wrap=True)
    out.print(f"Metrics:    {started['metrics'].url}/metrics", soft_wrap=True)
    if settings is base and settings.dagster_executor == "celery":
        out.print("Steps wait for workers: `meta-ads worker` on this machine or others.")
    if detach:
        out.print("Stop with `meta-ads down`.")
        return
    out.print("Stop with Ctrl-C.")
    try:
        _watch(settings, prepared, started)
    except KeyboardInterrupt:
        out.print("Stopping ...")
    finally:
        _stop_all(base)


def _watch(settings: Settings, prepared: instance.Instance, started: Mapping[str, RunningProcess]) -> None:
    """Starts what died again, where it listened before, until somebody interrupts."""
    in_vain = 0
    while True:
        time.sleep(_WATCH_SECONDS * 2 ** min(in_vain, _WATCH_DOUBLINGS))
        try:
            _revive(settings, prepared, started)
            in_vain = 0
        except (UserError, IngestionError, WarehouseError) as error:
            # Reason: what does not start now may do so later, when the database is back or the disk has room again.
            in_vain += 1
            log.warning("%s", error)


def _revive(settings: Settings, prepared: instance.Instance, started: Mapping[str, RunningProcess]) -> None:
    """One look at everything that `up` started: the database and the simulated Meta first, which the others need.

    Raises:
        WarehouseError: The database does not start, or cannot be used.
        ProcessError: Another process does not start.
        IngestionError: The simulated Meta does not answer.
    """
    processes = Processes(settings.meta_ads_home)
    if settings.warehouse_url is None and embedded.attach(settings.meta_ads_home / "postgres") is None:
        log.warning("PostgreSQL ended by itself; starting again")
        embedded.start(settings.meta_ads_home / "postgres")
    dead = [name for name in started if processes.find(name) is None]
    if dead:
        log.warning("%s ended by itself; starting again (logs in %s)", ", ".join(dead), settings.meta_ads_home)
    if "simulator" in dead:
        start_simulator(settings.meta_ads_home, started["simulator"].port or 0)
    if set(dead) - {"simulator"}:
        instance.start(
            settings, prepared, {name: started[name].port for name in instance.USUAL_PORTS if name in started}
        )
    if "simulator" in dead:
        with open_platform(settings, Display()) as platform:
            # Reason: it has forgotten who wants to be told.
            subscribe(platform, started["receiver"].url + PATH, accounts_to_work_on(platform))


def down() -> None:
    """Stop what `up` and `demo` started. Data stays."""
    stopped = _stop_all(settings_for_command())
    out.print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


def _stop_all(base: Settings) -> list[str]:
    stopped = []
    for home in (base.meta_ads_home, base.meta_ads_home / DEMO_FOLDER):
        processes = Processes(home)
        # Reason: who works on the database stops before it, and the daemon, which starts work, before all.
        names = [*reversed(instance.PROCESSES), *(process.name for process in processes.running())]
        stopped += [name for name in dict.fromkeys(names) if processes.stop(name)]
        if (home / "postgres").exists() and embedded.stop(home / "postgres"):
            stopped.append(f"PostgreSQL in {home}")
    return stopped


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
