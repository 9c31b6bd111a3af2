"""`meta-ads alerts` as a person runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.receivers import Hook, Mailbox, mail_server, web_hook
from warehouse.connect import Warehouse
from warehouse.ops import alerts
from warehouse.ops.alerts import Cause

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as opened:
        yield opened


@pytest.fixture
def hook() -> Iterator[Hook]:
    with web_hook() as opened:
        yield opened


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    ours = ("META_", "WAREHOUSE_", "DAGSTER_", "ALERT_", "SMTP_", "CLIENTS_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    own = {"META_ADS_HOME": str(folder / "home"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "orchestration.cli", "alerts", *arguments]
    return subprocess.run(command, cwd=folder, env=kept | own | variables, capture_output=True, text=True, timeout=120)


def both(box: Mailbox, hook: Hook) -> dict[str, str]:
    return {
        "ALERT_EMAIL_TO": "ann@example.com,bob@example.com",
        "ALERT_EMAIL_FROM": "alerts@example.com",
        "SMTP_HOST": "localhost",
        "SMTP_PORT": str(box.port),
        "SMTP_TLS": "none",
        "ALERT_WEBHOOK_URL": hook.url,
    }


def test_a_test_message_goes_out_on_every_channel(tmp_path: Path, box: Mailbox, hook: Hook) -> None:
    done = run(tmp_path, "test", **both(box, hook))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("ok  ") == 2
    assert box.subjects == [post["text"] for post in hook.posts] == ["[Test] Alerts of Meta Ads Analytics arrive here"]
    assert "secret" not in done.stdout + done.stderr


def test_what_does_not_arrive_is_told_with_the_mend_and_an_exit_code(tmp_path: Path, box: Mailbox, hook: Hook) -> None:
    box.refuse = {"bob@example.com": "550 no such user"}
    hook.answers = [404]
    done = run(tmp_path, "test", **both(box, hook))
    assert done.returncode == 1
    assert "bob@example.com: 550 no such user" in done.stdout
    assert "127.0.0.1 answered 404: no_service" in done.stdout
    assert "-> create the webhook anew" in done.stdout
    assert len(box.received) == 1
    assert "secret" not in done.stdout + done.stderr


def test_without_a_channel_it_says_what_to_set(tmp_path: Path) -> None:
    done = run(tmp_path, "test")
    assert done.returncode == 2
    assert "ALERT_WEBHOOK_URL" in done.stderr


def test_open_alerts_are_listed(tmp_path: Path, databases) -> None:
    with databases.fresh("plain") as url, Warehouse(url) as warehouse:
        done = run(tmp_path, WAREHOUSE_URL=url)
        assert (done.returncode, done.stdout.strip()) == (0, "No alert is open."), done.stderr
        samples = {"daily|act_7": {"account_id": 7, "run_id": "r1"}}
        seen = [
            Cause("checks_failed:7:ad_daily", "checks_failed", "error", "[bold]Shop[/] fails", "Why.", "glue it", 7),
            Cause("run_failed:daily:X", "run_failed", "error", "daily fails", samples=samples),
        ]
        alerts.observe(warehouse, ["checks_failed", "run_failed"], seen, NOW, reopen_after=NOW)
        done = run(tmp_path, WAREHOUSE_URL=url, ALERT_WEBHOOK_URL="https://hooks.slack.com/services/T/B/hush-hush")
    assert done.returncode == 0, done.stderr
    for text in ("[bold]Shop[/] fails", "glue it", "2026-11-20 12:00", "act_7", "webhook: not yet", "daily fails"):
        assert text in done.stdout
    assert "hush" not in done.stdout
