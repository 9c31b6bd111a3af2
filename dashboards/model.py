"""The shape of a dashboard's file and of `shared.yml`.

What belongs here: keys, types and defaults; every model refuses unknown keys. What does not: rules across entries
(`dashboards.lint`), line numbers (`dashboards.checked_yaml`), reading (`dashboards.load`).

Words are Metabase's where it has one: a filter of a dashboard is its parameter, a tag is `{{name}}` in a card's SQL.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    StringConstraints,
    Tag,
)

GRID = 24
"""Columns of Metabase's grid; cards beside each other share them."""

Key = Annotated[StrictStr, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
Column = Annotated[StrictStr, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]
TableColumn = Annotated[StrictStr, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*$")]
Text = Annotated[StrictStr, StringConstraints(min_length=1)]

FilterType = Literal["date/all-options", "date/single", "string/=", "number/=", "text", "number"]
"""The types that we use, as Metabase spells them: field filters, then plain variables."""
FIELD_FILTERS = frozenset({"date/all-options", "date/single", "string/=", "number/="})

Chart = Literal[
    "trend", "line", "area", "bar", "row", "combo", "pie", "funnel", "scatter", "table", "heatmap", "scalar"
]
Format = Literal[
    "money", "percent", "multiple", "integer", "decimal", "text", "date", "datetime", "hours", "image", "link"
]
"""How a column is shown.

`money` is in major units of the currency that the row's column `currency` names; `percent` shows a fraction; `multiple`
a factor such as ROAS.
"""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Choices(_Entry):
    """Where the values of a filter come from: a column of a mart, or a list.

    Attributes:
        column: `table.column` of the schema of marts; its distinct values.
        values: The values themselves.
    """

    column: TableColumn | None = None
    values: list[StrictStr] = Field(default_factory=list)


class Filter(_Entry):
    """A filter, the same on all dashboards that have it.

    Attributes:
        title: What people see.
        type: Metabase's type of the parameter.
        column: `table.column` that a field filter compares; None for a plain variable.
        default: Its value when nobody chose one, in Metabase's notation, e.g. `past30days`.
        choices: What it offers; None where people type.
        about: A sentence for whoever wonders what it does.
    """

    title: Text
    type: FilterType
    column: TableColumn | None = None
    default: StrictStr | None = None
    choices: Choices | None = None
    about: Text | None = None


class Link(_Entry):
    """Where a click on a column leads: to another dashboard with filters set, or to the address in a column.

    Attributes:
        dashboard: Key of the other dashboard.
        tab: Key of its tab; the first one if left out.
        filters: Filters of that dashboard, each with the column whose value it takes.
        keep: Filters that go along as they are set here.
        url: The column that holds an address.
    """

    dashboard: Key | None = None
    tab: Key | None = None
    filters: dict[Key, Column] = Field(default_factory=dict)
    keep: list[Key] = Field(default_factory=lambda: ["date", "client", "account", "currency"])
    url: Column | None = None


class Series(_Entry):
    """How one measure of a chart is drawn.

    Attributes:
        display: For `combo`: as line, bar or area.
        axis: The axis on the left, or one of its own on the right.
        title: In the legend; the column's title if left out.
    """

    display: Literal["line", "bar", "area"] = "line"
    axis: Literal["left", "right"] = "left"
    title: Text | None = None


class Scale(_Entry):
    """Colours of a table's cells by value, from the worst to the best.

    Attributes:
        column: The numbers.
        good: Whether high numbers are good, or low ones.
    """

    column: Column
    good: Literal["high", "low"] = "high"


class Card(_Entry):
    """A question and how its answer is shown.

    Attributes:
        key: Unique in its dashboard; keeps the card the same one when title or SQL change.
        title: What people see above it.
        about: A sentence behind the card's sign for information.
        width: Columns of the grid.
        chart: How the answer is drawn.
        sql: One SELECT on marts with Metabase's tags; `${name}` stands for a fragment of `shared.yml`.
        x: The column along the axis, of the slices or of the steps; for `heatmap` its columns.
        y: The measures; for `heatmap` the one in the cells, for `trend` and `scalar` the number.
        series: The column whose values make a line each; for `heatmap` its rows.
        size: For `scatter`: the column that gives the size of a point.
        stacked: Whether areas and bars stand upon each other.
        measures: How measures are drawn, by column.
        good: For `trend`: whether more is good, bad, or neither.
        columns: For `table`: the columns to show, in order; all if left out.
        titles: Titles of columns, where the usual one does not fit.
        formats: Formats of columns, where the usual one does not fit.
        bars: For `table`: columns with a small bar behind the number.
        scales: For `table`: columns whose cells are coloured.
        links: Where clicks lead, by column.
        empty: What to show instead of an empty answer.
        rows: At most so many rows; a longer answer says that it was cut.
    """

    key: Key
    title: Text
    about: Text | None = None
    width: Annotated[StrictInt, Field(ge=1, le=GRID)]
    chart: Chart
    sql: Text
    x: Column | None = None
    y: list[Column] = Field(default_factory=list)
    series: Column | None = None
    size: Column | None = None
    stacked: StrictBool = False
    measures: dict[Column, Series] = Field(default_factory=dict)
    good: Literal["more", "less", "neither"] = "neither"
    columns: list[Column] = Field(default_factory=list)
    titles: dict[Column, Text] = Field(default_factory=dict)
    formats: dict[Column, Format] = Field(default_factory=dict)
    bars: list[Column] = Field(default_factory=list)
    scales: list[Scale] = Field(default_factory=list)
    links: dict[Column, Link] = Field(default_factory=dict)
    empty: Text = "Nothing to show for these filters."
    rows: Annotated[StrictInt, Field(ge=1, le=2000)] = 500


class Words(_Entry):
    """Text in the place of a card.

    Attributes:
        text: Markdown: paragraphs, lists, emphasis, links.
        width: Columns of the grid.
    """

    text: Text
    width: Annotated[StrictInt, Field(ge=1, le=GRID)] = GRID


def _kind(entry: object) -> str:
    return "words" if isinstance(entry, Words) or (isinstance(entry, dict) and "text" in entry) else "card"


# Reason: with a bare union a mistake in a card would be told twice, once for each of the two that it could be.
_CardOrWords = Annotated[Annotated[Card, Tag("card")] | Annotated[Words, Tag("words")], Discriminator(_kind)]


class Row(_Entry):
    """What stands beside each other.

    Attributes:
        heading: A line above it.
        height: Rows of Metabase's grid, of about 50 pixels each.
        cards: From left to right; their widths are at most those of the grid.
    """

    heading: Text | None = None
    height: Annotated[StrictInt, Field(ge=1, le=30)] = 6
    cards: Annotated[list[_CardOrWords], Field(min_length=1)]


class Tab(_Entry):
    """A page of a dashboard.

    Attributes:
        key: Unique in its dashboard.
        title: What people see.
        rows: From top to bottom.
    """

    key: Key
    title: Text
    rows: Annotated[list[Row], Field(min_length=1)]


class Dashboard(_Entry):
    """A dashboard. Its key is the name of its file.

    Attributes:
        version: Of this format.
        title: What people see.
        about: A sentence about what it answers.
        order: Its place among the others.
        filters: Keys of filters of `shared.yml`, in order.
        defaults: Values of filters here, where the shared default does not fit.
        tabs: Its pages.
    """

    version: Literal[1]
    title: Text
    about: Text
    order: StrictInt
    filters: list[Key]
    defaults: dict[Key, StrictStr] = Field(default_factory=dict)
    tabs: Annotated[list[Tab], Field(min_length=1)]


class Shared(_Entry):
    """What all dashboards share.

    Attributes:
        version: Of this format.
        filters: By key.
        fragments: Pieces of SQL by name, used as `${name}`; a fragment may use others.
        context: The row that every page begins with: windows, currency, time zone, age of the data.
        formats: Usual formats of columns.
        titles: Usual titles of columns; others are made from the column's name.
    """

    version: Literal[1]
    filters: dict[Key, Filter]
    fragments: dict[Key, Text]
    context: list[Row]
    formats: dict[Column, Format]
    titles: dict[Column, Text]


ENTRIES = (Shared, Dashboard, Tab, Row, Words, Card, Scale, Series, Link, Filter, Choices)
"""Every model of a file."""
