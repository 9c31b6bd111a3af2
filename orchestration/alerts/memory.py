"""Causes that cannot be kept in the warehouse, because the warehouse is the cause.

What belongs here: a store that fits in the cursor of a sensor. What does not: its other causes
(`warehouse.ops.alerts`), which follow the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError

from orchestration.alerts.model import CALM, Alert, Cause
from warehouse.ops.alerts import Delivery


class MemoryAlerts:
    """An `AlertStore` for one process at a time, which is what Dagster grants a sensor."""

    def __init__(self, alerts: Iterable[Alert] = ()) -> None:
        self._alerts = {alert.cause.key: alert for alert in alerts}

    @classmethod
    def from_json(cls, kept: object) -> MemoryAlerts:
        """What `to_json` gave; nothing where another release wrote it."""
        try:
            return cls(_ALERTS.validate_python(kept))
        except ValidationError:
            return cls()

    def to_json(self) -> list[Any]:
        """As plain data."""
        return list(_ALERTS.dump_python(list(self._alerts.values()), mode="json"))

    def observe(self, seen: Sequence[Cause], now: datetime) -> None:
        """Takes in all causes that there are now."""
        for cause in seen:
            known = self._alerts.get(cause.key)
            if known is None:
                self._alerts[cause.key] = Alert(1, cause, now, now)
                continue
            goes_on = known.resolved_at is None or known.resolved_at > now - CALM
            self._alerts[cause.key] = replace(
                known,
                alert_id=known.alert_id + (not goes_on),
                cause=cause,
                opened_at=known.opened_at if goes_on else now,
                last_seen_at=now,
                seen_count=known.seen_count + 1 if goes_on else 1,
                resolved_at=None,
                resolution=None,
            )
        keys = {cause.key for cause in seen}
        for key, alert in self._alerts.items():
            if alert.resolved_at is None and key not in keys:
                self._alerts[key] = replace(alert, resolved_at=now, resolution="gone")

    @contextmanager
    def turn(self) -> Iterator[bool]:
        """Always this one's."""
        yield True

    def board(self, since: datetime) -> list[Alert]:
        """See `AlertStore.board`."""
        return [
            alert
            for alert in self._alerts.values()
            if alert.resolved_at is None
            or alert.resolved_at >= since
            or any(found.owes_all_clear for found in alert.deliveries.values())
        ]

    def told(self, channel: str, alerts: Iterable[Alert], now: datetime, problem: str | None) -> None:
        """See `AlertStore.told`."""
        for alert in alerts:
            known = self._delivery(alert, channel)
            count = known.told_count + 1 if known.cleared_at is None else 1
            self._keep(alert, channel, Delivery(alert.cause.severity, now, count, None, problem))

    def cleared(self, channel: str, alerts: Iterable[Alert], now: datetime, problem: str | None) -> None:
        """See `AlertStore.cleared`."""
        for alert in alerts:
            self._keep(alert, channel, replace(self._delivery(alert, channel), cleared_at=now, problem=problem))

    def not_delivered(self, channel: str, alerts: Iterable[Alert], problem: str) -> None:
        """See `AlertStore.not_delivered`."""
        for alert in alerts:
            self._keep(alert, channel, replace(self._delivery(alert, channel), problem=problem))

    def _delivery(self, alert: Alert, channel: str) -> Delivery:
        return self._alerts[alert.cause.key].deliveries.get(channel, Delivery())

    def _keep(self, alert: Alert, channel: str, delivery: Delivery) -> None:
        known = self._alerts[alert.cause.key]
        deliveries: Mapping[str, Delivery] = {**known.deliveries, channel: delivery}
        self._alerts[alert.cause.key] = replace(known, deliveries=deliveries)


_ALERTS = TypeAdapter(list[Alert])
