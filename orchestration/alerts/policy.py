"""When a cause is told on a channel, and when nothing is said.

What belongs here: the decision about one cause, from what is known of it. What does not: sending.

After a message about a cause there is no other about it for the quiet period, whatever it does, unless it gets worse.
The quiet period doubles with each reminder, up to a day. A cause that was told is told to be gone exactly once, when it
has stayed away for a while. What follows from another cause is not told while that one lasts, nor shortly after.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from orchestration.alerts.model import AFTERMATH, CALM, PATIENCE, TOLD_ONCE, Alert, Event, Kind
from warehouse.ops.alerts import Delivery

LONGEST_QUIET = timedelta(days=1)
_RANK = {None: 0, "warning": 1, "error": 2}
_RUNS_ON_THE_WAREHOUSE = frozenset({"DatabaseUnavailable", "DiskFull", "ServerLimit", "SchemaOutdated"})


def next_event(
    alert: Alert, delivery: Delivery, now: datetime, quiet: timedelta, *, is_explained: bool = False
) -> Event | None:
    """What is to be told about a cause on a channel now.

    Args:
        alert: The newest row of the cause.
        delivery: What was told on this channel.
        now: With a time zone.
        quiet: After a message, how long nothing more is said.
        is_explained: Whether another cause brought it about.
    """
    if alert.resolved_at is not None:
        if alert.cause.kind in TOLD_ONCE and delivery.severity == "error":
            return None
        is_calm = now >= alert.resolved_at + CALM
        if not (delivery.owes_all_clear and is_calm):
            return None
        return Event.EXPIRED if alert.resolution == "expired" else Event.ALL_CLEAR
    if is_explained or now < alert.opened_at + PATIENCE.get((alert.cause.kind, alert.cause.severity), timedelta()):
        return None
    if delivery.told_at is None:
        return Event.OPENED
    owes = delivery.owes_all_clear
    if _RANK[alert.cause.severity] > _RANK[delivery.severity]:
        return Event.WORSE if owes else Event.OPENED
    if now < delivery.told_at + (quiet_after(delivery.told_count, quiet) if owes else quiet):
        return None
    if owes and alert.cause.kind in TOLD_ONCE:
        return None
    return Event.REMINDER if owes else Event.OPENED


def quiet_after(told_count: int, quiet: timedelta) -> timedelta:
    """How long nothing is said after the n-th message about a cause."""
    # Reason: an exponent that grows for weeks would leave what a timedelta can hold.
    doublings: int = min(max(told_count - 1, 0), 12)
    return max(quiet, min(quiet * (1 << doublings), LONGEST_QUIET))


def explained(alerts: Iterable[Alert], now: datetime) -> set[str]:
    """The keys of causes that others brought about.

    Args:
        alerts: All that are open, and those that have ended lately.
        now: With a time zone.
    """
    alerts = list(alerts)
    roots = [alert for alert in alerts if alert.resolved_at is None or now < alert.resolved_at + AFTERMATH]
    return {alert.cause.key for alert in alerts if any(_explains(root, alert) for root in roots)}


def _explains(root: Alert, alert: Alert) -> bool:
    kind, of = root.cause.kind, alert.cause.kind
    if root.cause.key == alert.cause.key:
        return False
    if kind == Kind.WAREHOUSE_FAILED:
        is_lost_run = of == Kind.RUN_FAILED and alert.cause.key.rpartition(":")[2] in _RUNS_ON_THE_WAREHOUSE
        return is_lost_run or of in (Kind.ACCOUNT_STALE, Kind.TODAY_STALE)
    if of not in (Kind.ACCOUNT_STALE, Kind.TODAY_STALE):
        return False
    if kind in (Kind.TOKEN_REFUSED, Kind.VERSION_RETIRED):
        return True
    is_same = alert.cause.account_id in root.accounts
    if kind == Kind.API_USAGE and root.cause.severity == "error":
        return is_same or root.cause.account_id is None
    return is_same and (kind == Kind.RUN_FAILED or (kind == Kind.ACCOUNT_STALE and of == Kind.TODAY_STALE))
