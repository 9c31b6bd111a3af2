"""The rows of one query, read page by page.

What belongs here: counting, finding and caching rows, sorting, totals. What does not: what a row says.

A result keeps the state it was asked in (time, timeline), so it never changes. It holds a count per block of days
and the last few blocks, not the rows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson

from simulator.world import fields, reach
from simulator.world import hashing as h
from simulator.world.filters import Conditions
from simulator.world.formatter import RowFormatter
from simulator.world.rows import RowBlock, Rows

_PIECE = 512
_KEPT_BLOCKS = 2
_KEPT_PIECES = 6


class EmptyResult:
    """A result without rows."""

    def __len__(self) -> int:
        return 0

    def page(self, offset: int, limit: int) -> Sequence[bytes]:
        """Nothing."""
        del offset, limit
        return []

    def summary(self, fields: Sequence[str]) -> dict[str, Any]:
        """Nothing."""
        del fields
        return {}


class WorldResult:
    """Rows computed when read. Reading in any order and page size gives the same bytes."""

    def __init__(
        self,
        rows: Rows,
        conditions: Conditions,
        formatter: RowFormatter,
        sort: tuple[str, bool] | None,
        summarise: Callable[[Sequence[str]], dict[str, Any]],
        shuffle: bool,
    ) -> None:
        """Count the rows.

        Args:
            rows: The plan.
            conditions: Conditions on numbers.
            formatter: Writes the rows.
            sort: Field and whether descending.
            summarise: Computes totals when asked.
            shuffle: Whether rows within a block are scrambled.
        """
        self._rows, self._conditions, self._formatter = rows, conditions, formatter
        self._summarise, self._shuffle = summarise, shuffle
        self._blocks: OrderedDict[int, RowBlock] = OrderedDict()
        self._pieces: OrderedDict[tuple[int, int], list[bytes]] = OrderedDict()
        self._order: np.ndarray | None = None
        self._starts = [0]
        keys = []
        ratio = sort_ratio(sort[0]) if sort else None
        needs = [*conditions.needs, *(fields.columns_of(ratio) if ratio else [])]
        few = len(rows.blocks) <= _KEPT_BLOCKS
        for number in range(len(rows.blocks)):
            # Reason: a long period is one block and dear; it is computed whole at once instead of counted first.
            block = self._block(number, needs) if few else self._compute(number, needs)
            self._starts.append(self._starts[-1] + len(block))
            if ratio is not None:
                keys.append(fields.evaluate(ratio, block.columns, rows.model.minor)[0])
        if sort and keys:
            values = np.concatenate(keys)
            self._order = np.argsort(-values if sort[1] else values, kind="stable")

    def __len__(self) -> int:
        return self._starts[-1]

    def page(self, offset: int, limit: int) -> Sequence[bytes]:
        """Rows `offset` to `offset + limit`, each a JSON object."""
        end = min(offset + limit, len(self))
        if offset >= end or offset < 0:
            return []
        if self._order is not None:
            return self._picked(self._order[offset:end])
        found: list[bytes] = []
        while offset < end:
            block = bisect_right(self._starts, offset) - 1
            inside = offset - self._starts[block]
            number = inside // _PIECE
            piece = self._piece(block, number)
            begin = inside - number * _PIECE
            chosen = piece[begin : begin + end - offset]
            found += chosen
            offset += len(chosen)
        return found

    def summary(self, fields: Sequence[str]) -> dict[str, Any]:
        """Totals over all rows of these fields, and the dates they span."""
        return self._summarise(fields)

    def _compute(self, number: int, needs: Sequence[str]) -> RowBlock:
        block = self._conditions.rows(self._rows.compute(number, needs))
        if self._shuffle and len(block):
            key = h.keys(number, len(block))
            block = block.take(np.argsort(key, kind="stable"))
        return block

    def _block(self, number: int, more: Sequence[str] = ()) -> RowBlock:
        block = self._blocks.get(number)
        if block is None:
            needs = list(dict.fromkeys([*self._formatter.needs, *self._conditions.needs, *more]))
            block = self._blocks[number] = self._compute(number, needs)
            if len(self._blocks) > _KEPT_BLOCKS:
                self._blocks.popitem(last=False)
        return block

    def _piece(self, block: int, number: int) -> list[bytes]:
        key = (block, number)
        piece = self._pieces.get(key)
        if piece is None:
            rows = self._block(block).take(slice(number * _PIECE, (number + 1) * _PIECE))
            piece = self._pieces[key] = self._formatter.write(rows)
            if len(self._pieces) > _KEPT_PIECES:
                self._pieces.popitem(last=False)
        return piece

    def _picked(self, positions: np.ndarray) -> list[bytes]:
        found: list[bytes] = [b""] * len(positions)
        blocks = np.searchsorted(self._starts, positions, side="right") - 1
        for number in np.unique(blocks).tolist():
            places = np.flatnonzero(blocks == number)
            rows = self._block(number).take(positions[places] - self._starts[number])
            for place, row in zip(places.tolist(), self._formatter.write(rows), strict=True):
                found[place] = row
        return found


def sort_ratio(field: str) -> fields.Ratio | None:
    """The number behind a sort field; `actions:link_click` sorts by one action type. None if it cannot be sorted by."""
    if field in fields.SCALARS:
        return fields.SCALARS[field]
    if field in fields.STATS:
        return fields.STATS[field].ratio
    name, _, action = field.partition(":")
    if name not in ("actions", "action_values"):
        return None
    for word in ("purchase", "lead", "add_to_cart", "initiate_checkout", "view_content"):
        if action.endswith(word):
            return fields.Ratio(f"{'purchase_value' if name == 'action_values' else word}:value")
    simple = {"link_click": "link_clicks", "video_view": "video_views", "post_engagement": "post_engagement"}
    simple |= {"page_engagement": "page_engagement", "landing_page_view": "lpv:value"}
    return fields.Ratio(simple[action]) if action in simple else None


def totals(result_rows: Rows, conditions: Conditions, formatter: RowFormatter) -> dict[str, Any]:
    """The summary object: sums of all rows, reach counted once per person over all of them."""
    sums: dict[str, int] = {}
    most, total_reach = 0, 0
    for number in range(len(result_rows.blocks)):
        block = conditions.rows(result_rows.compute(number, [*formatter.needs, *conditions.needs]))
        for name, column in block.columns.items():
            sums[name] = sums.get(name, 0) + int(column.sum())
        if len(block) and "reach" in block.columns:
            most, total_reach = (
                max(most, int(block.columns["reach"].max())),
                total_reach + int(block.columns["reach"].sum()),
            )
    if not sums.get("impressions"):
        return {}
    if "reach" in sums:
        # Reason: people of different rows overlap; between the largest row and the sum of all.
        audience = result_rows.model.audience_of("account")
        days = result_rows.periods[-1][1] - result_rows.periods[0][0] + 1
        whole = int(reach.people(np.array([sums["impressions"]]), audience, float(max(1, days)))[0])
        sums["reach"] = min(max(whole, most), total_reach)
    zero = np.zeros(1, dtype=np.int64)
    row = RowBlock(zero, zero, zero, {name: np.array([value]) for name, value in sums.items()})
    found: dict[str, Any] = orjson.loads(formatter.write_summary(row))
    return found
