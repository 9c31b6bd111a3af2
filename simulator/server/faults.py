"""Faults: what goes wrong, how often, where; named scenarios and one-shot injections.

A rule here decides *that* a fault fires; the error it answers is in `errors`, and faults of jobs, pages, batch parts
and connections are carried out by the modules that own those. Decisions depend on the seed, the rule and the number
of calls it has matched, never on wall time, so the same calls in the same order fail in the same way.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from simulator.server.errors import CATALOGUE

TRANSPORT = frozenset(
    {"html_502", "html_503", "html_504", "empty_500", "ok_with_error", "cut_before", "cut_middle", "slow"}
)
JOB = frozenset(
    {
        "job_failed",
        "job_too_large",
        "job_failed_at_zero",
        "job_skipped",
        "job_stuck",
        "job_lost",
        "job_hidden_after_create",
    }
)
PAGE = frozenset({"empty_middle_page"})
PART = frozenset({"batch_null"})
NAMES = frozenset(CATALOGUE) | TRANSPORT | JOB | PAGE | PART
"""Every name a rule may have."""

LIMIT_NAMES = frozenset({"page_limit_max", "sync_row_limit", "total_row_limit", "job_row_limit"})


@dataclass
class Rule:
    """One fault.

    Attributes:
        name: One of `NAMES`.
        probability: Of each matching call, 0 to 1.
        kind: Kind of call (`insights`, `insights_async`, `report_run`, `report_insights`, `edge`, `node`, `update`,
            `other`, `batch`) or None for any.
        method: HTTP method or None.
        path: A part of the path or None.
        account: Digits, `#n` for the n-th account (negative from the end), or None for any.
        after: Matching calls that pass before the first may fail.
        times: How often it may fire; None without limit.
        seconds: Length of a block (throttles) or of a delay in real seconds (`slow`).
    """

    name: str
    probability: float = 1.0
    kind: str | None = None
    method: str | None = None
    path: str | None = None
    account: str | None = None
    after: int = 0
    times: int | None = None
    seconds: float = 0.0
    matched: int = 0
    fired: int = 0
    number: int = 0

    def __post_init__(self) -> None:
        """Refuses unknown names and impossible numbers."""
        if self.name not in NAMES:
            raise ValueError(f"unknown fault {self.name!r}; known: {', '.join(sorted(NAMES))}")
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability of {self.name} must be between 0 and 1, got {self.probability}")


@dataclass(frozen=True)
class Profile:
    """A set of rules and of row limits that replace those of the settings."""

    rules: tuple[Rule, ...] = ()
    limits: Mapping[str, int] | None = None


_REQUEST_MIX = (
    "unknown_error",
    "unknown_error_99",
    "service_unavailable",
    "html_502",
    "empty_500",
    "ok_with_error",
    "cut_before",
    "cut_middle",
    "slow",
    "throttle_user",
    "throttle_app",
)
_INSIGHTS_MIX = ("throttle_insights", "reduce_data", "empty_middle_page")
_JOB_MIX = (
    "job_failed",
    "job_skipped",
    "job_stuck",
    "job_lost",
    "job_hidden_after_create",
)


def _chaos() -> Profile:
    """Five percent of calls fail in a transient way, spread evenly over the classes."""
    each = 0.05 / (len(_REQUEST_MIX) + 1)
    rules = [Rule(name, each, seconds=1.0 if name == "slow" else 0.0) for name in _REQUEST_MIX]
    for kind in ("insights", "report_insights"):
        rules += [Rule(name, each, kind=kind) for name in _INSIGHTS_MIX]
    rules.append(Rule("report_not_ready", 0.01, kind="report_insights"))
    rules += [Rule(name, 0.01, kind="insights_async") for name in _JOB_MIX]
    rules.append(Rule("batch_null", 0.02))
    return Profile(tuple(rules))


def scenario(name: str) -> Profile:
    """Returns a named scenario, or the profile in a JSON file of that name.

    Raises:
        ValueError: Neither a scenario nor a readable profile.
    """
    if name in {"", "none"}:
        return Profile()
    if name == "chaos":
        return _chaos()
    if name == "token_expired_midway":
        return Profile((Rule("token_expired", after=20),))
    if name == "account_forbidden":
        return Profile((Rule("permission_200", account="#-1"),))
    if name == "stuck_jobs":
        return Profile((Rule("job_stuck", 0.5, kind="insights_async"),))
    if name == "too_large":
        limits = {"page_limit_max": 200, "sync_row_limit": 500, "job_row_limit": 2000, "total_row_limit": 20_000}
        return Profile((), limits)
    file = Path(name)
    if not file.is_file():
        known = ", ".join(SCENARIOS)
        raise ValueError(f"no fault profile {name!r}: give one of {known}, or a JSON file")
    return profile(orjson.loads(file.read_bytes()))


SCENARIOS = ("none", "chaos", "token_expired_midway", "account_forbidden", "stuck_jobs", "too_large")


def profile(data: Any) -> Profile:
    """Returns a profile from JSON: a list of rules, or `{"rules": [...], "limits": {...}}`.

    Raises:
        ValueError: An unknown name or key.
    """
    if isinstance(data, list):
        data = {"rules": data}
    limits = data.get("limits")
    if limits and (unknown := set(limits) - LIMIT_NAMES):
        raise ValueError(f"unknown limits: {', '.join(sorted(unknown))}")
    try:
        return Profile(tuple(Rule(**_flat(rule)) for rule in data.get("rules", [])), limits)
    except TypeError as error:
        raise ValueError(f"bad rule: {error}") from None


def _flat(rule: Mapping[str, Any]) -> dict[str, Any]:
    """Lifts the keys of `where`, so that a profile may group its conditions."""
    return {k: v for k, v in rule.items() if k != "where"} | dict(rule.get("where") or {})


class Faults:
    """The rules in force and what they did.

    Attributes:
        accounts: Gives the digits of all accounts, for `#n` in a rule.
    """

    def __init__(self, seed: int, accounts: Callable[[], Sequence[str]]) -> None:
        self.seed = seed
        self.accounts = accounts
        self.rules: list[Rule] = []
        self.added = 0
        self.fired: Counter[str] = Counter()

    def add(self, rules: Iterable[Rule], *, first: bool = False) -> None:
        """Adds rules; injected ones go first, so that they are not shadowed by a scenario."""
        rules = list(rules)
        for rule in rules:
            self.added += 1
            rule.number = self.added
        self.rules = rules + self.rules if first else self.rules + rules

    def pick(
        self,
        names: frozenset[str],
        *,
        kind: str,
        method: str,
        path: str,
        account_id: str | None,
    ) -> Rule | None:
        """Returns the first rule among `names` that fires for this call, counting it."""
        for rule in self.rules:
            if rule.name not in names or (rule.times is not None and rule.fired >= rule.times):
                continue
            if not self._matches(rule, kind, method, path, account_id):
                continue
            rule.matched += 1
            if rule.matched <= rule.after or self._draw(rule) >= rule.probability:
                continue
            rule.fired += 1
            self.fired[rule.name] += 1
            return rule
        return None

    def _matches(self, rule: Rule, kind: str, method: str, path: str, account_id: str | None) -> bool:
        if rule.kind is not None and rule.kind != kind:
            return False
        if rule.method is not None and rule.method != method:
            return False
        if rule.path is not None and rule.path not in path:
            return False
        return rule.account is None or self._account(rule.account) == account_id

    def _account(self, account: str) -> str | None:
        if not account.startswith("#"):
            return account.removeprefix("act_")
        # Reason: only asked for when a rule needs it, since a world may draw its accounts on first sight.
        index, accounts = int(account[1:]), self.accounts()
        return accounts[index] if -len(accounts) <= index < len(accounts) else None

    def _draw(self, rule: Rule) -> float:
        if rule.probability >= 1:
            return 0.0
        text = f"{self.seed}|{rule.number}|{rule.name}|{rule.kind}|{rule.matched}".encode()
        return int.from_bytes(hashlib.blake2b(text, digest_size=7).digest()) / 2**56
