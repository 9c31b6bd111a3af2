"""`meta-ads run`: each process by itself, from secrets in files, as the containers of docker-compose.yml are."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
import requests

from tests.e2e.running_up import ROOT
from tests.orchestration.test_compose import SERVICES, options
from warehouse import embedded

pytestmark = [pytest.mark.integration, pytest.mark.slow]
SECONDS = 120.0


class Machine:
    """A folder of secrets, a database server, and processes by themselves."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        secrets = folder / "secrets"
        secrets.mkdir()
        (secrets / "warehouse_url").write_text(url + "\n")
        (secrets / "meta_access_token").write_text("SIMULATOR\n")
        (secrets / "meta_app_secret").touch()
        ours = ("META_", "WAREHOUSE_", "DAGSTER_", "METRICS_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
        self.environment = kept | {
            "META_ADS_SECRETS_DIR": str(secrets),
            "META_ADS_HOME": str(folder / "home"),
            "META_ADS_ENV_FILE": "",
            "PYTHONPATH": str(ROOT),
        }
        self.ports: dict[str, int] = {}
        self.started: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str) -> None:
        """The command of docker-compose.yml, on ports and addresses of this machine."""
        words = list(SERVICES[name]["command"])
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.ports[name] = found.getsockname()[1]
        told = options(name)
        for option, value in {
            "--host": "127.0.0.1",
            "--port": str(self.ports[name]),
            "--code": f"127.0.0.1:{self.ports['code-server']}",
        }.items():
            if option in told:
                words[words.index(option) + 1] = value
        with (self.folder / f"{name}.log").open("wb") as log:
            self.started[name] = subprocess.Popen(
                [sys.executable, "-m", "orchestration.cli", *words],
                env=self.environment,
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )

    def check(self, name: str) -> subprocess.CompletedProcess[str]:
        """The health check of docker-compose.yml."""
        words = SERVICES[name]["healthcheck"]["test"][2:]
        if words[-1].isdigit():
            words = [*words[:-1], str(self.ports[name])]
        return subprocess.run(
            [sys.executable, *words], env=self.environment, cwd=self.folder, capture_output=True, text=True
        )

    def wait_until_well(self, name: str) -> None:
        deadline = time.monotonic() + SECONDS
        while (done := self.check(name)).returncode != 0:
            log = (self.folder / f"{name}.log").read_text()
            assert self.started[name].poll() is None, log[-3000:]
            assert time.monotonic() < deadline, (name, done.stderr, log[-3000:])
            time.sleep(1)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with ExitStack() as stack:
        # Reason for a server of its own: Dagster's database stands beside the warehouse, under one name on a server.
        server = embedded.start(tmp_path / "postgres")
        stack.callback(embedded.stop, tmp_path / "postgres")
        made = Machine(tmp_path, server.ensure_database("warehouse"))
        yield made
        for process in reversed(made.started.values()):
            process.kill()
            process.wait()


def test_each_process_runs_by_itself_is_well_and_ends_when_told(machine: Machine) -> None:
    machine.start("code-server")
    machine.wait_until_well("code-server")
    others = ("webserver", "daemon", "site", "metrics")
    assert machine.check("code-server").returncode == 0
    for name in others:
        machine.start(name)
    for name in others:
        machine.wait_until_well(name)
    asked = requests.post(
        f"http://127.0.0.1:{machine.ports['webserver']}/graphql",
        json={"query": "{ repositoriesOrError { ... on RepositoryConnection { nodes { location { name } } } } }"},
        timeout=60,
    ).json()
    assert asked["data"]["repositoriesOrError"]["nodes"] == [{"location": {"name": "meta-ads"}}]
    page = requests.get(
        f"http://127.0.0.1:{machine.ports['site']}/", headers={"Host": options("site")["--site-name"]}, timeout=60
    )
    assert page.status_code == 200
    stranger = requests.get(f"http://127.0.0.1:{machine.ports['site']}/", headers={"Host": "evil.example"}, timeout=60)
    assert stranger.status_code == 400
    for process in reversed(machine.started.values()):
        process.send_signal(signal.SIGTERM)
    for name, process in machine.started.items():
        assert process.wait(60) in (0, -signal.SIGTERM), name
    assert machine.check("site").returncode == 1


def test_what_is_asked_for_wrongly_is_told(machine: Machine) -> None:
    def told(*words: str) -> str:
        command = [sys.executable, "-m", "orchestration.cli", "run", *words]
        done = subprocess.run(command, env=machine.environment, cwd=machine.folder, capture_output=True, text=True)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        return done.stderr

    assert "META_APP_SECRET" in told("receiver")
    assert "HOST:PORT" in told("daemon", "--code", "4000")
    assert "scheduler" in told("scheduler")
    (machine.folder / "secrets" / "warehouse_url").write_text("postgresql://ann:hush@127.0.0.1:1/warehouse")
    text = told("code-server")
    assert "hush" not in text
    assert "127.0.0.1" in text


def test_the_databases_of_a_new_server_are_closed_to_strangers(machine: Machine) -> None:
    """The statements of `postgres/10-databases.sh`, on a server of this machine."""
    script = (ROOT / "orchestration" / "deploy" / "postgres" / "10-databases.sh").read_text()
    statements = script.partition("<<'SQL'\n")[2].removesuffix("SQL\n")
    server = embedded.attach(machine.folder / "postgres")
    assert server is not None
    with psycopg.connect(server.url("warehouse"), autocommit=True) as connection:
        for statement in statements.split(";"):
            if statement.strip():
                connection.execute(statement.encode())
        connection.execute("CREATE ROLE stranger")
        open_to = connection.execute(
            "SELECT datname FROM pg_database WHERE has_database_privilege('stranger', datname, 'CONNECT')"
        ).fetchall()
    assert ("warehouse",) in open_to
    assert not {("dagster",), ("postgres",), ("template1",)} & set(open_to)
