"""What of the asked-for account days the warehouse holds since a moment.

What belongs here: comparing days with slices. What does not: pulling them (`orchestration.pull`), telling anyone
(`orchestration.defs`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from orchestration.due import DayRange, each_day
from warehouse.connect import Warehouse
from warehouse.ops.slices import SliceState, slice_states


@dataclass(frozen=True)
class Pulled:
    """The days of a report.

    Attributes:
        slices: What is held of each account and day that was pulled since the moment.
        missing: Account and day of those that were not.
    """

    slices: Mapping[tuple[int, date], SliceState]
    missing: Sequence[tuple[int, date]]


def pulled_slices(
    warehouse: Warehouse, report: str, wanted: Mapping[int, Sequence[DayRange]], since: datetime
) -> Pulled:
    """What came of the ranges of each account.

    Args:
        warehouse: Where.
        report: Which.
        wanted: Ranges of the accounts' own days, both ends included.
        since: Slices pulled before this moment (with a time zone) count as missing.
    """
    held: dict[tuple[int, date], SliceState] = {}
    days: list[tuple[int, date]] = []
    for account_id, several in wanted.items():
        for first, last in several:
            days += [(account_id, day) for day in each_day(first, last)]
            states = slice_states(warehouse, account_id, report, first, last)
            held.update({(account_id, state.day): state for state in states if state.pulled_at >= since})
    return Pulled(held, [found for found in days if found not in held])
