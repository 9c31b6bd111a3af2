"""The HTML part of a report's mail.

What belongs here: a document as HTML that Gmail and Outlook show as it is meant: tables for the layout, styles on the
elements, pictures by Content-ID, no request to anywhere. What does not: what it says (`dashboards.reports.compose`).

Gmail cuts a message off at 102 KB of HTML, so tables become shorter until it fits, and after that the last charts and
tables are left out, which is said. Everything is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment

from dashboards.reports.document import Chart, Document, Figures, Message, Table
from dashboards.reports.fitting import fitted
from dashboards.reports.model import Image
from dashboards.reports.text import more_text
from dashboards.reports.words import Words
from dashboards.templating import environment_of

MOST_BYTES = 100_000
"""Of UTF-8; Gmail clips at 102 kB, and mail servers add a little on the way."""
_TEMPLATES = Path(__file__).with_name("templates")
_ROWS = (10, 6, 3)
"""Rows of a table, fewer if the message would be too long."""
_ROOM = 82
"""Characters of a line of a table, at 12 pixels."""
_GAP = 2


def html_of(document: Document, words: Words, *, has_files: bool) -> tuple[str, tuple[Image, ...]]:
    """A document as HTML, and the pictures that it names.

    Args:
        document: What to show.
        words: Of its language.
        has_files: Whether the tables come along as a whole, in files.
    """
    html = _rendered(document, words, has_files, _ROWS[0], 0)
    for rows in _ROWS[1:]:
        if len(html.encode()) <= MOST_BYTES:
            break
        html = _rendered(document, words, has_files, rows, 0)
    shown = document
    left_out = 0
    while len(html.encode()) > MOST_BYTES and any(part.blocks for part in shown.parts):
        # Reason: the subject, the figures and the sentences are what nobody may miss.
        shown, left_out = _without_last_block(shown), left_out + 1
        html = _rendered(shown, words, has_files, _ROWS[-1], left_out)
    return html, images_of(shown)


def _rendered(document: Document, words: Words, has_files: bool, rows: int, left_out: int) -> str:
    cids: Mapping[int, str] = {
        id(chart): image.cid for chart, image in zip(document.charts, images_of(document), strict=True)
    }
    template = _environment().get_template("mail.html")
    return template.render(
        document=document,
        words=words,
        fit=lambda table: fitted(table, _ROOM, _GAP, rows),
        more_text=more_text,
        cid=lambda chart: cids[id(chart)],
        has_files=has_files,
        left_out=left_out,
    ).strip()


def _without_last_block(document: Document) -> Document:
    parts = [part for part in document.parts if part.blocks]
    last = parts[-1]
    kept = (*parts[:-1], replace(last, blocks=last.blocks[:-1])) if len(last.blocks) > 1 else tuple(parts[:-1])
    return replace(document, parts=kept)


def images_of(document: Document) -> tuple[Image, ...]:
    """The pictures of a document, in order."""
    return tuple(
        Image(f"chart{number}@report", chart.png, chart.alt) for number, chart in enumerate(document.charts, start=1)
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = environment_of(_TEMPLATES)
    kinds = {"table": Table, "chart": Chart, "figures": Figures, "message": Message}
    environment.tests.update({name: lambda value, kind=kind: isinstance(value, kind) for name, kind in kinds.items()})
    return environment
