"""The arrays that describe one account: what its campaigns, ad sets and ads are and how they perform.

What belongs here: the data structure and who contains whom. What does not: drawing it (`catalog`) or using it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.world.anomalies import Anomaly
from simulator.world.clock import AccountClock
from simulator.world.demand import Demand
from simulator.world.hashing import F64, I64, U64
from simulator.world.response import Curves

#: attribution setting -> (text of the field, 1-day click, 2 to 7-day click and 1-day view count in `value`).
ATTRIBUTION_SETTINGS: tuple[tuple[str, bool, bool, bool], ...] = (
    ("7d_click_1d_view", True, True, True),
    ("7d_click", True, True, False),
    ("1d_click", True, False, False),
)
NO_END = 1 << 40


class Span(NamedTuple):
    """A run of campaigns with everything in them, as half-open index ranges."""

    campaigns: tuple[int, int]
    adsets: tuple[int, int]
    ads: tuple[int, int]


@dataclass(frozen=True)
class Study:
    """A split test. Cells hold ad sets, or campaigns if `level` is `campaign`; `cvr_factor` works on the second one."""

    index: int
    name: str
    level: str
    cells: tuple[tuple[int, ...], ...]
    first_day: int
    last_day: int
    kind: str
    cvr_factor: float


@dataclass
class AccountModel:
    """One account. Money in major units of the account's currency unless a name says minor."""

    seed: int
    index: int
    id: str
    name: str
    business: int
    currency: str
    minor: int
    price_level: float
    clock: AccountClock
    countries: tuple[str, ...]
    opted_in: bool
    key: int
    first_day: int
    anchor: int
    demand: Demand
    full_actions: bool
    withdrawn_share: float
    corrected_share: float
    # campaigns
    campaign_names: list[str] = field(default_factory=list)
    objective: list[str] = field(default_factory=list)
    campaign_budget: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    campaign_starts: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    # ad sets
    adset_names: list[str] = field(default_factory=list)
    adset_campaign: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    adset_starts: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    adset_key: U64 = field(default_factory=lambda: np.zeros(0, np.uint64))
    targeting: list[dict[str, Any]] = field(default_factory=list)
    attribution: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    curves: Curves | None = None
    reference_spend: F64 = field(default_factory=lambda: np.zeros(0))
    capacity: F64 = field(default_factory=lambda: np.zeros(0))
    cpm: F64 = field(default_factory=lambda: np.zeros(0))
    ctr: F64 = field(default_factory=lambda: np.zeros(0))
    order_value: F64 = field(default_factory=lambda: np.zeros(0))
    views: F64 = field(default_factory=lambda: np.zeros(0))
    audience: F64 = field(default_factory=lambda: np.zeros(0))
    budget_weight: F64 = field(default_factory=lambda: np.zeros(0))
    flight_start: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    flight_end: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    leads: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    # ads
    ad_names: list[str] = field(default_factory=list)
    ad_adset: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    ad_key: U64 = field(default_factory=lambda: np.zeros(0, np.uint64))
    ad_twin: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    ad_weight: F64 = field(default_factory=lambda: np.zeros(0))
    ad_ctr: F64 = field(default_factory=lambda: np.zeros(0))
    ad_cvr: F64 = field(default_factory=lambda: np.zeros(0))
    half_life: F64 = field(default_factory=lambda: np.zeros(0))
    fatigue_floor: F64 = field(default_factory=lambda: np.zeros(0))
    born: I64 = field(default_factory=lambda: np.zeros(0, np.int64))
    video: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, bool))
    # whole account
    studies: list[Study] = field(default_factory=list)
    anomalies: list[Anomaly] = field(default_factory=list)

    @cached_property
    def anomaly_table(self) -> I64:
        """Ad set, first and last day of every anomaly, to find the few that matter to a run of days."""
        rows = [(anomaly.adset, anomaly.first_day, anomaly.last_day) for anomaly in self.anomalies]
        return np.array(rows, dtype=np.int64).reshape(-1, 3)

    @cached_property
    def ad_shared_key(self) -> U64:
        """Keys of draws that are the same for twins: all that is not daily noise."""
        found: U64 = self.ad_key[self.ad_twin]
        return found

    @cached_property
    def ad_campaign(self) -> I64:
        """The campaign of every ad."""
        return self.adset_campaign[self.ad_adset]

    def count(self, kind: str) -> int:
        """How many objects of a kind there are, ever."""
        return {"account": 1, "campaign": len(self.campaign_names), "adset": len(self.adset_names)}.get(
            kind, len(self.ad_names)
        )

    def span(self, first: int, last: int) -> Span:
        """The objects of campaigns `first` up to and including `last`."""
        adsets = (int(np.searchsorted(self.adset_campaign, first)), int(np.searchsorted(self.adset_campaign, last + 1)))
        ads = (int(np.searchsorted(self.ad_adset, adsets[0])), int(np.searchsorted(self.ad_adset, adsets[1])))
        return Span((first, last + 1), adsets, ads)

    def owner_of_ads(self, level: str) -> I64:
        """For every ad, the index of the object of a level that contains it."""
        if level == "account":
            return np.zeros(len(self.ad_names), dtype=np.int64)
        if level == "campaign":
            return self.ad_campaign
        return self.ad_adset if level == "adset" else np.arange(len(self.ad_names), dtype=np.int64)

    def audience_of(self, level: str) -> F64:
        """People who might see each object of a level on one day; parents overlap less than their children sum to."""
        if level == "ad":
            return self.audience[self.ad_adset] * 0.8
        if level == "adset":
            return self.audience
        # Reason: a parent never has a smaller audience than its largest child, so that reach nests.
        campaigns = np.maximum(
            np.add.reduceat(self.audience, self.campaign_starts) * 0.8,
            np.maximum.reduceat(self.audience, self.campaign_starts),
        )
        return campaigns if level == "campaign" else np.array([max(campaigns.sum() * 0.7, campaigns.max())])
