"""What a check says: one outcome per account, report and expectation.

What belongs here: value types. What does not: where outcomes come from (`warehouse.quality.checking`), where they
are kept (`warehouse.quality.store`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

Severity = Literal["error", "warn"]

ENTITIES = "entities"
"""Stands for a report's name where accounts, campaigns, ad sets and ads themselves are checked."""


@dataclass(frozen=True)
class Outcome:
    """What became of one expectation in one account.

    Attributes:
        account_id: The account.
        report: The report, or `ENTITIES`.
        expectation: Its name, unique within the report.
        severity: `error` where the data must not be used, `warn` where somebody should look.
        passed: Whether it held.
        observed: What was found, in words or numbers; None where there is nothing to say.
        unexpected_count: How many rows, days or fields were not as expected.
        days: Days concerned, the account's own, in order; empty where days play no part.
        examples: Keys of some bad rows.
        message: What is wrong, in a sentence; what was expected, where it passed.
        mend: What to do about it; empty where it passed.
    """

    account_id: int
    report: str
    expectation: str
    severity: Severity
    passed: bool
    observed: str | None = None
    unexpected_count: int = 0
    days: tuple[date, ...] = ()
    examples: tuple[str, ...] = ()
    message: str = ""
    mend: str = ""


@dataclass(frozen=True)
class QualityResult:
    """What a check found.

    Attributes:
        check_id: Of this check.
        checked_at: When it began, UTC.
        since: First day looked at.
        until: Last day looked at.
        outcomes: Everything that was expected, by account, report and expectation.
        seconds: How long it took, per suite.
        documents: Great Expectations' own result of each suite, as JSON-like values, for who wants to look deeper.
    """

    check_id: UUID
    checked_at: datetime
    since: date
    until: date
    outcomes: tuple[Outcome, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    documents: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether nothing failed that is an error. Warnings do not count."""
        return not any(self.failures("error"))

    def failures(self, severity: Severity | None = None) -> Iterator[Outcome]:
        """What failed, all of it or of one severity."""
        return (
            outcome
            for outcome in self.outcomes
            if not outcome.passed and (severity is None or outcome.severity == severity)
        )

    def for_account(self, account_id: int, report: str | None = None) -> list[Outcome]:
        """The outcomes of an account, e.g. for a blocking check of its partition."""
        return [
            outcome
            for outcome in self.outcomes
            if outcome.account_id == account_id and report in (None, outcome.report)
        ]
