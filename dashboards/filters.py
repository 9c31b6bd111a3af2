"""From a filter of a dashboard to the tag of a card.

What belongs here: that. What does not: what a tag means (`dashboards.queries`).
"""

from __future__ import annotations

from typing import Protocol

from dashboards.model import FIELD_FILTERS, Filter
from dashboards.queries import Column, ColumnKind, Tag


class Columns(Protocol):
    """Knows what columns hold."""

    def kind(self, column: str) -> ColumnKind | None:
        """Of a `table.column`; None if there is none such."""


def tag_of(name: str, one: Filter, columns: Columns, schema: str | None) -> Tag:
    """The tag that a filter's value is given to.

    Args:
        name: Key of the filter, which is the tag's name in SQL.
        one: The filter.
        columns: What the marts hold.
        schema: Where the marts are for whoever asks.

    Raises:
        BadTag: Type and column do not fit.
    """
    if one.type not in FIELD_FILTERS or one.column is None:
        return Tag(name, "number" if one.type == "number" else "text", default=one.default)
    table, _, column = one.column.partition(".")
    kind = columns.kind(one.column)
    assert kind is not None
    default: object = one.default
    if default is not None and not one.type.startswith("date/"):
        default = [default]
    return Tag(name, "dimension", Column(table, column, kind, schema), one.type, default=default)
