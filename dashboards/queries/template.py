"""The template language of Metabase's native queries: text, `{{tags}}` and `[[optional blocks]]`.

What belongs here: parsing with all its checks, printing, and where tags appear. What does not: how Metabase finds its
brackets (`dashboards.queries.brackets`), what PostgreSQL makes of them (`dashboards.queries.soundness`), values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from dashboards.queries.brackets import Block, Part, Reference, Text, error_at, position, read
from dashboards.queries.soundness import check_blocks


@dataclass(frozen=True, slots=True)
class Template:
    """A template that was read and found sound.

    Attributes:
        sql: The text it was read from.
        parts: What it consists of, in order.
    """

    sql: str
    parts: tuple[Part, ...]

    def references(self) -> Iterator[tuple[Reference, bool]]:
        """Every tag in it, in order, and whether it stands in an optional block."""
        for part in self.parts:
            if isinstance(part, Reference):
                yield part, False
            elif isinstance(part, Block):
                yield from ((inner, True) for inner in part.parts if isinstance(inner, Reference))


@dataclass(frozen=True, slots=True)
class Appearance:
    """A place in a template where a tag stands.

    Attributes:
        line: Counted from 1.
        column: In characters, counted from 1.
        is_optional: Whether it is in an optional block.
    """

    line: int
    column: int
    is_optional: bool


@dataclass(frozen=True, slots=True)
class TagUse:
    """A tag that a template names.

    Attributes:
        name: Its name.
        appearances: Where, in order; at least one.
    """

    name: str
    appearances: tuple[Appearance, ...]

    @property
    def is_outside_blocks(self) -> bool:
        """Whether it stands outside optional blocks somewhere: the query cannot run when a variable there is empty."""
        return any(not one.is_optional for one in self.appearances)


@lru_cache(maxsize=1024)
def parse(sql: str) -> Template:
    """Reads a template.

    Args:
        sql: The native query of a card.

    Raises:
        BadTemplate: A bracket is not closed, empty, nested or misplaced; a tag stands where no value can be bound (in a
            string, a quoted name or a comment), or refers to a snippet, another question or a function.
    """
    parts = read(sql)
    for block in (part for part in parts if isinstance(part, Block)):
        for inner in block.parts:
            if isinstance(inner, Block):
                raise error_at(
                    sql,
                    inner.start,
                    "an optional block inside another",
                    "close the first block before; blocks are one level deep",
                )
    check_blocks(sql, parts)
    return Template(sql, parts)


def tags_in(sql: str) -> tuple[TagUse, ...]:
    """The tags that a template names, in the order of their first appearance.

    Raises:
        BadTemplate: As `parse`.
    """
    found: dict[str, list[Appearance]] = {}
    for reference, is_optional in parse(sql).references():
        found.setdefault(reference.name, []).append(Appearance(*position(sql, reference.start), is_optional))
    return tuple(TagUse(name, tuple(appearances)) for name, appearances in found.items())


def render(parts: Iterable[Part]) -> str:
    """The text that parts were read from: `render(parse(sql).parts) == sql`."""
    return "".join(_source(part) for part in parts)


def _source(part: Part) -> str:
    if isinstance(part, Block):
        return f"[[{render(part.parts)}]]"
    return part.text if isinstance(part, Text) else part.source
