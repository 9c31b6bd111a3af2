"""What causes are made of, read from the warehouse and asked of Meta.

What belongs here: reading. What does not: judging (`orchestration.alerts.causes`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Set
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ingestion.budget import APP, percent_used
from ingestion.clock import Clock
from ingestion.entities import inspect_token, token_end
from ingestion.errors import CredentialError, IngestionError
from ingestion.reports import PRESETS
from orchestration.alerts.causes import TODAY_LIMIT, AccountPulls, FailedCheck, Meter, Token
from orchestration.alerts.model import Account
from orchestration.mail_settings import report_sender, sender, smtp_server
from orchestration.platform import Platform
from warehouse.ops import UsageStore
from warehouse.ops.freshness import WatchedAccount, newest_pulls, watched_accounts
from warehouse.ops.report_deliveries import Delivery, deliveries
from warehouse.ops.today import account_activity
from warehouse.quality.store import latest_errors

log = logging.getLogger(__name__)

HOURLY = "ad_hourly"
#: Expectations about how new the data are: the accounts' own freshness tells of it, sooner.
_OF_FRESHNESS = ("not_stale", "fresh")
_PATIENCE_SECONDS = 10.0
#: What nobody sent for so long, nobody will.
_REPORTS_WATCHED = timedelta(days=15)


class _ImpatientClock:
    """Another clock, on which nobody waits for long: a sensor must not sit out a limit of Meta."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._left = _PATIENCE_SECONDS

    def now(self) -> float:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        """Waits, unless it has waited long enough.

        Raises:
            InterruptedError: It has.
        """
        self._left -= max(0.0, seconds)
        if self._left < 0:
            raise InterruptedError("nobody waits here")
        self._clock.sleep(seconds)


def ask_token(platform: Platform) -> Token | None:
    """What Meta says of the token; None where it could not be asked, or there is none.

    Raises:
        WarehouseError: The database failed.
    """
    settings = platform.settings
    if settings.meta_access_token is None:
        return None
    hasty = settings.model_copy(update={"meta_timeout_seconds": min(settings.meta_timeout_seconds, _PATIENCE_SECONDS)})
    client = replace(platform, settings=hasty, clock=_ImpatientClock(platform.clock)).graph_client()
    try:
        data = inspect_token(client, settings.meta_access_token.get_secret_value())
    except CredentialError as refused:
        return Token(refused.message, refused.mend)
    except (IngestionError, InterruptedError) as problem:
        log.info("Meta was not asked for the token's end: %s", problem)
        return None
    finally:
        client.close()
    if not data.get("is_valid", True):
        return Token(str((data.get("error") or {}).get("message") or "Meta calls it invalid."))
    ends = token_end(data)
    return Token(ends_at=datetime.fromtimestamp(ends, UTC) if ends is not None else None)


def known_accounts(platform: Platform) -> tuple[list[WatchedAccount], dict[int, Account]]:
    """Every account that was seen at Meta, and how people call it."""
    found = watched_accounts(platform.warehouse)
    return found, {one.account_id: Account(one.account_id, one.name, one.client_name) for one in found}


def account_pulls(
    platform: Platform,
    accounts: list[WatchedAccount],
    present: Set[int] | None,
    now: datetime,
    *,
    is_today_pulled: bool,
) -> list[AccountPulls]:
    """How far the pulls of each account have come.

    Args:
        platform: Opened.
        accounts: From `known_accounts`.
        present: Accounts that are pulled; None for all.
        now: With a time zone.
        is_today_pulled: Whether something pulls the current day by itself.
    """
    # Reason: hours come while the day lasts, and say nothing of whether the day was pulled.
    pulls = newest_pulls(platform.warehouse, [name for name in PRESETS if name != HOURLY])
    today = newest_pulls(platform.warehouse, [HOURLY], days=3) if is_today_pulled else {}
    return [
        AccountPulls(
            Account(one.account_id, one.name, one.client_name),
            one.time_zone or "UTC",
            pulls.get(one.account_id, {}),
            today.get(one.account_id, {}),
            is_watched_today=is_today_pulled
            and max(today.get(one.account_id, {}).values(), default=now - TODAY_LIMIT) <= now - TODAY_LIMIT
            and _ought_to_be_new(platform, one.account_id, now),
        )
        for one in accounts
        if present is None or one.account_id in present
    ]


def _ought_to_be_new(platform: Platform, account_id: int, now: datetime) -> bool:
    """Whether ads deliver by the same rule by which the current day is pulled, and have for a while."""
    activity = account_activity(platform.warehouse, account_id, now)
    # Reason: ads that were switched on a moment ago are pulled with the next tick.
    is_settled = activity.changed_at is None or now - activity.changed_at >= TODAY_LIMIT
    return activity.is_delivering and is_settled


def failed_checks(platform: Platform) -> list[FailedCheck]:
    """What the newest check of each account and report found that must not be used."""
    return [FailedCheck(*row) for row in latest_errors(platform.warehouse, _OF_FRESHNESS)]


def report_deliveries(platform: Platform, now: datetime) -> list[Delivery]:
    """What became of reports lately, by client and report, the newest period first."""
    return deliveries(platform.warehouse, now - _REPORTS_WATCHED)


def can_mail(platform: Platform) -> bool:
    """Whether e-mail can be sent at all."""
    settings = platform.settings
    return smtp_server(settings) is not None and (sender(settings) or report_sender(settings)) is not None


def meters(platform: Platform, now: datetime) -> list[Meter]:
    """Meta's limits as they are now."""
    return [_meter(row, now) for row in UsageStore(platform.warehouse).load()]


def _meter(row: Mapping[str, object], now: datetime) -> Meter:
    name, observed_at = str(row["usage_type"]), row["observed_at"]
    assert isinstance(observed_at, datetime)
    detail = row["detail"] if isinstance(row["detail"], dict) else {}
    told = float(str(row["utilisation"] or 0.0))
    # Reason: a block is no meter; it lasts until its end, whatever drains meanwhile.
    percent = 0.0 if name == "block" else percent_used(name, told, observed_at.timestamp(), detail, now.timestamp())
    regain_at = row["regain_at"]
    return Meter(
        None if row["scope"] == APP else int(str(row["scope_id"])),
        name,
        percent,
        observed_at,
        regain_at if isinstance(regain_at, datetime) else None,
    )
