"""From Meta's split tests to verdicts: what the marts say against what is true in the simulator's worlds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from scipy import stats

from orchestration.platform import Platform
from orchestration.transform import dbt_environment, run_dbt
from tests.e2e.harness import ANCHOR, Bench, account_ids, running_simulator
from warehouse.connect import Warehouse
from warehouse.ops import building
from warehouse.query import ab_verdicts

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("judged")]

Key = tuple[int, str]
SPLIT_AD_SETS = (
    "accounts=4,campaigns_per_account=4,adsets_per_campaign=2,ads_per_adset=2,history_days=80,studies=3,full_actions=1"
)
#: The small world splits campaigns, the others ad sets.
WORLDS = (("small", 7), (SPLIT_AD_SETS, 1), (SPLIT_AD_SETS, 2), (SPLIT_AD_SETS, 3))
SURE_POWER = 0.95
_RESULTS = """
    SELECT account_id, experiment_id, metric, is_primary, standard_error, degrees_of_freedom, drift_factor,
        effect_low, effect_high
    FROM marts.mart_ab_test_result
"""


@dataclass
class Judged:
    """The studies of all worlds as they are, and what the marts make of them.

    Attributes:
        truth: By account and study, from the worlds themselves.
        verdicts: `ab_verdicts`, by the same key.
        results: Of all metrics, by the same key.
    """

    truth: dict[Key, Mapping[str, Any]] = field(default_factory=dict)
    verdicts: dict[Key, dict[str, Any]] = field(default_factory=dict)
    results: dict[Key, list[dict[str, Any]]] = field(default_factory=dict)

    def of_kind(self, kind: str) -> dict[Key, dict[str, Any]]:
        """The verdicts on all studies of a kind, of which there are several."""
        found = {key: self.verdicts[key] for key, study in self.truth.items() if study["kind"] == kind}
        assert len(found) >= 3
        return found


@pytest.fixture(scope="module")
def judged(databases: Any, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """Four worlds pulled into one warehouse, then one build."""
    found = Judged()
    with databases.fresh("plain") as url, Warehouse(url) as warehouse:
        with ExitStack() as stack:
            for size, seed in WORLDS:
                folder = tmp_path_factory.mktemp("world")
                simulator = running_simulator(folder, "--job-seconds", "20", size=size, seed=seed)
                bench = Bench(stack.enter_context(simulator), warehouse, folder)
                found.truth |= _pull_studies(bench)
            _build_experiments(bench.platform())
        found.verdicts = {_key(row): row for row in ab_verdicts(warehouse)}
        with warehouse.connection() as connection:
            cursor = connection.execute(_RESULTS)
            names = [column.name for column in cursor.description or ()]
            for values in cursor:
                row = dict(zip(names, values, strict=True))
                found.results.setdefault(_key(row), []).append(row)
    return found


def _pull_studies(bench: Bench) -> dict[Key, Mapping[str, Any]]:
    world = bench.simulator.world()
    studies = {
        (account, study["id"]): study
        for account in account_ids(bench.simulator)
        for study in world.truth(str(account))["studies"]
    }
    first = min(date.fromisoformat(study["first_day"]) for study in studies.values())
    last = max(date.fromisoformat(study["last_day"]) for study in studies.values())
    assert ANCHOR - last > timedelta(days=28)
    day = timedelta(days=1)
    bench.pull(since=first - day, until=last + day, reports=("ad_daily", "account_daily"))
    return studies


def _build_experiments(platform: Platform) -> None:
    """What a build does, of the experiments' marts and what they are made of."""
    with building(platform.warehouse):
        environment = dbt_environment(platform.warehouse.parameters, platform.settings.meta_ads_home)
        select = ("--select", "+path:models/marts/experiments", "--exclude-resource-type", "test")
        run_dbt(environment, platform.display, extra=select)


def _key(row: Mapping[str, Any]) -> Key:
    return row["account_id"], row["experiment_id"].removeprefix("study-")


def test_every_split_test_is_found_and_judged_on_all_its_days(judged: Judged) -> None:
    assert judged.verdicts.keys() == judged.truth.keys()
    assert {study["level"] for study in judged.truth.values()} == {"adset", "campaign"}
    for key, study in judged.truth.items():
        row = judged.verdicts[key]
        assert row["kind"] == "randomised split test of Meta"
        assert (row["since"].isoformat(), row["until"].isoformat()) == (study["first_day"], study["last_day"])
        assert row["mature_days"] == row["planned_days"] == row["paired_days"]
        assert row["is_complete"]
        assert row["verdict"] != "invalid"
        assert row["reason"]
        assert row["edits"] is None


def test_a_true_effect_is_found_where_the_test_has_the_power_to(judged: Judged) -> None:
    sure = 0
    for key, row in judged.of_kind("effect").items():
        assert row["verdict"] in ("winner", "not enough data")
        assert row["verdict_in_words"] != "winner: Group A"
        (result,) = (result for result in judged.results[key] if result["is_primary"])
        effect = math.log(judged.truth[key]["ratio_of_second_cell"][result["metric"]])
        needed = stats.t.ppf(0.975, result["degrees_of_freedom"]) * result["drift_factor"]
        power = stats.norm.cdf(abs(effect) / result["standard_error"] - needed)
        if power >= SURE_POWER:
            sure += 1
            assert row["verdict_in_words"] == "winner: Group B"
    assert sure >= len(judged.of_kind("effect")) / 2


def test_no_winner_where_there_is_no_difference_or_too_little_data(judged: Judged) -> None:
    for row in judged.of_kind("none").values():
        assert row["verdict"] in ("no difference", "not enough data")
    for row in judged.of_kind("underpowered").values():
        assert row["verdict"] == "not enough data"


def test_intervals_hold_the_true_effect_as_often_as_they_claim(judged: Judged) -> None:
    held: dict[str, list[bool]] = {}
    for key, results in judged.results.items():
        for result in results:
            ratio = judged.truth[key]["ratio_of_second_cell"][result["metric"]]
            if ratio is not None and result["effect_low"] is not None:
                inside = result["effect_low"] <= ratio - 1 <= result["effect_high"]
                held.setdefault(result["metric"], []).append(inside)
    assert held.keys() == {"ctr", "cvr", "cpa", "roas", "cpm"}
    for metric, inside in held.items():
        # Reason: intervals that hold the truth 95 times in 100 hold it more seldom than this once in a thousand worlds.
        assert sum(inside) >= stats.binom.ppf(0.001, len(inside), 0.95), metric
    everything = [inside for values in held.values() for inside in values]
    assert len(everything) >= 60
    assert sum(everything) / len(everything) >= 0.9
