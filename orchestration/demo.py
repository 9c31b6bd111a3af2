"""The demo: from nothing to marts, on a simulated Meta, without token or Docker.

The order of the demo belongs here; every step is what a real installation does, with other settings.
"""

from __future__ import annotations

import csv
import os
import re
import sys
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from orchestration.processes import Processes, RunningProcess
from orchestration.settings import Settings, load_settings

DEMO_FOLDER = "demo"
DEMO_CLIENTS = Path(__file__).with_name("demo_clients.yml")
DEMO_RATES = Path(__file__).with_name("demo_rates.csv")
JOB_SECONDS = 1.5
LATENCY_MS = 10
# The simulator's own app, which it documents: secrets to nobody.
APP_ID = "138483919580948"
APP_SECRET = "simulator-app-secret"  # noqa: S105
VERIFY_TOKEN = "demo-verify-token"  # noqa: S105


def simulator_command(home: Path, port: int = 0) -> tuple[list[str], Path]:
    """The command that starts the demo's simulator, and the file that it writes its port to.

    The world's anchor day is remembered, so that a demo of tomorrow sees the same past.
    """
    anchor = demo_anchor(home).isoformat()
    port_file = home / "run" / "simulator.port"
    command = [sys.executable, "-m", "simulator", "--size", "demo", "--anchor", anchor]
    command += ["--job-seconds", str(JOB_SECONDS), "--latency", str(LATENCY_MS), "--port", str(port)]
    return [*command, "--port-file", str(port_file)], port_file


def demo_anchor(home: Path) -> date:
    """The day before which the demo's history lies: that of the first demo in this folder."""
    home.mkdir(parents=True, exist_ok=True)
    anchor_file = home / "anchor"
    if not anchor_file.exists():
        anchor_file.write_text(datetime.now(UTC).date().isoformat())
    return date.fromisoformat(anchor_file.read_text().strip())


def write_demo_clients(home: Path) -> Path:
    """Writes the demo's `clients.yml`, its days counted back from the anchor, and its exchange rates.

    Returns:
        The path of `clients.yml`.
    """
    anchor = demo_anchor(home)

    def day(match: re.Match[str]) -> str:
        return (anchor - timedelta(days=int(match[1]))).isoformat()

    path = home / "clients.yml"
    text = DEMO_CLIENTS.read_text(encoding="utf-8")
    path.write_text(re.sub(r"(?<=: )\$day_(\d+)_ago", day, text), encoding="utf-8")
    _write_rates(home / DEMO_RATES.name, anchor)
    return path


def _write_rates(path: Path, anchor: date) -> None:
    """The demo's exchange rates, one a week until a year from the anchor.

    Reason: a rate counts for seven days, and a demo is looked at whenever somebody does.
    """
    with DEMO_RATES.open(encoding="utf-8", newline="") as file:
        known = sorted(csv.DictReader(file), key=itemgetter("currency", "target_currency", "day"))
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("day", "currency", "target_currency", "rate"))
        for pair, listed in groupby(known, key=itemgetter("currency", "target_currency")):
            rates = [(date.fromisoformat(row["day"]), row["rate"]) for row in listed]
            day = rates[0][0]
            while day < anchor + timedelta(days=365):
                newest = max(rate for rate in rates if rate[0] <= day)
                rows.writerow((day.isoformat(), *pair, newest[1]))
                day += timedelta(days=7)


def start_simulator(home: Path, port: int = 0) -> RunningProcess:
    """Starts the demo's simulator unless it runs.

    Args:
        home: Of the demo.
        port: Where it is to listen; 0: where it does, or anywhere.
    """
    processes = Processes(home)
    running = processes.find("simulator")
    # Reason: one that died was started again with the port that it had, which nobody asked for.
    if running and not port and running.command == tuple(simulator_command(home, running.port or 0)[0]):
        return running
    argv, port_file = simulator_command(home, port)
    # Reason: a real token is none of the simulator's business.
    ours = ("META_", "METABASE_", "WAREHOUSE_")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return processes.start("simulator", argv, port_file, env=environment)


def demo_settings(base: Settings, graph_url: str) -> Settings:
    """Settings of the demo: its own folder, database and `clients.yml`, which is written anew.

    So simulated numbers never reach a real warehouse.
    """
    home = base.meta_ads_home / DEMO_FOLDER
    return load_settings(
        None,
        meta_access_token="SIMULATOR",  # noqa: S106 - the simulator's default, a secret to nobody
        meta_app_id=APP_ID,
        meta_app_secret=APP_SECRET,
        meta_webhook_verify_token=VERIFY_TOKEN,
        meta_graph_url=graph_url,
        warehouse_url=None,
        meta_ads_home=home,
        clients_file=write_demo_clients(home),
        meta_max_accounts_at_once=5,
        log_level=base.log_level,
        log_format=base.log_format,
    )


def demo_environment(settings: Settings, warehouse_url: str) -> dict[str, str]:
    """The environment of a process that works on the demo: nothing of the real installation is left in it.

    Args:
        settings: From `demo_settings`.
        warehouse_url: The demo's own database.
    """
    ours = ("META_", "METABASE_", "WAREHOUSE_", "DAGSTER_", "CLIENTS_FILE", "LOG_", "ALERT_", "SMTP_", "REPORT_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {
        "META_ADS_ENV_FILE": "",
        "META_ACCESS_TOKEN": "SIMULATOR",
        "META_APP_ID": APP_ID,
        "META_APP_SECRET": APP_SECRET,
        "META_WEBHOOK_VERIFY_TOKEN": VERIFY_TOKEN,
        "META_GRAPH_URL": settings.meta_graph_url,
        "META_MAX_ACCOUNTS_AT_ONCE": str(settings.meta_max_accounts_at_once),
        "META_ADS_HOME": str(settings.meta_ads_home),
        "WAREHOUSE_URL": warehouse_url,
        "CLIENTS_FILE": str(settings.clients_file),
        "LOG_FORMAT": settings.log_format,
        "LOG_LEVEL": settings.log_level,
    }
