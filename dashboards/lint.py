"""Rules that hold across the parts of a dashboard, each broken one with file and line.

What belongs here: what can be said without a database, from the files and the columns of the marts. What does not: the
shape of a file (`dashboards.model`), whether a query runs and what it returns (the tests run each).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from dashboards.answers import Catalog, output_columns
from dashboards.checked_yaml import Finding, Place, Problem, near
from dashboards.errors import BadTag, BadTemplate, Unanswerable
from dashboards.filters import tag_of
from dashboards.library import Definition, Library, PlacedCard
from dashboards.model import FIELD_FILTERS, GRID, Card, Dashboard
from dashboards.queries import tags_in

_SECOND_LINE = 1
"""SQL in a file begins on the line below its key."""
_AXES = {"line", "area", "bar", "combo"}


def lint(library: Library, catalog: Catalog) -> tuple[Problem, ...]:
    """Everything that is wrong with the dashboards, by file and line.

    Args:
        library: From `dashboards.library.load`; its own problems come first.
        catalog: Columns of the marts, from dbt's manifest.
    """
    faulty = {finding.path[1]: finding for finding in _of_filters(library, catalog)}
    found = [*library.problems, *map(library.source.problem, faulty.values())]
    if faulty:
        return tuple(sorted(set(found)))  # Reason: whatever uses such a filter would be told as well.
    for placed in library.context:
        found += map(library.source.problem, _of_card(placed, library, catalog, None))
    for definition in library.dashboards.values():
        found += map(definition.source.problem, _of_dashboard(definition, library, catalog))
    return tuple(sorted(set(found)))


def _of_filters(library: Library, catalog: Catalog) -> Iterator[Finding]:
    for key, one in library.shared.filters.items():
        path: Place = ("filters", key)
        missing = [
            (place, column)
            for place, column in (("column", one.column), ("choices", one.choices and one.choices.column))
            if column and not catalog.kind(column)
        ]
        for place, column in missing:
            what = f"filter `{key}`: there is no column {column} in the marts"
            yield Finding((*path, place), what, near(column, catalog.columns()))
        if (one.type in FIELD_FILTERS) != (one.column is not None):
            mend = "name the column that it compares" if one.type in FIELD_FILTERS else "leave `column` out"
            yield Finding((*path, "type"), f"filter `{key}` is of type {one.type}", mend)
        elif not missing:
            try:
                tag_of(key, one, catalog, None)
            except BadTag as error:
                yield Finding((*path, "type"), error.message, error.mend)


def _of_dashboard(definition: Definition, library: Library, catalog: Catalog) -> Iterator[Finding]:
    dashboard = definition.dashboard
    for number, key in enumerate(dashboard.filters):
        if key not in library.shared.filters:
            mend = near(key, library.shared.filters) or "declare it in shared.yml"
            yield Finding(("filters", number), f"there is no filter `{key}`", mend)
    for key in dashboard.defaults:
        if key not in dashboard.filters:
            yield Finding(
                ("defaults", key), f"`{key}` is no filter of this dashboard", "add it to `filters`", at_key=True
            )
    yield from _twice(("tabs",), [tab.key for tab in dashboard.tabs], "tab")
    seen: dict[str, Place] = {placed.card.key: () for placed in library.context}
    for placed in definition.cards:
        if placed.card.key in seen:
            yield Finding((*placed.path, "key"), f"there is a card `{placed.card.key}` already", "choose another key")
        seen[placed.card.key] = placed.path
        yield from _of_card(placed, library, catalog, dashboard)
    for tab_number, tab in enumerate(dashboard.tabs):
        for row_number, row in enumerate(tab.rows):
            width = sum(card.width for card in row.cards)
            if width > GRID:
                what = f"the cards of this row are {width} columns wide, and the grid has {GRID}"
                place: Place = ("tabs", tab_number, "rows", row_number, "cards")
                yield Finding(place, what, "make some of them narrower", at_key=True)
    used = {use for placed in (*definition.cards, *library.context) for use in _names(placed.sql)}
    for number, key in enumerate(dashboard.filters):
        if key in library.shared.filters and key not in used:
            yield Finding(
                ("filters", number), f"no card uses the filter `{key}`", "leave it out, or use {{" + key + "}}"
            )


def _names(sql: str) -> set[str]:
    try:
        return {use.name for use in tags_in(sql)}
    except BadTemplate:
        return set()


def _twice(path: Place, keys: list[str], what: str) -> Iterator[Finding]:
    for number, key in enumerate(keys):
        if key in keys[:number]:
            yield Finding((*path, number, "key"), f"there is a {what} `{key}` already", "choose another key")


def _of_card(placed: PlacedCard, library: Library, catalog: Catalog, dashboard: Dashboard | None) -> Iterator[Finding]:
    card, sql_place = placed.card, (*placed.path, "sql")
    try:
        uses = tags_in(placed.sql)
    except BadTemplate as error:
        yield _in_sql(placed, error)
        return
    known = library.shared.filters
    undeclared = [use for use in uses if use.name not in known]
    for use in undeclared:
        mend = near(use.name, known) or "declare it in shared.yml"
        yield Finding(sql_place, f"card `{card.key}`: {{{{{use.name}}}}} is no filter", mend)
    for use in uses:
        if dashboard is not None and use.name in known and use.name not in dashboard.filters:
            yield Finding(
                sql_place,
                f"card `{card.key}` uses {{{{{use.name}}}}}, which the dashboard does not offer",
                f"add {use.name} to `filters`, or take it out of the card",
            )
    if undeclared:
        return
    try:
        columns = output_columns(placed.sql, library.shared, catalog)
    except Unanswerable as error:
        yield Finding(sql_place, f"card `{card.key}`: {error.message}", error.mend)
        return
    yield from _of_chart(placed, columns, library)
    if dashboard is not None:
        yield from _of_links(placed, columns, library)


def _in_sql(placed: PlacedCard, error: BadTemplate) -> Finding:
    """Where it stands in the file: a text without fragments has the same lines there."""
    finding = Finding((*placed.path, "sql"), f"card `{placed.card.key}`: {error.message}", error.mend)
    if placed.sql.rstrip() != placed.card.sql.rstrip():
        return finding
    return replace(finding, below=error.line - 1 + _SECOND_LINE)


def _of_chart(placed: PlacedCard, columns: list[str], library: Library) -> Iterator[Finding]:
    card = placed.card
    for what, path in _needed(card):
        yield Finding((*placed.path, path), f"card `{card.key}`: {what}", "see `Card` in dashboards/model.py")
    for name, place in _mentioned(card):
        if name not in columns:
            mend = near(name, columns) or f"it returns {', '.join(columns)}"
            yield Finding((*placed.path, *place), f"card `{card.key}`: its SQL returns no column {name}", mend)
    formats: Mapping[str, str] = {**library.shared.formats, **card.formats}
    shown = card.columns or columns
    money = [name for name in shown if formats.get(name) == "money" and name in columns]
    if money and "currency" not in columns:
        what = f"card `{card.key}`: {', '.join(money)} is money, and no column says in which currency"
        yield Finding((*placed.path, "sql"), what, "return a column `currency`, or give it another format")


def _needed(card: Card) -> Iterator[tuple[str, str]]:
    """What the chart lacks, and where to write it."""
    chart = card.chart
    if chart in _AXES | {"row", "pie", "funnel", "scatter", "heatmap", "trend"} and card.x is None:
        yield f"a {chart} needs `x`", "chart"
    if chart in _AXES and not card.y:
        yield f"a {chart} needs `y`", "chart"
    if chart in {"row", "pie", "funnel", "scatter", "heatmap", "trend", "scalar"} and len(card.y) != 1:
        yield f"a {chart} needs one measure in `y`", "chart"
    if chart == "heatmap" and card.series is None:
        yield "a heatmap needs `series`, whose values are its rows", "chart"
    if chart == "combo" and card.measures.keys() != set(card.y):
        yield "a combo needs `measures` for each of `y`", "chart"
    if chart != "combo" and card.measures:
        yield f"a {chart} has no `measures`", "measures"
    if chart != "table" and (card.columns or card.bars or card.scales):
        yield f"`columns`, `bars` and `scales` are of tables, and this is a {chart}", "chart"
    if card.series is not None and len(card.y) > 1:
        yield "with `series` there is one measure in `y`", "series"


def _mentioned(card: Card) -> Iterator[tuple[str, Place]]:
    for name, place in ((card.x, ("x",)), (card.series, ("series",)), (card.size, ("size",))):
        if name is not None:
            yield name, place
    for listed in ("y", "columns", "bars"):
        yield from ((name, (listed, number)) for number, name in enumerate(getattr(card, listed)))
    for keyed in ("titles", "formats", "links", "measures"):
        yield from ((name, (keyed, name)) for name in getattr(card, keyed))
    yield from ((scale.column, ("scales", number)) for number, scale in enumerate(card.scales))


def _of_links(placed: PlacedCard, columns: list[str], library: Library) -> Iterator[Finding]:
    card = placed.card
    for column, link in card.links.items():
        path: Place = (*placed.path, "links", column)
        name = f"card `{card.key}`, link of {column}"
        if (link.dashboard is None) == (link.url is None):
            yield Finding(path, f"{name}: it has both or neither of `dashboard` and `url`", "write one of them")
        if link.url is not None and link.url not in columns:
            yield Finding((*path, "url"), f"{name}: its SQL returns no column {link.url}", near(link.url, columns))
        if link.dashboard is None:
            continue
        target = library.dashboards.get(link.dashboard)
        if target is None:
            mend = near(link.dashboard, library.dashboards)
            yield Finding((*path, "dashboard"), f"{name}: there is no dashboard `{link.dashboard}`", mend)
            continue
        if link.tab is not None and link.tab not in {tab.key for tab in target.dashboard.tabs}:
            yield Finding((*path, "tab"), f"{name}: `{link.dashboard}` has no tab `{link.tab}`")
        for key, value in link.filters.items():
            if key not in target.dashboard.filters:
                yield Finding((*path, "filters", key), f"{name}: `{link.dashboard}` has no filter `{key}`", at_key=True)
            if value not in columns:
                yield Finding(
                    (*path, "filters", key), f"{name}: its SQL returns no column {value}", near(value, columns)
                )
