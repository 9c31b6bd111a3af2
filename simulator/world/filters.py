"""Conditions of a query: which ads count, and which rows are shown.

What belongs here: the meaning of `filtering` and of leaving out deleted objects. What does not: checking that fields
and operators exist (the server does).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from simulator.contract import Filter
from simulator.world import fields, status
from simulator.world.ids import object_id
from simulator.world.model import AccountModel
from simulator.world.rows import RowBlock
from simulator.world.timeline import STATUSES, Timeline

_ENTITIES = ("campaign", "adset", "ad")
_ORDERED: dict[str, Callable[[Any, Any], Any]] = {
    "GREATER_THAN": np.greater,
    "GREATER_THAN_OR_EQUAL": np.greater_equal,
    "LESS_THAN": np.less,
    "LESS_THAN_OR_EQUAL": np.less_equal,
}
_TEXT_FILTERS_WITHOUT_SUMMARY = frozenset({"STARTS_WITH", "CONTAIN"})


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple | set) else [value]


def _matches_text(text: str, operator: str, value: Any) -> bool:
    wanted = [str(item) for item in _listed(value)]
    low = text.lower()
    if operator in ("EQUAL", "IN", "ANY"):
        return text in wanted
    if operator in ("NOT_EQUAL", "NOT_IN", "NONE"):
        return text not in wanted
    parts = [item.lower() for item in wanted]
    tests: dict[str, Callable[[], bool]] = {
        "CONTAIN": lambda: all(part in low for part in parts),
        "CONTAINS_ALL": lambda: all(part in low for part in parts),
        "CONTAINS_ANY": lambda: any(part in low for part in parts),
        "NOT_CONTAIN": lambda: not any(part in low for part in parts),
        "NOT_CONTAINS_ANY": lambda: not any(part in low for part in parts),
        "STARTS_WITH": lambda: any(low.startswith(part) for part in parts),
        "ENDS_WITH": lambda: any(low.endswith(part) for part in parts),
    }
    if operator in tests:
        return tests[operator]()
    try:
        return bool(_matches_number(np.array([float(text)]), operator, value)[0])
    except ValueError:
        return False


def _matches_number(numbers: np.ndarray, operator: str, value: Any) -> np.ndarray:
    wanted = [float(item) for item in _listed(value)]
    if operator in _ORDERED:
        found: np.ndarray = _ORDERED[operator](numbers, wanted[0])
        return found
    if operator in ("IN_RANGE", "NOT_IN_RANGE"):
        inside = (numbers >= wanted[0]) & (numbers <= wanted[-1])
        return inside if operator == "IN_RANGE" else ~inside
    found = np.isin(numbers, wanted)
    return ~found if operator in ("NOT_EQUAL", "NOT_IN", "NONE") else found


def _entity_field(filter_field: str) -> tuple[str, str] | None:
    kind, dot, name = filter_field.partition(".")
    if dot and kind in _ENTITIES:
        return kind, name
    for kind in _ENTITIES:
        if filter_field.startswith(kind + "_"):
            return kind, filter_field[len(kind) + 1 :]
    return None


def is_metric(name: str) -> bool:
    """Whether a field, without its entity prefix, is a number of the row."""
    return name in fields.SCALARS


class Conditions:
    """The filters of one query on one account at one moment.

    Attributes:
        keep: Which ads count towards the rows.
        action_types: Action types to show, None for all.
    """

    def __init__(
        self,
        model: AccountModel,
        timeline: Timeline,
        moment: int,
        level: str,
        below_node: bool,
        filters: Iterable[Filter],
    ) -> None:
        """Evaluate the conditions on objects; keep those on numbers for `rows`.

        Args:
            model: The account.
            timeline: Its events.
            moment: Time of asking.
            level: What a row is.
            below_node: Whether rows are children of the asked object, so that deleted ones are not listed.
            filters: Checked filters; one on an unknown attribute changes nothing.
        """
        self._model, self._timeline, self._moment = model, timeline, moment
        self.keep = np.ones(len(model.ad_names), dtype=bool)
        self.action_types: frozenset[str] | None = None
        self._numbers: list[Filter] = []
        asks_for_gone = False
        for condition in filters:
            entity = _entity_field(condition.field)
            name = entity[1] if entity else condition.field
            if condition.field == "action_type":
                self.action_types = frozenset(str(item) for item in _listed(condition.value))
            elif name == "effective_status":
                kind = entity[0] if entity else (level if level in _ENTITIES else "ad")
                asks_for_gone |= kind == level or bool(set(status.GONE) & {str(v) for v in _listed(condition.value)})
                self._restrict(kind, self._statuses(kind), condition)
            elif entity and not is_metric(name):
                texts = self._texts(*entity)
                if texts is not None:
                    self._restrict(entity[0], texts, condition)
            elif condition.field == "objective":
                self._restrict("campaign", model.objective, condition)
            elif is_metric(name):
                self._numbers.append(condition)
        if below_node and level in _ENTITIES and not asks_for_gone:
            # Reason: a parent's totals include deleted and archived children, but a list of children does not.
            listed = [name not in status.GONE for name in self._statuses(level)]
            self.keep &= np.array(listed, dtype=bool)[model.owner_of_ads(level)]

    @property
    def needs(self) -> list[str]:
        """Row columns that the conditions on numbers read."""
        return [column for condition in self._numbers for column in fields.columns_of(self._ratio(condition))]

    @property
    def on_numbers(self) -> bool:
        """Whether rows must be looked at before they can be counted."""
        return bool(self._numbers)

    def rows(self, block: RowBlock) -> RowBlock:
        """The rows of a block that satisfy the conditions on numbers."""
        if not self._numbers:
            return block
        chosen = np.ones(len(block), dtype=bool)
        for condition in self._numbers:
            value, _ = fields.evaluate(self._ratio(condition), block.columns, self._model.minor)
            chosen &= _matches_number(value, condition.operator, condition.value)
        return block.take(np.flatnonzero(chosen))

    @staticmethod
    def _ratio(condition: Filter) -> fields.Ratio:
        entity = _entity_field(condition.field)
        return fields.SCALARS[entity[1] if entity else condition.field]

    def _restrict(self, kind: str, texts: list[str], condition: Filter) -> None:
        fits = np.array([_matches_text(text, condition.operator, condition.value) for text in texts], dtype=bool)
        self.keep &= fits[self._model.owner_of_ads(kind)]

    def _statuses(self, kind: str) -> list[str]:
        codes = status.effective(self._model, self._timeline, kind, self._moment)
        return [status.NAMES[int(code)] for code in codes]

    def _texts(self, kind: str, name: str) -> list[str] | None:
        model, count = self._model, self._model.count(kind)
        if name == "id":
            return [object_id(model.seed, model.index, kind, index) for index in range(count)]
        if name in ("name", "bid_strategy"):
            return [str(self._timeline.value(kind, index, name, self._moment) or "") for index in range(count)]
        if name in ("status", "configured_status", "delivery_status"):
            own = self._timeline.status(kind, np.arange(count), np.array(self._moment)).astype(int)
            return [STATUSES[code] if code >= 0 else "" for code in own]
        if name == "objective" and kind == "campaign":
            return model.objective
        if name in ("updated_time", "created_time"):
            moments = self._timeline.updated(kind, np.arange(count), self._moment)
            if name == "created_time":
                moments = np.array(
                    [self._timeline.events_start(kind, index) for index in range(count)], dtype=np.float64
                )
            return [str(int(moment)) for moment in moments]
        return None


def without_text_filters(filters: Iterable[Filter]) -> tuple[Filter, ...]:
    """The filters that count for `summary`: STARTS_WITH and CONTAIN do not change it (fact sheet 2.6)."""
    return tuple(condition for condition in filters if condition.operator not in _TEXT_FILTERS_WITHOUT_SUMMARY)
