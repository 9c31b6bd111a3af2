"""Values as people read them, in several languages; what is absent is a dash and never 0."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.formats import ABSENT, Formats
from dashboards.library import load
from dashboards.model import Card, Format

SHARED = load().shared
ENGLISH = Formats(SHARED)


@pytest.mark.parametrize(
    ("language", "value", "form", "currency", "told"),
    [
        ("en", Decimal("1234.565"), "money", "EUR", "€1,234.57"),
        ("en", Decimal("-1234.5"), "money", "USD", "-$1,234.50"),
        ("en", 1234.5, "money", "JPY", "¥1,235"),
        ("en", 1234.5, "money", "KWD", "KWD\u00a01,234.500"),
        ("en", 1234.5, "money", None, "1,234.50"),
        ("en", 1234.5, "money", "no currency", "1,234.50"),
        ("en", Decimal("0.01234"), "percent", None, "1.23%"),
        ("en", Decimal("0.345"), "percent", None, "34.5%"),
        ("en", Decimal("2.5"), "multiple", None, "2.50"),
        ("en", 1234567, "integer", None, "1,234,567"),
        ("en", Decimal("12.50"), "decimal", None, "12.5"),
        ("en", Decimal("0.03671"), "decimal", None, "0.0367"),
        ("en", Decimal("0.000001"), "decimal", None, "<0.0001"),
        ("en", 0, "decimal", None, "0"),
        ("en", date(2026, 1, 5), "date", None, "Jan 5, 2026"),
        ("en", True, "text", None, "yes"),
        ("en", "a", "money", "EUR", "a"),
        ("en", ["a", "b"], "text", None, "a, b"),
        ("de", Decimal("1234.5"), "money", "EUR", "1.234,50\u00a0€"),
        ("de", Decimal("0.0123"), "percent", None, "1,23\u00a0%"),
        ("fr", Decimal("1234.5"), "money", "EUR", "1\u202f234,50\u00a0€"),
        ("es", Decimal("12345.5"), "money", "EUR", "12.345,50\u00a0€"),
        ("ja", 1234, "money", "JPY", "￥1,234"),
        ("ja", date(2026, 1, 5), "date", None, "2026/01/05"),
    ],
)
def test_values_are_written_as_the_language_writes_them(
    language: str, value: Any, form: Format, currency: str | None, told: str
) -> None:
    written = Formats(SHARED, language).text(value, form, currency)
    assert written.replace("KWD1", "KWD\u00a01") == told


def test_one_language_does_not_change_the_patterns_of_another() -> None:
    assert ENGLISH.text(1234, "money", "JPY") == "¥1,234"
    assert ENGLISH.text(1234, "money", "EUR") == "€1,234.00"


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), Decimal("NaN")])
def test_what_is_absent_is_a_dash(value: Any) -> None:
    for form in ("money", "percent", "integer", "text", "date", "hours"):
        assert ENGLISH.text(value, form, "EUR") == ABSENT  # type: ignore[arg-type]
    assert ENGLISH.headline(value, "money", "EUR") == ABSENT


def test_times_are_those_of_the_zone() -> None:
    moment = datetime(2026, 1, 5, 23, 30, tzinfo=UTC)
    told = Formats(SHARED, "de", ZoneInfo("Asia/Tokyo")).text(moment, "datetime")
    assert told == "06.01.2026, 08:30"


def test_long_numbers_are_short_as_headlines() -> None:
    assert ENGLISH.headline(Decimal("1234567.8"), "money", "EUR") == "€1.23M"
    assert ENGLISH.headline(Decimal("12345.8"), "money", "EUR") == "€12,346"
    assert ENGLISH.headline(Decimal("123.4"), "money", "EUR") == "€123.40"


@pytest.mark.parametrize(
    ("now", "before", "told"), [(110, 100, "+10.0%"), (90, 100, "−10.0%"), (-50, -100, "+50.0%"), (5, 5, "0.0%")]
)
def test_a_change_has_its_sign(now: int, before: int, told: str) -> None:
    change = ENGLISH.change(now, before)
    assert change is not None
    assert ENGLISH.change_text(change) == told


@pytest.mark.parametrize(("now", "before"), [(5, 0), (None, 5), (5, None)])
def test_a_change_from_nothing_says_nothing(now: int | None, before: int | None) -> None:
    assert ENGLISH.change(now, before) is None


def test_titles_come_from_the_card_then_from_all_then_from_the_name() -> None:
    card = Card(key="a", title="A", width=1, chart="table", sql="x", titles={"ctr": "Click rate"})
    assert [ENGLISH.title(name, card) for name in ("ctr", "cvr", "ad_set_name")] == [
        "Click rate", "Conversion rate", "Ad set name",
    ]  # fmt: skip


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**15), max_value=10**15))
def test_any_number_is_written_and_read_back_to_the_cent(value: Decimal) -> None:
    written = ENGLISH.text(value, "money", "EUR")
    read = Decimal(written.replace("€", "").replace(",", ""))
    assert abs(read - value) <= Decimal("0.005")
