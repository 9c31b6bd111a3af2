"""What Vega needs to know about the reader's language.

What belongs here: Babel's data in the form that d3 and Vega take. What does not: writing values
(`dashboards.formats`).
"""

from __future__ import annotations

from typing import Any

from babel import Locale
from babel.dates import get_day_names, get_month_names


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
