"""The auction: what is spent, shown, clicked and bought, as expectations per (day, ad).

What belongs here: budgets, response curves, fatigue and anomalies turned into rates, and rates into amounts up to a
moment. What does not: whole numbers and noise of single rows (`metrics`).

A day is delivered in segments of constant state: a change of a budget or status starts a new one for its campaign.
So a change acts from its moment on and never alters what was already delivered.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.world import hashing as h
from simulator.world.clock import elapsed
from simulator.world.hashing import F64, I64
from simulator.world.maturity import final_share
from simulator.world.model import AccountModel, Span
from simulator.world.studies import cell_adsets
from simulator.world.timeline import ACTIVE, Timeline

#: Part of all 28-day click conversions that the default window counts in the end.
_DEFAULT_WINDOW_SHARE = final_share(7)


@dataclass
class Amounts:
    """Expectations, each of shape (days, ads): spend in major units, counts otherwise.

    `buys` are 28-day click conversions in the end, `views` 1-day view conversions in the end.
    """

    spend: F64
    impressions: F64
    clicks: F64
    buys: F64
    views: F64


@dataclass
class Flow:
    """Delivery of some days up to a moment.

    `full` is what the state at the start of the day would deliver in a whole day: the scale of the noise.
    `reached` is the part of each day that has passed.
    """

    days: I64
    starts: I64
    reached: F64
    full: Amounts
    so_far: Amounts
    segments: list[tuple[int, slice, F64, float, float]]
    first_cut: F64

    def impressions_by_hour(self, model: AccountModel, span: Span) -> F64:
        """Running impressions at the 25 hour marks of each day, up to the moment: shape (days, ads, 25)."""
        marks = np.minimum(np.linspace(0.0, 1.0, 25)[None, :], self.reached[:, None])
        profile = model.demand.profile
        campaign = model.ad_campaign[slice(*span.ads)] - span.campaigns[0]
        cut = profile(np.minimum(marks[:, None, :], self.first_cut[:, :, None]))
        running = self.full.impressions[:, :, None] * cut[:, campaign, :]
        for row, ads, rate, begin, end in self.segments:
            share = profile(np.minimum(marks[row], end)) - profile(np.minimum(marks[row], begin))
            running[row, ads] += rate[:, None] * share[None, :]
        return running


def rates(model: AccountModel, timeline: Timeline, span: Span, days: I64, moments: I64, noisy: bool = True) -> Amounts:
    """What a whole day would deliver if the state at each moment held all day.

    Args:
        model: The account.
        timeline: Its events.
        span: Which campaigns.
        days: Day of each row.
        moments: When to read statuses and budgets for each row.
        noisy: Whether each ad set has good and bad days of its own.
    """
    (c0, c1), (s0, s1), (a0, a1) = span
    adset_of = model.ad_adset[a0:a1] - s0
    campaign_of = model.adset_campaign[s0:s1] - c0
    ad_starts, adset_starts = model.adset_starts[s0:s1] - a0, model.campaign_starts[c0:c1] - s0
    when = moments[:, None]
    live_campaign = timeline.status("campaign", np.arange(c0, c1), when) == ACTIVE
    live_adset = (timeline.status("adset", np.arange(s0, s1), when) == ACTIVE) & live_campaign[:, campaign_of]
    live_adset &= (when >= model.flight_start[s0:s1]) & (when < model.flight_end[s0:s1])
    live = (timeline.status("ad", np.arange(a0, a1), when) == ACTIVE) & live_adset[:, adset_of]

    day = days[:, None]
    age = np.maximum(day - model.born[a0:a1], 0)
    floor = model.fatigue_floor[a0:a1]
    fresh = floor + (1.0 - floor) * np.exp2(-age / model.half_life[a0:a1])
    weekly = h.cross(model.ad_shared_key[a0:a1], day // 7)
    weight = model.ad_weight[a0:a1] * np.sqrt(fresh) * np.exp(0.25 * h.normal(weekly, "share")) * live
    total = np.add.reduceat(weight, ad_starts, axis=1)
    share = weight / np.where(total > 0, total, 1.0)[:, adset_of]

    shock = h.cross(model.adset_key[s0:s1], day)
    spend = _adset_spend(model, timeline, span, day, when, total > 0, campaign_of, adset_starts)
    if noisy:
        spend *= np.clip(np.exp(0.09 * h.normal(shock, "pace")), 0.8, 1.2)
    limit = model.capacity[s0:s1] * model.demand.supply(days)[:, None]
    spend /= np.sqrt(np.sqrt(1.0 + np.square(np.square(spend / limit))))
    price, ctr, cvr = np.ones_like(spend), np.ones_like(spend), np.ones_like(spend)
    if noisy:
        ctr, cvr = np.exp(0.06 * h.normal(shock, "ctr")), h.lognormal(shock, "cvr", 0.12)
    _apply_anomalies(model, span, days, spend, price, ctr, cvr)
    _apply_studies(model, span, days, cvr)

    reference = model.reference_spend[s0:s1]
    price *= (
        model.cpm[s0:s1]
        * model.demand.price(days)[:, None]
        * np.power(spend / reference, 0.1, where=spend > 0, out=np.ones_like(spend))
    )
    assert model.curves is not None
    bought = model.curves.conversions(spend, slice(s0, s1)) * model.demand.buying(days)[:, None] * cvr
    view_part = model.views[s0:s1]

    ad_spend = spend[:, adset_of] * share
    impressions = ad_spend * 1000.0 / price[:, adset_of]
    pull = model.ad_ctr[a0:a1] * fresh
    clicks = impressions * (model.ctr[s0:s1] * ctr)[:, adset_of] * pull
    ad_bought = bought[:, adset_of] * share * pull * model.ad_cvr[a0:a1]
    views = ad_bought * view_part[adset_of]
    buys = (ad_bought - views) / _DEFAULT_WINDOW_SHARE
    return Amounts(ad_spend, impressions, clicks, buys, views)


def _adset_spend(
    model: AccountModel,
    timeline: Timeline,
    span: Span,
    day: I64,
    when: I64,
    can_spend: np.ndarray,
    campaign_of: I64,
    adset_starts: I64,
) -> F64:
    (c0, c1), (s0, s1), _ = span
    own = timeline.budget("adset", np.arange(s0, s1), when)
    shared = timeline.budget("campaign", np.arange(c0, c1), when)
    weekly = h.cross(model.adset_key[s0:s1], day // 7)
    weight = (
        model.reference_spend[s0:s1] * model.budget_weight[s0:s1] * np.exp(0.2 * h.normal(weekly, "cbo")) * can_spend
    )
    total = np.add.reduceat(weight, adset_starts, axis=1)
    part = weight / np.where(total > 0, total, 1.0)[:, campaign_of]
    campaign_has = shared > 0
    budget = np.where(campaign_has[:, campaign_of], shared[:, campaign_of] * part, own * can_spend)
    found: F64 = budget / model.minor
    return found


def _apply_anomalies(model: AccountModel, span: Span, days: I64, spend: F64, price: F64, ctr: F64, cvr: F64) -> None:
    s0, s1 = span.adsets
    table = model.anomaly_table
    hit = (table[:, 0] >= s0) & (table[:, 0] < s1) & (table[:, 1] <= days.max()) & (table[:, 2] >= days.min())
    for number in np.flatnonzero(hit).tolist():
        anomaly = model.anomalies[number]
        rows, column = (days >= anomaly.first_day) & (days <= anomaly.last_day), anomaly.adset - s0
        target = {"cpm_spike": price, "ctr_drop": ctr, "tracking_outage": cvr}.get(anomaly.kind, spend)
        target[rows, column] *= anomaly.factor


def _apply_studies(model: AccountModel, span: Span, days: I64, cvr: F64) -> None:
    s0, s1 = span.adsets
    for study in model.studies:
        rows = (days >= study.first_day) & (days <= study.last_day)
        if study.cvr_factor == 1.0 or not rows.any():
            continue
        adsets = np.array(cell_adsets(model, study)[1], dtype=np.int64)
        cvr[np.ix_(rows, adsets[(adsets >= s0) & (adsets < s1)] - s0)] *= study.cvr_factor


def deliver(model: AccountModel, timeline: Timeline, span: Span, days: I64, moment: int, noisy: bool = True) -> Flow:
    """Delivery of days up to a moment, every change of state taking effect at its own time; `noisy` as in `rates`."""
    starts, lengths = model.clock.bounds(days.tolist())
    reached = elapsed(moment, starts, lengths)
    full = rates(model, timeline, span, days, starts, noisy)
    c0, c1 = span.campaigns
    first_cut = np.ones((len(days), c1 - c0))
    cuts: dict[int, list[tuple[int, int]]] = {}
    row_of = {int(start): row for row, start in enumerate(starts.tolist())}
    order = np.sort(starts)
    for time, campaign in timeline.changes_between(int(order[0]), int((starts + lengths).max())):
        if not c0 <= campaign < c1 or time >= moment:
            continue
        row = row_of[int(order[np.searchsorted(order, time, side="right") - 1])]
        if 0 < time - starts[row] < lengths[row]:
            cuts.setdefault(campaign, []).append((row, time))
    for campaign, places in cuts.items():
        for row, time in places:
            part = (time - starts[row]) / lengths[row]
            first_cut[row, campaign - c0] = min(first_cut[row, campaign - c0], part)
    profile = model.demand.profile
    share = profile(np.minimum(reached[:, None], first_cut))
    weight = share[:, model.ad_campaign[slice(*span.ads)] - c0]
    so_far = Amounts(
        full.spend * weight, full.impressions * weight, full.clicks * weight, full.buys * weight, full.views * weight
    )
    flow = Flow(days, starts, reached, full, so_far, [], first_cut)
    for campaign, places in cuts.items():
        _add_segments(model, timeline, span, flow, campaign, places, lengths, noisy)
    return flow


def _add_segments(
    model: AccountModel,
    timeline: Timeline,
    span: Span,
    flow: Flow,
    campaign: int,
    places: list[tuple[int, int]],
    lengths: I64,
    noisy: bool,
) -> None:
    part = model.span(campaign, campaign)
    ads = slice(part.ads[0] - span.ads[0], part.ads[1] - span.ads[0])
    rows = np.array([row for row, _ in places])
    moments = np.array([time for _, time in places])
    after = rates(model, timeline, part, flow.days[rows], moments, noisy)
    profile = model.demand.profile
    for number, (row, time) in enumerate(places):
        begin = float((time - flow.starts[row]) / lengths[row])
        follows = number + 1 < len(places) and places[number + 1][0] == row
        end = float((places[number + 1][1] - flow.starts[row]) / lengths[row]) if follows else 1.0
        low, high = profile(np.minimum(np.array([begin, end]), flow.reached[row]))
        share = float(high - low)
        if share <= 0:
            continue
        for name in ("spend", "impressions", "clicks", "buys", "views"):
            getattr(flow.so_far, name)[row, ads] += getattr(after, name)[number] * share
        flow.segments.append((row, ads, after.impressions[number], begin, end))
