"""All dashboards, read from their files, with fragments put in.

What belongs here: files to models, and mistakes that make a file unreadable. What does not: rules across entries
(`dashboards.lint`), running a card (`dashboards.queries`).

A file that is wrong is left out and told; the others are as good as before.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from dashboards.checked_yaml import CheckedYaml, Finding, Place, Problem, UnreadableYaml, findings_of, near, read
from dashboards.errors import FaultyDefinitions
from dashboards.model import ENTRIES, Card, Dashboard, Row, Shared

DEFINITIONS = Path(__file__).with_name("definitions")
_SHARED = "shared.yml"
_EXAMPLE = "see dashboards/definitions/executive_overview.yml"
_FRAGMENT = re.compile(r"\$\{([^{}]*)\}")
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class PlacedCard:
    """A card and where it stands.

    Attributes:
        card: As it was written.
        sql: Its SQL with fragments put in; tags are still in it.
        tab: Key of its tab; None for a card of the context, which every tab has.
        path: Where it stands in its file.
    """

    card: Card
    sql: str
    tab: str | None
    path: Place


@dataclass(frozen=True)
class Definition:
    """A dashboard as its file tells it.

    Attributes:
        key: The name of its file.
        dashboard: What it holds.
        cards: Its cards, in order; those of the context are not among them.
        source: Its file.
    """

    key: str
    dashboard: Dashboard
    cards: tuple[PlacedCard, ...]
    source: CheckedYaml


@dataclass(frozen=True)
class Library:
    """What could be read.

    Attributes:
        shared: What all dashboards share.
        context: The cards that every page begins with.
        dashboards: By key, in the order in which people see them.
        source: Of `shared.yml`.
        problems: Of files that could not be read; they are not among the dashboards.
    """

    shared: Shared
    context: tuple[PlacedCard, ...]
    dashboards: Mapping[str, Definition]
    source: CheckedYaml
    problems: tuple[Problem, ...] = field(default=())


def load(folder: Path = DEFINITIONS) -> Library:
    """Reads `shared.yml` and every other `.yml` file of a folder.

    Raises:
        FaultyDefinitions: There is no usable `shared.yml`, without which no other file means anything.
    """
    source, shared = _model(folder / _SHARED, Shared)
    fragments = expanded_fragments(shared, source)
    context = tuple(_placed(shared.context, fragments, source, None, ("context",)))
    found: list[Definition] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.yml")):
        if path.name == _SHARED:
            continue
        try:
            file, dashboard = _model(path, Dashboard)
            cards = tuple(
                placed
                for number, tab in enumerate(dashboard.tabs)
                for placed in _placed(tab.rows, fragments, file, tab.key, ("tabs", number, "rows"))
            )
        except FaultyDefinitions as faulty:
            problems += faulty.problems
        else:
            found.append(Definition(path.stem, dashboard, cards, file))
    found.sort(key=lambda one: (one.dashboard.order, one.key))
    return Library(shared, context, {one.key: one for one in found}, source, tuple(problems))


def _model(path: Path, model: type[_Model]) -> tuple[CheckedYaml, _Model]:
    name = path.name
    try:
        source = read(path.read_text(encoding="utf-8-sig"), name, _EXAMPLE)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise FaultyDefinitions((Problem(name, 1, 1, f"cannot be read: {reason}"),)) from None
    except UnreadableYaml as error:
        raise FaultyDefinitions((error.problem,)) from None
    if not isinstance(source.values, dict):
        raise FaultyDefinitions((Problem(name, 1, 1, "the file holds no keys", _EXAMPLE),))
    try:
        return source, model.model_validate(source.values)
    except ValidationError as error:
        told = [{**one, "loc": _without_names(one["loc"])} for one in error.errors(include_url=False)]
        findings = findings_of(told, _EXAMPLE, lambda _, key: near(key, [name for name in _KEYS if name != key]))
        raise FaultyDefinitions(tuple(sorted({source.problem(one) for one in findings}))) from None


def _without_names(path: Place) -> Place:
    """Pydantic names which of several models it tried, behind the position in a list; the text has no such part."""
    return tuple(
        part
        for number, part in enumerate(path)
        if not (part in {"card", "words"} and number and isinstance(path[number - 1], int))
    )


_KEYS = tuple(dict.fromkeys(name for model in ENTRIES for name in model.model_fields))


def _placed(
    rows: list[Row], fragments: Mapping[str, str], source: CheckedYaml, tab: str | None, path: Place
) -> Iterator[PlacedCard]:
    for row_number, row in enumerate(rows):
        for number, card in enumerate(row.cards):
            if isinstance(card, Card):
                here: Place = (*path, row_number, "cards", number)
                yield PlacedCard(card, expand_fragments(card.sql, fragments, source, (*here, "sql")), tab, here)


def expand_fragments(sql: str, fragments: Mapping[str, str], source: CheckedYaml, path: Place) -> str:
    """A card's SQL with every `${name}` replaced; lines of a fragment are indented as the place where it is put.

    Args:
        sql: As it was written.
        fragments: By name, without fragments in them.
        source: The file that it stands in.
        path: Where.

    Raises:
        FaultyDefinitions: It names a fragment that there is not.
    """

    def put(match: re.Match[str]) -> str:
        name = match[1].strip()
        if name not in fragments:
            below = sql.count("\n", 0, match.start())
            finding = Finding(
                path, f"there is no fragment ${{{name}}}", near(name, fragments) or "see shared.yml", below=below + 1
            )
            raise FaultyDefinitions((source.problem(finding),))
        before = sql[: match.start()].rpartition("\n")[2]
        indent = " " * (len(before) - len(before.lstrip()))
        return fragments[name].strip().replace("\n", f"\n{indent}")

    return _FRAGMENT.sub(put, sql)


def expanded_fragments(shared: Shared, source: CheckedYaml) -> dict[str, str]:
    """The fragments of `shared.yml`, with those put in that they use.

    Raises:
        FaultyDefinitions: One names a fragment that there is not, or itself.
    """
    done: dict[str, str] = {}
    waiting = dict(shared.fragments)
    while waiting:
        ready = {name: sql for name, sql in waiting.items() if not waiting.keys() & _used(sql)}
        if not ready:
            name = next(iter(waiting))
            circle = Finding(
                ("fragments", name), f"fragment `{name}` needs itself, by way of others", "break the circle"
            )
            raise FaultyDefinitions((source.problem(circle),))
        for name, sql in ready.items():
            done[name] = expand_fragments(sql, done, source, ("fragments", name))
            del waiting[name]
    return done


def _used(sql: str) -> set[str]:
    return {match[1].strip() for match in _FRAGMENT.finditer(sql)}
