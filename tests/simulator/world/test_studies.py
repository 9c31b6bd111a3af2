"""Split tests compare like with like: cells differ in the tested factor and in daily noise, in nothing else."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from simulator.world import WorldSize, build_world
from simulator.world.account import AccountWorld
from simulator.world.cells import find_breakdown
from simulator.world.studies import KINDS, cell_adsets

from .helpers import ANCHOR, LATER, NOON, make_query, read, totals

SIZES = {
    "ad sets": WorldSize(),
    "campaigns": WorldSize(
        accounts=3, campaigns_per_account=8, adsets_per_campaign=1, ads_per_adset=2, history_days=120
    ),
    "cut short": WorldSize(
        accounts=2, campaigns_per_account=6, ads_per_account=35, ads_per_adset=4, adsets_per_campaign=2
    ),
}
PLACEMENTS = ("publisher_platform", "platform_position", "impression_device", "device_platform")


def accounts(size: WorldSize, seeds: range = range(3)) -> list[AccountWorld]:
    found = [AccountWorld(seed, size, index, ANCHOR.toordinal()) for seed in seeds for index in range(size.accounts)]
    assert any(account.model.studies for account in found)
    return found


@pytest.mark.parametrize("name", SIZES)
def test_the_cells_of_a_study_are_the_same_thing_twice(name):
    for account in accounts(SIZES[name]):
        model, start = account.model, account.model.clock.midnight
        curves = model.curves
        for study in model.studies:
            first, second = (np.array(cell) for cell in cell_adsets(model, study))
            assert len(first) == len(second) > 0
            assert not set(first) & set(second)
            for values in (
                *(curves.form, curves.scale, curves.shape, curves.half, model.reference_spend, model.capacity),
                *(model.cpm, model.ctr, model.order_value, model.views, model.audience, model.attribution, model.leads),
            ):
                assert (values[first] == values[second]).all()
            for one, other in zip(first, second, strict=True):
                assert model.targeting[one] == model.targeting[other]
                campaigns = model.adset_campaign[[one, other]]
                assert len({model.objective[campaign] for campaign in campaigns}) == 1
                ads, twins = (np.flatnonzero(model.ad_adset == adset) for adset in (one, other))
                assert len(ads) == len(twins) > 0
                for values in (
                    *(model.ad_weight, model.ad_ctr, model.ad_cvr, model.half_life, model.fatigue_floor),
                    *(model.born, model.video),
                ):
                    assert (values[ads] == values[twins]).all()
                assert [model.ad_names[ad] for ad in ads] == [model.ad_names[ad] for ad in twins]
                for names in (("age", "gender"), PLACEMENTS):
                    breakdown = find_breakdown(model, names)
                    if breakdown is not None:
                        assert (breakdown.weights(ads) == breakdown.weights(twins)).all()
            moments = np.array([start(day) for day in range(study.first_day, study.last_day + 2)])[:, None]
            budgets = account.timeline.budget("adset", np.concatenate([first, second]), moments)
            assert budgets.min() == budgets.max() > 0


@pytest.mark.parametrize("name", SIZES)
def test_nothing_about_a_cell_is_edited_during_the_study(name):
    for account in accounts(SIZES[name]):
        model = account.model
        for study in model.studies:
            adsets = {adset for cell in cell_adsets(model, study) for adset in cell}
            mine = {
                "campaign": {int(model.adset_campaign[adset]) for adset in adsets},
                "adset": adsets,
                "ad": set(np.flatnonzero(np.isin(model.ad_adset, list(adsets))).tolist()),
            }
            window = model.clock.midnight(study.first_day), model.clock.midnight(study.last_day + 1)
            assert not [
                event
                for event in account.timeline.events
                if window[0] <= event.time < window[1] and event.number in mine[event.kind]
            ]


@pytest.mark.parametrize("name", SIZES)
def test_the_truth_says_what_the_tested_factor_does_to_each_metric(name):
    for account in accounts(SIZES[name]):
        for study in account.truth()["studies"]:
            factor = KINDS[study["kind"]].factor
            value = study["expected"][0]["conversion_value"]
            expected = {"ctr": 1.0, "cvr": factor, "cpa": 1 / factor, "roas": factor if value else None, "cpm": 1.0}
            assert study["ratio_of_second_cell"] == pytest.approx(expected)


def test_the_truth_is_computed_from_what_delivers():
    # Reason: a budget doubled in one cell's campaign shows in the truth, since nothing in it is copied from the draw.
    account = AccountWorld(1, WorldSize(accounts=1), 0, ANCHOR.toordinal())
    model = account.model
    study = model.studies[0]
    before = account.truth()["studies"][0]
    adset = study.cells[1][0]
    start = model.clock.midnight(study.first_day)
    budget = int(account.timeline.budget("adset", np.array([adset]), np.array([start]))[0])
    account.update("adset", adset, {"daily_budget": 2 * budget}, start)
    after = account.truth()["studies"][0]
    assert after["expected"][0] == before["expected"][0]
    assert after["expected"][1]["spend"] > 1.5 * before["expected"][1]["spend"]
    assert after["ratio_of_second_cell"]["cpa"] > 1.05 * before["ratio_of_second_cell"]["cpa"]


def test_expected_sums_are_what_the_rows_add_up_to():
    gaps: dict[str, list[float]] = {"spend": [], "impressions": [], "link_clicks": [], "conversions": [], "value": []}
    for seed in range(8):
        world = build_world(seed, WorldSize(accounts=1, history_days=120), ANCHOR)
        for study in world.truth(world.accounts(NOON)[0].id)["studies"]:
            if study["kind"] == "underpowered":
                continue
            ranges = ((date.fromisoformat(study["first_day"]), date.fromisoformat(study["last_day"])),)
            for cell, expected in zip(study["cells"], study["expected"], strict=True):
                query = make_query(cell[0], study["level"], ranges=ranges, time_increment=None)
                found = totals(read(world, query, LATER))[()]
                shown = {
                    "spend": found["spend"],
                    "impressions": found["impressions"],
                    "link_clicks": found["inline_link_clicks"],
                    "conversions": found["actions:purchase:value"],
                    "conversion_value": found["action_values:purchase:value"],
                }
                for name, value in shown.items():
                    gap = np.log(float(value) / expected[name])
                    gaps["value" if name == "conversion_value" else name].append(gap)
    assert len(gaps["spend"]) == 32
    for name, limit in {
        "spend": 0.02,
        "impressions": 0.03,
        "link_clicks": 0.03,
        "conversions": 0.05,
        "value": 0.05,
    }.items():
        assert np.mean(gaps[name]) == pytest.approx(0.0, abs=limit), name


def test_every_cell_has_days_of_its_own():
    account = AccountWorld(1, WorldSize(accounts=1), 0, ANCHOR.toordinal())
    world = build_world(1, WorldSize(accounts=1), ANCHOR)
    study = account.truth()["studies"][1]
    assert study["kind"] == "none"
    days = date.fromisoformat(study["first_day"]), date.fromisoformat(study["last_day"])
    rows = read(world, make_query(account.model.id, "adset", ranges=(days,)), LATER)
    buys = {
        (row["date_start"], row["adset_id"]): next(
            (int(action["value"]) for action in row["actions"] if action["action_type"] == "purchase"), 0
        )
        for row in rows
    }
    dates = [(days[0] + timedelta(days=number)).isoformat() for number in range(28)]
    first, second = (np.array([buys[day, cell[0]] for day in dates], float) for cell in study["cells"])
    moves = np.log(first / second)
    assert moves.std() > 1.1 * np.sqrt(1 / first.mean() + 1 / second.mean())


def test_a_study_needs_cells_of_the_same_size():
    # Seven ads in ad sets of two: the last campaign has ad sets of two and one ads, and cannot be split.
    size = WorldSize(accounts=1, campaigns_per_account=2, adsets_per_campaign=2, ads_per_adset=2, ads_per_account=7)
    model = AccountWorld(1, size, 0, ANCHOR.toordinal()).model
    assert np.bincount(model.ad_adset).tolist() == [2, 2, 2, 1]
    assert [study.cells for study in model.studies] == [((0,), (1,))]
