"""What the script of a page needs to know about the reader's language.

What belongs here: Babel's data in the form that d3 and Vega take, and the words of date filters. What does not: writing
values (`dashboards.formats`).
"""

from __future__ import annotations

from typing import Any

from babel import Locale
from babel.dates import get_day_names, get_month_names

PERIODS = (
    ("yesterday", "Yesterday"),
    ("past7days", "Past 7 days"),
    ("past14days", "Past 14 days"),
    ("past30days", "Past 30 days"),
    ("past90days", "Past 90 days"),
    ("thisweek", "This week"),
    ("lastweek", "Last week"),
    ("thismonth", "This month"),
    ("lastmonth", "Last month"),
    ("past3months", "Past 3 months"),
    ("past12months", "Past 12 months"),
)
"""Date forms that are offered, in order, with their words."""


def date_words() -> list[tuple[str, str]]:
    """Date forms that are offered, in order, with their words."""
    return list(PERIODS)


def locales(language: str) -> dict[str, Any]:
    """`formatLocale` and `timeFormatLocale` of d3, for the axes of charts."""
    locale = Locale.parse(language)
    symbols = locale.number_symbols.get("latn", {})
    days, short_days = get_day_names("wide", locale=locale), get_day_names("abbreviated", locale=locale)
    months, short = get_month_names("wide", locale=locale), get_month_names("abbreviated", locale=locale)
    sunday_first = (6, 0, 1, 2, 3, 4, 5)
    return {
        "formatLocale": {
            "decimal": symbols.get("decimal", "."),
            "thousands": symbols.get("group", ","),
            "grouping": [3],
            "currency": ["", ""],
        },
        "timeFormatLocale": {
            "dateTime": "%x %X",
            "date": "%Y-%m-%d",
            "time": "%H:%M:%S",
            "periods": ["AM", "PM"],
            "days": [days[number] for number in sunday_first],
            "shortDays": [short_days[number] for number in sunday_first],
            "months": [months[number] for number in range(1, 13)],
            "shortMonths": [short[number] for number in range(1, 13)],
        },
    }
