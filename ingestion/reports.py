"""Report plans: which insights are asked for, as data.

The presets and what makes a request body out of them belong here; running them does not. Facts: fact sheet, section 2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, Literal

import orjson

Level = Literal["account", "campaign", "adset", "ad"]
LEVEL_IDS: dict[str, tuple[str, ...]] = {
    "account": (),
    "campaign": ("campaign_id",),
    "adset": ("campaign_id", "adset_id"),
    "ad": ("campaign_id", "adset_id", "ad_id"),
}

# Reason: 7d_view and 28d_view have not been returned since 2026-01-12; asking for them buys nothing.
WINDOWS = ("1d_click", "7d_click", "28d_click", "1d_view", "1d_ev")

# Reason: without this a parent's totals hold deleted and archived children that a listing of children leaves out, and
# sums then depend on how a request was split.
ALL_STATUSES = {
    "campaign": ("ACTIVE", "PAUSED", "DELETED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES"),
    "adset": ("ACTIVE", "PAUSED", "DELETED", "ARCHIVED", "IN_PROCESS", "WITH_ISSUES", "CAMPAIGN_PAUSED"),
    "ad": (
        "ACTIVE",
        "PAUSED",
        "DELETED",
        "ARCHIVED",
        "IN_PROCESS",
        "WITH_ISSUES",
        "CAMPAIGN_PAUSED",
        "ADSET_PAUSED",
        "PENDING_REVIEW",
        "DISAPPROVED",
        "PREAPPROVED",
        "PENDING_BILLING_INFO",
    ),
}

# Reason: since 2026-08-06 these return nothing, without an error, unless the account's administrator opted in (fact
# sheet, breakdowns).
OPT_IN_BREAKDOWNS = frozenset({"impression_device", "hourly_stats_aggregated_by_audience_time_zone", "frequency_value"})
_ACCOUNT = ("account_id", "account_name", "account_currency", "attribution_setting")
_NAMES = {
    "account": (),
    "campaign": ("campaign_id", "campaign_name", "objective", "buying_type"),
    "adset": ("campaign_id", "campaign_name", "adset_id", "adset_name", "objective", "optimization_goal"),
    "ad": (
        "campaign_id",
        "campaign_name",
        "adset_id",
        "adset_name",
        "ad_id",
        "ad_name",
        "objective",
        "optimization_goal",
        "buying_type",
    ),
}
_DELIVERY = ("impressions", "reach", "frequency", "clicks", "inline_link_clicks", "spend")
_OUTCOMES = ("actions", "action_values")
_VIDEO = (
    "video_play_actions",
    "video_p25_watched_actions",
    "video_p50_watched_actions",
    "video_p75_watched_actions",
    "video_p100_watched_actions",
    "video_thruplay_watched_actions",
)
_RANKINGS = ("quality_ranking", "engagement_rate_ranking", "conversion_rate_ranking")


@dataclass(frozen=True)
class Report:
    """One kind of insights request.

    Attributes:
        name: `raw.insights_<name>` holds it.
        level: What a row is.
        fields: What is asked; breakdown columns are never among them (Meta refuses that).
        breakdowns: In Meta's names, in key order.
        action_breakdowns: Empty = Meta's default, `action_type`: what Ads Manager shows.
        windows: Attribution windows beside `value`.
        history_days: How far a first pull goes back.
        period: True for reports of several days per row (reach), asked with `time_ranges`.
        max_days: Most days in one report run.
    """

    name: str
    level: Level
    fields: tuple[str, ...]
    breakdowns: tuple[str, ...] = ()
    action_breakdowns: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    history_days: int = 120
    period: bool = False
    max_days: int = 92

    @property
    def key(self) -> tuple[str, ...]:
        """What identifies a row within an account."""
        return ("date_start", "date_stop", *LEVEL_IDS[self.level], *self.breakdowns)

    def without(self, fields: Sequence[str]) -> Report:
        """The same report without these fields."""
        return replace(self, fields=tuple(name for name in self.fields if name not in fields))


def _report(name: str, level: Level, *, extra: tuple[str, ...] = (), **rest: Any) -> Report:
    return Report(name, level, (*_ACCOUNT, *_NAMES[level], *_DELIVERY, *_OUTCOMES, *extra), **rest)


PRESETS: dict[str, Report] = {
    report.name: report
    for report in (
        _report("ad_daily", "ad", extra=("outbound_clicks", *_VIDEO, *_RANKINGS), windows=WINDOWS),
        _report("adset_daily", "adset", windows=WINDOWS),
        _report("campaign_daily", "campaign", windows=WINDOWS),
        _report("account_daily", "account", windows=WINDOWS),
        # Reason: hourly rows have no reach, no video fields and no off-Meta actions; windows would only cost time.
        Report(
            "ad_hourly",
            "ad",
            (*_ACCOUNT, *_NAMES["ad"], "impressions", "clicks", "inline_link_clicks", "spend", "actions"),
            breakdowns=("hourly_stats_aggregated_by_advertiser_time_zone",),
            history_days=7,
            max_days=14,
        ),
        _report("ad_daily__age_gender", "ad", breakdowns=("age", "gender"), history_days=30, max_days=31),
        _report("ad_daily__country", "ad", breakdowns=("country",), history_days=30, max_days=31),
        _report(
            "ad_daily__placement",
            "ad",
            breakdowns=("publisher_platform", "platform_position", "impression_device"),
            history_days=30,
            max_days=31,
        ),
        Report(
            "campaign_period",
            "campaign",
            (*_ACCOUNT, "campaign_id", "campaign_name", "impressions", "reach", "frequency", "spend"),
            history_days=35,
            period=True,
            max_days=10,
        ),
        Report(
            "account_period",
            "account",
            (*_ACCOUNT, "impressions", "reach", "frequency", "spend"),
            history_days=35,
            period=True,
            max_days=10,
        ),
    )
}


@dataclass(frozen=True)
class Piece:
    """A part of a report: a range of days, perhaps only some objects and fields.

    Attributes:
        report: With the fields of this piece.
        since: First day, in the account's days.
        until: Last day, included.
        entities: `(level, ids)` to restrict the request to, or None for everything.
        attempt: Sets a deliberate repetition apart from what was asked before.
    """

    report: Report
    since: date
    until: date
    entities: tuple[str, tuple[str, ...]] | None = None
    attempt: int = 0

    @property
    def days(self) -> list[date]:
        """Every day of the range."""
        return [self.since + timedelta(days=n) for n in range((self.until - self.since).days + 1)]

    def by_date(self) -> tuple[Piece, Piece] | None:
        """The two halves of the range, or None for a single day."""
        if self.since == self.until:
            return None
        middle = self.since + (self.until - self.since) // 2
        return replace(self, until=middle), replace(self, since=middle + timedelta(days=1))

    def params(self) -> dict[str, Any]:
        """The request's parameters."""
        report = self.report
        params: dict[str, Any] = {"level": report.level, "fields": list(report.fields)}
        if report.period:
            params["time_ranges"] = [
                {"since": since.isoformat(), "until": until.isoformat()}
                for day in self.days
                for since, until in periods_ending(day)
            ]
        else:
            params["time_range"] = {"since": self.since.isoformat(), "until": self.until.isoformat()}
            params["time_increment"] = 1
        if report.breakdowns:
            params["breakdowns"] = list(report.breakdowns)
        if report.action_breakdowns:
            params["action_breakdowns"] = list(report.action_breakdowns)
        if report.windows:
            params["action_attribution_windows"] = list(report.windows)
        filtering: list[Mapping[str, Any]] = []
        if report.level != "account":
            statuses = list(ALL_STATUSES[report.level])
            filtering.append({"field": f"{report.level}.effective_status", "operator": "IN", "value": statuses})
        if self.entities:
            level, ids = self.entities
            filtering.append({"field": f"{level}.id", "operator": "IN", "value": list(ids)})
        if filtering:
            params["filtering"] = filtering
        return params

    def fingerprint(self, api_version: str) -> str:
        """Equal for equal requests: how a restarted process recognises a report run that it already asked for."""
        body = orjson.dumps([api_version, self.params(), self.attempt], option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(body).hexdigest()[:32]


def periods_ending(day: date) -> list[tuple[date, date]]:
    """The periods of the `*_period` reports that end on `day`: 7 days, 28 days, and the month if it ends then."""
    periods = [(day - timedelta(days=6), day), (day - timedelta(days=27), day)]
    month = (day.replace(day=1), day)
    if (day + timedelta(days=1)).day == 1 and month not in periods:  # Reason: February has 28 days.
        periods.append(month)
    return periods


def pieces(report: Report, since: date, until: date) -> list[Piece]:
    """Cuts a range into report runs, newest first: what people look at arrives first.

    The cuts depend on nothing but the range, so that a restarted process asks for the same ones.
    """
    found = []
    while until >= since:
        start = max(since, until - timedelta(days=report.max_days - 1))
        found.append(Piece(report, start, until))
        until = start - timedelta(days=1)
    return found
