"""The PDF of a report, A4.

What belongs here: a document as data for `templates/report.typ`, and typesetting it. What does not: what it says
(`dashboards.reports.compose`).

Texts reach the template as data, never as its source, so nothing in a campaign's name can mean anything to Typst.
Typesetting reads the template and the fonts, and asks no other machine for anything.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from pathlib import Path
from typing import Any

import typst

from dashboards.errors import ReportFailed
from dashboards.reports import fonts
from dashboards.reports.document import Block, Chart, Document, Figures, Lines, Message, Table
from dashboards.reports.fitting import fitted
from dashboards.reports.text import more_text
from dashboards.reports.words import Words

_TEMPLATE = Path(__file__).with_name("templates") / "report.typ"
_ROOM = 106
"""Characters of a line of a table on A4, at 7.5 points."""
_GAP = 2
_ROWS = 60
_UNBROKEN = 18
"""Characters after which a word without a space may be broken."""
_RUN = re.compile(rf"([_/|.,;:=&?-])(?=\S)|(\S{{{_UNBROKEN}}})(?=\S)")
_SIGN = re.compile(r"[+−](?=\S)")


def pdf_of(document: Document, words: Words, now: datetime) -> bytes:
    """A document as PDF, with tags for screen readers.

    Args:
        document: What to show.
        words: Of its language.
        now: When it was written; with a time zone.

    Raises:
        ReportFailed: It cannot be typeset, which is a mistake of ours.
    """
    data = {
        "language": document.language,
        "font": fonts.FAMILY,
        "title": document.title,
        "client": document.client,
        "days": document.days,
        "compared": f"{words.say('fact_compared')}: {document.compared}",
        "greeting": list(document.greeting),
        "notes": [unbroken(one) for one in document.notes],
        "figures": [_figures(one, words) for one in document.figures],
        "lines": [_lines(one) for one in (*document.changes, document.events)],
        "parts": [
            {"title": part.title, "blocks": [_block(one, words) for one in part.blocks]} for part in document.parts
        ],
        "details": [_table(one, words) for one in document.details],
        "facts_title": words.say("heading_facts"),
        "facts": [[title, value] for title, value in document.facts],
        "problems_title": words.say("heading_problems"),
        "problems": list(document.problems),
        "footer": document.footer,
        "page": words.say("page", page="\u0001", pages="\u0002"),
    }
    try:
        return bytes(
            typst.compile(
                str(_TEMPLATE),
                root=str(_TEMPLATE.parent),
                font_paths=[str(folder) for folder in fonts.folders()],
                sys_inputs={"document": json.dumps(data, ensure_ascii=False)},
                timestamp=int(now.timestamp()),
            )
        )
    except typst.TypstError as error:
        raise ReportFailed(
            f"the PDF of {document.title!r} cannot be typeset: {str(error).splitlines()[0]}",
            "leave `pdf` out of the report's attachments until it is mended",
        ) from None


def _figures(figures: Figures, words: Words) -> dict[str, Any]:
    return {
        "kind": "figures",
        "title": figures.title,
        "note": figures.note,
        "figures": [
            {
                "title": one.title,
                "now": one.now.text,
                "change": one.change.text if one.change else "–",
                "before": words.say("before", value=one.before.text) if one.before else "",
                "verdict": one.verdict,
            }
            for one in figures.figures
        ],
    }


def _lines(lines: Lines) -> dict[str, Any]:
    return {"title": lines.title, "lines": [unbroken(one) for one in lines.lines]}


def _block(block: Block, words: Words) -> dict[str, Any]:
    if isinstance(block, Figures):
        return _figures(block, words)
    if isinstance(block, Message):
        return {"kind": "message", "title": block.title, "text": block.text}
    if isinstance(block, Chart):
        return {"kind": "chart", "title": block.title, "svg": block.svg, "alt": block.alt, "note": block.note}
    return _table(block, words)


def _table(table: Table, words: Words) -> dict[str, Any]:
    shown = fitted(table, _ROOM, _GAP, _ROWS)
    return {
        "kind": "table",
        "title": table.title,
        "heads": [column.title for column in shown.columns],
        "numbers": [column.is_number for column in shown.columns],
        "widths": list(shown.widths),
        "rows": [
            [
                cell.text if column.is_number else breakable(cell.text)
                for cell, column in zip(row, shown.columns, strict=True)
            ]
            for row in shown.rows
        ],
        "note": more_text(shown.more, words) if shown.more != 0 else table.note,
    }


def unbroken(text: str) -> str:
    """A sentence whose signs stay with their numbers."""
    return _SIGN.sub("\\g<0>\u2060", text)


def breakable(text: str) -> str:
    """A text with places where a line may end: names of campaigns are often one long word."""
    return _RUN.sub(lambda found: f"{found[0]}\u200b", text)
