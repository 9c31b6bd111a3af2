"""The CSV files of a report.

What belongs here: RFC 4180, what Excel needs to read it, and one archive of several files. What does not: which tables
(`dashboards.reports.plain`).

Each table is a file of UTF-8 with a byte order mark, without which Excel reads accents and Japanese wrongly. Numbers
have a point and no other sign whatever the language: CSV is for programs, XLSX for people. Percentages are fractions. A
text that a spreadsheet would take for a formula begins with an apostrophe.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from dashboards.reports.document import Document
from dashboards.reports.plain import Sheet, is_formula, sheets_of
from dashboards.reports.words import Words

_BEYOND = re.compile(r"[^\w]+")
_LONGEST_NAME = 60


def archive_of(document: Document, words: Words, zone: tzinfo, now: datetime) -> bytes:
    """The tables of a document as CSV files in one ZIP archive: mails with a dozen attachments are a nuisance.

    Args:
        document: What to tell.
        words: Of its language.
        zone: In which times are told.
        now: When it was written.
    """
    file = io.BytesIO()
    local = now.astimezone(zone)
    stamp = (local.year, local.month, local.day, local.hour, local.minute, local.second)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, sheet in enumerate(sheets_of(document, words, zone), start=1):
            entry = zipfile.ZipInfo(f"{number:02}-{file_stem(sheet.title) or 'table'}.csv", stamp)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, csv_of(sheet))
    return file.getvalue()


def csv_of(sheet: Sheet) -> bytes:
    """A table as CSV."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow([harmless(head) for head in sheet.heads])
    for row in sheet.rows:
        writer.writerow([_written(value) for value in row])
    return file.getvalue().encode("utf-8-sig")


def harmless(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if is_formula(text) else text


def file_stem(text: str) -> str:
    """A text as the name of a file: letters and digits of any language, in small letters."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return _BEYOND.sub("-", plain).strip("-_")[:_LONGEST_NAME].strip("-_")


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, int | float):
        return repr(value)
    return harmless(str(value))
