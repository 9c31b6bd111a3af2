"""The words of this package: kinds of causes, messages, what became of them.

What belongs here: value types. What does not: anything that decides. A cause itself is `warehouse.ops.alerts.Cause`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from warehouse.ops.alerts import Alert, Cause, Severity

__all__ = [
    "ALL_CLEARS",
    "Account",
    "Alert",
    "Cause",
    "Event",
    "Kind",
    "Message",
    "Outcome",
    "Severity",
    "label",
    "owner_of",
    "sample",
]


class Kind(StrEnum):
    """What sort of thing is wrong; stored, so never renamed."""

    TOKEN_REFUSED = "token_refused"  # noqa: S105 - no secret
    TOKEN_EXPIRES = "token_expires"  # noqa: S105
    VERSION_RETIRED = "version_retired"
    ACCOUNT_STALE = "account_stale"
    TODAY_STALE = "today_stale"
    CHECKS_FAILED = "checks_failed"
    RUN_FAILED = "run_failed"
    API_USAGE = "api_usage"
    REPORT_NOT_SENT = "report_not_sent"
    WAREHOUSE_FAILED = "warehouse_failed"
    SETTINGS_WRONG = "settings_wrong"
    TEST = "test"


#: How long a cause must have lasted before it is told. What passes by itself sooner is nobody's business.
PATIENCE: Mapping[tuple[str, str], timedelta] = {
    (Kind.API_USAGE, "warning"): timedelta(minutes=30),
    (Kind.WAREHOUSE_FAILED, "error"): timedelta(minutes=2),
}
#: How long a cause must be gone before its all-clear, so that one that comes and goes is told once.
CALM = timedelta(minutes=10)
#: How long after a cause has ended what it brought about is not told: the next pulls mend it.
AFTERMATH = timedelta(minutes=90)
#: A failed run that nobody repeats is forgotten after this time, and said to be.
FORGET_FAILURES = timedelta(days=3)


#: Told when it opens, when it gets worse and when a warning is over, and never in between: whoever is in charge acts by
#: hand, and an error that nobody mended is not worth a second message.
TOLD_ONCE = frozenset({Kind.REPORT_NOT_SENT})


class Event(StrEnum):
    """Why a message is sent."""

    OPENED = "opened"
    WORSE = "worse"
    REMINDER = "reminder"
    ALL_CLEAR = "all_clear"
    EXPIRED = "expired"
    TEST = "test"


ALL_CLEARS = frozenset({Event.ALL_CLEAR, Event.EXPIRED})


class Outcome(StrEnum):
    """What became of a message on a channel."""

    DELIVERED = "delivered"
    UNSURE = "unsure"  # it may have been delivered, so it is not repeated
    FAILED = "failed"  # it was not, so it stays due


@dataclass(frozen=True)
class Account:
    """An account as people know it.

    Attributes:
        account_id: Digits as a number.
        name: As the user or Meta calls it; anything may be in it.
        client: Who owns it; empty where unknown.
    """

    account_id: int
    name: str = ""
    client: str = ""


def label(account_id: int, accounts: Mapping[int, Account]) -> str:
    """An account for messages: `Shop (act_1), Client`."""
    known = accounts.get(account_id)
    if known is None or not known.name:
        return f"act_{account_id}"
    owner = f", {known.client}" if known.client and known.client != known.name else ""
    return f"{known.name} (act_{account_id}){owner}"


def owner_of(cause: Cause) -> str | None:
    """Who is told by e-mail in the place of everybody else; None where nobody is in charge of it alone."""
    return next((str(about["owner"]) for about in cause.samples.values() if about.get("owner")), None)


def sample(
    account_id: int | None = None,
    run_id: str | None = None,
    text: str = "",
    at: datetime | None = None,
    job: str | None = None,
) -> dict[str, object]:
    """One thing that a cause concerns, as it is stored."""
    return {"account_id": account_id, "run_id": run_id, "text": text, "at": at.isoformat() if at else None, "job": job}


@dataclass(frozen=True)
class Message:
    """One message: a cause, or several of one sort.

    Attributes:
        event: Why it is sent.
        group: Names what the causes have in common; messages of one group belong to one thread.
        alerts: The causes, in order.
        at: When, UTC.
        quiet: How long nothing more is said about them; None after an all-clear.
    """

    event: Event
    group: str
    alerts: Sequence[Alert]
    at: datetime
    quiet: timedelta | None = None

    @property
    def severity(self) -> Severity:
        """The worst of its causes."""
        return "error" if any(alert.cause.severity == "error" for alert in self.alerts) else "warning"
