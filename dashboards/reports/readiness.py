"""Whether the days of a report are complete and reconciled, for each account and day.

What belongs here: what keeps a report back, in sentences for whoever runs the platform. What does not: what follows
from it (`orchestration.reports.deliver`), how old numbers are that may still change: those never keep a report back,
and it says so itself.

A day of an account keeps a report back when the report by ads was not pulled since that day was over in the account's
time zone, when a check holds it out of the marts, when the marts have not taken in what was pulled, or when its ads do
not add up to Meta's total for the account. A day without delivery is complete: it was pulled, with no rows. So do days
of the breakdowns that the report shows, and days that it compares with, from the first that was ever pulled on; of
these only whether they are whole matters. Accounts known from exported files have no total to be compared with.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from psycopg import sql

from dashboards.answering import Space
from dashboards.library import Library
from dashboards.reports.model import Period, Section
from dashboards.spaces import tables_of
from warehouse.quality.rules import days_in_words

State = Literal["unknown", "missing", "unfinished", "held", "not_built", "no_control", "mismatch"]

BREAKDOWNS = {
    "mart_audience_daily__age_gender": "ad_daily__age_gender",
    "fct_ad_day__age_gender": "ad_daily__age_gender",
    "mart_audience_daily__country": "ad_daily__country",
    "fct_ad_day__country": "ad_daily__country",
    "mart_placement_daily": "ad_daily__placement",
    "fct_ad_day__placement": "ad_daily__placement",
}
"""Marts that are made of a report of their own, which can be missing while all else is there."""

_PULL = "`meta-ads pull --account {account} --since {since} --until {until}`"
_WORDS: dict[State, tuple[str, str]] = {
    "unknown": ("the marts do not know this account", "pull the account, then build the marts: `meta-ads pull`"),
    "missing": (
        "not pulled: {days}",
        f"pull the days: {_PULL}",
    ),
    "unfinished": (
        "pulled before the day was over: {days}",
        f"pull the days again: {_PULL}",
    ),
    "held": ("kept out of the marts by failed checks: {days}", "see docs/cookbooks/data-quality.md"),
    "not_built": ("pulled, but not in the marts yet: {days}", "build the marts: `meta-ads build`"),
    "no_control": (
        "without Meta's total to be compared with: {days}",
        "pull the report account_daily as well (pull.reports in clients.yml)",
    ),
    "mismatch": (
        "the ads do not add up to Meta's total: {days}",
        f"pull the days again: {_PULL}; see docs/cookbooks/data-quality.md",
    ),
}

# Reason for two sources: the marts tell what a reader would see, but a slice that came again with the same content is
# not built again, so that only `ops.slice` knows when a day was last pulled.
_STATES = """
    WITH accounts AS (
        SELECT wanted.account_id, known.account_name, coalesce(known.time_zone, 'UTC') AS time_zone,
            known.account_id IS NOT NULL AS is_known
        FROM unnest(%(accounts)s::bigint[]) AS wanted (account_id)
        LEFT JOIN {schema}.dim_account AS known ON known.account_id = wanted.account_id
    ),
    slices AS (
        SELECT account_id, report, day, pulled_at, source, build_id IS NOT NULL AS is_built,
            min(day) OVER (PARTITION BY account_id, report) AS first_day
        FROM ops.slice
        WHERE account_id = ANY(%(accounts)s) AND report = ANY(%(reports)s)
    ),
    firsts AS (SELECT DISTINCT account_id, report, first_day FROM slices),
    wanted AS (
        SELECT accounts.*, report.name AS report, day.day::date AS day, day.day >= %(first)s AS is_reported
        FROM accounts
        CROSS JOIN unnest(%(reports)s::text[]) AS report (name)
        CROSS JOIN generate_series(%(before_first)s::date, %(last)s::date, INTERVAL '1 day') AS day (day)
        WHERE day.day BETWEEN %(first)s AND %(last)s OR day.day BETWEEN %(before_first)s AND %(before_last)s
    ),
    judged AS (
        SELECT
            wanted.account_id,
            wanted.account_name,
            wanted.report,
            wanted.day,
            wanted.is_reported,
            CASE
                WHEN NOT wanted.is_known THEN 'unknown'
                WHEN slices.day IS NULL THEN 'missing'
                WHEN slices.pulled_at < (wanted.day + 1)::timestamp AT TIME ZONE wanted.time_zone THEN 'unfinished'
                WHEN EXISTS (
                    SELECT FROM ops.held_day AS held
                    WHERE held.account_id = wanted.account_id AND held.day = wanted.day
                ) THEN 'held'
                WHEN NOT slices.is_built THEN 'not_built'
                WHEN wanted.report = 'ad_daily' AND checked.day IS NULL THEN 'not_built'
                WHEN wanted.report <> 'ad_daily' OR checked.status = 'reconciled' THEN NULL
                WHEN checked.status = 'no_control' AND slices.source = 'import' THEN NULL
                WHEN checked.status = 'no_control' THEN 'no_control'
                WHEN checked.status = 'incomplete' THEN 'not_built'
                ELSE 'mismatch'
            END AS state,
            firsts.first_day
        FROM wanted
        LEFT JOIN slices
            ON slices.account_id = wanted.account_id AND slices.report = wanted.report AND slices.day = wanted.day
        LEFT JOIN firsts ON firsts.account_id = wanted.account_id AND firsts.report = wanted.report
        LEFT JOIN {schema}.mart_reconciliation AS checked
            ON checked.account_id = wanted.account_id AND checked.day = wanted.day
    )
    SELECT account_id, account_name, report, state, array_agg(day ORDER BY day)
    FROM judged
    WHERE
        (is_reported AND report = 'ad_daily' AND state IS NOT NULL)
        OR (state IN ('missing', 'unfinished', 'not_built') AND day >= first_day)
    GROUP BY account_id, account_name, report, state
    ORDER BY account_id, min(day), report
"""
_BUILD = "SELECT build_id, status = 'running' FROM ops.mart_build ORDER BY build_id DESC LIMIT 1"


@dataclass(frozen=True)
class Gap:
    """Days of an account that keep a report back.

    Attributes:
        account_id: Whose.
        account_name: As people call it.
        report: Of Meta, whose rows they are.
        state: What is wrong with them.
        days: Which, the account's own, oldest first.
    """

    account_id: int
    account_name: str | None
    report: str
    state: State
    days: tuple[date, ...]

    def __str__(self) -> str:
        who = self.account_name or f"act_{self.account_id}"
        what = "" if self.report == "ad_daily" or self.state == "unknown" else f"{self.report} "
        return f"{who}: {what}{_WORDS[self.state][0].format(days=days_in_words(self.days))}."

    @property
    def mend(self) -> str:
        """What to do about it."""
        account = f"act_{self.account_id}"
        return _WORDS[self.state][1].format(account=account, since=self.days[0], until=self.days[-1])


@dataclass(frozen=True)
class Readiness:
    """What keeps a report back.

    Attributes:
        gaps: Days that are not complete, or not reconciled.
        is_building: Whether the marts are being built, which makes them contradict each other for a moment.
        build: The number of the newest build; another one later means that numbers changed meanwhile.
    """

    gaps: tuple[Gap, ...] = ()
    is_building: bool = False
    build: int | None = None

    @property
    def is_ready(self) -> bool:
        """Whether nothing keeps it back."""
        return not self.gaps and not self.is_building

    @property
    def reason(self) -> str:
        """Why it is kept back, in sentences; empty if it is not."""
        found = [str(gap) for gap in self.gaps]
        return " ".join([*found, *(["The marts are being built."] if self.is_building else [])])

    @property
    def mend(self) -> str:
        """What to do about it; the first thing, where there are several."""
        if self.gaps:
            return self.gaps[0].mend
        return "wait until the build is over; if none is under way, run `meta-ads build`" if self.is_building else ""


def readiness(space: Space, accounts: Sequence[int], period: Period, reports: Collection[str] = ()) -> Readiness:
    """Whether the days of a report may be shown.

    Args:
        space: Whose marts.
        accounts: Ids of the accounts that the report is about; at least one.
        period: Its days, and those that they are compared with.
        reports: Reports by breakdowns that it shows, from `breakdowns_of`.

    Raises:
        WarehouseError: The database failed.
    """
    statement = sql.SQL(_STATES).format(schema=sql.Identifier(space.schema))
    values = {
        "accounts": list(accounts),
        "reports": ["ad_daily", *sorted(reports)],
        "first": period.first,
        "last": period.last,
        "before_first": period.before_first,
        "before_last": period.before_last,
    }
    with space.warehouse.connection() as connection:
        # Reason: the build first. One that ends while the days are read has changed them under our eyes.
        build = connection.execute(_BUILD).fetchone()
        found = connection.execute(statement, values).fetchall()
    gaps = tuple(Gap(account, name, report, state, tuple(days)) for account, name, report, state, days in found)
    return Readiness(gaps, bool(build and build[1]), build[0] if build else None)


def breakdowns_of(sections: Iterable[Section], library: Library) -> frozenset[str]:
    """The reports by breakdowns that sections show."""
    return frozenset(
        BREAKDOWNS[table] for section in sections for table in _tables(section, library) if table in BREAKDOWNS
    )


def _tables(section: Section, library: Library) -> Iterator[str]:
    definition = library.dashboards.get(section.dashboard)
    for placed in definition.cards if definition else ():
        is_wanted = placed.card.key in section.cards if section.cards else True
        if is_wanted and section.tab in (None, placed.tab):
            yield from tables_of(placed.sql)
