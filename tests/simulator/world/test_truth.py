"""What `truth` says is what the numbers show in the end."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import numpy as np
import pytest

from simulator.world import WorldSize, build_world
from simulator.world.metrics import WINDOW_PARTS
from simulator.world.response import FORMS, draw_curves

from .helpers import ANCHOR, LATER, NOON, make_query, read, totals


@pytest.fixture(scope="module")
def truths(demo):
    return {account.id: demo.truth(account.id) for account in demo.accounts(NOON)}


def test_truth_is_json_and_names_real_objects(demo, truths):
    for account, truth in truths.items():
        json.dumps(truth)
        assert truth["account_id"] == account
        for adset in truth["curves"]:
            assert demo.node(adset, NOON).kind == "adset"
        assert set(truth["fatigue"]) >= {node.id for node in demo.edge(account, "ads", NOON)}
        assert sum(truth["withdrawn"].values()) > 0
        assert {anomaly["object"] for anomaly in truth["anomalies"]} <= set(truth["curves"])
    forms = {curve["form"] for truth in truths.values() for curve in truth["curves"].values()}
    assert forms == set(FORMS)
    assert demo.truth("1") == {}


def test_maturity_curves_end_at_one(truths):
    maturity = next(iter(truths.values()))["maturity"]
    assert set(maturity["share_of_final"]) == set(WINDOW_PARTS)
    for shares in maturity["share_of_final"].values():
        assert shares == sorted(shares)
        assert shares[-1] == 1.0


def test_maturity_curve_is_what_rows_show(demo, account, truths):
    maturity = truths[account]["maturity"]
    age = maturity["age_days"].index(2)
    early, late = 0, 0
    for offset in range(120):
        day = ANCHOR - timedelta(days=200 - offset)
        query = make_query(account, "account", ranges=((day, day),))
        start = datetime.fromisoformat(f"{day}T00:00:00+01:00")
        early += totals(read(demo, query, start + timedelta(days=2)))[()]["actions:omni_view_content:28d_click"]
        late += totals(read(demo, query, LATER))[()]["actions:omni_view_content:28d_click"]
    assert float(early / late) == pytest.approx(maturity["share_of_final"]["28d_click"][age], abs=0.02)


def study_rates(world, study):
    rates = []
    for cell in study["cells"]:
        ranges = ((date.fromisoformat(study["first_day"]), date.fromisoformat(study["last_day"])),)
        found = totals(read(world, make_query(cell[0], study["level"], ranges=ranges, time_increment=None), LATER))[()]
        event = "actions:purchase:28d_click"
        rates.append((float(found.get(event, 0)), float(found["inline_link_clicks"])))
    return rates


def test_studies_show_their_effects_on_average():
    seen = {"effect": [], "none": [], "underpowered": []}
    for seed in range(14):
        world = build_world(seed, WorldSize(accounts=1), ANCHOR)
        for study in world.truth(world.accounts(NOON)[0].id)["studies"]:
            (a_buys, a_clicks), (b_buys, b_clicks) = study_rates(world, study)
            if a_buys and b_buys:
                seen[study["kind"]].append((np.log(b_buys / b_clicks * a_clicks / a_buys), a_buys + b_buys))
    effect, none, weak = (seen[kind] for kind in ("effect", "none", "underpowered"))
    assert np.mean([ratio for ratio, _ in effect]) == pytest.approx(np.log(1.35), abs=0.08)
    assert np.mean([ratio for ratio, _ in none]) == pytest.approx(0.0, abs=0.08)
    assert np.median([count for _, count in effect]) > 200
    assert np.median([count for _, count in weak]) < 60


def test_anomalies_can_be_seen():
    factors = {"spend_spike": [], "delivery_stop": []}
    for seed in range(6):
        world = build_world(seed, WorldSize(accounts=1), ANCHOR)
        account = world.accounts(NOON)[0].id
        shared = {key: curve["campaign_budget"] for key, curve in world.truth(account)["curves"].items()}
        for anomaly in world.truth(account)["anomalies"]:
            if anomaly["kind"] not in factors or shared[anomaly["object"]]:
                continue
            day = date.fromisoformat(anomaly["day"])
            ranges = ((day - timedelta(days=7), day),)
            rows = read(world, make_query(anomaly["object"], "adset", ranges=ranges), LATER)
            spend = {row["date_start"]: float(row["spend"]) for row in rows}
            usual = np.median([value for key, value in spend.items() if key != anomaly["day"]] or [0])
            if usual > 5:
                factors[anomaly["kind"]].append(spend.get(anomaly["day"], 0.0) / usual)
    assert np.median(factors["spend_spike"]) > 1.2
    assert np.median(factors["delivery_stop"]) < 0.2


def test_curves_pass_through_their_reference_and_diminish():
    key = np.arange(1, 301, dtype=np.uint64)
    spend, bought = np.full(300, 80.0), np.full(300, 4.0)
    curves = draw_curves(key, spend, bought)
    grid = np.linspace(0.0, 800.0, 81)[:, None] * np.ones((1, 300))
    values = curves.conversions(grid, slice(0, 300))
    assert values[8] == pytest.approx(bought)
    assert (np.diff(values, axis=0) > 0).all()
    assert (values[16] < 2 * values[8]).all()


def test_final_is_what_nobody_can_change_any_more(demo, account):
    query = make_query(account, "ad", ranges=((ANCHOR, ANCHOR),))
    final, later = demo.final(query), demo.insights(query, LATER)
    assert list(final.page(0, 1000)) == list(later.page(0, 1000))


def test_numbers_are_over_dispersed():
    world = build_world(3, WorldSize(accounts=1, ads_per_adset=3), ANCHOR)
    account = world.accounts(NOON)[0].id
    daily = {}
    for row in read(world, make_query(account, "adset", ranges=((ANCHOR - timedelta(days=90), ANCHOR),)), LATER):
        buys = next((int(a.get("28d_click", 0)) for a in row.get("actions", ()) if a["action_type"] == "purchase"), 0)
        daily.setdefault(row["adset_id"], []).append(buys)
    busy = [np.array(values) for values in daily.values() if np.mean(values) > 5 and len(values) > 60]
    assert busy
    assert np.median([values.var() / values.mean() for values in busy]) > 1.1
