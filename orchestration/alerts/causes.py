"""From facts to causes.

What belongs here: pure functions, and the limits from which on something is wrong. What does not: reading the facts
(`orchestration.alerts.facts`), failed runs (`orchestration.alerts.failures`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from orchestration.alerts.model import Account, Cause, Kind, label
from warehouse.ops import HeldDay
from warehouse.quality.rules import days_in_words

#: How long after its midnight an account's yesterday may be missing: the daily runs need their time.
GRACE = timedelta(hours=3)
#: How old the numbers of the current day may be. Meta refreshes every 15 minutes, and so does the platform.
TODAY_LIMIT = timedelta(minutes=60)
EXPIRES_SOON, EXPIRES_NOW = timedelta(days=7), timedelta(days=1)
HIGH_USAGE = 80.0
#: A wait that Meta asks for is told from this length on; the platform sits out shorter ones.
LONG_BLOCK = timedelta(minutes=10)
_ROTATE = "rotate the token (docs/cookbooks/rotate-token.md)"
_SHOWN = 5


@dataclass(frozen=True)
class AccountPulls:
    """What was pulled of an account.

    Attributes:
        account: Which.
        time_zone: IANA name; UTC stands for one that nobody knows.
        pulls: When each of the newest days was last pulled, by any report.
        today: When the hourly report of each of the newest days was last pulled.
        is_watched_today: Whether its current day ought to be pulled all the time.
    """

    account: Account
    time_zone: str
    pulls: Mapping[date, datetime]
    today: Mapping[date, datetime] = field(default_factory=dict)
    is_watched_today: bool = False


@dataclass(frozen=True)
class Token:
    """What Meta says of the token.

    Attributes:
        refused: Why it is refused; None for a good one.
        mend: What to do then.
        ends_at: When it expires, UTC; None for never.
    """

    refused: str | None = None
    mend: str = ""
    ends_at: datetime | None = None


@dataclass(frozen=True)
class Meter:
    """One of Meta's limits.

    Attributes:
        account_id: Whose; None for that of the app.
        name: Which.
        percent: How much of it is used now.
        observed_at: When Meta last said so, UTC.
        blocked_until: Until when Meta has asked to wait, if it has.
    """

    account_id: int | None
    name: str
    percent: float
    observed_at: datetime
    blocked_until: datetime | None = None


@dataclass(frozen=True)
class FailedCheck:
    """A check of raw data that failed, as an error."""

    account_id: int
    report: str
    message: str
    mend: str


def stale_accounts(found: Iterable[AccountPulls], now: datetime) -> Iterator[Cause]:
    """Accounts whose newest complete day is not their yesterday, once there was time for it.

    A day is complete when it was pulled after its end, in the account's time zone.
    """
    for one in found:
        zone = zone_of(one.time_zone)
        local = now.astimezone(zone)
        in_grace = now < _midnight(local.date(), zone) + GRACE
        expected = local.date() - timedelta(days=2 if in_grace else 1)
        complete = [day for day, pulled_at in one.pulls.items() if pulled_at.astimezone(zone).date() > day]
        newest = max(complete, default=None)
        if not one.pulls or (newest is None and now - min(one.pulls.values()) < GRACE):
            continue  # Reason: of an account that was never pulled, its failed runs tell.
        if newest is not None and newest >= expected:
            continue
        behind = (expected - newest).days if newest else len(one.pulls)
        yield Cause(
            f"{Kind.ACCOUNT_STALE}:{one.account.account_id}",
            Kind.ACCOUNT_STALE,
            "error" if behind > 1 else "warning",
            f"{_named(one.account)}: {f'no complete day since {newest}' if newest else 'no complete day yet'}",
            f"Expected by now: {expected} ({one.time_zone}).",
            "look at the account's runs of daily_insights in Dagster, or run `meta-ads pull --account "
            f"act_{one.account.account_id}`",
            one.account.account_id,
        )


def stale_today(found: Iterable[AccountPulls], now: datetime) -> Iterator[Cause]:
    """Accounts with active ads whose current day was not pulled for too long."""
    for one in found:
        if not one.is_watched_today:
            continue
        zone = zone_of(one.time_zone)
        today = now.astimezone(zone).date()
        newest = max((pulled for day, pulled in one.today.items() if day >= today), default=None)
        since = newest or _midnight(today, zone)
        if now - since < TODAY_LIMIT:
            continue
        yield Cause(
            f"{Kind.TODAY_STALE}:{one.account.account_id}",
            Kind.TODAY_STALE,
            "warning",
            f"{_named(one.account)}: today's numbers are from {since:%Y-%m-%d %H:%M} UTC",
            f"Its day {today} ({one.time_zone}) ought to be pulled every 15 minutes.",
            "look at the newest runs of tick in Dagster",
            one.account.account_id,
        )


def failed_checks(
    held: Iterable[HeldDay], failed: Iterable[FailedCheck], accounts: Mapping[int, Account]
) -> Iterator[Cause]:
    """Reports of an account whose checks failed: one cause for an account and report, whatever failed in it."""
    days: dict[tuple[int, str], set[date]] = {}
    texts: dict[tuple[int, str], dict[str, str]] = {}
    for one in held:
        days.setdefault((one.account_id, one.report), set()).add(one.day)
        texts.setdefault((one.account_id, one.report), {}).setdefault(one.message, "")
    for check in failed:
        texts.setdefault((check.account_id, check.report), {})[check.message] = check.mend
    for (account_id, report), messages in sorted(texts.items()):
        out = days.get((account_id, report))
        kept = f"Kept out of the marts: {days_in_words(sorted(out))}. " if out else ""
        mend = next(filter(None, messages.values()), "")
        yield Cause(
            f"{Kind.CHECKS_FAILED}:{account_id}:{report}",
            Kind.CHECKS_FAILED,
            "error",
            f"{label(account_id, accounts)}: {report} fails its checks",
            kept + " ".join(list(messages)[:_SHOWN]),
            mend or f"pull the days again: `meta-ads pull --account act_{account_id} --since ... --until ...`",
            account_id,
        )


def token_causes(token: Token, now: datetime) -> Iterator[Cause]:
    """A token that is refused, or will be soon."""
    if token.refused is not None:
        yield Cause(
            Kind.TOKEN_REFUSED,
            Kind.TOKEN_REFUSED,
            "error",
            "Meta refuses the access token",
            token.refused,
            token.mend or _ROTATE,
        )
    elif token.ends_at is not None and token.ends_at - now <= EXPIRES_SOON:
        left = max(token.ends_at - now, timedelta())
        words = f"{left.days} days" if left >= timedelta(days=2) else f"{round(left / timedelta(hours=1))} hours"
        yield Cause(
            Kind.TOKEN_EXPIRES,
            Kind.TOKEN_EXPIRES,
            "error" if left <= EXPIRES_NOW else "warning",
            f"The access token expires in {words}",
            f"It is good until {token.ends_at:%Y-%m-%d %H:%M} UTC; after that nothing can be pulled.",
            _ROTATE,
        )


def usage_causes(meters: Iterable[Meter], accounts: Mapping[int, Account], now: datetime) -> Iterator[Cause]:
    """Limits of Meta that are nearly used up or closed for long: one cause for the app, and one for each account."""
    found: dict[int | None, list[Meter]] = {}
    for meter in meters:
        found.setdefault(meter.account_id, []).append(meter)
    for account_id, several in sorted(found.items(), key=lambda item: item[0] or 0):
        who = "The app" if account_id is None else label(account_id, accounts)
        blocked = _blocked(several, now)
        high = [meter for meter in several if meter.percent >= HIGH_USAGE]
        if blocked is None and not high:
            continue
        if blocked is not None:
            title = f"{who}: Meta answers no calls until {blocked:%Y-%m-%d %H:%M} UTC"
        else:
            top = max(high, key=lambda meter: meter.percent)
            title = f"{who}: {top.percent:.0f} % of Meta's limit `{top.name}` is used"
        listing = ", ".join(f"{meter.name} {meter.percent:.0f} %" for meter in several if meter.name != "block")
        yield Cause(
            f"{Kind.API_USAGE}:{'app' if account_id is None else account_id}",
            Kind.API_USAGE,
            "warning" if blocked is None else "error",
            title,
            f"Used: {listing}. The platform waits by itself, so numbers come late." if listing else "",
            "ask Meta for full access to the Marketing API, stop other programs on this token, or backfill less",
            account_id,
        )


def zone_of(name: str) -> ZoneInfo:
    """A time zone; UTC for a name that this machine does not know."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _blocked(meters: Sequence[Meter], now: datetime) -> datetime | None:
    ends = [
        meter.blocked_until
        for meter in meters
        if meter.blocked_until and meter.blocked_until > now and meter.blocked_until - meter.observed_at >= LONG_BLOCK
    ]
    return max(ends, default=None)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins there, UTC."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _named(account: Account) -> str:
    return label(account.account_id, {account.account_id: account})
