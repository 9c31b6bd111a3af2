"""Currencies: minor units and rough price levels.

What belongs here: facts about currencies. What does not: exchange-rate history; rates here only make prices plausible.
"""

from __future__ import annotations

#: Currencies without a minor unit at Meta (fact sheet 2.7): budgets are whole units, the offset is 1.
WHOLE_UNIT_CURRENCIES = frozenset({"CLP", "COP", "CRC", "HUF", "ISK", "IDR", "JPY", "KRW", "PYG", "TWD", "VND"})

_PRICE_LEVEL = {
    "EUR": 1.0,
    "USD": 1.1,
    "GBP": 0.86,
    "JPY": 160.0,
    "AUD": 1.65,
    "CHF": 0.95,
    "BRL": 6.0,
    "KRW": 1500.0,
    "INR": 92.0,
}


def minor_per_major(currency: str) -> int:
    """How many of Meta's minor units make one major unit: 100, or 1 for currencies without a minor unit."""
    return 1 if currency in WHOLE_UNIT_CURRENCIES else 100


def price_level(currency: str) -> float:
    """Roughly how many units of the currency buy what one euro buys."""
    return _PRICE_LEVEL.get(currency, 1.0)


def round_budget(major: float, currency: str) -> int:
    """A budget in minor units, rounded as people type budgets."""
    step = 100 * max(1, round(price_level(currency) / 100)) if minor_per_major(currency) == 1 else 100
    minor = major * minor_per_major(currency)
    return max(step, round(minor / step) * step)
