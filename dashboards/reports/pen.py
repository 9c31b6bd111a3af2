"""Writes pieces of sentences: days, amounts, names, changes.

What belongs here: from a value to words of the reader's language. What does not: whole sentences
(`dashboards.reports.sentences`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from babel.dates import format_date, format_interval, format_skeleton

from dashboards.formats import ABSENT, Formats
from dashboards.model import Format
from dashboards.reports.model import Order, Period
from dashboards.reports.summary import METRICS
from dashboards.reports.words import Words

_LONGEST_NAME = 60
_MOST_RANGES = 6


@dataclass(frozen=True)
class Pen:
    """Whoever writes.

    Attributes:
        order: What is wanted.
        formats: Writes values.
        words: Of the language.
    """

    order: Order
    formats: Formats
    words: Words

    @property
    def language(self) -> str:
        """Of words, numbers and dates."""
        return self.order.language

    def metric(self, key: str) -> str:
        """The name of a headline figure."""
        return self.words.say(f"metric_{key}")

    def value(self, key: str, value: Any, currency: str | None) -> str:
        """A headline figure's value, shortened if it is long."""
        return self.amount(value, METRICS[key][0], currency)

    def amount(self, value: Any, form: Format, currency: str | None) -> str:
        """A number, shortened if it is long."""
        return self.formats.headline(_plain(value), form, currency)

    def signed(self, value: Fraction, form: Format, currency: str | None) -> str:
        """A difference with its sign."""
        written = self.amount(abs(value), form, currency)
        zero = self.amount(Fraction(0), form, currency)
        return written if written == zero else f"{'+' if value > 0 else '−'}{written}"

    def share(self, fraction: Fraction) -> str:
        """A part of a whole, as a percentage."""
        return self.formats.text(_plain(fraction), "percent")

    def integer(self, number: int) -> str:
        """A count."""
        return self.formats.text(number, "integer")

    def change(self, now: Any, before: Any) -> str:
        """How much larger a number is than another, in percent; a dash where that says nothing."""
        found = self.formats.change(_plain(now), _plain(before))
        return ABSENT if found is None else self.formats.change_text(found)

    def day(self, day: date) -> str:
        """A day, without its year."""
        return format_skeleton("MMMd", day, locale=self.language)

    def days(self, first: date, last: date) -> str:
        """Days in a row, with their year."""
        if first == last:
            return format_date(first, "medium", locale=self.language)
        return format_interval(first, last, "yMMMd", locale=self.language)

    def period(self, period: Period) -> str:
        """A period as a subject names it: a month, a week, a day, or days."""
        first, last = period.first, period.last
        if first.day == 1 and (last + timedelta(days=1)).day == 1 and (first.year, first.month) == (
            last.year, last.month):  # fmt: skip
            return format_skeleton("yMMMM", first, locale=self.language)
        if first.isoweekday() == 1 and last - first == timedelta(days=6):
            days = format_interval(first, last, "MMMd", locale=self.language)
            return self.words.say("period_week", days=days)
        if first == last:
            return self.days(first, last)
        return format_interval(first, last, "MMMd", locale=self.language)

    def join(self, *sentences: str) -> str:
        """Sentences behind each other; Japanese has no space between them."""
        return self.words.say("space").join(filter(None, sentences))

    def some_days(self, days: Iterable[date]) -> str:
        """Days that need not be in a row, as ranges."""
        ranges: list[tuple[date, date]] = []
        for day in sorted(days):
            if ranges and day - ranges[-1][1] == timedelta(days=1):
                ranges[-1] = (ranges[-1][0], day)
            else:
                ranges.append((day, day))
        told = [
            self.day(first) if first == last else format_interval(first, last, "MMMd", locale=self.language)
            for first, last in ranges[:_MOST_RANGES]
        ]
        more = [self.words.say("and_many_more")] if len(ranges) > _MOST_RANGES else []
        return self.words.say("list").join([*told, *more])

    def name(self, name: str) -> str:
        """A name of data, in quotation marks, in one line and not too long."""
        return self.words.quoted(shortened(one_line(name) or ABSENT, _LONGEST_NAME))


def one_line(text: str) -> str:
    """A text without line breaks, control characters and marks that turn its direction."""
    kept = "".join(" " if unicodedata.category(one) in ("Cc", "Zl", "Zp") else one for one in text)
    kept = "".join(one for one in kept if unicodedata.category(one) not in ("Cf", "Cs", "Co", "Cn") or one == "\u200d")
    # Reason: only plain spaces; those within a number keep it in one piece.
    return re.sub(r" {2,}", " ", kept).strip()


def shortened(text: str, length: int) -> str:
    """A text of at most so many characters."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _plain(value: Any) -> Any:
    """What `Formats` can write."""
    return Decimal(value.numerator) / Decimal(value.denominator) if isinstance(value, Fraction) else value
