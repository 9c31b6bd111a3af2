"""The numbers that a report begins with, and what is to be known about them.

What belongs here: sums and ratios of the period and of the one before, by currency where they cannot be one; ages and
states of the data; what happened in the days. What does not: SQL (`dashboards.reports.questions`), words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from dashboards.model import Format
from dashboards.reports import questions
from dashboards.reports.asking import Asker

METRICS: Mapping[str, tuple[Format, str]] = {
    "spend": ("money", "neither"),
    "revenue": ("money", "more"),
    "roas": ("multiple", "more"),
    "cpa": ("money", "less"),
    "conversions": ("decimal", "more"),
    "ctr": ("percent", "more"),
    "cpm": ("money", "less"),
    "cvr": ("percent", "more"),
}
"""Headline figures in order: how each is written, and whether more of it is good."""
_OWN_FORMATS: Mapping[str, Format] = {"money": "money", "percent": "percent", "ratio": "multiple"}
_MONEY = frozenset({"spend", "conversion_value"})
"""Measures of custom metrics that are money."""

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Campaign:
    """A campaign's sums; a row is None where it had no day in a period."""

    account_id: int
    campaign_id: int
    name: str
    account: str
    now: Row | None
    before: Row | None


@dataclass(frozen=True)
class OwnMetric:
    """A metric that the client declares.

    Attributes:
        label: What people call it.
        form: How it is written.
        good: Whether more of it is good.
        currency: Of accounts whose money it is made of; None if it is made of none.
        now: Its value in the period, recomputed from sums; None without a denominator.
        before: The same in the period before.
    """

    label: str
    form: Format
    good: str
    currency: str | None
    now: Decimal | None
    before: Decimal | None


@dataclass(frozen=True)
class Group:
    """Accounts whose money is told in one currency.

    Attributes:
        currency: That; None where nothing is held.
        accounts: Their names.
        now: Sums and ratios of the period, by `METRICS`.
        before: The same of the period before.
        campaigns: Every campaign of both.
        own_metrics: The client's metrics that the order names.
    """

    currency: str | None
    accounts: tuple[str, ...]
    now: Row
    before: Row
    campaigns: tuple[Campaign, ...]
    own_metrics: tuple[OwnMetric, ...]

    @property
    def has_numbers(self) -> bool:
        """Whether a day of the period is held."""
        return any(one.now is not None for one in self.campaigns)

    @property
    def has_numbers_before(self) -> bool:
        """Whether a day of the period before is held."""
        return any(one.before is not None for one in self.campaigns)


@dataclass(frozen=True)
class Facts:
    """What is to be known about the numbers.

    Attributes:
        accounts: Names of the accounts.
        zones: Their time zones; days are theirs.
        attribution: Their attribution settings in these days.
        data_as_of: When the newest of these numbers was pulled, as dashboards tell it; None without any.
        immature: Days that Meta still changes.
        unreconciled: Days that do not add up to Meta's own total.
        empty: Days without a number of any account.
        unknown_accounts: Ids that were asked for and are not held.
        is_rate_missing: Whether money is told by currency because days have no rate.
        is_converted: Whether money of several currencies is told in the one that all accounts report in.
    """

    accounts: tuple[str, ...]
    zones: tuple[str, ...]
    attribution: tuple[str, ...]
    data_as_of: datetime | None
    immature: tuple[date, ...]
    unreconciled: tuple[date, ...]
    empty: tuple[date, ...]
    unknown_accounts: tuple[str, ...] = ()
    is_rate_missing: bool = False
    is_converted: bool = False


@dataclass(frozen=True)
class Summary:
    """All that is said before the sections.

    Attributes:
        groups: One, or one for each currency.
        facts: What is to be known about the numbers.
        budgets: Accounts with a monthly budget, as of their newest day of the period.
        tests: Tests that are decided.
        alerts: Alerts that were raised in the period.
        fatigue: Creatives that wear out.
    """

    groups: tuple[Group, ...]
    facts: Facts
    budgets: tuple[Row, ...]
    tests: tuple[Row, ...]
    alerts: tuple[Row, ...]
    fatigue: tuple[Row, ...]

    @property
    def currencies(self) -> tuple[str | None, ...]:
        """What cards are to be filtered by: each currency by itself, or nothing."""
        return tuple(one.currency for one in self.groups) if len(self.groups) > 1 else (None,)


def summarised(asker: Asker) -> Summary:
    """Asks for everything that a report begins with.

    Raises:
        ReportFailed: A question had no answer.
        DatabaseUnavailable: The database cannot be reached.
    """
    period = asker.order.period
    accounts = asker.rows(questions.ACCOUNTS, period.first, period.last)
    groups, is_rate_missing = _groups(asker, accounts)
    days = asker.rows(questions.DAYS, period.first, period.last)

    def told(question: str) -> tuple[Row, ...]:
        # Reason: a space may be without a mart, of what its data was never pulled; then nothing is said about it.
        return tuple(asker.rows(question, period.first, period.last)) if asker.has_tables(question) else ()

    return Summary(
        groups,
        _facts(asker, accounts, days, is_rate_missing, len(groups) == 1),
        told(questions.BUDGETS),
        told(questions.TESTS),
        told(questions.ALERTS),
        told(questions.FATIGUE),
    )


def _groups(asker: Asker, accounts: list[dict[str, Any]]) -> tuple[tuple[Group, ...], bool]:
    """All accounts together if their money can be, else those of each currency."""
    is_rate_missing = False
    if all(row["is_shown"] for row in accounts):
        campaigns = _campaigns(asker, None)
        rows = [row for one in campaigns for row in (one.now, one.before) if row is not None]
        currencies = {row["currency"] for row in accounts}
        is_rate_missing = len(currencies) > 1 and not all(row["is_money_known"] for row in rows)
        if not is_rate_missing:
            currency = accounts[0]["shown_currency"] if accounts else None
            return (_group(asker, currency, None, _names(accounts), campaigns),), False
    found = []
    for currency in sorted({row["currency"] for row in accounts}):
        names = _names(row for row in accounts if row["currency"] == currency)
        found.append(_group(asker, currency, currency, names, _campaigns(asker, currency)))
    return tuple(found), is_rate_missing


def _group(
    asker: Asker, currency: str | None, chosen: str | None, names: tuple[str, ...], campaigns: tuple[Campaign, ...]
) -> Group:
    period = asker.order.period
    now = asker.rows(questions.PERIOD, period.first, period.last, chosen)
    before = asker.rows(questions.PERIOD, period.before_first, period.before_last, chosen)
    own = _own_metrics(asker, chosen) if asker.order.custom_metrics else ()
    return Group(currency, names, now[0] if now else {}, before[0] if before else {}, campaigns, own)


def _campaigns(asker: Asker, currency: str | None) -> tuple[Campaign, ...]:
    period = asker.order.period
    now = asker.rows(questions.CAMPAIGNS, period.first, period.last, currency)
    before = asker.rows(questions.CAMPAIGNS, period.before_first, period.before_last, currency)
    by_key: dict[tuple[int, int], list[Row | None]] = {}
    for place, rows in enumerate((now, before)):
        for row in rows:
            by_key.setdefault((row["account_id"], row["campaign_id"]), [None, None])[place] = row
    found = []
    for (account_id, campaign_id), pair in by_key.items():
        known = pair[0] or pair[1] or {}
        name = str(known.get("campaign_name") or campaign_id)
        account = str(known.get("account_name") or account_id)
        found.append(Campaign(account_id, campaign_id, name, account, pair[0], pair[1]))
    return tuple(sorted(found, key=lambda one: (one.account_id, one.campaign_id)))


def _own_metrics(asker: Asker, currency: str | None) -> tuple[OwnMetric, ...]:
    """The metrics that the order names, in its order; of money, one for each currency."""
    if not asker.has_tables(questions.CUSTOM):
        return ()
    period = asker.order.period
    now = asker.rows(questions.CUSTOM, period.first, period.last, currency)
    before = asker.rows(questions.CUSTOM, period.before_first, period.before_last, currency)
    found = []
    for name in asker.order.custom_metrics:
        rows = [row for row in (*now, *before) if row["metric"] == name]
        is_money = any(row["numerator"] in _MONEY or row["denominator"] in _MONEY for row in rows)
        for one in sorted({row["currency"] for row in rows}) if is_money else [None][: len(rows)]:
            about = next(row for row in rows if one in (None, row["currency"]))
            found.append(
                OwnMetric(
                    str(about["label"] or name),
                    _OWN_FORMATS.get(about["format"], "decimal"),
                    "less" if about["is_lower_better"] else "more",
                    one,
                    _ratio(row for row in now if row["metric"] == name and one in (None, row["currency"])),
                    _ratio(row for row in before if row["metric"] == name and one in (None, row["currency"])),
                )
            )
    return tuple(found)


def _ratio(rows: Iterable[Row]) -> Decimal | None:
    """Numerator / denominator * multiplier of summed parts; NULL on a zero denominator."""
    known = list(rows)
    numerators = [row["numerator_value"] for row in known if row["numerator_value"] is not None]
    denominator = sum((Decimal(row["denominator_value"] or 0) for row in known), Decimal(0))
    if not numerators or not denominator:
        return None
    return sum(map(Decimal, numerators), Decimal(0)) / denominator * Decimal(known[0]["multiplier"])


def _facts(
    asker: Asker, accounts: list[dict[str, Any]], days: list[dict[str, Any]], is_rate_missing: bool, is_one: bool
) -> Facts:
    period = asker.order.period
    held = {row["day"] for row in days}
    every = (period.first + timedelta(days=number) for number in range((period.last - period.first).days + 1))
    known = {str(row["account_id"]) for row in accounts}
    return Facts(
        _names(accounts),
        tuple(sorted({row["time_zone"] for row in accounts if row["time_zone"]})),
        tuple(sorted({row["attribution_setting"] for row in days if row["attribution_setting"]})),
        max((row["data_as_of"] for row in days if row["data_as_of"] is not None), default=None),
        tuple(sorted({row["day"] for row in days if row["is_mature"] is False})),
        tuple(sorted({row["day"] for row in days if row["is_reconciled"] is False})),
        tuple(day for day in every if day not in held),
        tuple(one for one in asker.accounts if one not in known),
        is_rate_missing,
        is_one and len({row["currency"] for row in accounts}) > 1,
    )


def _names(accounts: Iterable[Row]) -> tuple[str, ...]:
    return tuple(str(row["account_name"]) for row in accounts)
