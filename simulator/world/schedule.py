"""What people did to an account before anyone updates it here: creations, pauses, deletions, budget changes.

What belongs here: the events of the script. What does not: updates that arrive while the world runs (`world`).
"""

from __future__ import annotations

import numpy as np

from simulator.world import hashing as h
from simulator.world.model import NO_END, AccountModel
from simulator.world.money import round_budget
from simulator.world.studies import tested_adsets
from simulator.world.timeline import Event, Timeline

_OFFICE_START, _OFFICE_SECONDS = 9 * 3600, 8 * 3600


class _Script:
    """Collects events; every draw is keyed by the object and a purpose."""

    def __init__(self, model: AccountModel) -> None:
        self.model = model
        self.events: list[Event] = []

    def office_time(self, day: int, key: int, purpose: str) -> int:
        seconds = _OFFICE_START + h.scalar_key(key, purpose) % _OFFICE_SECONDS
        return self.model.clock.moment(day, int(seconds))

    def create(self, kind: str, index: int, time: int, name: str) -> None:
        self.events.append(Event(time, kind, index, "status", None, "ACTIVE"))
        self.events.append(Event(time, kind, index, "name", None, name))

    def set_status(self, kind: str, index: int, time: int, old: str, new: str) -> None:
        self.events.append(Event(time, kind, index, "status", old, new))


def scheduled_timeline(model: AccountModel) -> Timeline:
    """The account's timeline without any update. Sets lifetime budgets' flights on the model."""
    script = _Script(model)
    protected = tested_adsets(model)
    _campaign_events(script, protected)
    _adset_events(script, protected)
    _ad_events(script, protected)
    campaign_of = {
        "campaign": np.arange(len(model.campaign_names)),
        "adset": model.adset_campaign,
        "ad": model.ad_campaign,
    }

    def daily_budget(kind: str, index: int, attribute: str, value: object) -> float:
        amount = float(str(value or 0))
        if attribute == "daily_budget" or kind == "campaign":
            return amount if attribute == "daily_budget" else amount / 30.0
        end = int(model.flight_end[index])
        days = 30.0 if end == NO_END else max(1.0, (end - int(model.flight_start[index])) / 86_400)
        return amount / days

    return Timeline(script.events, daily_budget, campaign_of)


def _campaign_events(script: _Script, protected: set[int]) -> None:
    model = script.model
    tested = {int(model.adset_campaign[adset]) for adset in protected}
    free = [campaign for campaign in range(len(model.campaign_names)) if campaign not in tested]
    for campaign, name in enumerate(model.campaign_names):
        key = h.scalar_key("campaign events", model.key, campaign)
        start = script.office_time(model.first_day - 2, key, "create") - 3600
        script.create("campaign", campaign, start, name)
        if model.campaign_budget[campaign]:
            members = np.flatnonzero(model.adset_campaign == campaign)
            _budget_history(script, "campaign", campaign, start, float(model.reference_spend[members].sum()), key)
    if len(free) >= 4 and model.anchor - model.first_day > 200:
        gone = free[2]
        time = script.office_time(model.anchor - 120, model.key, "archive campaign")
        script.set_status("campaign", gone, time, "ACTIVE", "ARCHIVED")
    if len(free) >= 3 and model.anchor - model.first_day > 100:
        paused = free[-1]
        time = script.office_time(model.anchor - 45, model.key, "pause campaign")
        script.set_status("campaign", paused, time, "ACTIVE", "PAUSED")
        time = script.office_time(model.anchor - 20, model.key, "resume campaign")
        script.set_status("campaign", paused, time, "PAUSED", "ACTIVE")


def _budget_history(script: _Script, kind: str, index: int, start: int, major: float, key: int) -> None:
    model = script.model
    value = round_budget(major, model.currency)
    script.events.append(Event(start, kind, index, "daily_budget", None, value))
    history = model.anchor - model.first_day
    count = 2 + h.scalar_key(key, "budget changes") % max(1, min(6, history // 40))
    draws = h.keys(key, int(count))
    days = sorted(set((model.first_day + 10 + h.pick(draws, "when", max(1, history - 12))).tolist()))
    for number, day in enumerate(days):
        factor = float(h.log_spread(draws[number : number + 1], "by", 0.7, 1.42)[0])
        # Reason: budgets wander, but stay within reach of where the response curve was drawn.
        new = round_budget(min(max(value / model.minor * factor, major * 0.5), major * 2.0), model.currency)
        if new != value:
            time = script.office_time(day, key, f"budget {number}")
            script.events.append(Event(time, kind, index, "daily_budget", value, new))
            value = new


def _adset_events(script: _Script, protected: set[int]) -> None:
    model = script.model
    pausing = h.uniform(model.adset_key, "pause")
    lifetime_given = False
    for adset, name in enumerate(model.adset_names):
        key = h.scalar_key("adset events", model.key, adset)
        campaign = int(model.adset_campaign[adset])
        start = script.office_time(model.first_day - 1, key, "create") - 3600
        script.create("adset", adset, start, name)
        own_budget = not model.campaign_budget[campaign]
        last_of_campaign = adset + 1 == len(model.adset_names) or model.adset_campaign[adset + 1] != campaign
        if own_budget and adset in protected:
            value = round_budget(float(model.reference_spend[adset]), model.currency)
            script.events.append(Event(start, "adset", adset, "daily_budget", None, value))
        elif own_budget and not lifetime_given and last_of_campaign and adset != model.adset_starts.size - 1:
            lifetime_given = True
            first, last = model.first_day, model.anchor + 60
            model.flight_start[adset] = model.clock.midnight(first)
            model.flight_end[adset] = model.clock.midnight(last)
            total = float(model.reference_spend[adset]) * (last - first)
            script.events.append(
                Event(start, "adset", adset, "lifetime_budget", None, round_budget(total, model.currency))
            )
        elif own_budget:
            _budget_history(script, "adset", adset, start, float(model.reference_spend[adset]), key)
        if adset not in protected and pausing[adset] < 0.12 and adset != model.campaign_starts[campaign]:
            history = model.anchor - model.first_day
            day = model.first_day + 20 + int(pausing[adset] / 0.12 * max(1, history - 25))
            script.set_status("adset", adset, script.office_time(day, key, "pause"), "ACTIVE", "PAUSED")
            if h.scalar_key(key, "resume") % 2:
                script.set_status("adset", adset, script.office_time(day + 9, key, "resume"), "PAUSED", "ACTIVE")


def _ad_events(script: _Script, protected: set[int]) -> None:
    """Ads are created, and some are paused, archived or deleted later; the first ad of an ad set always stays."""
    model = script.model
    fate, when = h.uniform(model.ad_key, "fate"), h.uniform(model.ad_key, "fate day")
    movable = np.array([int(adset) not in protected for adset in model.ad_adset])
    movable &= np.arange(len(model.ad_names)) != model.adset_starts[model.ad_adset]
    # Reason: every account with room has a deleted and an archived ad, so that nobody's totals add up by luck.
    chosen = np.flatnonzero(movable)
    if chosen.size >= 2:
        fate[chosen[0]], when[chosen[0]] = 0.01, 0.6
        fate[chosen[-1]], when[chosen[-1]] = 0.08, 0.5
    for ad, name in enumerate(model.ad_names):
        key = h.scalar_key("ad events", model.key, ad)
        born = int(model.born[ad])
        early = born == model.first_day
        created = script.office_time(born - early, key, "create")
        script.create("ad", ad, created, name)
        if not movable[ad]:
            continue
        day = born + 8 + int(when[ad] * max(1, model.anchor - born - 10))
        time = script.office_time(day, key, "fate")
        if fate[ad] < 0.06:
            script.set_status("ad", ad, time, "ACTIVE", "DELETED")
        elif fate[ad] < 0.12:
            script.set_status("ad", ad, time, "ACTIVE", "ARCHIVED")
        elif fate[ad] < 0.28:
            script.set_status("ad", ad, time, "ACTIVE", "PAUSED")
            if fate[ad] < 0.18:
                script.set_status("ad", ad, script.office_time(day + 12, key, "back"), "PAUSED", "ACTIVE")
        elif fate[ad] < 0.36:
            later = model.anchor + 3 + int(when[ad] * 80)
            new = "DELETED" if fate[ad] < 0.31 else "PAUSED"
            script.set_status("ad", ad, script.office_time(later, key, "later"), "ACTIVE", new)
