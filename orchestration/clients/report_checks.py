"""Rules of a report in `clients.yml`: that what it names exists.

What belongs here: accounts, dashboards, tabs, cards and metrics that a report names, read from the plain data. What
does not: single values (`values`), rules of other entries (`checks`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from dashboards.checked_yaml import near
from dashboards.errors import FaultyDefinitions
from dashboards.library import Definition, Library, load
from orchestration.clients.problems import Finding, Place, show
from orchestration.clients.values import parse_account_id


def check_report(path: Place, report: dict[str, Any], client: dict[str, Any]) -> Iterator[Finding]:
    """Yields what a report names and nobody has.

    Args:
        path: Where the report stands.
        report: Its plain data; anything in it may have the wrong type.
        client: That of the client that it belongs to.
    """
    yield from _accounts((*path, "accounts"), report.get("accounts"), client)
    yield from _metrics((*path, "custom_metrics"), report.get("custom_metrics"), client)
    yield from _twice((*path, "recipients"), report.get("recipients"))
    yield from _twice((*path, "attachments"), report.get("attachments"))
    sections = report.get("sections")
    for position, section in enumerate(sections if isinstance(sections, list) else []):
        yield from _section((*path, "sections", position), section)


def _accounts(path: Place, names: Any, client: dict[str, Any]) -> Iterator[Finding]:
    known: dict[str, str] = {}
    for account in _mappings(client.get("accounts")):
        digits = _digits(account.get("id"))
        for name in (account.get("name"), account.get("imported"), f"act_{digits}" if digits else None, digits):
            if isinstance(name, str):
                known[name.strip()] = name
    shown = [name for name in known if not name.isdigit()]
    for position, name in enumerate(names if isinstance(names, list) else []):
        text = str(name) if isinstance(name, int | str) and not isinstance(name, bool) else None
        if text is not None and text not in known:
            mend = near(text, known) or f"this client has {', '.join(shown) or 'no accounts'}"
            yield Finding((*path, position), f"{show(path)}: this client has no account {text}", mend)


def _metrics(path: Place, names: Any, client: dict[str, Any]) -> Iterator[Finding]:
    known = [one["name"] for one in _mappings(client.get("custom_metrics")) if isinstance(one.get("name"), str)]
    for position, name in enumerate(names if isinstance(names, list) else []):
        if isinstance(name, str) and name not in known:
            mend = near(name, known) or (
                f"this client declares {', '.join(known)}"
                if known
                else "declare it under custom_metrics of this client"
            )
            yield Finding((*path, position), f"{show(path)}: this client has no custom metric {name}", mend)


def _twice(path: Place, entries: Any) -> Iterator[Finding]:
    seen = set()
    for position, entry in enumerate(entries if isinstance(entries, list) else []):
        if isinstance(entry, str):
            if entry.lower() in seen:
                yield Finding((*path, position), f"{show(path)}: {entry} is listed twice", "remove one of the two")
            seen.add(entry.lower())


def _section(path: Place, section: Any) -> Iterator[Finding]:
    named = section if isinstance(section, dict) else {"dashboard": section}
    at: Place = (*path, "dashboard") if isinstance(section, dict) else path
    key = named.get("dashboard")
    library = _library()
    if not isinstance(key, str) or library is None:
        return
    definition = library.dashboards.get(key)
    if definition is None:
        # Reason: a file that cannot be read is told by its own check, and its dashboard may well exist.
        if not any(problem.file == f"{key}.yml" for problem in library.problems):
            yield Finding(at, f"{show(at)}: there is no dashboard {key}", _mend(key, library.dashboards))
        return
    yield from _cards(path, named, definition)


def _cards(path: Place, section: dict[str, Any], definition: Definition) -> Iterator[Finding]:
    tab, cards = section.get("tab"), section.get("cards")
    tabs = [one.key for one in definition.dashboard.tabs]
    if isinstance(tab, str) and tab not in tabs:
        at = (*path, "tab")
        yield Finding(at, f"{show(at)}: dashboard {definition.key} has no tab {tab}", _mend(tab, tabs))
        return
    there = [one.card.key for one in definition.cards if tab is None or one.tab == tab]
    where = f"dashboard {definition.key}" if tab is None else f"tab {tab} of dashboard {definition.key}"
    for position, card in enumerate(cards if isinstance(cards, list) else []):
        if isinstance(card, str) and card not in there:
            at = (*path, "cards", position)
            yield Finding(at, f"{show(at[:-1])}: {where} has no card {card}", _mend(card, there))


def _mend(word: str, known: Iterable[str]) -> str:
    known = list(known)
    return near(word, known) or f"write one of {', '.join(known)}"


def _mappings(entries: Any) -> list[dict[str, Any]]:
    return [one for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []


def _digits(value: Any) -> str | None:
    try:
        return str(parse_account_id(value))
    except ValueError:
        return None  # The account's own check says what is wrong with it.


@lru_cache(maxsize=1)
def _library() -> Library | None:
    """The dashboards that ship; None where they cannot be read, of which whoever shows them tells."""
    try:
        return load()
    except FaultyDefinitions:
        return None
