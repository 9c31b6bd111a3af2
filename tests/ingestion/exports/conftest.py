"""Writing small export files for the tests."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from ingestion.exports import Export

Table = Sequence[Sequence[Any]]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def _write(table: Table | str | bytes, name: str = "export.csv", sep: str = ",", encoding: str = "utf-8") -> Path:
        path = tmp_path / name
        if isinstance(table, bytes):
            path.write_bytes(table)
            return path
        if not isinstance(table, str):
            out = io.StringIO()
            csv.writer(out, delimiter=sep).writerows(table)
            table = out.getvalue()
        path.write_bytes(table.encode(encoding))
        return path

    return _write


@pytest.fixture
def sheet(tmp_path: Path) -> Callable[..., Path]:
    def _sheet(name: str = "export.xlsx", **tables: Table) -> Path:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, table in tables.items():
            page = book.create_sheet(title)
            for row in table:
                page.append(list(row))
        book.save(tmp_path / name)
        return tmp_path / name

    return _sheet


@pytest.fixture
def rows() -> Callable[[Export], list[dict[str, Any]]]:
    return lambda export: [json.loads(payload) for day in export.days for payload in day.payloads]
