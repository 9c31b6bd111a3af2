"""The words of date filters.

What belongs here: those. What does not: writing values (`dashboards.formats`), the axes of charts
(`dashboards.charts.locales`).
"""

from __future__ import annotations

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
