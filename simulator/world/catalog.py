"""Draws an account: its campaigns, ad sets, ads and how well each performs.

What belongs here: every random draw about an object that does not change over time. What does not: statuses and
budgets over time (`schedule`), split tests' timing (`studies`).
"""

from __future__ import annotations

import numpy as np

from simulator.world import hashing as h
from simulator.world.anomalies import draw_anomalies
from simulator.world.clock import AccountClock
from simulator.world.demand import Demand
from simulator.world.ids import account_id
from simulator.world.model import NO_END, AccountModel
from simulator.world.money import minor_per_major, price_level
from simulator.world.response import draw_curves
from simulator.world.size import WorldSize
from simulator.world.studies import (
    CPM,
    CTR,
    KINDS,
    ORDER_VALUE,
    ad_twins,
    adset_twins,
    draw_studies,
    study_adsets,
    tested_adsets,
)

_BRANDS = (
    "Nordlicht",
    "Atelier Vega",
    "Kōbō",
    "Harrow & Finch",
    "Pacific Trail",
    "Wattle",
    "Alpgut",
    "Ipê",
    "Hanok",
    "Neem",
)
_THEMES = (
    "Prospecting",
    "Retargeting",
    "Bestsellers",
    "New arrivals",
    "Lookalikes",
    "Seasonal",
    "Bundles",
    "Brand search",
)
_AUDIENCES = (
    "Broad",
    "Lookalike 1%",
    "Lookalike 5%",
    "Interest: home",
    "Interest: sport",
    "Website visitors 30d",
    "Engagers 90d",
)
_FORMATS = ("Video", "Image", "Carousel", "Collection", "Story")
_HOOKS = ("Unboxing", "Founder", "Before/after", "Offer -15 %", "Customer story", "Demo", "Lifestyle", "Comparison")
_AGE_RANGES = ((18, 65), (18, 34), (25, 44), (25, 54), (35, 65))


def draw_account(seed: int, size: WorldSize, index: int, anchor: int) -> AccountModel:
    """The account with this number; a pure function of its arguments (`anchor` is a day's ordinal)."""
    currency, zone, countries = size.market(index)
    key = h.scalar_key("account model", seed, index)
    lead_account = size.market(index)[1] == "America/Los_Angeles"
    suffix = "" if index < len(_BRANDS) else f" {index // len(_BRANDS) + 1}"
    model = AccountModel(
        seed=seed,
        index=index,
        id=account_id(seed, index),
        name=f"{_BRANDS[index % len(_BRANDS)]} {countries[0]}{suffix}",
        business=size.business_of(index),
        currency=currency,
        minor=minor_per_major(currency),
        price_level=price_level(currency),
        clock=AccountClock(zone),
        countries=countries,
        opted_in=currency != "JPY",
        key=key,
        first_day=anchor - size.history_days,
        anchor=anchor,
        demand=Demand(key),
        full_actions=size.full_actions,
        withdrawn_share=size.withdrawn_share,
        corrected_share=size.corrected_share,
    )
    _shape(model, size)
    draw_studies(model, size.studies if index == 0 else min(1, size.studies))
    _campaigns(model, lead_account)
    _adsets(model)
    _ads(model)
    tested = tested_adsets(model)
    eligible = [adset for adset in range(len(model.adset_names)) if adset not in tested]
    model.anomalies = draw_anomalies(h.scalar_key("anomalies", key), eligible, model.first_day, anchor)
    return model


def _shape(model: AccountModel, size: WorldSize) -> None:
    adsets = size.campaigns_per_account * size.adsets_per_campaign
    ads = adsets * size.ads_per_adset
    if size.ads_per_account:
        ads = min(ads, size.ads_per_account)
        adsets = -(-ads // size.ads_per_adset)
    model.ad_adset = np.arange(ads, dtype=np.int64) // size.ads_per_adset
    model.adset_campaign = np.arange(adsets, dtype=np.int64) // size.adsets_per_campaign
    campaigns = int(model.adset_campaign[-1]) + 1
    model.adset_starts = np.searchsorted(model.ad_adset, np.arange(adsets))
    model.campaign_starts = np.searchsorted(model.adset_campaign, np.arange(campaigns))
    model.adset_key = h.keys(h.scalar_key("adset", model.key), adsets)
    model.ad_key = h.keys(h.scalar_key("ad", model.key), ads)


def _campaigns(model: AccountModel, lead_account: bool) -> None:
    count = len(model.campaign_starts)
    key = h.keys(h.scalar_key("campaign", model.key), count)
    tested = {int(model.adset_campaign[adset]) for adset in tested_adsets(model)}
    with_budget = h.uniform(key, "cbo") < 0.5
    for campaign in range(count):
        free = campaign not in tested
        objective = "OUTCOME_LEADS" if lead_account else "OUTCOME_SALES"
        if free and not lead_account and count >= 4 and campaign == count - 1:
            objective = "OUTCOME_LEADS" if model.index % 2 else "OUTCOME_TRAFFIC"
        theme = _THEMES[campaign % len(_THEMES)] if free else "Split test"
        model.objective.append(objective)
        model.campaign_names.append(
            f"{theme} | {objective[8:].title()} | {model.countries[campaign % len(model.countries)]} {campaign + 1:02d}"
        )
    free_campaigns = [campaign for campaign in range(count) if campaign not in tested]
    # Reason: both budget levels occur in every account that has room for them.
    if free_campaigns:
        with_budget[free_campaigns[0]] = True
    if len(free_campaigns) > 1:
        with_budget[free_campaigns[1]] = False
    with_budget[list(tested)] = False
    model.campaign_budget = with_budget


def _adsets(model: AccountModel) -> None:
    twin, level = adset_twins(model), model.price_level
    key, count = model.adset_key[twin], len(twin)
    leads = np.array([model.objective[int(campaign)] == "OUTCOME_LEADS" for campaign in model.adset_campaign])
    traffic = np.array([model.objective[int(campaign)] == "OUTCOME_TRAFFIC" for campaign in model.adset_campaign])
    model.leads = leads
    budget = h.log_spread(key, "budget", 25.0, 220.0)
    cpm, ctr = h.log_spread(key, "cpm", 4.5, 15.0), h.log_spread(key, "ctr", 0.008, 0.024)
    order_value = h.log_spread(key, "order", 45.0, 110.0)
    for study in model.studies:
        members = study_adsets(model, study)
        budget[members], order_value[members] = KINDS[study.kind].daily_budget, ORDER_VALUE
        cpm[members], ctr[members] = CPM, CTR
    model.reference_spend = budget * level
    model.capacity = model.reference_spend * h.log_spread(key, "capacity", 2.0, 8.0)
    model.cpm, model.ctr = cpm * level, ctr
    model.order_value = order_value * level
    roas = h.log_spread(key, "roas", 1.6, 4.2)
    clicks_per_unit = 1000.0 / model.cpm * model.ctr
    rate = np.clip(roas / (clicks_per_unit * model.order_value), 0.012, 0.045)
    rate = np.where(leads, h.spread(key, "lead rate", 0.02, 0.05), rate) * np.where(traffic, 0.4, 1.0)
    for study in model.studies:
        rate[study_adsets(model, study)] = KINDS[study.kind].conversion_rate
    model.curves = draw_curves(key, model.reference_spend, model.reference_spend * clicks_per_unit * rate)
    model.views = h.spread(key, "views", 0.08, 0.22)
    model.audience = h.log_spread(key, "audience", 40_000.0, 400_000.0)
    model.budget_weight = h.log_spread(key, "budget weight", 0.6, 1.6)
    # Reason: the setting is drawn per campaign from few non-default ones, as agencies do. Cells of a test share it.
    setting = h.uniform(h.keys(h.scalar_key("setting", model.key), len(model.campaign_names)))
    setting = setting[model.adset_campaign[twin]]
    model.attribution = np.where(setting < 0.8, 0, np.where(setting < 0.92, 1, 2)).astype(np.int64)
    model.flight_start = np.zeros(count, dtype=np.int64)
    model.flight_end = np.full(count, NO_END, dtype=np.int64)
    for adset in range(count):
        low, high = _AGE_RANGES[int(h.pick(key[adset : adset + 1], "ages", len(_AGE_RANGES))[0])]
        gender = float(h.uniform(key[adset : adset + 1], "genders")[0])
        audience = _AUDIENCES[int(h.pick(model.adset_key[adset : adset + 1], "who", len(_AUDIENCES))[0])]
        model.targeting.append(
            {
                "age_min": low,
                "age_max": high,
                "genders": [1, 2] if gender < 0.8 else [1] if gender < 0.88 else [2],
                "geo_locations": {"countries": list(model.countries), "location_types": ["home", "recent"]},
                "publisher_platforms": ["facebook", "instagram"]
                + (["audience_network", "messenger"] if gender < 0.5 else []),
                "targeting_automation": {"advantage_audience": int(gender < 0.4)},
            }
        )
        shown = f"{low}-{high}" if high < 65 else f"{low}+"
        cell = _cell_name(model, adset)
        model.adset_names.append(f"{cell or audience} {shown} #{adset + 1}")


def _cell_name(model: AccountModel, adset: int) -> str:
    for study in model.studies:
        for number, cell in enumerate(study.cells):
            if (adset if study.level == "adset" else int(model.adset_campaign[adset])) in cell:
                return f"Test {study.index + 1} cell {'ABCD'[number]}"
    return ""


def _ads(model: AccountModel) -> None:
    model.ad_twin = ad_twins(model)
    key, count = model.ad_key[model.ad_twin], len(model.ad_key)
    slot = np.arange(count) - model.adset_starts[model.ad_adset]
    in_test = np.isin(model.ad_adset, list(tested_adsets(model)))
    model.ad_weight = h.lognormal(key, "weight", 0.6)
    model.ad_ctr = h.lognormal(key, "ctr", 0.22)
    model.ad_cvr = h.lognormal(key, "cvr", 0.18)
    model.half_life = h.log_spread(key, "half-life", 25.0, 160.0)
    model.fatigue_floor = h.spread(key, "floor", 0.45, 0.75)
    history = model.anchor - model.first_day
    late = (h.uniform(key, "late") < 0.4) & (slot > 0) & ~in_test
    born = model.first_day + np.where(late, h.pick(key, "born", max(1, history - 10)), 0)
    model.born = born.astype(np.int64)
    model.video = h.uniform(key, "video") < 0.45
    form, hook = h.pick(key, "format", len(_FORMATS)), h.pick(key, "hook", len(_HOOKS))
    for ad in range(count):
        shape = "Video" if model.video[ad] else _FORMATS[max(1, int(form[ad]))]
        model.ad_names.append(f"{shape} - {_HOOKS[int(hook[ad])]} - v{int(slot[ad]) + 1}")
