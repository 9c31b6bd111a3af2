"""Reach of objects over periods, from the ads' days upwards.

What belongs here: keeping reach between its bounds. What does not: the curve (`reach`) and cells.

An object's reach on a day lies between that of its best child and the sum of its children; over a period also between
its best day and the sum of its days. Levels are built from the ads up, so both hold at once.
"""

from __future__ import annotations

import numpy as np

from simulator.world import reach
from simulator.world.hashing import F64, I64
from simulator.world.metrics import AdDays
from simulator.world.model import AccountModel, Span

_ORDER = ("ad", "adset", "campaign", "account")


class _Level:
    """Impressions, sum of daily reach and best day of every (period, object) of one level."""

    def __init__(self, name: str, model: AccountModel, span: Span, periods: int) -> None:
        self.owner = model.owner_of_ads(name)[slice(*span.ads)]
        self.first = int(self.owner[0])
        self.owner = self.owner - self.first
        self.count = int(self.owner[-1]) + 1
        self.audience = model.audience_of(name)[self.first : self.first + self.count]
        self.impressions, self.total, self.most = (np.zeros(periods * self.count, dtype=np.int64) for _ in range(3))


def _best(values: I64, place: I64, size: int) -> I64:
    found = np.zeros(size, dtype=np.int64)
    np.maximum.at(found, place, values)
    return found


def _sums(values: I64, place: I64, size: int) -> I64:
    return np.bincount(place, weights=values, minlength=size).astype(np.int64)


class ReachTotals:
    """Collects days of ads, then tells the reach of each object of a level over each period."""

    def __init__(self, model: AccountModel, span: Span, level: str, lengths: F64) -> None:
        """Prepare for periods of these lengths in days."""
        self._lengths, self._offset = lengths, span.ads[0]
        names = _ORDER[: _ORDER.index(level) + 1]
        self._levels = [_Level(name, model, span, len(lengths)) for name in names]

    def add(self, data: AdDays, period: I64) -> None:
        """Count a chunk; `period` is the period of each of its days."""
        shown, days = data.column("impressions"), len(data.days)
        ad = data.ad - self._offset
        day, below = data.day, reach.people(shown, self._levels[0].audience[ad])
        for level in self._levels:
            owner = level.owner[ad]
            place, size = day * level.count + owner, days * level.count
            sums = _sums(shown, place, size)
            chosen = np.flatnonzero(sums)
            people = reach.people(sums[chosen], level.audience[chosen % level.count])
            people = np.clip(people, _best(below, place, size)[chosen], _sums(below, place, size)[chosen])
            group = period[chosen // level.count] * level.count + chosen % level.count
            np.add.at(level.impressions, group, sums[chosen])
            np.add.at(level.total, group, people)
            np.maximum.at(level.most, group, people)
            # Reason: the next level is bounded by this one's objects, each represented by its first ad.
            shown, below, day = sums[chosen], people, chosen // level.count
            ad = np.searchsorted(level.owner, chosen % level.count)

    def finish(self) -> tuple[I64, I64]:
        """Impressions and reach of every (period, object) of the level, period by period."""
        below: I64 | None = None
        child: _Level | None = None
        for level in self._levels:
            lengths = np.repeat(self._lengths, level.count)
            audience = np.tile(level.audience, len(self._lengths))
            people = np.clip(reach.people(level.impressions, audience, lengths), level.most, level.total)
            if child is not None and below is not None:
                parent = level.owner[np.searchsorted(child.owner, np.arange(child.count))]
                place = (np.arange(len(self._lengths))[:, None] * level.count + parent[None, :]).ravel()
                size = len(people)
                people = np.clip(people, _best(below, place, size), _sums(below, place, size))
            below, child = people, level
        assert below is not None
        return self._levels[-1].impressions, below
