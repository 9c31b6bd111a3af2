"""Which reports are pulled, and how many days back.

What belongs here: the names of the reports that ship, their default horizons, and a plan. What does not: fields,
windows and breakdowns of a report (`ingestion`).
"""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_HISTORY_DAYS = {
    "ad_daily": 120,
    "adset_daily": 120,
    "campaign_daily": 120,
    "account_daily": 120,
    "ad_hourly": 7,
    "ad_daily__age_gender": 30,
    "ad_daily__country": 30,
    "ad_daily__placement": 30,
    "campaign_period": 120,
    "account_period": 120,
}
"""Reports that ship (docs/reference/seams.md), each with the days that a first pull goes back."""

DEFAULT_RESTATEMENT_DAYS = 28
"""Meta changes the numbers of a day for 28 days (fact sheet, retention and finality)."""


@dataclass(frozen=True)
class PlannedReport:
    """A report to pull for an account.

    Attributes:
        report: The preset's or custom report's name, which is the raw table's name after `insights_`.
        history_days: Days of a first pull, counted back from the account's yesterday.
        restatement_days: Days that later pulls repeat; never more than `history_days`.
    """

    report: str
    history_days: int
    restatement_days: int = DEFAULT_RESTATEMENT_DAYS


def make_plan(history_days: dict[str, int], restatement_days: int = DEFAULT_RESTATEMENT_DAYS) -> list[PlannedReport]:
    """Reports with at least one day, in the given order."""
    return [
        PlannedReport(report, days, min(days, restatement_days)) for report, days in history_days.items() if days > 0
    ]


def default_plan() -> list[PlannedReport]:
    """The plan of an account that no `clients.yml` mentions."""
    return make_plan(DEFAULT_HISTORY_DAYS)
