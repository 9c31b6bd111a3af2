"""Kill -9 at random moments of a pull, then resume: the same tables, and no report run paid for twice."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import NOW, ROOT, Simulator, account_ids, running_simulator, scalar, stored, truth
from warehouse.connect import Warehouse

pytestmark = [pytest.mark.integration, pytest.mark.slow]

TRIALS = 25  # on each kind of database: 50 kills in all
DAYS = 3
REPORTS = ("ad_daily", "campaign_daily", "ad_daily__age_gender")
FIRST = date(2026, 8, 5)  # so that all numbers are final
FINISHED = "SELECT count(*) FROM ops.run WHERE kind = 'pull' AND status = 'succeeded' AND arguments->>'since' = %s"


@pytest.fixture(scope="module")
def slow_simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """In real time, with some latency, so that every phase of a pull is long enough to be hit."""
    folder = tmp_path_factory.mktemp("kill")
    with running_simulator(folder, "--job-seconds", "0.3", "--latency", "4", "--no-limits", speed=1) as simulator:
        yield simulator


class Forker:
    def __init__(self, simulator: Simulator, warehouse: Warehouse, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.forker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self._send({"graph_url": simulator.url, "warehouse_url": warehouse.url, "home": str(folder / "home")})

    def pull(self, since: date, until: date, kill_after: float | None) -> dict[str, Any]:
        order = {"reports": REPORTS, "since": since.isoformat(), "until": until.isoformat(), "kill_after": kill_after}
        self._send(order)
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def _send(self, line: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(20)


def test_killed_at_random_moments_and_resumed(slow_simulator, warehouse, tmp_path):
    simulator = slow_simulator
    simulator.reset()
    forker = Forker(simulator, warehouse, tmp_path)
    luck = random.Random(20261122)
    killed = 0
    try:
        before = FIRST - timedelta(days=DAYS), FIRST - timedelta(days=1)
        durations = [forker.pull(*before, None) for _ in range(3)]
        assert all(one["code"] == 0 for one in durations)
        whole = min(one["seconds"] for one in durations)
        for trial in range(TRIALS):
            since = FIRST + timedelta(days=trial * DAYS)
            until = since + timedelta(days=DAYS - 1)
            forker.pull(since, until, luck.uniform(0.02, whole))
            # Reason: a pull quicker than the shortest of the three is through before it is hit. Asking again would be
            # a new pull, which rightly pays for its report runs.
            if not scalar(warehouse, FINISHED, since.isoformat()):
                killed += 1
                assert forker.pull(since, until, None)["code"] == 0
    finally:
        forker.close()
    assert killed >= TRIALS * 0.7, "most kills should hit a pull under way"

    last = FIRST + timedelta(days=TRIALS * DAYS - 1)
    for account_id in account_ids(simulator):
        for report in REPORTS:
            expected = truth(simulator, account_id, report, FIRST - timedelta(days=DAYS), last, NOW + timedelta(days=1))
            assert stored(warehouse, account_id, report) == expected
            assert len({key[0] for key in expected}) > TRIALS, report

    jobs = [job for job in simulator.get("state")["jobs"] if str(FIRST - timedelta(days=1)) not in str(job["params"])]
    assert len(jobs) >= TRIALS * len(REPORTS)
    paid = Counter((job["account_id"], job["fingerprint"]) for job in jobs)
    twice = sum(count - 1 for count in paid.values())
    # Reason: a kill between our request and Meta's answer leaves nobody who knows the id; nothing can be done about
    # that moment but to keep it short, and to note the request before it is sent, so that it can be told apart.
    unanswered = scalar(warehouse, "SELECT count(*) FROM ops.report_job WHERE state = 'intent'")
    assert twice <= unanswered, f"{twice} runs were paid for twice, {unanswered} requests never got their answer"
    # Reason for a fifth: on a busy machine that moment is a good part of a pull of these few rows.
    assert unanswered <= 0.2 * len(jobs)
    resumed = scalar(warehouse, "SELECT count(*) FROM ops.run WHERE kind = 'pull'")
    assert resumed == TRIALS + 3, "a resumed pull keeps its run"
    assert scalar(warehouse, "SELECT count(*) FROM ops.run WHERE status <> 'succeeded'") == 0
