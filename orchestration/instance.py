"""The Dagster instance: its folder, its database, its processes.

What belongs here: `dagster.yaml` and `workspace.yaml`, which commands are started in which order, and with what
environment. What does not: what runs in Dagster (`orchestration.defs`), starting processes as such
(`orchestration.processes`). Dagster is imported where it is needed: the other commands start without it.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from orchestration.errors import ConfigurationError, ProcessError
from orchestration.processes import Processes, RunningProcess
from orchestration.settings import Settings
from warehouse import embedded
from warehouse.urls import DatabaseUrl

FOLDER = "dagster"
DATABASE = "dagster"
MODULE = "orchestration.definitions"
HOST = "127.0.0.1"
#: The first are the last to stop.
PROCESSES = ("code-server", "webserver", "metrics", "site", "daemon", "receiver")
_NEED_NO_CODE = ("metrics", "receiver", "site")
USUAL_PORTS = {"webserver": 3000, "receiver": 3001, "site": 3002, "metrics": 9464}
_OPTIONS = {
    "webserver": "--web-port",
    "receiver": "--receiver-port",
    "site": "--site-port",
    "metrics": "--metrics-port",
}
STEPS_AT_META = 4
START_SECONDS = 120.0

_WORKSPACE = "workspace.yaml"
_TEMPLATE = Path(__file__).with_name("dagster.yaml")


@dataclass(frozen=True)
class Instance:
    """A prepared instance.

    Attributes:
        home: `DAGSTER_HOME`.
        environment: What its processes are started with; holds secrets.
    """

    home: Path
    environment: Mapping[str, str]


def prepare(settings: Settings, environment: Mapping[str, str]) -> Instance:
    """Writes the instance's files and makes its database.

    Args:
        settings: Of this installation, or of the demo.
        environment: What the processes find their settings in.

    Raises:
        ConfigurationError: The database is missing and cannot be made.
        EmbeddedServerError: The embedded server does not start.
    """
    home = settings.meta_ads_home / FOLDER
    home.mkdir(parents=True, exist_ok=True)
    text = _TEMPLATE.read_text(encoding="utf-8")
    _write(home / "dagster.yaml", text)
    own = {"DAGSTER_HOME": str(home), "DAGSTER_DATABASE_URL": _database(settings)}
    return Instance(home, {**environment, "META_ADS_HOME": str(settings.meta_ads_home), **own})


def wanted_processes(settings: Settings) -> tuple[str, ...]:
    """Which of `PROCESSES` this installation runs: the receiver only where it can tell Meta from a stranger."""
    return PROCESSES if settings.takes_webhooks else tuple(name for name in PROCESSES if name != "receiver")


def start(
    settings: Settings, instance: Instance, ports: Mapping[str, int | None] | None = None
) -> list[RunningProcess]:
    """Starts those of the wanted processes that do not run.

    Args:
        settings: Of this installation.
        instance: From `prepare`.
        ports: Of `USUAL_PORTS`, by name; 0, and what is left out, picks a free one, None the usual one if it is free.

    Raises:
        ProcessError: A port is taken, or one of them does not start; its log says why.
    """
    processes = Processes(settings.meta_ads_home)
    running = {process.name: process for process in processes.running()}
    wanted = wanted_processes(settings)
    # Reason: the others know the code server by its port, so one that is started again listens where the last one did.
    code = running["code-server"].port if "code-server" in running else _last_port(instance.home)
    chosen = {name: _port(name, running, (ports or {}).get(name, 0)) for name in USUAL_PORTS if name in wanted}
    if code is None:
        for name in reversed(PROCESSES):
            processes.stop(name)
        code = _free_port()
    _write_workspace(instance.home / _WORKSPACE, HOST, code)
    commands = _commands(settings, instance, code, chosen, HOST)
    with ExitStack() as stack:

        def begin(*names: str) -> list[Callable[[], RunningProcess]]:
            return [
                stack.enter_context(
                    processes.starting(name, argv, file, timeout=START_SECONDS, env=instance.environment, port=listens)
                )
                for name, (argv, listens, file) in commands.items()
                if name in wanted and name in names
            ]

        # Reason: each spends seconds on imports, so they start beside each other; but a page that is opened before the
        # code server answers shows an error.
        beside = begin(*_NEED_NO_CODE)
        first = [wait() for wait in begin("code-server")]
        after = begin(*(name for name in PROCESSES if name != "code-server" and name not in _NEED_NO_CODE))
        return [*first, *(wait() for wait in (*after, *beside))]


def _port(name: str, running: Mapping[str, RunningProcess], asked: int | None) -> int:
    """Where a process listens.

    Raises:
        ProcessError: The port that was asked for is taken.
    """
    if name in running:
        return running[name].port or _free_port()
    if asked is None:
        return USUAL_PORTS[name] if _is_free(USUAL_PORTS[name]) else _free_port()
    # Reason: whoever listens there would be taken for the process that could not.
    if asked and not _is_free(asked):
        option = _OPTIONS[name]
        raise ProcessError(f"Port {asked} is taken by another program.", f"choose another: meta-ads up {option} 0")
    return asked or _free_port()


def in_foreground(
    settings: Settings, instance: Instance, name: str, *, host: str, port: int | None, code: tuple[str, int]
) -> list[str]:
    """The command of one process by itself, as containers and service managers start it.

    Args:
        settings: Of this installation.
        instance: From `prepare`; those that ask the code server find it in its workspace.
        name: One of `PROCESSES`.
        host: Where it listens.
        port: Where it listens; None for the usual one.
        code: Host and port of the code server; what the code server itself listens on if it is that.

    Raises:
        ConfigurationError: The receiver is asked for, and Meta cannot be told from a stranger.
    """
    if name not in wanted_processes(settings):
        settings.webhook_secrets()
    if name in ("webserver", "daemon"):
        # Reason: the others share the folder, and need not know where the code server is.
        _write_workspace(instance.home / _WORKSPACE, *code)
    ports = USUAL_PORTS if port is None else {**USUAL_PORTS, name: port}
    argv, _, _ = _commands(settings, instance, code[1], ports, host, to_file=False)[name]
    return argv


def _commands(
    settings: Settings, instance: Instance, code: int, ports: Mapping[str, int], host: str, *, to_file: bool = True
) -> dict[str, tuple[list[str], int | None, Path | None]]:
    """Each process's arguments, with the port that they name or the file that the process writes it to."""
    workspace = ["-w", str(instance.home / _WORKSPACE)]
    python = [sys.executable, "-m"]
    form = ["--log-format", "json"] if settings.log_format == "json" else []
    web, measured, hooks, pages = (ports.get(name) for name in ("webserver", "metrics", "receiver", "site"))
    run = settings.meta_ads_home / "run"

    def told(name: str) -> tuple[list[str], Path | None]:
        file = run / f"{name}.port"
        return (["--port-file", str(file)], file) if to_file else ([], None)

    receiver = [*python, "orchestration.receiver", "--host", host, "--port", str(hooks), *told("receiver")[0]]
    site = [*python, "orchestration.site", "--host", host, "--port", str(pages), *told("site")[0]]
    served = [*python, "dagster", "api", "grpc", "-m", MODULE, "-h", host, "-p", str(code), *form]
    return {
        "code-server": (served, code, None),
        "webserver": ([*python, "dagster_webserver", "-h", host, "-p", str(web), *workspace, *form], web, None),
        "metrics": ([*python, "orchestration.metrics", "--port", str(measured)], measured, None),
        "daemon": ([*python, "dagster._daemon", "run", *workspace, *form], None, None),
        "receiver": (receiver, None, told("receiver")[1]),
        "site": (site, None, told("site")[1]),
    }


def seed(instance: Instance, account_ids: Iterable[int]) -> None:
    """Makes the instance's tables, the size of its pools, and a partition for each account."""
    # Reason: importing Dagster takes seconds, and the other commands do not need it.
    from dagster import DagsterInstance

    from orchestration.defs.partitions import ACCOUNTS, account_key
    from orchestration.defs.raw import META_POOL

    os.environ.update({name: instance.environment[name] for name in ("DAGSTER_HOME", "DAGSTER_DATABASE_URL")})
    with DagsterInstance.from_config(str(instance.home)) as opened:
        opened.event_log_storage.set_concurrency_slots(META_POOL, STEPS_AT_META)
        opened.add_dynamic_partitions(ACCOUNTS.name or "", [account_key(i) for i in sorted(account_ids)])


def _database(settings: Settings) -> str:
    """The URL of Dagster's own database: the one that is set, or one beside the warehouse."""
    if settings.dagster_database_url is not None:
        return settings.dagster_database_url.get_secret_value()
    if settings.warehouse_url is None:
        settings.meta_ads_home.mkdir(parents=True, exist_ok=True)
        return embedded.start(settings.meta_ads_home / "postgres").ensure_database(DATABASE)
    url = DatabaseUrl.parse(settings.warehouse_url.get_secret_value())
    own = url.with_database(DATABASE).render(reveal=True)
    try:
        with psycopg.connect(url.render(reveal=True), autocommit=True) as connection:
            present = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if present is None:
                connection.execute(f"CREATE DATABASE {DATABASE}".encode())
    except psycopg.errors.InsufficientPrivilege:
        raise ConfigurationError(
            f"There is no database {DATABASE} beside the warehouse, and its user may not make one.",
            f"have it made (CREATE DATABASE {DATABASE} OWNER {url.user}), or set DAGSTER_DATABASE_URL",
        ) from None
    except psycopg.OperationalError as error:
        raise ConfigurationError(
            f"The server of the warehouse cannot be reached: {str(error).splitlines()[0]}", "check WAREHOUSE_URL"
        ) from None
    return own


def _write_workspace(path: Path, host: str, port: int) -> None:
    server = {"grpc_server": {"host": host, "port": port, "location_name": "meta-ads"}}
    yaml = YAML()
    with path.open("w", encoding="utf-8") as file:
        yaml.dump({"load_from": [server]}, file)


def _last_port(home: Path) -> int | None:
    """Where the last code server listened, if that port is free."""
    try:
        told = YAML(typ="safe").load((home / _WORKSPACE).read_text(encoding="utf-8"))
        port = int(told["load_from"][0]["grpc_server"]["port"])
    except (OSError, YAMLError, LookupError, TypeError, ValueError):
        return None
    return port if _is_free(port) else None


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])
