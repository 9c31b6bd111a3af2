"""Writes a report: the one door of this package.

What belongs here: from an order to a message that is ready to be sent. What does not: whether it should be sent, to
whom, and that it was (`orchestration.reports`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TypeVar

from dashboards.answerer import Answerer
from dashboards.answering import Space
from dashboards.library import Library
from dashboards.queries import Calendar
from dashboards.reports.asking import Asker, by_account_id
from dashboards.reports.commas import archive_of
from dashboards.reports.compose import composed
from dashboards.reports.document import Document
from dashboards.reports.html import html_of
from dashboards.reports.model import File, Message, Order
from dashboards.reports.pdf import pdf_of
from dashboards.reports.text import text_of
from dashboards.reports.words import Words, words_of
from dashboards.reports.workbook import workbook_of
from warehouse.ops.builds import newest_build

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_TRIES = 3
T = TypeVar("T")
_BEYOND = re.compile(r"[^a-z0-9]+")


def write(order: Order, space: Space, library: Library, now: datetime) -> Message:
    """Writes a report.

    Everything is asked of one build of the marts: if another one ends in the meantime, all of it is asked again.

    Args:
        order: What is wanted.
        space: Whose data.
        library: All dashboards.
        now: With a time zone; told as the time of writing.

    Returns:
        The message. What single cards did not answer is told in it and in its `problems`.

    Raises:
        ReportFailed: What the report is about could not be asked, or a file could not be made.
        DatabaseUnavailable: The database cannot be reached.
    """
    narrowed = by_account_id(library)
    calendar = Calendar.at(now, space.zone, "monday")
    with Answerer(narrowed, now=lambda: now) as answerer:
        asker = Asker(order, space, narrowed, answerer, calendar)
        document = of_one_build(lambda: composed(asker, now), lambda: newest_build(space.warehouse))
    return message_of(document, order, now)


def of_one_build(compose: Callable[[], T], newest: Callable[[], int | None]) -> T:
    """Asks until no build of the marts ended meanwhile, so that no two numbers are of two builds.

    Builds that follow each other faster than a report is asked for are not waited out: the last answer is taken.

    Args:
        compose: Asks for everything.
        newest: The number of the newest build.
    """
    build = newest()
    found = compose()
    for _ in range(_TRIES - 1):
        after = newest()
        if after == build:
            break
        build, found = after, compose()
    return found


def message_of(document: Document, order: Order, now: datetime) -> Message:
    """A document as a message.

    Args:
        document: What it says.
        order: Which files are wanted.
        now: With a time zone.

    Raises:
        ReportFailed: A file could not be made.
    """
    words = words_of(order.language)
    html, images = html_of(document, words, has_files=bool(order.attachments))
    return Message(
        document.subject,
        text_of(document, words),
        html,
        images,
        tuple(_files(document, words, order, now)),
        document.problems,
    )


def _files(document: Document, words: Words, order: Order, now: datetime) -> Iterator[File]:
    stem = file_stem(order)
    for kind in dict.fromkeys(order.attachments):
        if kind == "pdf":
            yield File(f"{stem}.pdf", "application/pdf", pdf_of(document, words, now))
        elif kind == "xlsx":
            yield File(f"{stem}.xlsx", XLSX, workbook_of(document, words, order.zone, now))
        else:
            yield File(f"{stem}-csv.zip", "application/zip", archive_of(document, words, order.zone, now))


def file_stem(order: Order) -> str:
    """The name of a report's files: client, report and days, in letters that every mail program keeps."""
    names = (_ascii(order.client), _ascii(order.name) or "report")
    days = (order.period.first.isoformat(), order.period.last.isoformat())
    return "-".join(filter(None, (*names, *dict.fromkeys(days))))


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().casefold()
    return _BEYOND.sub("-", plain).strip("-")[:40].strip("-")
