"""The state of a page as an address, and back.

What belongs here: filters as a query, drill links, which addresses may be linked to. What does not: what a filter's
value means (`dashboards.queries`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from dashboards.answering import filters_of
from dashboards.errors import WrongValue
from dashboards.library import Definition, Library
from dashboards.model import Filter, Link

TAB = "tab"
"""The name of the tab in an address; no filter has it."""
_LISTS = frozenset({"string/=", "number/="})


class Places(Protocol):
    """Where pages are, from where the reader is."""

    def page(self, dashboard: str) -> str:
        """The address of a dashboard of the same space, without a query."""


def values_of(query: Iterable[tuple[str, str]], filters: Mapping[str, Filter]) -> dict[str, Any]:
    """The values of filters that an address holds.

    Args:
        query: Names and values, in order; `tab` is none of them.
        filters: Those of the dashboard.

    Returns:
        Values as `dashboards.answering.statements` takes them: a list for filters that take several; None for a filter
        that is set to nothing (`date=`).

    Raises:
        WrongValue: The dashboard has no such filter, or one that takes one value has several.
    """
    found: dict[str, Any] = {}
    for name, value in query:
        if name == TAB:
            continue
        if name not in filters:
            raise WrongValue("this dashboard has no such filter", "take it out of the address", tag=name)
        if filters[name].type in _LISTS:
            held = found.setdefault(name, [])
            if value:
                held.append(value)
        elif name in found:
            raise WrongValue("it takes one value", "take the others out of the address", tag=name)
        else:
            found[name] = value or None
    return {name: value if value != [] else None for name, value in found.items()}


def query_of(values: Mapping[str, Any], tab: str | None = None) -> str:
    """The query of an address that holds these values, with `?`; empty for none."""
    pairs: list[tuple[str, str]] = [(TAB, tab)] if tab else []
    for name, value in values.items():
        several = value if isinstance(value, list) else [value]
        pairs += [(name, "" if one is None else str(one)) for one in several]
    return f"?{urlencode(pairs)}" if pairs else ""


def drill_address(
    link: Link,
    record: Mapping[str, Any],
    library: Library,
    values: Mapping[str, Any],
    places: Places,
) -> str | None:
    """Where a click on a row's value leads; None if nowhere.

    Args:
        link: Of the column.
        record: The row.
        library: All dashboards.
        values: Filters as they are set here.
        places: Where pages are.
    """
    if link.url is not None:
        return outside_address(record.get(link.url))
    target = library.dashboards.get(link.dashboard or "")
    if target is None:
        return None
    offered = filters_of(library, target)
    kept = {name: value for name, value in values.items() if name in link.keep and name in offered}
    for name, column in link.filters.items():
        value = record.get(column)
        if name in offered and value is not None:
            kept[name] = [str(value)] if offered[name].type in _LISTS else str(value)
    return places.page(target.key) + query_of(kept, link.tab or first_tab(target))


def outside_address(value: object) -> str | None:
    """An address in the data, if it is one that a page may lead to: no `javascript:`, no file."""
    if not isinstance(value, str):
        return None
    try:
        parts = urlsplit(value.strip())
    except ValueError:
        return None
    return value.strip() if parts.scheme in ("http", "https") and parts.netloc else None


def first_tab(definition: Definition) -> str:
    """The key of the tab that opens first."""
    return definition.dashboard.tabs[0].key
