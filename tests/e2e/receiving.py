"""A receiver process for tests, and what it has stored."""

from __future__ import annotations

import hashlib
import hmac
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import requests

from orchestration.subscribing import subscribe
from tests.e2e.harness import Bench, Simulator, account_ids

ROOT = Path(__file__).parents[2]
# The simulator's own app.
APP_ID = "138483919580948"
SECRET = "simulator-app-secret"
VERIFY_TOKEN = "a-word-of-our-choice"


@dataclass
class Receiver:
    """A running receiver."""

    url: str
    database: str
    log_file: Path
    process: subprocess.Popen[bytes]

    def post(self, body: bytes, signature: str | None = None, **headers: str) -> requests.Response:
        """A delivery; signed with the app's secret unless a signature is given."""
        found = {"X-Hub-Signature-256": signed(body) if signature is None else signature, **headers}
        return requests.post(f"{self.url}/webhook", data=body, headers=found, timeout=30)

    def stored(self) -> list[dict[str, Any]]:
        """Every notification, in the order in which they came."""
        with psycopg.connect(self.database, row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute("SELECT * FROM ops.notification ORDER BY notification_id").fetchall()

    def log(self) -> str:
        return self.log_file.read_text()


def signed(body: bytes) -> str:
    return "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()


def receiver_environment(folder: Path, database: str) -> dict[str, str]:
    ours = ("META_", "WAREHOUSE_", "DAGSTER_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    own = {
        "META_ADS_ENV_FILE": "",
        "META_ADS_HOME": str(folder / "home"),
        "META_APP_SECRET": SECRET,
        "META_WEBHOOK_VERIFY_TOKEN": VERIFY_TOKEN,
        "WAREHOUSE_URL": database,
    }
    return kept | own


@contextmanager
def running_receiver(folder: Path, database: str) -> Iterator[Receiver]:
    """A receiver on a database, in a process of its own."""
    port_file, log_file = folder / "receiver.port", folder / "receiver.log"
    port_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "orchestration.receiver", "--port", "0", "--port-file", str(port_file)]
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=receiver_environment(folder, database), stdout=log, stderr=log
        )
    try:
        deadline = time.monotonic() + 60
        while not port_file.exists():
            assert process.poll() is None, log_file.read_text()
            assert time.monotonic() < deadline, log_file.read_text()
            time.sleep(0.05)
        yield Receiver(f"http://127.0.0.1:{port_file.read_text().strip()}", database, log_file, process)
    finally:
        process.terminate()
        process.wait(20)


def wait_for(what: Callable[[], Any], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
    return found


def deliver(simulator: Simulator, **request: Any) -> None:
    assert simulator.post("webhooks/deliver", request) == {"sent": True}


def deliveries(simulator: Simulator) -> list[dict[str, Any]]:
    return simulator.get("state?jobs=0")["deliveries"]


def active_adset(simulator: Simulator, account: int) -> dict[str, Any]:
    fields = {"access_token": "SIMULATOR", "fields": "id,effective_status", "limit": 100}
    found = requests.get(f"{simulator.url}/v26.0/act_{account}/adsets", params=fields, timeout=30).json()["data"]
    return next(adset for adset in found if adset["effective_status"] == "ACTIVE")


def pause(simulator: Simulator, adset_id: str) -> None:
    form = {"access_token": "SIMULATOR", "status": "PAUSED"}
    assert requests.post(f"{simulator.url}/v26.0/{adset_id}", data=form, timeout=30).json() == {"success": True}


def subscribed(bench: Bench, receiver: Receiver) -> list[int]:
    """All accounts, subscribed as the command subscribes them."""
    bench.settings |= {"meta_app_id": APP_ID, "meta_app_secret": SECRET, "meta_webhook_verify_token": VERIFY_TOKEN}
    found = account_ids(bench.simulator)
    assert subscribe(bench.platform(), f"{receiver.url}/webhook", found) == {}
    return found
