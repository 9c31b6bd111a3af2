"""The stand-in as a process: its command line, its file, a restart."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.metabase.cli import options_of, parser
from tests.metabase.client import ADMIN, Metabase
from tests.metabase.conftest import Sample, wait_for_sync

pytestmark = pytest.mark.integration
ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def _running(folder: Path, *options: str) -> Iterator[Metabase]:
    port_file = folder / "port"
    port_file.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.metabase", "--port-file", str(port_file), *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        deadline = time.monotonic() + 30
        while not port_file.exists():
            assert process.poll() is None, "the stand-in ended"
            assert time.monotonic() < deadline, "the stand-in did not listen"
            time.sleep(0.02)
        yield Metabase(f"http://127.0.0.1:{port_file.read_text().strip()}")
        process.terminate()
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()


def test_a_state_file_outlives_the_process_and_a_sync_that_was_cut_off(tmp_path: Path, sample: Sample) -> None:
    options = ("--state", str(tmp_path / "state.json"), "--database", f"db={sample.url}", "--setup-token", "pinned")
    with _running(tmp_path, *options, "--sync", "60") as metabase:
        metabase.token = "pinned"
        metabase.set_up()
        assert metabase.post("database", sample.body())["initial_sync_status"] == "incomplete"
        collection = metabase.post("collection", {"name": "Agency"})["id"]
        headers = metabase.headers
    with _running(tmp_path, *options) as metabase:
        metabase.headers = headers
        assert metabase.get("user/current")["email"] == ADMIN["email"]
        assert metabase.get(f"collection/{collection}")["name"] == "Agency"
        wait_for_sync(metabase, 1)
        assert len(metabase.get("database/1/metadata")["tables"]) == 3
        assert metabase.post("collection", {"name": "Next"})["id"] == collection + 1


def test_the_version_is_what_it_is_told(tmp_path: Path) -> None:
    with _running(tmp_path, "--version", "v0.61.2") as metabase:
        assert metabase.get("session/properties")["version"]["tag"] == "v0.61.2"


def test_options_of_the_command_line() -> None:
    given = [
        *("--database", "postgresql://u@/a?host=/run"),
        *("--database", "db=postgresql://u@/b?host=/run&x=y"),
        *("--password", "role=secret=1"),
        *("--env-setting", 'site-name="Ads"'),
        *("--env-setting", "enable-xrays=false"),
        *("--now", "2026-11-20T12:00:00"),
    ]
    options = options_of(parser().parse_args(given))
    assert options.databases == {"*": "postgresql://u@/a?host=/run", "db": "postgresql://u@/b?host=/run&x=y"}
    assert options.passwords == {"role": "secret=1"}
    assert options.env_settings == {"site-name": "Ads", "enable-xrays": False}
    assert options.now is not None
