"""Numbers, dates, ids and headers on their own."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.exports.dates import read_date
from ingestion.exports.headers import field_of, fold
from ingestion.exports.identity import derive_id, read_id
from ingestion.exports.languages import HEADERS
from ingestion.exports.numerals import Evidence, parse_number, plain, read_number, readings

STYLES = [
    (",", "."),
    (".", ","),
    (" ", ","),
    ("\u00a0", ","),
    ("\u202f", ","),
    ("'", "."),
    ("’", "."),
    ("", "."),
    ("", ","),
]
AMOUNTS = st.decimals(min_value=0, max_value=10**12, places=2, allow_nan=False, allow_infinity=False)


def write_number(number: Decimal, group: str, decimal: str) -> str:
    return f"{number:,.2f}".replace(",", "\0").replace(".", decimal).replace("\0", group)


@given(AMOUNTS, st.sampled_from(STYLES), st.sampled_from(["{}", "€ {}", "{} €", "{} USD", "{} %", " {} "]))
def test_number_round_trip(number: Decimal, style: tuple[str, str], around: str) -> None:
    text = around.format(write_number(number, *style))
    assert parse_number(text, style[1]) == number  # type: ignore[arg-type]


@given(AMOUNTS, st.sampled_from(STYLES))
def test_two_decimals_prove_the_sign(number: Decimal, style: tuple[str, str]) -> None:
    evidence = Evidence()
    evidence.add(write_number(number, *style), "amount")
    assert set(evidence.proof) == {style[1]}


@given(st.decimals(min_value=0, max_value=10**15, allow_nan=False, allow_infinity=False, places=6))
def test_plain_keeps_the_number(number: Decimal) -> None:
    assert Decimal(plain(number)) == number
    assert "E" not in plain(number)


@given(st.text(max_size=12))
def test_no_text_crashes_the_reader(text: str) -> None:
    readings(text, "amount")
    try:
        number = read_number(text, "count", ".")
    except ValueError:
        return
    assert number is None or number >= 0


@pytest.mark.parametrize("text", ["1,23,456.50", "12,34,567.00"])
def test_indian_groups(text: str) -> None:
    assert parse_number(text, ".") == Decimal(text.replace(",", ""))


@pytest.mark.parametrize("text", ["1.23.4", "12 34", "1,2345,678.0", "abc", "1e5", "٣", "0,123.5", "#REF!", "1..2"])
def test_not_numbers(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        parse_number(text, ".")


def test_ambiguity_depends_on_the_column() -> None:
    assert set(readings("1.234", "count")) == {","}
    assert len(readings("1.234", "amount")) == 2
    assert set(readings("0.123", "amount")) == {"."}
    assert set(readings("82702.0", "count")) == {"."}


def test_clock_and_nothing() -> None:
    assert read_number("0:01:05", "seconds", ".") == 65
    assert read_number("1:05", "seconds", ".") == 65
    assert [read_number(text, "count", ".") for text in ("", "-", "—", "N/A", "\u00a0", None)] == [None] * 6
    with pytest.raises(ValueError, match="below zero"):
        read_number("-5", "count", ".")
    with pytest.raises(ValueError, match="whole"):
        read_number("5.5", "count", ".")


DAYS = st.dates(min_value=date(2006, 1, 1), max_value=date(2049, 12, 31))


@given(
    DAYS,
    st.sampled_from(
        ["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%Y-%m-%d 00:00:00", "%Y-%m-%dT00:00:00+0200", "%Y年%m月%d日"]
    ),
)
def test_dates_without_doubt(day: date, pattern: str) -> None:
    assert read_date(day.strftime(pattern), None) == day


@given(DAYS)
def test_dates_by_order(day: date) -> None:
    assert read_date(day.strftime("%d/%m/%Y"), "dmy") == day
    assert read_date(day.strftime("%m/%d/%Y"), "mdy") == day
    assert read_date(Decimal((day - date(1899, 12, 30)).days), None) == day


def test_dates_in_words_and_cells() -> None:
    assert read_date("Aug 1, 2019", None) == date(2019, 8, 1)
    assert read_date("1. August 2019", None, "de") == date(2019, 8, 1)
    assert read_date("1 août 2019", None, "fr") == date(2019, 8, 1)
    assert read_date("1 de agosto de 2019", None, "es") == date(2019, 8, 1)
    assert read_date(datetime(2019, 8, 1, 5), None) == date(2019, 8, 1)  # noqa: DTZ001
    assert read_date("1.8.19", None) == date(2019, 8, 1)
    for text in ("31.02.2019", "yesterday", "2019-13-01", "8.13.2019"):
        with pytest.raises(ValueError, match="not a date"):
            read_date(text, "dmy")


@given(st.sampled_from(["campaign", "adset", "ad"]), st.integers(-(2**62), 2**62), st.text(max_size=30))
def test_derived_ids_are_stable_negative_and_63_bits(kind: str, parent: int, name: str) -> None:
    first = derive_id(kind, 7, parent, name)
    assert first == derive_id(kind, 7, parent, f" {name} ")
    assert -(2**63) < first < 0
    assert first != derive_id(kind, 8, parent, name)


def test_a_derived_id_is_the_same_for_ever() -> None:
    assert derive_id("account", 0, 0, "Imported USD") == -8113453349615010056


def test_ids() -> None:
    for text in ("120210000000010001", "c:120210000000010001", "act_120210000000010001", '="120210000000010001"'):
        assert read_id(text) == 120210000000010001
    assert read_id("") is None
    for cell in ("1.2021E+17", Decimal(120210000000010000), "abc", "-5"):
        with pytest.raises(ValueError, match=r"id|digits"):
            read_id(cell)


def test_every_documented_header_is_found_in_its_language() -> None:
    for language, fields in HEADERS.items():
        for name, headers in fields.items():
            for header in headers:
                assert field_of(header)[0] == name, (language, header)
                assert language in field_of(header)[2]


@pytest.mark.parametrize(
    ("header", "field", "currency"),
    [
        ("Amount spent (USD)", "spend", "USD"),
        ("Spend [USD]", "spend", "USD"),
        ("AMOUNT SPENT (EUR)", "spend", "EUR"),
        ("Importo speso (€)", "spend", "EUR"),
        ("# of Website Clicks", "link_clicks", None),
        ("add_to_cart", "adds_to_cart", None),
        ("消化金額（JPY）", "spend", "JPY"),
        ("Nom de l’ensemble de publicités", "adset_name", None),
        ("Clicks (all)", "clicks", None),
        ("CPM (cost per 1,000 impressions) (USD)", "ratio", "USD"),
        ("Cost per something new (USD)", "ratio", "USD"),
        ("Purchases [7-day click]", None, None),
        ("Something else", None, None),
    ],
)
def test_headers(header: str, field: str | None, currency: str | None) -> None:
    assert field_of(header)[:2] == (field, currency)


def test_fold_is_stable() -> None:
    assert fold("Día") == fold("DIA") == "dia"
    assert fold("KAMPANYA ADI") == fold("Kampanya adı")
