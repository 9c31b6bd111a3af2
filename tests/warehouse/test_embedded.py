"""The embedded server: it belongs to its directory, not to a process, and survives crashes."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.warehouse.rows import ACCOUNT, DAY, provenance, row, stored
from warehouse import embedded
from warehouse.connect import Warehouse, connect
from warehouse.errors import DatabaseUnavailable, EmbeddedServerError
from warehouse.loader import replace_slice
from warehouse.migrations import upgrade
from warehouse.query import server_info
from warehouse.tables import AD_DAILY

pytestmark = pytest.mark.integration


@pytest.fixture
def state() -> Iterator[Path]:
    # Reason: not pytest's own directory, which is closed to the account that PostgreSQL runs as for root.
    root = Path(tempfile.mkdtemp(prefix="meta-ads-embedded-"))
    directory = root / "with space %" / "postgres"
    yield directory
    embedded.stop(directory)
    shutil.rmtree(root, ignore_errors=True)


def _start(directory: str) -> None:
    embedded.start(directory)


def test_a_server_outlives_its_process_and_is_found_again(state: Path) -> None:
    context = multiprocessing.get_context("spawn")
    starters = [context.Process(target=_start, args=(str(state),)) for _ in range(2)]
    for process in starters:
        process.start()
    for process in starters:
        process.join(60)
    assert [process.exitcode for process in starters] == [0, 0]
    server = embedded.attach(state)
    assert server is not None
    assert not embedded.start(state).started_here
    assert server.ensure_database("dagster") == server.ensure_database("dagster")
    with connect(state_directory=state) as warehouse:
        upgrade(warehouse)
        info = server_info(warehouse)
        assert (info["profile"], info["embedded"]) == ("plain", True)
        assert info["version"].startswith("PostgreSQL 18")
        assert info["free_bytes"] > 0
        with warehouse.connection() as connection:
            for setting, expected in (
                ("fsync", "on"),
                ("full_page_writes", "on"),
                ("jit", "off"),
                ("listen_addresses", ""),
            ):
                assert connection.execute("SELECT current_setting(%s)", [setting]).fetchone() == (expected,)
        _crash_and_return(state, warehouse)
    assert embedded.stop(state) is True
    assert embedded.stop(state) is False
    assert embedded.attach(state) is None


def _crash_and_return(state: Path, warehouse: Warehouse) -> None:
    """A committed slice survives kill -9 of the server; pooled connections notice and are replaced."""
    replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(1), row(2)], provenance())
    postmaster = int((state / "postmaster.pid").read_text().splitlines()[0])
    os.kill(postmaster, signal.SIGKILL)
    for _ in range(50):
        time.sleep(0.1)
        try:
            stored(warehouse)
        except DatabaseUnavailable:
            break
    assert embedded.start(state).started_here
    assert len(stored(warehouse)) == 2


def test_a_long_path_gets_its_socket_elsewhere(state: Path) -> None:
    long = state.parent / ("x" * 90) / "postgres"
    server = embedded.start(long)
    try:
        assert server.socket_directory != server.directory
        with Warehouse(server.url()) as warehouse, warehouse.connection() as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        embedded.stop(long)
        shutil.rmtree(server.socket_directory, ignore_errors=True)


def test_another_major_version_is_refused_with_a_way_out(state: Path) -> None:
    state.mkdir(parents=True)
    (state / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedServerError, match=r"PostgreSQL 16.*To mend"):
        embedded.start(state)


def test_a_directory_deleted_under_a_running_server_starts_anew(state: Path) -> None:
    first = embedded.start(state)
    pid = int((state / "postmaster.pid").read_text().splitlines()[0])
    shutil.rmtree(state)
    second = embedded.start(state)
    assert second.started_here
    assert second.socket_directory == first.socket_directory
    assert not Path(f"/proc/{pid}").exists()
    with connect(state_directory=state) as warehouse:
        upgrade(warehouse)
