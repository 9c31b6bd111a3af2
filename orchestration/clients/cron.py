"""The five fields of a cron schedule, checked without a scheduler.

What belongs here: is this text a schedule that will ever fire. What does not: computing when
(`orchestration.reports.due`).
"""

from __future__ import annotations

import re

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, start=1)}),
    ("day of the week", 0, 7, {name: number for number, name in enumerate(_WEEKDAYS)}),
)
_DAYS_IN_MONTH = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_STEP = re.compile(r"(?P<span>[^/]+)(?:/(?P<step>\d+))?")


def check_cron(text: str) -> str:
    """Returns the schedule with single spaces.

    Raises:
        ValueError: Saying which field is wrong, or that the schedule never fires.
    """
    parts = text.split()
    if len(parts) != len(_FIELDS):
        raise ValueError(f"has {len(parts)} fields, not 5 (minute hour day month weekday)")
    values = [
        _values(part, name, low, high, names) for part, (name, low, high, names) in zip(parts, _FIELDS, strict=True)
    ]
    _, _, days, months, _ = values
    # Reason: `0 6 31 2 *` is well formed, and its report is never sent. With weekdays, either one fires,
    # unless they begin with a star (`*/2`): then both must fit.
    if parts[4].startswith("*") and min(days) > max(_DAYS_IN_MONTH[month - 1] for month in months):
        raise ValueError("never fires: no such day in that month")
    return " ".join(parts)


def _values(part: str, name: str, low: int, high: int, names: dict[str, int]) -> set[int]:
    found: set[int] = set()
    for item in part.split(","):
        match = _STEP.fullmatch(item)
        if not match:
            raise ValueError(f"has {item!r} as its {name}")
        span, step = match["span"], int(match["step"] or 1)
        if span == "*":
            first, last = low, high
        else:
            start, dash, end = span.partition("-")
            first = _number(start, name, low, high, names)
            last = _number(end, name, low, high, names) if dash else (high if match["step"] else first)
        if last < first or step < 1:
            raise ValueError(f"has {item!r} as its {name}, which is an empty range")
        found.update(range(first, last + 1, step))
    return found


def _number(text: str, name: str, low: int, high: int, names: dict[str, int]) -> int:
    number = names.get(text.lower(), int(text) if text.isascii() and text.isdigit() else -1)
    if not low <= number <= high:
        raise ValueError(f"has {text!r} as its {name}, not {low} to {high}")
    return number
