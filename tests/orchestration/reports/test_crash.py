"""Processes that send the same report at once, or are killed in the middle of it: real ones, on a real database."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestration.reports.deliver import deliver, send_now
from tests.orchestration.reports.office import Office
from tests.receivers import Mailbox

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]


def process(url: str, port: int, mark: str = "") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.orchestration.reports.office", url, str(port), mark]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def wait_for(office: Office, state: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while (row := office.row) is None or row.state != state:
        assert time.monotonic() < deadline, row
        time.sleep(0.05)


def test_two_processes_at_once_send_one(office: Office, box: Mailbox, url: str) -> None:
    box.silent_seconds = 1.0
    running = [process(url, box.port) for _ in range(2)]
    states = sorted(one.communicate(timeout=90)[0].strip() for one in running)
    assert len(box.received) == 1
    assert states in (["busy", "sent"], ["sent", "sent"])


def test_a_process_killed_while_it_sends_leaves_it_unsure(office: Office, box: Mailbox, url: str) -> None:
    """The server has the message and thinks about it; nobody will ever know whether it took it."""
    box.silent_seconds = 20
    running = process(url, box.port)
    wait_for(office, "sending")
    running.kill()
    running.wait(10)
    box.silent_seconds = 0
    deadline = time.monotonic() + 30
    while (row := deliver(office.desk, office.due)) is None:  # Reason: the database notices a moment later.
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert (row.state, row.retry_at) == ("unsure", None)
    assert "died while" in row.reason
    assert row.message_id is not None
    assert row.message_id in row.mend
    assert deliver(office.desk, office.due) == row
    assert box.received == []
    assert send_now(office.desk, office.due, again=True).state == "sent"


def test_a_process_killed_while_it_writes_has_sent_nothing(
    office: Office, box: Mailbox, url: str, tmp_path: Path
) -> None:
    mark = tmp_path / "writing"
    running = process(url, box.port, str(mark))
    wait_for(office, "writing")
    while not mark.exists():
        time.sleep(0.05)
    assert deliver(office.desk, office.due) is None
    running.kill()
    running.wait(10)
    deadline = time.monotonic() + 30
    while (row := deliver(office.desk, office.due)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert (row.state, row.attempts) == ("sent", 2)
    assert len(box.received) == 1
