"""The HTML part of a report's mail.

What belongs here: a document as HTML that Gmail and Outlook show as it is meant: tables for the layout, styles on the
elements, pictures by Content-ID, no request to anywhere. What does not: what it says (`dashboards.reports.compose`).

Gmail cuts a message off at 102 KB of HTML, so tables become shorter until it fits. Everything is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dashboards.reports.document import Chart, Document, Figures, Message, Table
from dashboards.reports.fitting import Fitted, fitted
from dashboards.reports.model import Image
from dashboards.reports.text import more_text
from dashboards.reports.words import Words

MOST_BYTES = 100_000
"""Of UTF-8; Gmail clips at 102 kB, and mail servers add a little on the way."""
_TEMPLATES = Path(__file__).with_name("templates")
_ROWS = (10, 6, 3, 1, 0)
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
    images = images_of(document)
    cids: Mapping[int, str] = {id(chart): image.cid for chart, image in zip(document.charts, images, strict=True)}
    html = ""
    for rows in _ROWS:

        def fit(table: Table, most: int = rows) -> Fitted:
            return fitted(table, _ROOM, _GAP, most)

        html = _environment().get_template("mail.html").render(
            document=document,
            words=words,
            fit=fit,
            more_text=more_text,
            cid=lambda chart: cids[id(chart)],
            has_files=has_files,
        ).strip()  # fmt: skip
        if len(html.encode()) <= MOST_BYTES:
            break
    return html, images


def images_of(document: Document) -> tuple[Image, ...]:
    """The pictures of a document, in order."""
    return tuple(
        Image(f"chart{number}@report", chart.png, chart.alt) for number, chart in enumerate(document.charts, start=1)
    )


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    kinds = {"table": Table, "chart": Chart, "figures": Figures, "message": Message}
    environment.tests.update({name: lambda value, kind=kind: isinstance(value, kind) for name, kind in kinds.items()})
    return environment
