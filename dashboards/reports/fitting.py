"""As much of a table as there is room for.

What belongs here: which columns and rows are shown where not all fit. What does not: how they look. Files hold all of
them (`dashboards.reports.workbook`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from wcwidth import width

from dashboards.reports.document import Cell, Column, Table

_PLACES = re.compile(r"(?<=[：・（])|\s+")
"""Where a heading may be broken."""
WIDEST = 30
"""Characters of a column; longer texts are wrapped or shortened."""


@dataclass(frozen=True)
class Fitted:
    """A part of a table.

    Attributes:
        columns: Those that fit.
        widths: Of them, in characters of which a Japanese one counts twice.
        rows: The first ones.
        more: How many rows are not shown; None where that is not known.
        is_whole: Whether all rows and columns are shown.
    """

    columns: tuple[Column, ...]
    widths: tuple[int, ...]
    rows: tuple[tuple[Cell, ...], ...]
    more: int | None
    is_whole: bool


def fitted(table: Table, room: int, gap: int, most_rows: int, *, is_heading_wrapped: bool = True) -> Fitted:
    """The first rows of a table, and as many of its columns as fit beside each other.

    The first column with a name always stays. Then numbers go before changes of them and before texts, and texts that
    are the same in every row come last; the order on paper is that of the table.

    Args:
        table: All of it.
        room: Characters of a line.
        gap: Characters between two columns.
        most_rows: How many rows.
        is_heading_wrapped: Whether a heading of several words may stand in several lines.
    """
    rows = table.rows[:most_rows]
    widths = [_width(column, [row[place] for row in rows], is_heading_wrapped) for place, column in
              enumerate(table.columns)]  # fmt: skip
    names = [place for place, column in enumerate(table.columns) if not column.is_number]
    first = names[:1]
    same = [place for place in names[1:] if len({row[place].text for row in table.rows}) <= 1]
    numbers = [place for place, column in enumerate(table.columns) if column.is_number and not column.is_change]
    changes = [place for place, column in enumerate(table.columns) if column.is_number and column.is_change]
    others = [place for place in names[1:] if place not in same]
    chosen: list[int] = []
    left = room + gap
    for place in (*first, *numbers, *changes, *others, *same):
        if widths[place] + gap <= left:
            chosen.append(place)
            left -= widths[place] + gap
    chosen.sort()
    more = None if table.is_cut else len(table.rows) - len(rows)
    return Fitted(
        tuple(table.columns[place] for place in chosen),
        tuple(widths[place] for place in chosen),
        tuple(tuple(row[place] for place in chosen) for row in rows),
        more,
        more == 0 and len(chosen) == len(table.columns),
    )


def _width(column: Column, cells: list[Cell], is_heading_wrapped: bool) -> int:
    heading = _PLACES.split(column.title) if is_heading_wrapped else [column.title]
    longest = max((width(word) for word in heading), default=0)
    return min(WIDEST, max([longest, *(width(cell.text) for cell in cells)], default=longest))
