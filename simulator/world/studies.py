"""Split tests: which cells compare what, and what their ad sets and ads have in common.

What belongs here: drawing the studies of an account. What does not: their JSON (`assets`), their effect on delivery
(`delivery`), what is true about them (`expectation`).

A split test sends people to its cells at random, so the cells are the same thing twice: the ad sets and ads of every
cell are twins of those of the first one. They share every draw (response curve, budget, prices, order values, audience,
placements, creatives' effects) but that of the daily noise, and the tested factor works on the second cell alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.world.hashing import I64
from simulator.world.model import AccountModel, Study

_ENDED_BEFORE_ANCHOR = 40


@dataclass(frozen=True)
class Kind:
    """A kind of split test.

    Attributes:
        factor: True factor on the conversion rate of the second cell.
        days: Length.
        daily_budget: Of each ad set, in euros.
        conversion_rate: Conversions per link click in the reference point, with fresh creatives.
    """

    factor: float
    days: int
    daily_budget: float
    conversion_rate: float


#: One whose effect four weeks show, one that has none to show, and one that ends before it could show anything.
KINDS = {
    "effect": Kind(1.35, 28, 500.0, 0.05),
    "none": Kind(1.0, 28, 500.0, 0.05),
    "underpowered": Kind(1.06, 10, 30.0, 0.015),
}
#: Price of a thousand impressions and value of an order in euros, link clicks per impression. Reason for not drawing
#: them: how many conversions a test gets, and so what it can show, would be a matter of luck.
CPM, CTR, ORDER_VALUE = 6.5, 0.018, 40.0


def draw_studies(model: AccountModel, count: int) -> None:
    """Give the account up to `count` studies: one with a true effect, one with none, one under-powered.

    The first studies take a campaign each, with its first two ad sets as cells; where campaigns have a single ad
    set, the cells are two campaigns. Accounts after the first cycle through the kinds.
    """
    campaigns = len(model.campaign_starts)
    sizes = np.diff(np.append(model.campaign_starts, len(model.adset_campaign)))
    campaign = 0
    names = list(KINDS)
    while len(model.studies) < count and campaign < campaigns:
        first = int(model.campaign_starts[campaign])
        if sizes[campaign] >= 2 and campaigns > 1:
            level, cells, taken = "adset", ((first,), (first + 1,)), 1
        elif campaign + 2 < campaigns:
            level, cells, taken = "campaign", ((campaign,), (campaign + 1,)), 2
        else:
            return
        campaign += taken
        number = len(model.studies)
        name = names[(number + model.index) % len(names)]
        kind = KINDS[name]
        last = max(model.anchor - _ENDED_BEFORE_ANCHOR, model.first_day + kind.days)
        study = Study(number, f"Split test {number + 1}", level, cells, last - kind.days + 1, last, name, kind.factor)
        if _same_shape(model, study):
            model.studies.append(study)


def cell_adsets(model: AccountModel, study: Study) -> list[list[int]]:
    """The ad sets of each cell, twins at the same place."""
    if study.level == "adset":
        return [list(cell) for cell in study.cells]
    return [np.flatnonzero(np.isin(model.adset_campaign, cell)).tolist() for cell in study.cells]


def study_adsets(model: AccountModel, study: Study) -> list[int]:
    """All ad sets in the cells of a study."""
    return [adset for cell in cell_adsets(model, study) for adset in cell]


def tested_adsets(model: AccountModel) -> set[int]:
    """All ad sets that take part in a study."""
    return {adset for study in model.studies for adset in study_adsets(model, study)}


def adset_twins(model: AccountModel) -> I64:
    """For every ad set the one whose draws it shares: itself, or in a study its twin in the first cell."""
    twin = np.arange(len(model.adset_key), dtype=np.int64)
    for study in model.studies:
        first, *others = cell_adsets(model, study)
        for cell in others:
            twin[cell] = first
    return twin


def ad_twins(model: AccountModel) -> I64:
    """For every ad the one whose draws it shares, like `adset_twins`."""
    slot = np.arange(len(model.ad_adset), dtype=np.int64) - model.adset_starts[model.ad_adset]
    twin: I64 = model.adset_starts[adset_twins(model)[model.ad_adset]] + slot
    return twin


def _same_shape(model: AccountModel, study: Study) -> bool:
    """Whether the cells have as many ad sets, and these as many ads: the last ad set of an account may be cut short."""
    ads = np.bincount(model.ad_adset, minlength=len(model.adset_campaign))
    first, *others = ([int(ads[adset]) for adset in cell] for cell in cell_adsets(model, study))
    return all(cell == first for cell in others)
