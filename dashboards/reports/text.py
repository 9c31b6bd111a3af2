"""The plain-text part of a report's mail.

What belongs here: a document as text of 78 columns (RFC 5322, 2.1.1), with tables whose columns stand under each other
in Japanese as well. What does not: what it says (`dashboards.reports.compose`).
"""

from __future__ import annotations

from collections.abc import Iterator

from wcwidth import clip, ljust, rjust, width

from dashboards.formats import ABSENT
from dashboards.reports.document import Block, Chart, Column, Document, Figures, Message, Table
from dashboards.reports.fitting import fitted
from dashboards.reports.words import Words
from dashboards.reports.wrapping import wrapped

COLUMNS = 78
_ROWS = 10
_GAP = 2


def text_of(document: Document, words: Words) -> str:
    """A document as plain text; every line is at most `COLUMNS` wide, but for an address.

    Args:
        document: What to say.
        words: Of its language.
    """
    return "\n".join(_lines(document, words)).rstrip() + "\n"


def _lines(document: Document, words: Words) -> Iterator[str]:
    yield from _heading(words.say("report_title", title=document.title, client=document.client), "=")
    yield from _paragraph(f"{document.days} ({words.say('fact_compared')}: {document.compared})")
    for line in document.greeting:
        yield from _paragraph(line)
    for note in document.notes:
        yield from _bullet(note, "! ")
    for figures in document.figures:
        yield from _figures(figures, words)
    for lines in (*document.changes, document.events):
        yield from _heading(lines.title, "-")
        for line in lines.lines:
            yield from _bullet(line)
    for part in document.parts:
        yield from _heading(part.title, "-")
        for block in part.blocks:
            yield from _block(block, words)
    yield from _heading(words.say("heading_facts"), "-")
    room = max(width(title) for title, _ in document.facts) + _GAP
    for title, value in document.facts:
        first, *rest = wrapped(value, COLUMNS - room) or [""]
        yield ljust(title, room) + first
        yield from (" " * room + line for line in rest)
    yield ""
    if document.problems:
        yield from _heading(words.say("heading_problems"), "-")
        for problem in document.problems:
            yield from _bullet(problem)
    if document.link:
        yield from (f"{words.say('open_site')}:", document.link, "")
    yield from _paragraph(document.footer)


def _heading(title: str, line: str) -> Iterator[str]:
    lines = wrapped(title, COLUMNS)
    yield from lines
    yield line * max((width(one) for one in lines), default=0)


def _paragraph(text: str) -> Iterator[str]:
    yield from wrapped(text, COLUMNS)
    yield ""


def _bullet(text: str, mark: str = "* ") -> Iterator[str]:
    yield from wrapped(text, COLUMNS, mark, "  ")
    yield ""


def _figures(figures: Figures, words: Words) -> Iterator[str]:
    if figures.title:
        yield from _heading(figures.title, "-")
    if figures.note:
        yield from _paragraph(figures.note)
    heads = ["", "", words.say("column_before"), words.say("column_change")]
    rows = [
        [
            one.title,
            one.now.text,
            one.before.text if one.before else ABSENT,
            one.change.text if one.change else ABSENT,
        ]
        for one in figures.figures
    ]
    widths = [max(width(row[place]) for row in (heads, *rows)) for place in range(len(heads))]
    widths[0] = min(widths[0], COLUMNS - sum(widths[1:]) - 3 * _GAP)
    for row in (heads, *rows):
        first = ljust(_short(row[0], widths[0]), widths[0])
        yield (" " * _GAP).join([first, *(rjust(one, room) for one, room in zip(row[1:], widths[1:], strict=True))])
    yield ""


def _block(block: Block, words: Words) -> Iterator[str]:
    if isinstance(block, Figures):
        yield from _figures(block, words)
    elif isinstance(block, Message):
        yield from _paragraph(f"{block.title}: {block.text}")
    elif isinstance(block, Chart):
        yield from _table(block.table, words)
        if block.note:
            yield from _paragraph(block.note)
    else:
        yield from _table(block, words)


def _table(table: Table, words: Words) -> Iterator[str]:
    shown = fitted(table, COLUMNS, _GAP, _ROWS, is_heading_wrapped=False)
    yield from wrapped(table.title, COLUMNS)
    yield _row([column.title for column in shown.columns], shown.columns, shown.widths)
    yield (" " * _GAP).join("-" * room for room in shown.widths)
    for row in shown.rows:
        yield _row([cell.text for cell in row], shown.columns, shown.widths)
    if shown.more != 0:
        yield more_text(shown.more, words)
    yield ""


def more_text(more: int | None, words: Words) -> str:
    """How many rows are not shown.

    Args:
        more: That; None where it is not known.
        words: Of the language.
    """
    return words.say("and_many_more") if more is None else words.count("and_more", more, str(more))


def _row(texts: list[str], columns: tuple[Column, ...], widths: tuple[int, ...]) -> str:
    told = []
    for text, column, room in zip(texts, columns, widths, strict=True):
        align = rjust if column.is_number else ljust
        told.append(align(_short(text, room), room))
    return (" " * _GAP).join(told).rstrip()


def _short(text: str, room: int) -> str:
    return text if width(text) <= room else clip(text, 0, room - 1).rstrip() + "…"
