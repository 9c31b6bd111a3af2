"""From Meta's split tests to verdicts: what the marts say against what is true in the simulator's world."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from orchestration.build import build_marts
from tests.e2e.harness import ANCHOR, Bench, account_ids
from warehouse.query import ab_verdicts

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_every_split_test_of_the_world_gets_a_verdict_and_a_true_effect_is_never_reversed(plain_bench: Bench) -> None:
    studies = {
        (account, study["id"]): study
        for account in account_ids(plain_bench.simulator)
        for study in plain_bench.simulator.world().truth(str(account))["studies"]
    }
    assert studies
    first = min(date.fromisoformat(study["first_day"]) for study in studies.values())
    last = max(date.fromisoformat(study["last_day"]) for study in studies.values())
    assert ANCHOR - last > timedelta(days=28)
    plain_bench.pull(
        since=first - timedelta(days=1), until=last + timedelta(days=1), reports=("ad_daily", "account_daily")
    )
    build_marts(plain_bench.platform())

    found = {
        (row["account_id"], row["experiment_id"].removeprefix("study-")): row
        for row in ab_verdicts(plain_bench.warehouse)
    }
    assert found.keys() == studies.keys()
    for key, study in studies.items():
        row = found[key]
        assert row["kind"] == "randomised split test of Meta"
        assert (row["since"].isoformat(), row["until"].isoformat()) == (study["first_day"], study["last_day"])
        assert row["mature_days"] == row["planned_days"]
        assert row["is_complete"]
        assert row["reason"]
        if study["kind"] == "effect":
            # Reason for no more: the cells are campaigns that differ in more than what the study adds to the second.
            assert row["verdict_in_words"] != "winner: Group A"
