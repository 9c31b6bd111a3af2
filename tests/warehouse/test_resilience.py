"""What happens to slices when processes race, die, or the disk fills up."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from multiprocessing.synchronize import Event
from pathlib import Path

import psycopg
import pytest

from tests.warehouse.rows import ACCOUNT, DAY, provenance, query, row, stored
from warehouse import embedded
from warehouse.connect import Warehouse, connect
from warehouse.errors import DatabaseUnavailable, DiskFull, SchemaOutdated, WarehouseError
from warehouse.loader import replace_slice
from warehouse.migrations import upgrade
from warehouse.ops import apply_retention, missing_days
from warehouse.storage import Profile
from warehouse.tables import AD_DAILY

pytestmark = pytest.mark.integration


def test_writers_of_one_slice_take_turns(warehouse: Warehouse) -> None:
    failures: list[BaseException] = []

    def work(writer: int) -> None:
        try:
            for turn in range(6):
                rows = [row(ad, clicks=str(writer * 100 + turn)) for ad in range(writer + 3)]
                replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, rows, provenance())
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    found = stored(warehouse, columns="clicks")
    assert len({clicks for (clicks,) in found}) == 1, "rows of two pulls are mixed"
    assert len(found) == found[0][0] // 100 + 3
    assert query(warehouse, "SELECT row_count FROM ops.slice") == [(len(found),)]


def test_writers_of_a_new_month_do_not_collide(warehouse: Warehouse) -> None:
    failures: list[BaseException] = []

    def work(account: int) -> None:
        try:
            with Warehouse(warehouse.url) as own:
                day = date(2025, 3, 9)
                replace_slice(own, AD_DAILY, account, day, [row(1, day, account)], provenance())
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=work, args=(account,)) for account in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(stored(warehouse)) == 6


def _replace_slowly(url: str, copying: Event) -> None:
    """Replaces the slice and stops in the middle of its transaction, after delete and COPY."""
    from warehouse import revision

    def stop(*_: object) -> None:
        copying.set()
        time.sleep(60)

    revision.compute = stop  # type: ignore[assignment]
    with Warehouse(url) as warehouse:
        replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(7)], provenance())


def test_a_process_killed_in_the_middle_leaves_the_old_slice(warehouse: Warehouse) -> None:
    replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(1), row(2)], provenance())
    context = multiprocessing.get_context("spawn")
    copying = context.Event()
    process = context.Process(target=_replace_slowly, args=(warehouse.url, copying))
    process.start()
    assert copying.wait(60)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert stored(warehouse, columns="ad_id % 10") == [(1,), (2,)]
    assert query(warehouse, "SELECT row_count FROM ops.slice") == [(2,)]
    assert query(warehouse, "SELECT count(*) FROM raw.insight_revision") == [(1,)]
    # the dead process's locks are gone too
    assert replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(3)], provenance()).row_count == 1


def test_a_session_ended_by_the_server_is_transient_and_replaced(warehouse: Warehouse) -> None:
    with pytest.raises(DatabaseUnavailable), warehouse.connection() as connection:
        connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert query(warehouse, "SELECT 1") == [(1,)]
    with warehouse.connection() as connection:
        pid = connection.info.backend_pid
    with warehouse.session() as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    assert query(warehouse, "SELECT 1") == [(1,)]


def test_a_database_without_the_schema_names_the_command(plain_url: str) -> None:
    with Warehouse(plain_url) as warehouse, pytest.raises(SchemaOutdated, match="meta-ads migrate"):
        missing_days(warehouse, ACCOUNT, "ad_daily", DAY, DAY)


def test_retention_drops_whole_parts_and_the_rest_by_row(warehouse: Warehouse) -> None:
    days = [date(2026, month, day) for month in (1, 3, 5) for day in (2, 20)]
    for day in days:
        replace_slice(warehouse, AD_DAILY, ACCOUNT, day, [row(1, day)], provenance())
    (result,) = apply_retention(warehouse, [AD_DAILY], date(2026, 5, 10))
    assert result.slices == 5
    assert result.parts >= 2
    assert stored(warehouse, columns="day") == [(days[-1],)]
    assert query(warehouse, "SELECT day FROM ops.slice") == [(days[-1],)]
    assert len(query(warehouse, "SELECT 1 FROM raw.insight_revision")) == 6
    result_again = replace_slice(warehouse, AD_DAILY, ACCOUNT, days[0], [row(1, days[0])], provenance())
    assert not result_again.unchanged


def test_a_month_dropped_by_somebody_else_is_made_again(warehouse: Warehouse) -> None:
    day = date(2026, 1, 2)
    replace_slice(warehouse, AD_DAILY, ACCOUNT, day, [row(1, day)], provenance())
    with Warehouse(warehouse.url) as other:
        apply_retention(other, [AD_DAILY], date(2026, 5, 1))
    assert replace_slice(warehouse, AD_DAILY, ACCOUNT, day, [row(1, day)], provenance()).row_count == 1
    assert len(stored(warehouse)) == 1


@pytest.mark.timescale
def test_compressed_chunks_take_replacements(warehouse: Warehouse) -> None:
    if warehouse.storage.profile is not Profile.TIMESCALE:
        pytest.skip(f"the server's profile is {warehouse.storage.profile}; this needs TimescaleDB Community")
    day = date(2025, 3, 9)
    replace_slice(warehouse, AD_DAILY, ACCOUNT, day, [row(ad, day) for ad in range(200)], provenance())
    with warehouse.connection() as connection:
        for (chunk,) in connection.execute("SELECT show_chunks('raw.insights_ad_daily')").fetchall():
            connection.execute("CALL convert_to_columnstore(%s::text::regclass)", [str(chunk)])
    replace_slice(warehouse, AD_DAILY, ACCOUNT, day, [row(ad, day, clicks="5") for ad in range(150)], provenance())
    assert (
        stored(warehouse, columns="DISTINCT ON (account_id, day, campaign_id, adset_id, ad_id) clicks") == [(5,)] * 150
    )
    policies = query(
        warehouse, "SELECT count(*) FROM timescaledb_information.jobs WHERE proc_name LIKE '%compression%'"
    )
    assert policies == [(10,)]
    with warehouse.connection() as connection:
        assert warehouse.storage.compress_after(connection, AD_DAILY, 60)
        assert warehouse.storage.compress_after(connection, AD_DAILY, None)
    apply_retention(warehouse, [AD_DAILY], date(2025, 3, 9))
    assert len(stored(warehouse)) == 150


@pytest.fixture
def small_disk() -> Iterator[Path]:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can mount a small disk")
    directory = Path(tempfile.mkdtemp(prefix="meta-ads-small-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=150m", "tmpfs", str(directory)], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        directory.rmdir()
        pytest.skip(f"no tmpfs can be mounted here: {mounted.stderr.strip()}")
    directory.chmod(0o755)
    yield directory
    with suppress(WarehouseError):
        embedded.stop(directory / "postgres")
    subprocess.run(["umount", "--lazy", str(directory)], check=True)
    directory.rmdir()


def test_a_full_disk_is_told_and_nothing_is_half_written(small_disk: Path) -> None:
    with connect(state_directory=small_disk / "postgres") as warehouse:
        upgrade(warehouse)
        replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(1), row(2)], provenance())
        # Reason: ballast leaves room for the log of the transaction but not for its rows.
        free = shutil.disk_usage(small_disk).free
        (small_disk / "ballast").write_bytes(b"\0" * max(0, free - 6 * 1024 * 1024))
        large = [row(ad, filler="x" * 1500) for ad in range(20000)]
        with pytest.raises((DiskFull, DatabaseUnavailable)) as caught:
            replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, large, provenance())
        (small_disk / "ballast").unlink()
        # Reason: a disk that fills up under the log makes the server restart.
        if isinstance(caught.value, DatabaseUnavailable):
            embedded.start(small_disk / "postgres")
        for _ in range(100):
            with suppress(DatabaseUnavailable, psycopg.OperationalError):
                assert len(stored(warehouse)) == 2
                break
            time.sleep(0.1)
        assert query(warehouse, "SELECT row_count FROM ops.slice") == [(2,)]
        assert replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(3)], provenance()).row_count == 1
