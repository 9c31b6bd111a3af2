"""A report before it has a form: what stands in it, in order, in words.

What belongs here: value types that HTML, text, PDF, XLSX and CSV are all made from, so that they cannot say different
things. What does not: where it comes from (`dashboards.reports.compose`), how it looks.

Texts are written for the reader; beside each number stands its value, for files that calculate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from dashboards.model import Format

Verdict = Literal["good", "bad", "neither"]


@dataclass(frozen=True)
class Cell:
    """A value.

    Attributes:
        text: As people read it.
        value: As psycopg gave it.
        currency: Of money.
    """

    text: str
    value: Any = None
    currency: str | None = None


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        title: What people read.
        form: How its values are written.
        is_number: Whether they stand on the right.
        is_change: Whether they say how another column changed.
    """

    title: str
    form: Format
    is_number: bool
    is_change: bool = False


@dataclass(frozen=True)
class Table:
    """A table with all its rows; each form shows as many as it has room for.

    Attributes:
        title: Heading.
        columns: In the order of importance to the left.
        rows: Cells by row.
        is_cut: Whether there are more rows than these.
        note: What is to be known about it.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    is_cut: bool = False
    note: str = ""


@dataclass(frozen=True)
class Chart:
    """A picture of a table.

    Attributes:
        title: Heading.
        svg: As Vega draws it; its texts are in the report's font.
        png: The same, at twice its size.
        width: In pixels of a page.
        height: In pixels of a page.
        alt: It in words.
        table: What it is drawn from.
        note: What is to be known about it.
    """

    title: str
    svg: str
    png: bytes
    width: int
    height: int
    alt: str
    table: Table
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A number by itself, with the one before.

    Attributes:
        title: What it is.
        now: It.
        before: The same of the period before; None where nothing is compared.
        change: How much more, as a fraction; its text has a sign. None where that says nothing.
        verdict: Whether that is good.
        form: How it is written.
    """

    title: str
    now: Cell
    before: Cell | None
    change: Cell | None
    verdict: Verdict
    form: Format


@dataclass(frozen=True)
class Figures:
    """Numbers beside each other.

    Attributes:
        title: Heading; empty where there is but one such block.
        figures: In order.
        note: Whose they are.
    """

    title: str
    figures: tuple[Figure, ...]
    note: str = ""


@dataclass(frozen=True)
class Message:
    """Words in the place of something that has no rows, or no answer."""

    title: str
    text: str


Block = Table | Chart | Figures | Message


@dataclass(frozen=True)
class Part:
    """A section.

    Attributes:
        title: Heading.
        blocks: From top to bottom.
    """

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Lines:
    """Sentences under a heading; each is a paragraph of its own."""

    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Document:
    """A report.

    Attributes:
        language: Of its words.
        subject: One line with the headline.
        title: Heading of the whole.
        client: Whose.
        days: The period, in words.
        compared: The period before, in words.
        greeting: Paragraphs of whoever sends it.
        figures: The headline figures, by currency where money cannot be one.
        changes: What changed, and where it came from.
        events: What happened.
        notes: What must be known before the numbers are believed; shown above them.
        details: Contributions by campaign; only in files.
        parts: The sections.
        facts: Titles and values about the numbers.
        problems: What is missing.
        footer: How the numbers were made.
        link: Where there is more; None without a site.
    """

    language: str
    subject: str
    title: str
    client: str
    days: str
    compared: str
    greeting: tuple[str, ...]
    figures: tuple[Figures, ...]
    changes: tuple[Lines, ...]
    events: Lines
    notes: tuple[str, ...]
    details: tuple[Table, ...]
    parts: tuple[Part, ...]
    facts: tuple[tuple[str, str], ...]
    problems: tuple[str, ...]
    footer: str
    link: str | None = None
    charts: tuple[Chart, ...] = field(init=False)

    def __post_init__(self) -> None:
        found = tuple(block for part in self.parts for block in part.blocks if isinstance(block, Chart))
        object.__setattr__(self, "charts", found)
