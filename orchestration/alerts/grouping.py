"""One message for one cause, and one for causes of the same sort that are due at the same time.

What belongs here: which causes share a message. What does not: whether they are due (`orchestration.alerts.policy`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from orchestration.alerts.model import ALL_CLEARS, TOLD_ONCE, Alert, Event, Kind, Message
from orchestration.alerts.policy import quiet_after

_BY_KIND = frozenset({Kind.ACCOUNT_STALE, Kind.TODAY_STALE, Kind.CHECKS_FAILED, Kind.API_USAGE, Kind.REPORT_NOT_SENT})


def group_of(alert: Alert) -> str:
    """What a cause has in common with others: its kind, and for failed runs the kind of error."""
    cause = alert.cause
    if cause.kind in _BY_KIND:
        return cause.kind
    if cause.kind == Kind.RUN_FAILED:
        return f"{cause.kind}:{cause.key.rpartition(':')[2]}"
    return cause.key


def messages(due: Iterable[tuple[Alert, Event]], now: datetime, quiet: timedelta) -> list[Message]:
    """Messages for all causes that are due, the worst first and all-clears last.

    Args:
        due: Causes with the reason to tell them, each at most once.
        now: With a time zone.
        quiet: The quiet period after a first message.
    """
    found: dict[tuple[Event, str], list[Alert]] = {}
    for alert, event in due:
        found.setdefault((event, group_of(alert)), []).append(alert)
    several = []
    for (event, group), alerts in found.items():
        alerts.sort(key=lambda alert: (alert.cause.severity != "error", alert.cause.key))
        several.append(Message(event, group, tuple(alerts), now, _quiet(event, alerts, quiet)))
    return sorted(several, key=lambda one: (one.event in ALL_CLEARS, one.severity != "error", one.event, one.group))


def _quiet(event: Event, alerts: list[Alert], quiet: timedelta) -> timedelta | None:
    if event in ALL_CLEARS or all(alert.cause.kind in TOLD_ONCE for alert in alerts):
        return None
    told = max((found.told_count for alert in alerts for found in alert.deliveries.values()), default=0)
    return quiet_after(told + 1 if event is Event.REMINDER else 1, quiet)
