"""Lists of actions in a row: `actions`, `action_values`, `cost_per_action_type`, `results`.

What belongs here: their JSON text. What does not: scalar fields and the row around them (`formatter`).

Fragments of small counts repeat all the time, so they are remembered; the memory is emptied when it grows large.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from simulator.world import fields, text
from simulator.world import hashing as h
from simulator.world.events import Event
from simulator.world.hashing import I64
from simulator.world.metrics import WINDOW_PARTS
from simulator.world.model import AccountModel
from simulator.world.split import split

_MEMORY = 50_000
_DEVICES = ("android_smartphone", "iphone", "desktop", "ipad")
_DEVICE_WEIGHTS = np.array([0.42, 0.36, 0.18, 0.04])
#: Action breakdowns that are not modelled return one plausible value.
_SINGLE = {
    "action_destination": "shop.example",
    "action_reaction": "like",
    "action_target_id": "100000000000001",
    "action_video_sound": "sound_off",
    "action_video_type": "auto_play",
    "action_carousel_card_id": "100000000000002",
    "action_carousel_card_name": "Card 1",
    "action_canvas_component_name": "Button",
    "action_converted_product_id": "1001, product 1",
    "conversion_destination": "WEBSITE",
}

Columns = Mapping[str, I64]


class ActionLists:
    """Writes the action lists of one query on one account."""

    def __init__(
        self,
        model: AccountModel,
        events: Sequence[Event],
        windows: Sequence[str],
        action_breakdowns: Sequence[str],
        action_types: frozenset[str] | None,
    ) -> None:
        """Prepare.

        Args:
            model: The account.
            events: What may appear, off-Meta events already left out where the breakdown forbids them.
            windows: Requested windows; those Meta no longer returns (`7d_view`, `28d_view`) never appear.
            action_breakdowns: Requested ones besides `action_type`.
            action_types: Only these types, None for all.
        """
        self._model = model
        self._windows = tuple(window for window in dict.fromkeys(windows) if window in WINDOW_PARTS)
        wanted = [name for name in action_breakdowns if name != "action_type"]
        self._by_device = "action_device" in wanted
        self._extra = "".join(f',"{name}":"{_SINGLE[name]}"' for name in wanted if name in _SINGLE)
        self._events = []
        for event in events:
            types = tuple(name for name in event.types if action_types is None or name in action_types)
            if types:
                self._events.append(event._replace(types=types))
        self._memory: dict[Event, dict[tuple[int, ...], str]] = {event: {} for event in self._events}

    def needs(self, field: str) -> list[str]:
        """The row columns a field reads."""
        names: list[str] = ["spend"] if field == "cost_per_action_type" else []
        for event in self._events:
            if field == "action_values" and event.column != "purchase":
                continue
            column = "purchase_value" if field == "action_values" else event.column
            if event.windowed:
                names += [f"{column}:{window}" for window in ("value", *self._windows)]
            else:
                names += fields.columns_of(fields.Ratio(column))
        return names

    def write(self, field: str, columns: Columns, key: h.U64) -> list[str]:
        """A field of every row: `,"actions":[...]`, or nothing where it is empty.

        Args:
            field: `actions`, `action_values` or `cost_per_action_type`.
            columns: The rows' columns.
            key: One hash per row, for splitting by device.
        """
        writer = {"actions": self._counts, "action_values": self._values}.get(field, self._costs)
        pieces = [writer(event, columns, key) for event in self._events]
        if not pieces:
            return [""] * len(key)
        head = f',"{field}":['
        joined = pieces[0] if len(pieces) == 1 else list(map("".join, zip(*pieces, strict=True)))
        return [f"{head}{line[1:]}]" if line else "" for line in joined]

    def _numbers(self, event: Event, columns: Columns, prefix: str | None = None) -> list[I64]:
        """The default-window numbers and those of each requested window."""
        column = prefix or event.column
        if event.windowed:
            return [columns[f"{column}:{window}"] for window in ("value", *self._windows)]
        count = fields.quantity(column, columns, 1).astype(np.int64)
        zero = np.zeros_like(count)
        # Reason: events on Meta count at once, so all click windows hold the same number and the view window none.
        return [count, *(zero if window == "1d_view" else count for window in self._windows)]

    def _split_by_device(self, numbers: list[I64], event: Event, key: h.U64) -> list[list[I64]]:
        """The numbers per device; parts of nested windows are split so that they stay nested and add up."""
        phase = h.uniform(key, f"device {event.column}")
        weights = np.broadcast_to(_DEVICE_WEIGHTS, (len(key), len(_DEVICES))).copy()
        clicks = [place for place, window in enumerate(self._windows, 1) if window != "1d_view"]
        clicks.sort(key=lambda place: int(self._windows[place - 1].split("d")[0]))
        cells: list[I64] = [split(number, weights, phase) for number in numbers]
        for lower, higher in pairwise(clicks):
            cells[higher] = cells[lower] + split(numbers[higher] - numbers[lower], weights, phase)
        return [[cell[:, device] for cell in cells] for device in range(len(_DEVICES))]

    def _groups(self, event: Event, columns: Columns, key: h.U64, prefix: str | None) -> list[tuple[str, list[I64]]]:
        numbers = self._numbers(event, columns, prefix)
        if not self._by_device:
            return [(self._extra, numbers)]
        devices = self._split_by_device(numbers, event, key)
        return [(f'{self._extra},"action_device":"{name}"', part) for name, part in zip(_DEVICES, devices, strict=True)]

    def _counts(self, event: Event, columns: Columns, key: h.U64) -> list[str]:
        return _concatenated(
            [self._count_texts(event, extra, numbers) for extra, numbers in self._groups(event, columns, key, None)]
        )

    def _count_texts(self, event: Event, extra: str, numbers: list[I64]) -> list[str]:
        memory = self._memory[event] if not self._by_device else {}
        if len(memory) > _MEMORY:
            memory.clear()
        found = []
        for counts in zip(*(number.tolist() for number in numbers), strict=True):
            fragment = memory.get(counts)
            if fragment is None:
                fragment = memory[counts] = self._elements(
                    event, extra, [str(count) if count else "" for count in counts]
                )
            found.append(fragment)
        return found

    def _elements(self, event: Event, extra: str, numbers: Sequence[str]) -> str:
        """The list elements of one event of one row, each with a comma before; empty numbers are left out."""
        if not any(numbers):
            return ""
        tail = f',"value":"{numbers[0] or 0}"'
        for window, number in zip(self._windows, numbers[1:], strict=True):
            if number:
                tail += f',"{window}":"{number}"'
        tail += extra + "}"
        return "".join(f',{{"action_type":"{name}"{tail}' for name in event.types)

    def _values(self, event: Event, columns: Columns, key: h.U64) -> list[str]:
        if event.column != "purchase":
            return [""] * len(key)
        pieces = []
        for extra, numbers in self._groups(event, columns, key, "purchase_value"):
            texts = [_or_nothing(number, text.money(number, self._model.minor)) for number in numbers]
            pieces.append(self._rows(event, extra, texts, numbers))
        return _concatenated(pieces)

    def _costs(self, event: Event, columns: Columns, key: h.U64) -> list[str]:
        del key
        spend = columns["spend"] / self._model.minor
        numbers = self._numbers(event, columns)
        texts = [_or_nothing(number, text.decimals(spend / np.maximum(number, 1))) for number in numbers]
        texts[0] = [line if count else "" for line, count in zip(texts[0], numbers[0].tolist(), strict=True)]
        rows = self._rows(event, self._extra, texts, numbers)
        # Reason: no default-window event, no cost per event.
        return [row if count else "" for row, count in zip(rows, numbers[0].tolist(), strict=True)]

    def _rows(self, event: Event, extra: str, texts: list[list[str]], numbers: list[I64]) -> list[str]:
        some = np.zeros(len(numbers[0]), dtype=bool)
        for number in numbers:
            some |= number > 0
        found = [""] * len(some)
        for row in np.flatnonzero(some).tolist():
            found[row] = self._elements(event, extra, [line[row] for line in texts])
        return found


def results(
    events: Sequence[str], indicators: Sequence[str], columns: Columns, cost_of: I64 | None, minor: int
) -> list[str]:
    """`results` or `cost_per_result` of every row.

    Args:
        events: The row's optimisation event column (`purchase:value`, ...), or empty if rows below it differ.
        indicators: The text of the event in the list.
        columns: The rows' columns.
        cost_of: Spend in minor units for `cost_per_result`, None for `results`.
        minor: Minor units per major unit.
    """
    lines = []
    counts = {name: columns[name].tolist() for name in set(events) if name}
    spend = None if cost_of is None else cost_of.tolist()
    field = "results" if spend is None else "cost_per_result"
    for row, (event, indicator) in enumerate(zip(events, indicators, strict=True)):
        count = counts[event][row] if event else 0
        if not count:
            lines.append("")
            continue
        value = str(count) if spend is None else f"{spend[row] / minor / count:.6f}".rstrip("0").rstrip(".")
        lines.append(
            f',"{field}":[{{"indicator":"{indicator}","values":[{{"value":"{value}","attribution_windows":["default"]}}]}}]'
        )
    return lines


def _or_nothing(numbers: I64, lines: list[str]) -> list[str]:
    return [line if number else "" for line, number in zip(lines, numbers.tolist(), strict=True)]


def _concatenated(pieces: list[list[str]]) -> list[str]:
    return pieces[0] if len(pieces) == 1 else list(map("".join, zip(*pieces, strict=True)))
