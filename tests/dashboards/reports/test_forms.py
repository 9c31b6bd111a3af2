"""A document as text, HTML, PDF, XLSX and CSV: nothing means more than it says, and everything fits."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from typing import Any

import openpyxl
import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import width

from dashboards.reports.commas import archive_of, harmless
from dashboards.reports.document import Document
from dashboards.reports.html import MOST_BYTES, html_of
from dashboards.reports.pdf import pdf_of
from dashboards.reports.text import COLUMNS, text_of
from dashboards.reports.words import LANGUAGES, words_of
from dashboards.reports.workbook import workbook_of
from tests.dashboards.reports import papers

NOW = datetime(2026, 6, 10, 9, tzinfo=UTC)
WORDS = words_of("en")


class Parsed(HTMLParser):
    """Elements, and all text between them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(document: Document, *, has_files: bool = True) -> tuple[str, Parsed]:
    html, _ = html_of(document, WORDS, has_files=has_files)
    return html, Parsed(html)


def test_html_shows_what_is_evil_as_text() -> None:
    html, found = parsed(papers.document(papers.table(8)))
    assert "script" not in {tag for tag, _ in found.elements}
    assert not any(name.startswith("on") for _, attributes in found.elements for name in attributes)
    assert found.text.count(papers.EVIL) == 4  # Reason: the first sentence is also what lists of mails show.
    assert "=cmd|' /C calc'!A0" in found.text
    assert "{{" not in html
    assert "{%" not in html


def test_html_asks_nobody_for_anything() -> None:
    html, found = parsed(papers.document(papers.table(8)))
    asked = {
        attributes.get(name) for _, attributes in found.elements for name in ("src", "href", "background", "srcset")
    }
    assert asked <= {None, "https://ads.example/?a=1&b=2"}
    assert "url(" not in html
    assert "@import" not in html
    assert {tag for tag, _ in found.elements} & {"link", "iframe", "form", "video", "svg", "object"} == set()


def test_html_is_made_for_mail_programs() -> None:
    html, found = parsed(papers.document(papers.table(8)))
    tables = [attributes for tag, attributes in found.elements if tag == "table"]
    assert any(attributes.get("width") == "640" for attributes in tables)
    assert all(
        attributes.get("role") == "presentation" or tag != "div" for tag, attributes in found.elements if tag == "x"
    )
    assert html.count("<th ") == html.count("scope=")
    assert not re.search(r"display:\s*(flex|grid)|position:", html)
    assert "All rows and columns" not in parsed(papers.document(papers.table(30)), has_files=False)[1].text
    assert (
        "and 20 more · All rows and columns are in the attached files."
        in parsed(papers.document(papers.table(30)))[1].text
    )


def test_html_becomes_shorter_before_gmail_clips_it() -> None:
    many = [papers.table(40, f"Table {number}") for number in range(12)]
    html, found = parsed(papers.document(*many))
    assert len(html.encode()) <= MOST_BYTES
    assert all(f"Table {number}" in found.text for number in range(12))
    assert "and 37 more" in found.text


def test_html_says_what_there_was_no_room_for() -> None:
    many = [papers.table(40, f"Table {number}") for number in range(90)]
    html, found = parsed(papers.document(*many))
    assert len(html.encode()) <= MOST_BYTES
    left_out = re.search(r"(\d+) more charts and tables are left out", found.text)
    assert left_out is not None
    # Reason: behind the tables stands a message, which went first.
    assert sum(f"Table {number}\n" in found.text for number in range(90)) == 91 - int(left_out[1])
    assert "At a glance" in found.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_text_fits_its_lines_and_stands_in_columns(language: str) -> None:
    words = words_of(language)
    text = text_of(papers.document(papers.table(12), language=language), words)
    lines = text.splitlines()
    assert all(width(line) <= COLUMNS for line in lines)
    start = next(number for number, line in enumerate(lines) if line.startswith("---") and "  ---" in line)
    ends = [match.end() for match in re.finditer("-+", lines[start])]
    for line in lines[start + 1 : start + 11]:
        place = next(index for index in range(len(line) + 1) if width(line[:index]) == ends[1])
        assert line[place - 1] != " "
        assert line[place : place + 2] in ("  ", "")
    assert words.count("and_more", 2, "2") in text
    assert "https://ads.example/?a=1&b=2" in lines


def pages(pdf: bytes) -> list[str]:
    opened = pypdfium2.PdfDocument(pdf)
    return [" ".join(page.get_textpage().get_text_bounded().split()) for page in opened]


def flat(text: str) -> str:
    return re.sub(r"[\s\u200b\u2060\ufffe]", "", text)


def test_pdf_says_everything_as_it_is() -> None:
    found = pages(pdf_of(papers.document(papers.table(58)), WORDS, NOW))
    whole = flat("".join(found))
    assert whole.count(flat(papers.EVIL)) == 3
    assert flat("夏セール・新規顧客向け") in whole
    assert "Campaign57" in whole
    assert len(found) > 1
    for number, page in enumerate(found, start=1):
        assert f"Page {number} of {len(found)}" in page


def test_pdf_repeats_heads_on_every_page_of_a_table() -> None:
    found = pages(pdf_of(papers.document(papers.table(58)), WORDS, NOW))
    with_rows = [page for page in found if re.search(r"Campaign \d+ €", page)]
    assert len(with_rows) > 1
    assert all("Campaign Spend CPA CTR Day" in page for page in with_rows)


def test_pdf_has_japanese_letters_in_it() -> None:
    document = papers.document(papers.table(8), language="ja")
    pdf = pdf_of(document, words_of("ja"), NOW)
    assert b"NotoSansCJKjp" in pdf
    assert "1 / 2 ページ" in pages(pdf)[0] or "1 / 1 ページ" in pages(pdf)[0]
    assert pypdfium2.PdfDocument(pdf).get_metadata_value("Title") == "Acme & Sons – Weekly report"


def sheets(document: Document) -> dict[str, Any]:
    book = openpyxl.load_workbook(io.BytesIO(workbook_of(document, WORDS, UTC, NOW)))
    return {sheet.title: sheet for sheet in book.worksheets}


def test_workbook_holds_numbers_with_their_formats() -> None:
    found = sheets(papers.document(papers.table(8)))
    paper = found["Campaigns"]
    assert [cell.value for cell in paper[1]] == ["Campaign", "Spend", "CPA", "CTR", "Day", "Currency"]
    spend, cpa, ctr, day, currency = paper[3][1:]
    assert (spend.value, spend.number_format, currency.value) == (1.5, "#,##0.00", "EUR")
    assert cpa.value is None
    assert (ctr.value, ctr.number_format) == (0.015, "0.00%")
    assert day.value.date() == date(2026, 6, 1)
    assert (paper.freeze_panes, paper.auto_filter.ref) == ("B2", "A1:F9")
    figures = found["At a glance"]
    assert [(cell.value, cell.number_format) for cell in figures[2][1:4]] == [
        (12345.67, "#,##0.00"), (10000, "#,##0.00"), (0.2346, "0.00%"),
    ]  # fmt: skip
    assert figures["E2"].value == "EUR"
    assert (figures["B3"].value, figures["B3"].number_format) == (0.015, "0.00%")


def test_workbook_has_no_formula() -> None:
    for paper in sheets(papers.document(papers.table(8))).values():
        for row in paper.iter_rows():
            assert all(cell.data_type != "f" for cell in row)
    marked = {
        row[0].value: row[0].quotePrefix
        for row in sheets(papers.document(papers.table(8)))["Campaigns"].iter_rows(min_row=2)
    }
    assert marked["=cmd|' /C calc'!A0"]
    assert marked["@SUM(A1)"]
    assert not marked["夏セール・新規顧客向け"]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(max_size=50), min_size=1, max_size=6))
def test_names_of_sheets_are_valid_and_each_once(names: list[str]) -> None:
    found = list(sheets(papers.with_names(papers.document(), [*names, *names, "History", "'a'"])))
    assert len({name.casefold() for name in found}) == len(found)
    for name in found:
        assert 0 < len(name) <= 31
        assert not re.search(r"[\[\]:*?/\\]", name)
        assert not name.startswith("'")
        assert not name.endswith("'")
        assert name.casefold() != "history"


def files(document: Document) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive_of(document, WORDS, UTC, NOW))) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_csv_opens_in_excel_and_holds_numbers() -> None:
    found = files(papers.document(papers.table(8)))
    assert list(found) == ["01-at-a-glance.csv", "02-campaigns.csv"]
    content = found["02-campaigns.csv"]
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\r\n") == 9
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert rows[0] == ["Campaign", "Spend", "CPA", "CTR", "Day", "Currency"]
    assert rows[1][1:] == ["0.5", "", "0.015", "2026-06-01", "EUR"]
    assert [row[0] for row in rows[2:8]] == [
        "'=cmd|' /C calc'!A0", "'+1", "'-2+3", "'@SUM(A1)", "'\tTab", "夏セール・新規顧客向け",
    ]  # fmt: skip


@settings(deadline=None)
@given(st.text("=+-@\t\r\n ＝＋－＠a'\ufeff\u00a0", max_size=8))
def test_no_text_begins_like_a_formula(text: str) -> None:
    told = harmless(text)
    assert told in (text, f"'{text}")
    assert not re.match(r"[ \u00a0\ufeff\u200b]*[=+\-@\t\r\n＝＋－＠]", told)
