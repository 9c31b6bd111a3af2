"""Files that are not imported, one by one: the reason and what to do about it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ingestion.exports import ExportError, ExportRefused, read_export

HEAD = ["Campaign name", "Day", "Amount spent (USD)", "Impressions"]
ROW = ["A", "2019-08-01", "1", "2"]


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n\r\n", "empty"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old .xls"),
        (b"\x1f\x8b\x08\x00", "compressed"),
        (b"<html><table><tr><td>Campaign name</td></tr></table></html>", "web page"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>", "web page"),
        (zipped("a.csv"), "zip archive"),
        (zipped("mimetype", "content.xml"), "OpenDocument"),
        (zipped("xl/workbook.xml"), "damaged"),
        (b"PK\x03\x04broken", "damaged"),
        (bytes(range(256)) * 20, "binary"),
        (b"hello,world\n1,2\n", "no row with column names"),
        (b'Campaign name,Day,Amount spent (USD),Impressions\n"A,' + b"x" * 200_000, "never closed"),
        (b"Campaign name,Day,Amount spent (USD),Impressions\n", "none of its rows"),
        (b"Campaign name,Day,Amount spent (USD),Impressions\nA,x,1,2\n", "none of its rows"),
    ],
)
def test_not_a_table(write: Any, content: bytes, reason: str) -> None:
    with pytest.raises(ExportRefused, match=reason) as caught:
        read_export(write(content))
    assert caught.value.mend
    assert "export.csv" in str(caught.value)
    assert isinstance(caught.value, ExportError)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(ExportRefused, match="cannot be read"):
            read_export(path)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ([["Campaign name", "Day", "Impressions"], ["A", "2019-08-01", "2"]], "no column with the amount spent"),
        ([HEAD[:3], ROW[:3]], "no column with impressions"),
        ([["Campaign name", "Amount spent (USD)", "Impressions"], ["A", "1", "2"]], "which day"),
        ([["Campaign name", "Reporting starts", *HEAD[2:]], ROW], "which day"),
        (
            [
                ["Campaign name", "Reporting starts", "Reporting ends", *HEAD[2:]],
                ["A", "2019-08-01", "2019-08-31", "1", "2"],
            ],
            "not daily",
        ),
        ([[*HEAD, "Region"], [*ROW, "x"]], "Region"),
        ([[*HEAD, "Age", "Country"], [*ROW, "18-24", "DE"]], "together"),
        ([["Campaign name", "Day", "Amount spent", "Impressions"], ROW], "which currency"),
        ([[*HEAD, "Currency"], [*ROW, "EUR"]], "more than one currency"),
        ([["Account ID", *HEAD], ["1", *ROW], ["2", *ROW]], "more than one ad account"),
        ([["Account name", *HEAD], ["x", *ROW], ["y", *ROW]], "more than one ad account"),
        ([HEAD, ["A", "01/02/2019", "1", "2"]], "date 01/02/2019"),
        ([HEAD, ["A", "13/02/2019", "1", "2"], ["A", "02/13/2019", "1", "2"]], "two orders"),
        ([HEAD, ["A", "2019-08-01", "1.5", "2"], ["B", "2019-08-01", "1,5", "2"]], "two ways"),
    ],
)
def test_not_daily_rows_of_one_account(write: Any, table: list[list[str]], reason: str) -> None:
    with pytest.raises(ExportRefused, match=reason) as caught:
        read_export(write(table))
    assert caught.value.mend


def test_a_doubtful_amount_names_column_value_and_option(write: Any) -> None:
    path = write([HEAD, ["A", "2019-08-01", "1.234", "2"]], sep=";")
    with pytest.raises(ExportRefused, match=r"Amount spent \(USD\).*1\.234.*decimal="):
        read_export(path)
    read_export(path, decimal=".")


def test_a_date_order_option(write: Any) -> None:
    path = write([HEAD, ["A", "01/02/2019", "1", "2"]])
    assert read_export(path, date_order="dmy").days[0].day.month == 2
    assert read_export(path, date_order="mdy").days[0].day.month == 1


@pytest.mark.parametrize(
    "options",
    [
        {"decimal": ";"},
        {"date_order": "ymd"},
        {"time_zone": "Mars/Base"},
        {"currency": "EUR"},
        {"currency": "XYZW"},
        {"columns": {"x": "nonsense"}},
        {"account_id": 3},
    ],
)
def test_wrong_options(write: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ExportRefused):
        read_export(write([["Account ID", *HEAD], ["2", *ROW]]), **options)
