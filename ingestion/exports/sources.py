"""Files to rows of cells.

What belongs here: telling what a file is, its encoding and separator, and streaming its rows. What does not: sheets
(`sheets.py`) and what the cells mean.

Files are read twice, so a source is a thing that can be opened again; nothing of the file stays in memory.
"""

from __future__ import annotations

import csv
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from ingestion.exports.errors import ExportRefused
from ingestion.exports.headers import score
from ingestion.exports.model import Cell
from ingestion.exports.sheets import sheet_source

HEADER_SEARCH = 25
"""Rows from the top among which the header row is looked for; titles and `sep=;` lines may stand above it."""
_EXPORT_AGAIN = "Export the table from Ads Manager as .csv or .xlsx and import that file as it is."
_LEGACY = ("cp1252", "cp932", "cp1250", "cp1254")
"""Encodings tried where a file is not Unicode: Western, Japanese, Central European, Turkish Windows."""


@dataclass(frozen=True)
class Row:
    """A row: number of its first line, of its last line, and its cells."""

    line: int
    last_line: int
    cells: list[Cell]


@dataclass(frozen=True)
class Source:
    """A file as a stream of rows that can be opened again.

    Attributes:
        open_rows: Returns all rows from the top, the header row among them.
        header_line: `line` of the header row.
        separator: Separator of a text file, None for a sheet.
        notes: What a person should know about how the file was read.
    """

    open_rows: Callable[[], Iterator[Row]]
    header_line: int
    header: list[Cell]
    separator: str | None
    notes: tuple[str, ...] = ()


def open_source(path: Path) -> Source:
    """Return a file's rows, with the header row found.

    Raises:
        ExportRefused: Not a readable text table or .xlsx workbook, empty, or without known column names.
    """
    try:
        with path.open("rb") as handle:
            head = handle.read(65536)
    except OSError as error:
        raise ExportRefused(path, f"it cannot be read ({error.strerror or error}).", "Check the name.") from error
    _refuse_foreign(path, head)
    if head.startswith(b"PK\x03\x04"):
        rows, notes = sheet_source(path)
        return _with_header(path, lambda: (Row(n, n, cells) for n, cells in rows()), None, notes)
    return _text_source(path, head)


def _refuse_foreign(path: Path, head: bytes) -> None:
    lead = head.lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00")[:64].replace(b"\x00", b"").lower()
    if not lead:
        raise ExportRefused(path, "it is empty.", _EXPORT_AGAIN)
    if head.startswith(b"%PDF"):
        raise ExportRefused(path, "it is a PDF.", _EXPORT_AGAIN)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise ExportRefused(
            path,
            "it is an old .xls workbook or one locked with a password.",
            "Open it and save it as .xlsx without a password, or export it as .csv.",
        )
    if head.startswith((b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")):
        raise ExportRefused(path, "it is a compressed archive.", "Unpack it and import the file inside.")
    if lead.startswith((b"<!doctype", b"<html", b"<table", b"<?xml", b"<meta", b"<style")):
        raise ExportRefused(
            path, "it is a web page (HTML or XML), whatever its name says.", "Open it and save it as .xlsx or .csv."
        )
    if head.startswith(b"PK\x03\x04"):
        _refuse_other_zip(path)


def _refuse_other_zip(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            size = sum(info.file_size for info in archive.infolist())
    except (zipfile.BadZipFile, OSError) as error:
        raise ExportRefused(path, "it is damaged or was not copied to its end.", "Export it again.") from error
    if "xl/workbook.xml" not in names:
        ods = "mimetype" in names
        raise ExportRefused(
            path,
            "it is an OpenDocument file." if ods else "it is a zip archive.",
            "Save it as .xlsx or .csv." if ods else "Unpack it and import the file inside.",
        )
    if size > 4 * 1024**3:
        raise ExportRefused(path, "it unpacks to more than 4 GB.", "Export fewer days at a time.")


def _encodings(path: Path, head: bytes) -> tuple[str, ...]:
    if head.startswith(b"\xef\xbb\xbf"):
        return ("utf-8-sig",)
    if head.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        return ("utf-32",)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return ("utf-16",)
    if b"\x00" in head:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if max(even, odd) < len(head) // 8:
            raise ExportRefused(path, "it is a binary file, not a table.", _EXPORT_AGAIN)
        return ("utf-16-le",) if odd > even else ("utf-16-be",)
    return ("utf-8",) if _decodes(path, "utf-8") else _LEGACY


def _decodes(path: Path, encoding: str) -> bool:
    try:
        with path.open(encoding=encoding, newline="") as handle:
            while handle.read(1 << 20):
                pass
    except (UnicodeError, ValueError):
        return False
    return True


def _csv_rows(path: Path, encoding: str, separator: str) -> Iterator[Row]:
    with path.open(encoding=encoding, newline="") as handle:
        reader = csv.reader(handle, delimiter=separator)
        line = 1
        try:
            for cells in reader:
                yield Row(line, reader.line_num, list(cells))
                line = reader.line_num + 1
        except csv.Error as error:
            raise ExportRefused(
                path,
                f"from line {line} on it is not a table: a quotation mark is opened and never closed ({error}).",
                "Mend that line or export the file again.",
            ) from error
        except UnicodeError as error:
            raise ExportRefused(path, "its text is damaged or cut short.", "Export it again.") from error


def _top(path: Path, encoding: str, separator: str) -> list[list[Cell]]:
    """Return the first rows as far as they can be read; a damage shows when the file is read in earnest."""
    found: list[list[Cell]] = []
    with suppress(ExportRefused):
        found.extend(row.cells for row in islice(_csv_rows(path, encoding, separator), HEADER_SEARCH))
    return found


def _text_source(path: Path, head: bytes) -> Source:
    encodings = _encodings(path, head)
    best: tuple[int, str, str] | None = None
    for encoding in encodings:
        for separator in (",", ";", "\t", "|"):
            points = max((score(cells) for cells in _top(path, encoding, separator)), default=0)
            if best is None or points > best[0]:
                best = (points, encoding, separator)
    _, encoding, separator = best or (0, encodings[0], ",")
    notes: list[str] = []
    if encodings is _LEGACY:
        if not _decodes(path, encoding):
            raise ExportRefused(path, "its text is in no known encoding.", "Save it as CSV in UTF-8.")
        notes.append(f"The file is not in Unicode; its text was read as Windows code page {encoding[2:]}.")
    return _with_header(path, lambda: _csv_rows(path, encoding, separator), separator, tuple(notes))


def _with_header(
    path: Path, open_rows: Callable[[], Iterator[Row]], separator: str | None, notes: tuple[str, ...]
) -> Source:
    top = list(islice(open_rows(), HEADER_SEARCH))
    if not any(cell not in (None, "") for row in top for cell in row.cells):
        raise ExportRefused(path, "it is empty.", _EXPORT_AGAIN)
    header = max(top, key=lambda row: score(row.cells))
    if score(header.cells) < 2:
        seen = ", ".join(str(cell) for cell in top[0].cells[:8] if cell is not None)[:200]
        raise ExportRefused(
            path,
            f"no row with column names of an Ads Manager export was found (the first row is: {seen}).",
            "Export with Ads Manager in English, or name the columns with the `columns` option.",
        )
    cells = list(header.cells)
    while cells and (cells[-1] is None or not str(cells[-1]).strip()):
        cells.pop()
    return Source(open_rows, header.line, cells, separator, notes)
