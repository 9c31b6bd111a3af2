"""Sends what is due on each channel, and keeps what was sent.

What belongs here: the order of deciding, sending and noting. What does not: each of them (`policy`, `channels`, the
store).

Noting follows sending: a process that dies in between sends once more, and none is lost. Two processes cannot send at
once, since only one has its turn. A channel that fails keeps its messages due, and the others go on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from orchestration.alerts.channels import Channel
from orchestration.alerts.grouping import messages
from orchestration.alerts.model import AFTERMATH, ALL_CLEARS, Alert, Message, Outcome
from orchestration.alerts.policy import explained, next_event
from orchestration.alerts.render import Context
from warehouse.connect import Warehouse
from warehouse.ops import alerts as store
from warehouse.ops.alerts import Delivery

log = logging.getLogger(__name__)

#: Dagster gives a sensor 60 s; what is left then waits for the next evaluation.
SENDING_SECONDS = 35.0


class AlertStore(Protocol):
    """Where causes and deliveries are kept."""

    def turn(self) -> AbstractContextManager[bool]:
        """Whether it is this process's turn to send."""

    def board(self, since: datetime) -> list[Alert]:
        """Causes that are open, owe an all-clear, or ended since a moment."""

    def told(self, channel: str, alerts: Iterable[Alert], now: datetime, problem: str | None) -> None:
        """Notes a message that went out."""

    def cleared(self, channel: str, alerts: Iterable[Alert], now: datetime, problem: str | None) -> None:
        """Notes an all-clear that went out."""

    def not_delivered(self, channel: str, alerts: Iterable[Alert], problem: str) -> None:
        """Notes why a message did not go out."""


class WarehouseAlerts:
    """The store in the warehouse."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.turn = partial(store.turn, warehouse)
        self.board = partial(store.board, warehouse)
        self.told = partial(store.told, warehouse)
        self.cleared = partial(store.cleared, warehouse)
        self.not_delivered = partial(store.not_delivered, warehouse)


@dataclass
class Sent:
    """What a dispatch did.

    Attributes:
        delivered: Channel and message, of each that went out.
        failed: Channel and problem, of each that did not.
        is_turn: Whether it was this process's turn.
    """

    delivered: list[tuple[str, Message]] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)
    is_turn: bool = True


def dispatch(
    kept: AlertStore,
    channels: Sequence[Channel],
    context: Context,
    now: datetime,
    quiet: timedelta,
    *,
    roots: Collection[Alert] = (),
) -> Sent:
    """Sends everything that is due.

    Args:
        kept: The causes.
        channels: Where to.
        context: For the texts.
        now: With a time zone.
        quiet: After a message about a cause, how long nothing more is said about it.
        roots: Causes that are kept elsewhere and bring others about.

    Raises:
        WarehouseError: The store failed.
    """
    sent = Sent()
    deadline = time.monotonic() + SENDING_SECONDS
    with kept.turn() as is_mine:
        sent.is_turn = is_mine
        if not is_mine:
            return sent
        alerts = kept.board(now - AFTERMATH)
        consequences = explained([*alerts, *roots], now)
        for channel in channels:
            due = []
            for alert in alerts:
                known = alert.deliveries.get(channel.name, Delivery())
                event = next_event(alert, known, now, quiet, is_explained=alert.cause.key in consequences)
                if event is not None and channel.wants(event, alert.cause):
                    due.append((alert, event))
            for number, message in enumerate(messages(due, now, quiet)):
                if number and time.monotonic() > deadline:
                    log.warning("No time is left to send all %s alerts; the rest follows.", channel.name)
                    break
                if not _send(kept, channel, message, context, sent):
                    break  # Reason: a channel that is down costs its timeout once an evaluation, not once a message.
    return sent


def _send(kept: AlertStore, channel: Channel, message: Message, context: Context, sent: Sent) -> bool:
    """Sends one message; returns whether others are worth trying on this channel."""
    handover = channel.send(message, context)
    if handover.outcome is Outcome.FAILED:
        log.warning("The %s alert was not delivered, and stays due: %s", channel.name, handover.problem)
        kept.not_delivered(channel.name, message.alerts, handover.problem)
        sent.failed.append((channel.name, handover.problem))
        return not handover.is_down
    if handover.problem:
        log.warning("The %s alert: %s", channel.name, handover.problem)
    note = kept.cleared if message.event in ALL_CLEARS else kept.told
    note(channel.name, message.alerts, message.at, handover.problem or None)
    sent.delivered.append((channel.name, message))
    return not handover.is_down
