"""Databases for all tests: a fresh one per test, on servers shared by the whole test session (also under xdist).

A fresh database is a copy of a template: migrated, or with the marts built of nothing in it as well, so that a test's
first build is what a build is on any other day. Each template is made once a session, when the first test asks.

Fixtures: `databases` (the factory), `plain_url`, `timescale_url`, `warehouse` (migrated, on both kinds of server).

Timescale comes from TEST_TIMESCALE_URL (an administrator's URL), else from a Debian tree
(`tests.warehouse.timescale_tree`), else those tests are skipped, saying why; where CI=true that is an error.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from rich.console import Console

from orchestration.progress import Display
from orchestration.transform import dbt_environment, project_version, run_dbt
from tests.warehouse import timescale_tree
from warehouse import embedded
from warehouse.connect import Warehouse
from warehouse.migrations import upgrade
from warehouse.ops import building
from warehouse.urls import DatabaseUrl

KINDS = ("plain", "timescale")
_PREFIX = "meta-ads-tests-"


class Databases:
    """Makes fresh databases on the session's servers."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._admin: dict[str, DatabaseUrl] = {}

    @contextmanager
    def fresh(self, kind: str = "plain", *, migrated: bool = True) -> Iterator[str]:
        """The URL of a new database on a server of this kind (`plain` or `timescale`), dropped afterwards."""
        admin = self._server(kind)
        template = self._template(kind, admin) if migrated else "template1"
        with self._copied(admin, template, f"test_{uuid4().hex[:16]}") as url:
            yield url

    @contextmanager
    def built(self, home: Path) -> Iterator[str]:
        """The URL of a new database with every mart in it, empty, as the first build of the dbt project leaves them.

        One at a time in a process: all have one name, as what dbt knows of the project after reading it (ten seconds)
        holds for that name alone. It is put where dbt looks for it, and kept for the next test.

        Args:
            home: The state folder of the platform that will build here.
        """
        admin = self._server("plain")
        name = f"built_{_run_id()}_{os.environ.get('PYTEST_XDIST_WORKER', 'gw')}"
        known = _session_directory() / f"{name}.msgpack"
        read = home / "dbt" / "target" / "partial_parse.msgpack"
        if known.exists():
            read.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(known, read)
        with self._copied(admin, self._template("plain", admin, built=True), name) as url:
            yield url
        if read.exists():
            shutil.copyfile(read, known)

    @staticmethod
    @contextmanager
    def _copied(admin: DatabaseUrl, template: str, name: str) -> Iterator[str]:
        _copy(admin, template, name)
        try:
            yield admin.with_database(name).render(reveal=True)
        finally:
            _administer(admin, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _server(self, kind: str) -> DatabaseUrl:
        if kind not in self._admin:
            self._admin[kind] = DatabaseUrl.parse(self._stack.enter_context(_shared_server(kind)))
        return self._admin[kind]

    def _template(self, kind: str, admin: DatabaseUrl, *, built: bool = False) -> str:
        name = f"template_{kind}_{_run_id()}{'_built' if built else ''}"
        source = self._template(kind, admin) if built else "template1"
        done = _session_directory() / f"{name}.ready"
        with _locked(_session_directory() / f"{name}.lock"):
            if not done.exists():
                _administer(admin, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
                _copy(admin, source, name)
                with Warehouse(admin.with_database(name).render(reveal=True)) as warehouse:
                    _build(warehouse) if built else upgrade(warehouse)
                # Reason: a database that is copied may have no sessions, and Timescale's scheduler opens one in each.
                _administer(
                    admin, sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false").format(sql.Identifier(name))
                )
                _administer(
                    admin,
                    sql.SQL("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = {}").format(
                        sql.Literal(name)
                    ),
                )
                done.touch()
        return name


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """The factory of databases; use it for fixtures with a scope of your own."""
    with ExitStack() as stack:
        yield Databases(stack)


@pytest.fixture
def plain_url(databases: Databases) -> Iterator[str]:
    """A fresh, empty database on the embedded PostgreSQL 18."""
    with databases.fresh("plain", migrated=False) as url:
        yield url


@pytest.fixture
def timescale_url(databases: Databases) -> Iterator[str]:
    """A fresh, empty database on a server with TimescaleDB loaded."""
    with databases.fresh("timescale", migrated=False) as url:
        yield url


@pytest.fixture(
    params=[
        pytest.param("plain", marks=pytest.mark.integration),
        pytest.param("timescale", marks=[pytest.mark.integration, pytest.mark.timescale]),
    ]
)
def warehouse(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Warehouse]:
    """A migrated warehouse in a fresh database, once on each kind of server."""
    with databases.fresh(request.param) as url, Warehouse(url) as opened:
        yield opened


@contextmanager
def _shared_server(kind: str) -> Iterator[str]:
    """An administrator's URL of the session's server; the last process of the session stops it."""
    external = os.environ.get("TEST_TIMESCALE_URL") if kind == "timescale" else None
    if external:
        yield external
        return
    if kind == "timescale":
        _require_timescale_tree()
    directory = _session_directory()
    users = directory / f"{kind}.users"
    with _locked(directory / f"{kind}.lock"):
        present = set(json.loads(users.read_text())) if users.exists() else set()
        url = _start(kind, directory)
        users.write_text(json.dumps(sorted(present | {os.getpid()})))
    try:
        yield url
    finally:
        with _locked(directory / f"{kind}.lock"):
            left = [pid for pid in json.loads(users.read_text()) if pid != os.getpid() and _alive(pid)]
            users.write_text(json.dumps(left))
            if not left:
                _stop(kind, directory)
                for file in directory.glob(f"template_{kind}_*"):
                    file.unlink()


def _copy(admin: DatabaseUrl, template: str, name: str) -> None:
    statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
    with _locked(_session_directory() / "create.lock"):  # Reason: a template serves one copy at a time
        _administer(admin, statement)


def _build(warehouse: Warehouse) -> None:
    """The first build of a project, on no data."""
    with building(warehouse, project_version()), tempfile.TemporaryDirectory() as home:
        run_dbt(dbt_environment(warehouse.parameters, Path(home)), Display(Console(quiet=True)))


def _start(kind: str, directory: Path) -> str:
    if kind == "timescale":
        return timescale_tree.start(directory / "timescale")
    server = embedded.start(directory / "plain")
    url = server.url("postgres")
    # Reason: nothing here outlives the session, and the tests make and drop a hundred databases.
    _administer(DatabaseUrl.parse(url), sql.SQL("ALTER SYSTEM SET fsync = off"))
    _administer(DatabaseUrl.parse(url), sql.SQL("SELECT pg_reload_conf()"))
    return url


def _stop(kind: str, directory: Path) -> None:
    if kind == "timescale":
        timescale_tree.stop(directory / "timescale")
    else:
        embedded.stop(directory / "plain")
        shutil.rmtree(directory / "plain", ignore_errors=True)


def _require_timescale_tree() -> None:
    try:
        timescale_tree.ensure()
    except timescale_tree.TreeUnavailable as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must test on TimescaleDB: {error}")
        pytest.skip(f"no TimescaleDB: {error}")


def _run_id() -> str:
    return os.environ.get("PYTEST_XDIST_TESTRUNUID", f"p{os.getpid()}")[:12]


def _session_directory() -> Path:
    """One directory per test session. Not pytest's own, which is closed to the account that PostgreSQL runs as."""
    owner = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    directory = Path(tempfile.gettempdir()).resolve() / f"{_PREFIX}{owner}-{_run_id()}"
    if not directory.exists():
        _sweep()
        directory.mkdir(exist_ok=True)
    return directory


def _sweep() -> None:
    """Stops servers that killed test sessions left behind."""
    for directory in Path(tempfile.gettempdir()).resolve().glob(f"{_PREFIX}*-*"):
        owner = directory.name.removeprefix(_PREFIX).partition("-")[0]
        with suppress(FileNotFoundError):  # Reason: another worker may be sweeping the same one away.
            if directory.stat().st_uid == os.geteuid() and owner.isdigit() and not _alive(int(owner)):
                for kind in KINDS:
                    _stop(kind, directory)
                shutil.rmtree(directory, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _administer(url: DatabaseUrl, statement: sql.Composable) -> None:
    with psycopg.connect("", autocommit=True, **url.libpq()) as connection:  # type: ignore[arg-type]
        connection.execute(statement)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
