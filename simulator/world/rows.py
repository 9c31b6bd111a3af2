"""From (day, ad) numbers to the rows of a query: cells, sums over objects and periods, reach.

What belongs here: what a row is and the exact sums behind it. What does not: conditions (`filters`), text
(`formatter`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from simulator.world import reach
from simulator.world.cells import Breakdown
from simulator.world.hashing import F64, I64
from simulator.world.metrics import PARTS, WINDOW_PARTS, AdDays
from simulator.world.model import AccountModel, Span
from simulator.world.reach_totals import ReachTotals
from simulator.world.split import split
from simulator.world.timeline import Timeline

#: (day, ad) pairs computed at once; large enough for numpy, small enough to stay in the processor's cache.
CHUNK = 4096
#: Cells computed at once when there is a breakdown.
CELL_CHUNK = 65_536


@dataclass
class RowBlock:
    """Rows with delivery, by period, object, cell. Columns are whole numbers, spend in minor units."""

    object: I64
    period: I64
    cell: I64
    columns: dict[str, I64]

    def __len__(self) -> int:
        return len(self.object)

    def take(self, chosen: I64 | slice) -> RowBlock:
        """Some of the rows."""
        columns = {name: column[chosen] for name, column in self.columns.items()}
        return RowBlock(self.object[chosen], self.period[chosen], self.cell[chosen], columns)


@dataclass
class Rows:
    """A plan that yields row blocks; `blocks` can be computed in any order and any number of times."""

    model: AccountModel
    timeline: Timeline
    moment: int
    level: str
    span: Span
    keep: np.ndarray
    periods: Sequence[tuple[int, int]]
    breakdown: Breakdown | None
    needs: tuple[str, ...]
    blocks: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Cut the periods into blocks of consecutive periods within one range."""
        self._owner = self.model.owner_of_ads(self.level)
        self._chunk_days = max(1, self._limit() // max(1, self.span.ads[1] - self.span.ads[0]))
        self._ad_audience = self.model.audience_of("ad")
        self._weights: F64 | None = None
        begin, days = 0, 0
        for number, (first, last) in enumerate(self.periods):
            length = last - first + 1
            broken = number > begin and first != self.periods[number - 1][1] + 1
            if number > begin and (broken or days + length > self._chunk_days):
                self.blocks.append((begin, number))
                begin, days = number, 0
            days += length
        if self.periods:
            self.blocks.append((begin, len(self.periods)))

    def _limit(self) -> int:
        return CHUNK if self.breakdown is None else max(64, min(CHUNK, CELL_CHUNK // len(self.breakdown.merge)))

    def compute(self, block: int, needs: Sequence[str] | None = None) -> RowBlock:
        """The rows of one block with the needed columns (`impressions` always among them)."""
        names = list(dict.fromkeys(("impressions", *(self.needs if needs is None else needs))))
        begin, end = self.blocks[block]
        chunks = self._chunks(begin, end)
        if self.level == "ad" and self.breakdown is None and all(a == b for a, b in self.periods[begin:end]):
            return self._daily_ads(begin, chunks, names)
        return self._summed(begin, end, chunks, names)

    def _chunks(self, begin: int, end: int) -> Iterator[AdDays]:
        first, last = self.periods[begin][0], self.periods[end - 1][1]
        first = max(first, self.model.first_day - 1)
        last = min(last, self.model.clock.day_of(self.moment))
        for day in range(first, last + 1, self._chunk_days):
            days = np.arange(day, min(day + self._chunk_days, last + 1), dtype=np.int64)
            yield AdDays(self.model, self.timeline, self.span, days, self.moment, self.keep)

    def _daily_ads(self, begin: int, chunks: Iterator[AdDays], names: list[str]) -> RowBlock:
        first = self.periods[begin][0]
        pieces = []
        for data in chunks:
            columns = {name: _value(data, name, None) for name in names if name != "reach"}
            if "reach" in names:
                columns["reach"] = reach.people(columns["impressions"], self._ad_audience[data.ad])
            period = begin + data.days[data.day] - first
            pieces.append(RowBlock(data.ad, period, np.zeros(len(data), np.int64), columns))
        return _joined(pieces, names)

    def _summed(self, begin: int, end: int, chunks: Iterator[AdDays], names: list[str]) -> RowBlock:
        breakdown = self.breakdown
        low = int(self._owner[self.span.ads[0]])
        objects = int(self._owner[self.span.ads[1] - 1]) - low + 1
        cells = 1 if breakdown is None else len(breakdown.values)
        groups = (end - begin) * objects
        starts = np.array([first for first, _ in self.periods[begin:end]])
        additive = [name for name in names if name != "reach"]
        sums = {name: np.zeros(groups * cells, dtype=np.int64) for name in additive}
        lengths = np.array([last - first + 1 for first, last in self.periods[begin:end]], dtype=np.float64)
        totals = ReachTotals(self.model, self.span, self.level, lengths) if "reach" in names else None
        for data in chunks:
            if not len(data):
                continue
            period = np.searchsorted(starts, data.days, side="right") - 1
            group = period[data.day] * objects + self._owner[data.ad] - low
            split_up = None if breakdown is None else _Cells(data, breakdown, self._ad_weights())
            place = group if breakdown is None else (group[:, None] * cells + breakdown.merge[None, :]).ravel()
            for name in additive:
                values = _value(data, name, split_up).ravel()
                sums[name] += np.bincount(place, weights=values, minlength=groups * cells).astype(np.int64)
            if totals is not None:
                totals.add(data, period)
        chosen = np.flatnonzero(sums["impressions"])
        group, cell = chosen // cells, chosen % cells
        columns = {name: column[chosen] for name, column in sums.items()}
        block = RowBlock(group % objects + low, begin + group // objects, cell, columns)
        if totals is not None:
            columns["reach"] = self._reach(block, group, totals)
        return block

    def _ad_weights(self) -> F64:
        if self._weights is None:
            assert self.breakdown is not None
            self._weights = self.breakdown.weights(np.arange(*self.span.ads))
        return self._weights

    def _reach(self, block: RowBlock, group: I64, totals: ReachTotals) -> I64:
        shown, people = totals.finish()
        if self.breakdown is None:
            return people[group]
        if self.breakdown.without_reach:
            return np.zeros_like(group)
        return reach.cells(block.columns["impressions"], shown[group], people[group], self.breakdown.overlap)


_WITHIN = {"link_clicks": "clicks", "outbound": "link_clicks"}
"""Metrics that are a part of another one, in every cell, too."""


class _Cells:
    """The numbers of (day, ad) rows split over the fine cells of a breakdown; every split is exact."""

    def __init__(self, data: AdDays, breakdown: Breakdown, weights: F64) -> None:
        self._data, self._tilt = data, breakdown.tilt
        if breakdown.hourly:
            shown = data.hourly_impressions()
        else:
            place = data.ad - data.span.ads[0]
            shown = split(data.column("impressions"), weights[place], data.phase("impressions cells"))
        self._found: dict[str, I64] = {"impressions": shown}

    def column(self, name: str) -> I64:
        """A metric by fine cell; cells without impressions have nothing."""
        if name not in self._found:
            event, _, part = name.partition(":")
            shown = self._found["impressions"]
            if event == "purchase_value":
                # Reason: a cell has order values only where it has orders.
                weights = self.column(f"purchase:{part}").astype(np.float64)
            elif name in _WITHIN:
                # Reason: in proportion to whole numbers, no cell gets more than it has of the wider metric.
                weights = self.column(_WITHIN[name]).astype(np.float64)
            elif part:
                weights = shown * self._tilt
            else:
                weights = shown.astype(np.float64)
            self._found[name] = split(self._data.column(name), weights, self._data.phase(name + " cells"))
        return self._found[name]


def _value(data: AdDays, name: str, cells: _Cells | None) -> I64:
    """A column by its public name: `event:window` or `event:value` is put together from disjoint parts."""
    source = data if cells is None else cells
    event, _, window = name.partition(":")
    if not window or window in PARTS:
        return source.column(name)
    if window != "value":
        parts = [source.column(f"{event}:{part}") for part in WINDOW_PARTS[window]]
        return np.sum(parts, axis=0) if len(parts) > 1 else parts[0]
    flags = data.settings()
    total = np.zeros_like(source.column(f"{event}:p1"))
    for column, part in enumerate(("p1", "p7", "pv")):
        flag = flags[:, column] if cells is None else flags[:, column, None]
        total += source.column(f"{event}:{part}") * flag
    return total


def _joined(pieces: list[RowBlock], names: list[str]) -> RowBlock:
    if len(pieces) == 1:
        return pieces[0]
    empty = np.zeros(0, dtype=np.int64)
    if not pieces:
        return RowBlock(empty, empty, empty, dict.fromkeys(names, empty))
    columns = {name: np.concatenate([piece.columns[name] for piece in pieces]) for name in names}
    return RowBlock(
        np.concatenate([piece.object for piece in pieces]),
        np.concatenate([piece.period for piece in pieces]),
        np.concatenate([piece.cell for piece in pieces]),
        columns,
    )
