"""How a value is written: numbers, money, days, in the language of whoever reads.

What belongs here: from a value and its format to text, and the titles of columns. What does not: where it stands
(`dashboards.site`, reports). NULL is a dash and never 0: absent is not zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from babel import Locale
from babel.dates import format_date, format_time, get_timezone_name
from babel.numbers import (
    NumberPattern,
    UnknownCurrencyError,
    format_compact_currency,
    format_compact_decimal,
    format_decimal,
    get_currency_precision,
    validate_currency,
)
from babel.units import format_unit

from dashboards.model import Card, Format, Shared

ABSENT = "–"
NUMERIC: frozenset[str] = frozenset(("money", "percent", "multiple", "integer", "decimal", "hours"))
_SMALL_PERCENT = Decimal("0.1")
_COMPACT_FROM = 1_000_000
_WHOLE_FROM = 10_000
_SMALLEST = Decimal("0.0001")


@dataclass(frozen=True)
class Formats:
    """Writes values.

    Attributes:
        shared: Usual formats and titles of columns.
        language: Of numbers and dates, such as `en`, `de` or `pt_BR`.
        zone: In which times are told.
        words: English titles and words of definitions and charts, each with what stands in its place.
    """

    shared: Shared
    language: str = "en"
    zone: tzinfo = UTC
    words: Mapping[str, str] = field(default_factory=dict)

    def say(self, english: str) -> str:
        """Words of definitions and charts in the reader's language, as far as they are known in it."""
        return self.words.get(english, english)

    def title(self, column: str, card: Card) -> str:
        """What people read above a column."""
        own = card.titles.get(column) or self.shared.titles.get(column)
        return self.say(own if own is not None else column.replace("_", " ").capitalize())

    def format_of(self, column: str, card: Card, sample: Any = None) -> Format:
        """The format of a column: its own, the usual one, or the one that fits a value of it."""
        declared = card.formats.get(column) or self.shared.formats.get(column)
        return declared if declared is not None else _format_of_value(sample)

    def text(self, value: Any, form: Format, currency: str | None = None) -> str:
        """A value as people read it, exactly.

        Args:
            value: As psycopg gives it.
            form: How it is shown; a value of another kind is shown as what it is.
            currency: ISO code of money; without one the number stands alone.
        """
        if _is_absent(value):
            return ABSENT
        if form in NUMERIC and isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            return self._number(Decimal(str(value)), form, currency)
        if isinstance(value, datetime):
            return self._moment(value) if form != "date" else self._day(value.date())
        if isinstance(value, date):
            return self._day(value)
        if isinstance(value, bool):
            return self.say("yes" if value else "no")
        if isinstance(value, int | float | Decimal) and form not in ("text", "link", "image"):
            return self._number(Decimal(str(value)), "decimal", None)
        if isinstance(value, list | tuple):
            return ", ".join(self.text(one, form, currency) for one in value)
        return str(value)

    def headline(self, value: Any, form: Format, currency: str | None = None) -> str:
        """A number as it stands large by itself: long ones are shortened."""
        if _is_absent(value) or not isinstance(value, int | float | Decimal) or form not in ("money", "integer"):
            return self.text(value, form, currency)
        number = Decimal(str(value))
        known = _known(currency) if form == "money" else None
        if abs(number) >= _COMPACT_FROM:
            if known:
                return format_compact_currency(number, known, locale=self.language, fraction_digits=2)
            return format_compact_decimal(number, locale=self.language, fraction_digits=2)
        if known and abs(number) >= _WHOLE_FROM:
            return self._money(number, known, 0)
        return self.text(value, form, currency)

    def change(self, now: Any, before: Any) -> Decimal | None:
        """How much larger a number is than another, as a fraction; None where that says nothing."""
        if _is_absent(now) or _is_absent(before):
            return None
        first, second = Decimal(str(before)), Decimal(str(now))
        return None if not first else (second - first) / abs(first)

    def change_text(self, change: Decimal) -> str:
        """A change as a percentage with its sign."""
        written = self._percent(abs(change), 1)
        return f"+{written}" if change > 0 else f"−{written}" if change < 0 else written

    def zone_name(self) -> str:
        """The time zone in which times are told."""
        return "UTC" if self.zone is UTC else get_timezone_name(self.zone, locale=self.language)

    def _number(self, number: Decimal, form: Format, currency: str | None) -> str:
        if form == "money":
            known = _known(currency)
            if known is None:
                return format_decimal(_rounded(number, 2), "#,##0.00", locale=self.language)
            return self._money(number, known, get_currency_precision(known))
        if form == "percent":
            return self._percent(number, 2 if abs(number) < _SMALL_PERCENT else 1)
        if form == "multiple":
            return format_decimal(_rounded(number, 2), "#,##0.00", locale=self.language)
        if form == "integer":
            return format_decimal(_rounded(number, 0), "#,##0", locale=self.language)
        if form == "hours":
            return format_unit(_rounded(number, 1), "hour", "short", locale=self.language)
        return self._decimal(number)

    def _decimal(self, number: Decimal) -> str:
        """Small numbers have more digits: a p-value or a rate of 0.0042 is not 0."""
        if abs(number) >= 1 or not number:
            return format_decimal(_rounded(number, 2), "#,##0.##", locale=self.language)
        if abs(number) < _SMALLEST:
            sign = "<" if number > 0 else ">−"
            return sign + format_decimal(_SMALLEST, "0.####", locale=self.language)
        return format_decimal(_rounded(number, 4), "0.####", locale=self.language)

    def _money(self, number: Decimal, currency: str, digits: int) -> str:
        pattern = self._pattern("currency_formats", "standard", digits)
        return str(pattern.apply(_rounded(number, digits), self.language, currency=currency, currency_digits=False))

    def _percent(self, fraction: Decimal, digits: int) -> str:
        return str(self._pattern("percent_formats", None, digits).apply(_rounded(fraction, digits + 2), self.language))

    def _pattern(self, kind: str, name: str | None, digits: int) -> NumberPattern:
        """The language's own pattern, with so many digits behind the point."""
        # Reason: Babel hands out the one that everybody shares.
        pattern: NumberPattern = copy(getattr(Locale.parse(self.language), kind)[name])
        pattern.frac_prec = (digits, digits)
        return pattern

    def _day(self, day: date) -> str:
        return format_date(day, "medium", locale=self.language)

    def _moment(self, moment: datetime) -> str:
        local = (moment.astimezone(self.zone) if moment.tzinfo else moment).replace(tzinfo=None)
        return f"{self._day(local.date())}, {format_time(local, 'short', locale=self.language)}"


def sample(values: list[Any]) -> Any:
    """A value that tells what its column holds; None if all are NULL."""
    return next((value for value in values if value is not None), None)


def currency_of(record: Mapping[str, Any]) -> str | None:
    """The currency of a row's money."""
    found = record.get("currency")
    return found if isinstance(found, str) else None


def _format_of_value(value: Any) -> Format:
    if isinstance(value, bool) or value is None:
        return "text"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float | Decimal):
        return "decimal"
    if isinstance(value, datetime):
        return "datetime"
    return "date" if isinstance(value, date) else "text"


def _is_absent(value: Any) -> bool:
    return value is None or (isinstance(value, float | Decimal) and not math.isfinite(value))


def _known(currency: str | None) -> str | None:
    if currency is None:
        return None
    try:
        validate_currency(currency, "en")
    except UnknownCurrencyError:
        return None
    return currency


def _rounded(number: Decimal, digits: int) -> Decimal:
    # Reason: half away from zero is what people expect of money, and what Ads Manager shows.
    return (
        round(number, digits)
        if abs(number) >= Decimal("1e20")
        else number.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    )
