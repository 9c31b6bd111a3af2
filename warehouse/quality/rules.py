"""The shapes of a rule, and how a rule's finding is put into words.

What belongs here: what every rule has in common. What does not: the rules themselves
(`warehouse.quality.row_rules`, `history_rules`, `entity_rules`).

    Rule
    ├── RowRule     a predicate that no row may fulfil; counted per account and day in the one pass over the raw table
    ├── ColumnRule  a built-in expectation on a column of what is measured per account and day
    └── QueryRule   a query that returns one row per account in which something is wrong
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from warehouse.quality.model import Severity

_RANGES_SHOWN = 4


@dataclass(frozen=True)
class Rule:
    """Something expected of every account.

    Attributes:
        name: Names the expectation.
        severity: What it means when it does not hold.
        expected: What should be, as a sentence.
        wrong: What is wrong where it is not; `{count}`, `{days}` and `{observed}` are filled in.
        mend: What to do then.
    """

    name: str
    severity: Severity
    expected: str
    wrong: str
    mend: str


@dataclass(frozen=True)
class RowRule(Rule):
    """No row fulfils `predicate`.

    Attributes:
        predicate: SQL over `r` (a row of the raw table) and `a` (its account: `currency`, as declared by Meta).
        shows: SQL text over `r` that says what is wrong with a row, for its example.
        is_sampled: Whether it is too dear for every row of a large batch; see `warehouse.quality.measure`.
    """

    predicate: str
    shows: str = "NULL"
    is_sampled: bool = False

    @property
    def column(self) -> str:
        """Where its count stands among what is measured of a day."""
        return f"rows_where_not_{self.name}"


@dataclass(frozen=True)
class ColumnRule(Rule):
    """A built-in expectation on a measured column.

    Attributes:
        kind: `at_most`, `not_null`, `matches`, `equals` (another column).
        column: Which.
        limit: The highest value, the pattern, or the other column.
    """

    kind: str
    column: str
    limit: Any = None


@dataclass(frozen=True)
class QueryRule(Rule):
    """A query that finds what is wrong.

    Attributes:
        query: A SELECT after `WITH slice AS (<the batch>)`; returns `account_id, unexpected_count, days (date[]),
            observed (text)`, one row per account at fault. It holds no braces but those of bindings, since Great
            Expectations puts the batch in with `str.format`.
        bindings: What stands for `{name}` in the query: names of reports and constants, never a user's text.
    """

    query: str
    bindings: Mapping[str, str] = field(default_factory=dict)

    @property
    def bound(self) -> str:
        """The whole query, with `{batch}` left for Great Expectations."""
        text = self.query
        for name, value in self.bindings.items():
            text = text.replace("{" + name + "}", value)
        return "WITH slice AS (SELECT * FROM {batch})" + text  # noqa: S608 - see `bindings`


def in_words(rule: Rule, count: int, days: Sequence[date], observed: str | None) -> str:
    """The rule's sentence about what is wrong."""
    return rule.wrong.format(count=f"{count:,}", days=days_in_words(days), observed=observed or "-")


def days_in_words(days: Sequence[date]) -> str:
    """Days as ranges, at most four of them: `2026-11-01 to 2026-11-03, 2026-11-07 and 5 more`."""
    ranges: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        if ranges and (day - ranges[-1][1]).days == 1:
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    shown = [f"{first}" if first == last else f"{first} to {last}" for first, last in ranges[:_RANGES_SHOWN]]
    left = sum((last - first).days + 1 for first, last in ranges[_RANGES_SHOWN:])
    return (", ".join(shown) or "no day") + (f" and {left} more" if left else "")
