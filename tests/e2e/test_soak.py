"""Ticks in fast motion, with faults: the short form of `make soak`, and an account that is refused for a while."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest

from tests.e2e.harness import NOW, Bench, Simulator, account_ids, running_simulator
from tests.receivers import mail_server
from tests.soak.day import SPEED, Day
from tests.soak.verdict import GOAL_MINUTES, GOAL_SHARE, verdict
from warehouse.connect import Warehouse

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("soak")]

TICKS, REFUSED = 5, 1  # by number of the tick


@pytest.fixture
def own_simulator(tmp_path: Path) -> Iterator[Simulator]:
    with running_simulator(tmp_path, "--job-seconds", "20", speed=SPEED) as simulator:
        yield simulator


def test_every_account_is_fresh_and_only_the_real_cause_is_told(own_simulator, databases, tmp_path):
    (tmp_path / "dagster").mkdir()
    refused = account_ids(own_simulator)[0]
    with (
        databases.built(tmp_path / "home") as url,
        Warehouse(url) as warehouse,
        dg.DagsterInstance.local_temp(str(tmp_path / "dagster")) as instance,
        mail_server() as box,
    ):
        bench = Bench(own_simulator, warehouse, tmp_path, speed=SPEED)
        bench.pull(since=NOW.date() - timedelta(days=2))
        # The daily runs over 28 days are for `make soak`.
        day = Day(bench, instance, box, is_daily=False)
        for number, _ in enumerate(day.pass_time(NOW + timedelta(minutes=15), TICKS)):
            if number == REFUSED:
                day.good_weather({"name": "capability", "account": str(refused)})
            elif number == REFUSED + 1:
                day.good_weather()
        found = verdict(day)
    assert not found.problems
    others = [lag for lag in day.lags if lag.account_id != refused]
    assert len(others) >= TICKS - 1
    assert sum(lag.minutes <= GOAL_MINUTES for lag in others) >= GOAL_SHARE * len(others), found.lines
    assert [success for job, success in day.runs] == [number != REFUSED for number in range(TICKS)]
    subjects = [subject for _, subject in day.told]
    assert len(subjects) == 2, found.lines  # told once, and once that it is over
    assert all("tick" in subject for subject in subjects)
