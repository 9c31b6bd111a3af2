"""What was set when: statuses, budgets, names and bids of an account's objects over time.

What belongs here: events and looking up the state at a moment. What does not: what the state does to delivery.

A `Timeline` never changes; an update makes a new one. So results that are still being read keep theirs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from simulator.world.hashing import I64

ABSENT, ACTIVE, PAUSED, ARCHIVED, DELETED = -1, 0, 1, 2, 3
STATUSES = ("ACTIVE", "PAUSED", "ARCHIVED", "DELETED")
KINDS = ("campaign", "adset", "ad")
_SHIFT = 1 << 34


class Event(NamedTuple):
    """One change of one attribute. `old` is None for what an object is created with.

    `time` is seconds since 1970; budgets are minor units; `actor` 0 is a person, 1 an application.
    """

    time: int
    kind: str
    number: int
    attribute: str
    old: Any
    new: Any
    actor: int = 0


class StepTable:
    """Values of one attribute for many objects, each constant between events."""

    def __init__(self, index: Sequence[int], time: Sequence[int], value: Sequence[float], before: float) -> None:
        key = np.array(index, dtype=np.int64) * _SHIFT + np.array(time, dtype=np.int64)
        order = np.argsort(key, kind="stable")
        self._keys = key[order]
        self._owner = np.concatenate([[-1], np.array(index, dtype=np.int64)[order]])
        self._values = np.concatenate([[before], np.array(value, dtype=np.float64)[order]])
        self._before = before

    def at(self, objects: I64, moments: I64) -> npt.NDArray[np.float64]:
        """Values for broadcast objects and moments; the initial value before an object's first event."""
        place = np.searchsorted(self._keys, objects * _SHIFT + moments, side="right")
        return np.where(self._owner[place] == objects, self._values[place], self._before)


class Timeline:
    """All events of one account, with fast look-up for delivery and slow look-up for display."""

    def __init__(self, events: Iterable[Event], daily_budget: Any, campaign_of: dict[str, I64]) -> None:
        """Index the events.

        Args:
            events: In any order.
            daily_budget: Function of (kind, index, attribute, value) to minor units a day; a lifetime budget is
                spread over the flight.
            campaign_of: Kind -> campaign index of every object.
        """
        self.events: tuple[Event, ...] = tuple(sorted(events, key=lambda event: event.time))
        self._daily_budget = daily_budget
        self._campaign_of = campaign_of
        self._steps: dict[tuple[str, int], dict[str, tuple[list[int], list[Any]]]] = {}
        columns: dict[tuple[str, str], tuple[list[int], list[int], list[float]]] = {
            (kind, name): ([], [], []) for kind in KINDS for name in ("status", "budget", "updated")
        }
        touched: list[tuple[int, int]] = []
        for event in self.events:
            times, values = self._steps.setdefault((event.kind, event.number), {}).setdefault(event.attribute, ([], []))
            times.append(event.time)
            values.append(event.new)
            numeric: list[tuple[str, float]] = [("updated", float(event.time))]
            if event.attribute == "status":
                numeric.append(("status", float(STATUSES.index(event.new))))
            elif event.attribute in ("daily_budget", "lifetime_budget"):
                numeric.append(("budget", daily_budget(event.kind, event.number, event.attribute, event.new)))
            if len(numeric) > 1:
                touched.append((event.time, int(campaign_of[event.kind][event.number])))
            for name, number in numeric:
                index_list, time_list, value_list = columns[event.kind, name]
                index_list.append(event.number)
                time_list.append(event.time)
                value_list.append(number)
        before = {"status": float(ABSENT), "budget": 0.0, "updated": 0.0}
        self._tables = {key: StepTable(*column, before[key[1]]) for key, column in columns.items()}
        self._touched = np.array(touched, dtype=np.int64).reshape(-1, 2)

    def extended(self, events: Iterable[Event]) -> Timeline:
        """A new timeline with more events."""
        return Timeline((*self.events, *events), self._daily_budget, self._campaign_of)

    def status(self, kind: str, objects: I64, moments: I64) -> npt.NDArray[np.float64]:
        """Own status codes; `ABSENT` before creation."""
        return self._tables[kind, "status"].at(objects, moments)

    def budget(self, kind: str, objects: I64, moments: I64) -> npt.NDArray[np.float64]:
        """Minor units a day; 0 where the object has no budget of its own."""
        return self._tables[kind, "budget"].at(objects, moments)

    def updated(self, kind: str, objects: I64, moment: int) -> npt.NDArray[np.float64]:
        """When each object last changed."""
        return self._tables[kind, "updated"].at(objects, np.full(len(objects), moment))

    def changes_between(self, start: int, end: int) -> list[tuple[int, int]]:
        """(time, campaign) of changes that matter to delivery, after `start` and before `end`, in order."""
        times = self._touched[:, 0]
        low, high = np.searchsorted(times, start, side="right"), np.searchsorted(times, end, side="left")
        return [(int(time), int(campaign)) for time, campaign in self._touched[low:high]]

    def value(self, kind: str, index: int, attribute: str, moment: int) -> Any:
        """What one attribute was at a moment; None before it was first set."""
        found = self._steps.get((kind, index), {}).get(attribute)
        if found is None:
            return None
        place = bisect_right(found[0], moment)
        return found[1][place - 1] if place else None

    def since(self, kind: str, index: int, attribute: str, moment: int) -> int | None:
        """When an attribute got the value that it has at a moment."""
        found = self._steps.get((kind, index), {}).get(attribute)
        place = bisect_right(found[0], moment) if found else 0
        return found[0][place - 1] if found and place else None

    def events_start(self, kind: str, index: int) -> int:
        """When an object was created."""
        found = self._steps.get((kind, index), {}).get("status")
        return found[0][0] if found else 0
