"""What a pull is asked to do and what became of it, as data.

Only data, and texts about it, belong here; the work is in `orchestration.pull`.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from orchestration.discovery import KnownAccount
from orchestration.errors import UserError
from warehouse.loader import SliceResult
from warehouse.ops.runs import RunStatus

log = logging.getLogger(__name__)


class PullFailed(UserError):
    """Nothing more can be pulled: the token or the database is at fault."""

    exit_code = 1


@dataclass(frozen=True)
class PullRequest:
    """What to pull; everything left out means everything that is due.

    Attributes:
        accounts: Digits.
        reports: Names.
        since: First day, the accounts' own; with it, every day of the range is pulled again.
        until: Last day, included.
        again: Also days that were pulled within the last minutes.
        entities: Whether campaigns, ad sets, ads and so on are pulled, too.
        insights: Whether reports are pulled; without them it is the objects alone.
        unless_since: With a range: days that were pulled at this moment (UTC) or later are left out. Somebody who
            tries again names the moment of the first attempt, and nothing is paid for twice.
        current: The current day instead, the account's own: objects that changed, and the hours of accounts whose ads
            deliver. Of the rest of the request only the accounts count.
        full_entities: All objects, also those that have not changed since the last pull as far as Meta can tell.
        dagster_run: The run of Dagster that this belongs to, for the log and for `ops.run`.
    """

    accounts: tuple[int, ...] = ()
    reports: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    again: bool = False
    entities: bool = True
    insights: bool = True
    unless_since: datetime | None = None
    current: bool = False
    full_entities: bool = False
    dagster_run: str | None = None

    def as_arguments(self) -> dict[str, Any]:
        """As plain data, to recognise an interrupted pull of the same request."""
        return {
            "accounts": sorted(self.accounts),
            "reports": sorted(self.reports),
            "since": self.since.isoformat() if self.since else None,
            "until": self.until.isoformat() if self.until else None,
            "entities": self.entities,
            **({} if self.insights else {"insights": False}),
            **({"full_entities": True} if self.full_entities else {}),
        }


@dataclass
class AccountOutcome:
    """What became of one account.

    Attributes:
        account: Which.
        slices: Slices written or confirmed.
        unchanged: Of these, how many held the same rows before.
        rows: Rows in them.
        problems: What failed, in words, with the mend.
        notes: What is odd, but no failure.
        silent: Reports that came back without any row although they should not, with the breakdowns to blame.
        days: Rows of each slice, by report and day.
    """

    account: KnownAccount
    slices: int = 0
    unchanged: int = 0
    rows: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    silent: dict[str, list[str]] = field(default_factory=dict)
    days: dict[str, dict[date, int]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, result: SliceResult) -> None:
        """Counts a written slice."""
        with self.lock:
            self.slices += 1
            self.unchanged += result.unchanged
            self.rows += result.row_count
            self.days.setdefault(result.report, {})[result.day] = result.row_count

    def note(self, text: str) -> None:
        """Notes what is odd."""
        log.info("%s", text)
        with self.lock:
            self.notes.append(text)

    def failed(self, problem: str) -> None:
        """Notes a failure and goes on."""
        log.error("%s", problem)
        with self.lock:
            self.problems.append(problem)


@dataclass(frozen=True)
class PullSummary:
    """What a pull did.

    Attributes:
        run_id: In `ops.run`.
        outcomes: One for each account.
        calls: Calls to Meta.
        resumed: Whether an interrupted pull was continued.
        waited_seconds: How long calls waited for the quota, those that waited side by side each counted.
    """

    run_id: UUID
    outcomes: tuple[AccountOutcome, ...]
    calls: int
    resumed: bool
    waited_seconds: float = 0.0

    def followed_by(self, later: PullSummary) -> PullSummary:
        """Both as one: this one was continued, the later one pulled what had become due since."""
        first = {outcome.account.account_id: outcome for outcome in self.outcomes}
        for outcome in later.outcomes:
            earlier = first.get(outcome.account.account_id)
            if earlier:
                outcome.slices += earlier.slices
                outcome.unchanged += earlier.unchanged
                outcome.rows += earlier.rows
                outcome.problems[:0] = [problem for problem in earlier.problems if problem not in outcome.problems]
                outcome.notes[:0] = [note for note in earlier.notes if note not in outcome.notes]
        return PullSummary(later.run_id, later.outcomes, later.calls, self.resumed, later.waited_seconds)

    @property
    def status(self) -> RunStatus:
        """`succeeded`, `partial` or `failed`."""
        bad = sum(bool(outcome.problems) for outcome in self.outcomes)
        if not bad:
            return "succeeded"
        return "partial" if any(outcome.slices for outcome in self.outcomes) else "failed"


def raise_if_nothing_came(summary: PullSummary) -> None:
    """For callers that need data.

    Raises:
        PullFailed: Not one slice of any account was written, although some were due.
    """
    if summary.status == "failed":
        problems = [problem for outcome in summary.outcomes for problem in outcome.problems]
        raise PullFailed("Nothing could be pulled:\n" + "\n".join(f"  - {p}" for p in problems[:10]))
