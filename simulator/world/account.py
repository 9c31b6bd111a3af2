"""One account of the world: its drawn model, its timeline, its nodes and edges.

What belongs here: what can be asked of a single account. What does not: queries for rows (`insights`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from simulator.contract import Node, NodeKind
from simulator.world import assets, status
from simulator.world.catalog import draw_account
from simulator.world.clock import REFRESH_SECONDS
from simulator.world.entities import EntityView, account_data
from simulator.world.ids import object_id
from simulator.world.metrics import AdDays
from simulator.world.schedule import scheduled_timeline
from simulator.world.size import WorldSize
from simulator.world.timeline import ACTIVE, Event
from simulator.world.truth import account_truth

_CHILDREN = {"campaigns": "campaign", "adsets": "adset", "ads": "ad"}
_NUMBERS = frozenset({"daily_budget", "lifetime_budget", "bid_amount", "spend_cap"})
_SUM_ROWS = 8192  # (day, ad) pairs summed at once


class AccountWorld:
    """An account with its timeline; `update` replaces the timeline, everything else only reads."""

    def __init__(self, seed: int, size: WorldSize, index: int, anchor: int) -> None:
        self.model = draw_account(seed, size, index, anchor)
        self.timeline = scheduled_timeline(self.model)
        self._settled: tuple[int, int] = (self.model.first_day - 1, 0)
        self._today: tuple[tuple[int, int], np.ndarray] | None = None

    # Nodes

    def account_node(self, moment: int) -> Node:
        """The account itself."""
        data = account_data(self.model, moment, lambda: self.amount_spent(moment))
        return Node("account", self.model.id, self.model.id, data)

    def node(self, kind: str, index: int, moment: int) -> Node | None:
        """One object, or None if it does not exist yet or ever."""
        view = self._view(moment)
        if kind in ("campaign", "adset", "ad"):
            return self._entity(view, kind, index) if view.exists(kind, index) else None
        if kind == "adcreative":
            return self._asset(kind, index, moment) if view.exists("ad", index) else None
        if kind == "ad_study":
            return self._study(index, moment)
        if kind == "cell":
            study, cell = divmod(index, 8)
            found = self._cells(study) if self._study(study, moment) else []
            return found[cell] if cell < len(found) else None
        return self._asset(kind, index, moment) if index < assets.COUNTS.get(kind, 0) else None

    def edge(self, kind: str, index: int, edge: str, moment: int) -> Sequence[Node] | None:
        """All objects on an edge of one of the account's objects; None if there is no such edge."""
        if kind != "account" and self.node(kind, index, moment) is None:
            return None
        view = self._view(moment)
        if edge in _CHILDREN:
            child = _CHILDREN[edge]
            members = self._members(kind, index, child)
            return None if members is None else [self._entity(view, child, k) for k in view.existing(child, members)]
        if edge == "adcreatives":
            ads = self._members(kind, index, "ad") if kind != "ad" else np.array([index])
            return None if ads is None else [self._asset("adcreative", ad, moment) for ad in view.existing("ad", ads)]
        if edge == "ad_studies" and kind in ("account", "campaign", "adset"):
            studies = self.model.studies if kind == "account" else assets.studies_with(self.model, kind, index)
            found = (self._study(study.index, moment) for study in studies)
            return [node for node in found if node is not None]
        if edge == "cells" and kind == "ad_study":
            return self._cells(index)
        if kind == "account" and edge in ("customconversions", "adspixels"):
            child = edge[:-1]
            return [self._asset(child, number, moment) for number in range(assets.COUNTS[child])]
        return None

    def _members(self, kind: str, index: int, child: str) -> np.ndarray | None:
        model, order = self.model, ("account", "campaign", "adset", "ad")
        if kind not in order or order.index(child) <= order.index(kind):
            return None
        owner = model.owner_of_ads(kind)
        chosen = np.flatnonzero(owner == index)
        return np.unique(model.owner_of_ads(child)[chosen])

    def _view(self, moment: int) -> EntityView:
        quantised = moment // REFRESH_SECONDS * REFRESH_SECONDS
        return EntityView(
            self.model, self.timeline, moment, lambda kind, index: self.spend_today(kind, index, quantised)
        )

    def _entity(self, view: EntityView, kind: str, index: int) -> Node:
        data = view.data(kind, index)
        return Node(cast(NodeKind, kind), data["id"], self.model.id, data)

    def _asset(self, kind: str, index: int, moment: int) -> Node:
        if kind == "adcreative":
            data = assets.creative_data(self.model, index)
        elif kind == "adspixel":
            data = assets.pixel_data(self.model, index, moment)
        else:
            data = assets.custom_conversion_data(self.model, index, moment)
        return Node(cast(NodeKind, kind), data["id"], self.model.id, data)

    def _study(self, index: int, moment: int) -> Node | None:
        if index >= len(self.model.studies):
            return None
        study = self.model.studies[index]
        if assets.study_created(self.model, study) > moment:
            return None
        data = assets.study_data(self.model, study)
        return Node("ad_study", data["id"], self.model.id, data)

    def _cells(self, index: int) -> list[Node]:
        # Reason: the contract has no kind for cells; they are only reached through their study.
        study = self.model.studies[index]
        cells = [assets.cell_data(self.model, study, cell) for cell in range(len(study.cells))]
        return [Node("ad_study", data["id"], self.model.id, data) for data in cells]

    # Numbers

    def active_ads(self, moment: int) -> int:
        """Ads whose effective status is ACTIVE."""
        return int((status.effective(self.model, self.timeline, "ad", moment) == ACTIVE).sum())

    def spend_today(self, kind: str, index: int, moment: int) -> int:
        """Minor units spent since midnight by an object, at a quantised moment."""
        by_ad = self._spend_by_ad_today(moment)
        return int(by_ad[self.model.owner_of_ads(kind) == index].sum())

    def _spend_by_ad_today(self, moment: int) -> np.ndarray:
        # Reason: listing hundreds of ad sets asks for the same day again and again; one answer is kept.
        key = (moment, len(self.timeline.events))
        if self._today is None or self._today[0] != key:
            data = self._days([self.model.clock.day_of(moment)], moment)
            count = len(self.model.ad_names)
            self._today = (key, np.bincount(data.ad, weights=data.column("spend"), minlength=count).astype(np.int64))
        return self._today[1]

    def amount_spent(self, moment: int) -> int:
        """Minor units spent in the account's life."""
        today, first = self.model.clock.day_of(moment), self.model.first_day - 1
        through, total = self._settled
        if through > today - 32:
            through, total = first, 0
        step = max(1, _SUM_ROWS // len(self.model.ad_names))
        for day in range(through, today + 1, step):
            days = range(day, min(day + step, today + 1))
            total += self._sum(days, moment)
            if days[-1] < today - 32:
                self._settled = (days[-1] + 1, total)
        return total

    def _sum(self, days: range, moment: int) -> int:
        return int(self._days(list(days), moment).column("spend").sum())

    def _days(self, days: list[int], moment: int) -> AdDays:
        span = self.model.span(0, len(self.model.campaign_names) - 1)
        return AdDays(self.model, self.timeline, span, np.array(days, dtype=np.int64), moment)

    # Changes

    def update(self, kind: str, index: int, changes: Mapping[str, Any], moment: int) -> None:
        """Record changes; values that stay the same leave no event."""
        events = []
        for attribute, value in changes.items():
            new = int(value) if attribute in _NUMBERS and value is not None else value
            old = self.timeline.value(kind, index, attribute, moment)
            if old != new:
                events.append(Event(moment, kind, index, attribute, "" if old is None else old, new, actor=1))
        if events:
            self.timeline = self.timeline.extended(events)

    def truth(self) -> dict[str, Any]:
        """What is true about the account, its updates included."""
        return account_truth(self.model, self.timeline) | {
            "updates": [
                {
                    "time": self.model.clock.iso(event.time),
                    "object": object_id(self.model.seed, self.model.index, event.kind, event.number),
                    "attribute": event.attribute,
                    "old": event.old,
                    "new": event.new,
                }
                for event in self.timeline.events
                if event.actor == 1
            ]
        }
