"""Declarations of template tags: what a tag is, what it is bound to, what it is without a value.

What belongs here: the declarations and what makes one contradictory. What does not: values
(`dashboards.queries.values`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

from dashboards.errors import BadTag
from dashboards.queries.fragments import Fragment, is_name_path, literal, quoted

TagType = Literal["text", "number", "date", "boolean", "dimension", "temporal-unit"]
ColumnKind = Literal["text", "integer", "number", "boolean", "date", "timestamp", "timestamptz"]

DATE_WIDGETS = frozenset(
    ("date/single", "date/range", "date/month-year", "date/quarter-year", "date/relative", "date/all-options")
)
PATTERN_WIDGETS = frozenset(("string/contains", "string/does-not-contain", "string/starts-with", "string/ends-with"))
PLAIN_WIDGETS = frozenset(
    ("id", "category", "location/city", "location/state", "location/zip_code", "location/country")
)
_EQUALITY = frozenset(("string/=", "string/!="))
_NUMBER = frozenset(("number/=", "number/!=", "number/>=", "number/<=", "number/between"))
_BOOLEAN = frozenset(("boolean/=",))
WIDGETS = DATE_WIDGETS | PATTERN_WIDGETS | PLAIN_WIDGETS | _EQUALITY | _NUMBER | _BOOLEAN

_TEMPORAL: frozenset[ColumnKind] = frozenset(("date", "timestamp", "timestamptz"))
_NUMERIC: frozenset[ColumnKind] = frozenset(("integer", "number"))
_FITTING: tuple[tuple[frozenset[str], frozenset[ColumnKind]], ...] = (
    (DATE_WIDGETS, _TEMPORAL),
    (PATTERN_WIDGETS, frozenset(("text",))),
    (_EQUALITY, _NUMERIC | {"text"}),
    (_NUMBER, _NUMERIC),
    (_BOOLEAN, frozenset(("boolean",))),
    (PLAIN_WIDGETS, _NUMERIC | {"text", "boolean"}),
)
_NAME = re.compile(r"[A-Za-z0-9_.]+")


@dataclass(frozen=True, slots=True)
class Column:
    """The column that a field filter or a time grouping is bound to.

    Attributes:
        table: Name of the table or view, as the database has it.
        column: Name of the column, as the database has it.
        kind: What it holds; `integer` and `number` differ in nothing but their name, `timestamptz` is
            `timestamp with time zone`.
        schema: Name of the schema; None leaves it to the search path.
    """

    table: str
    column: str
    kind: ColumnKind
    schema: str | None = None


@dataclass(frozen=True, slots=True)
class Tag:
    """A template tag.

    Attributes:
        name: What stands between the braces.
        type: `text`, `number`, `date`, `boolean`: a variable; `dimension`: a field filter; `temporal-unit`: a time
            grouping.
        column: What a field filter or a time grouping is bound to.
        widget: Metabase's widget type; only of field filters.
        alias: How the query calls the column, e.g. `p.day`; stands in place of schema, table and column.
        default: Value where none is given; a list for the widgets that take lists.
        required: Whether an empty value means the default, and is an error where there is none.
        case_sensitive: Whether `string/contains` and its like tell capitals from small letters.

    Raises:
        BadTag: It contradicts itself, or Metabase would ignore a part of it.
    """

    name: str
    type: TagType
    column: Column | None = None
    widget: str | None = None
    alias: str | None = None
    default: Any = None
    required: bool = False
    case_sensitive: bool = True

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise BadTag(self.name, "its name may hold letters, digits, `_` and `.`", "rename it")
        if self.type not in get_args(TagType):
            known = ", ".join(f"`{one}`" for one in get_args(TagType))
            raise BadTag(self.name, f"type `{self.type}` is not supported", f"use one of {known}")
        self._check_binding()
        self._check_default()

    @property
    def is_variable(self) -> bool:
        """Whether its value stands for itself, and not for a condition or an expression on a column."""
        return self.type not in ("dimension", "temporal-unit")

    def column_sql(self) -> Fragment:
        """How the query names the column.

        Only for field filters and time groupings.
        """
        assert self.column is not None
        if self.alias is not None:
            return literal(self.alias)
        names = (self.column.schema, self.column.table, self.column.column)
        return quoted([name for name in names if name is not None])

    def _check_binding(self) -> None:
        if self.is_variable:
            if self.column is not None or self.widget is not None or self.alias is not None:
                raise BadTag(
                    self.name,
                    f"a {self.type} variable has no column, widget or alias",
                    "drop them, or make it a field filter (type `dimension`)",
                )
        elif self.column is None:
            raise BadTag(self.name, f"type `{self.type}` needs a column", "name schema, table, column and kind")
        elif self.column.kind not in get_args(ColumnKind):
            known = ", ".join(f"`{one}`" for one in get_args(ColumnKind))
            raise BadTag(self.name, f"kind `{self.column.kind}` of its column is not known", f"use one of {known}")
        elif self.type == "temporal-unit":
            if self.widget is not None:
                raise BadTag(self.name, "a time grouping has no widget", "drop it")
            if self.column.kind not in _TEMPORAL:
                raise BadTag(self.name, f"its column is of kind `{self.column.kind}`", "bind it to a date or timestamp")
        else:
            self._check_widget(self.column.kind)
        if self.alias is not None and not is_name_path(self.alias):
            raise BadTag(self.name, f"alias {self.alias!r} is no column", "write e.g. `p.day`")
        if not self.case_sensitive and self.widget not in PATTERN_WIDGETS:
            raise BadTag(
                self.name,
                "only contains, does-not-contain, starts-with and ends-with can ignore capitals",
                "leave `case_sensitive` out",
            )

    def _check_widget(self, kind: ColumnKind) -> None:
        if self.widget not in WIDGETS:
            known = ", ".join(f"`{one}`" for one in sorted(WIDGETS))
            raise BadTag(self.name, f"widget `{self.widget}` is not supported", f"use one of {known}")
        for widgets, kinds in _FITTING:
            if self.widget in widgets and kind not in kinds:
                fitting = ", ".join(f"`{one}`" for one in sorted(kinds))
                raise BadTag(
                    self.name,
                    f"widget `{self.widget}` does not fit a column of kind `{kind}`",
                    f"take another widget, or a column of kind {fitting}",
                )

    def _check_default(self) -> None:
        if isinstance(self.default, list | tuple) and all(one is None for one in self.default):
            raise BadTag(self.name, "its default is an empty list", "leave it out, or give it a value")
        # Reason: Metabase asks whether the default is true, so that of a boolean variable it only sees true.
        if self.default is False:
            raise BadTag(
                self.name,
                "Metabase does not take a bare false for a default",
                "turn the condition round, so that the default is true"
                if self.is_variable
                else "write it as a list: [false]",
            )
