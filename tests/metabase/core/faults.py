"""What goes wrong, where and how often; and the log of all requests.

Decisions depend on the rules and on how many requests they matched, never on time or chance, so that the same requests
in the same order fail in the same way.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

WRITES = frozenset({"POST", "PUT", "DELETE"})


@dataclass
class Rule:
    """One fault.

    Attributes:
        do: `answer` a status before acting; `cut` the connection before acting; `drop` it after acting, so that the
            caller does not know; `stop`: cut this request and every later one, whatever they ask, until the rules are
            cleared (a server that went away).
        status: What `answer` answers: 429, 500, 502, 503, 504.
        method: HTTP method, or None for any.
        path: A regular expression found in the path, or None for any.
        after: Matching requests that pass before the first one fails.
        times: How often it fires; None without limit.
    """

    do: Literal["answer", "cut", "drop", "stop"]
    status: int = 503
    method: str | None = None
    path: str | None = None
    after: int = 0
    times: int | None = 1
    matched: int = 0
    fired: int = 0

    def __post_init__(self) -> None:
        """Refuses what cannot be."""
        if self.do not in {"answer", "cut", "drop", "stop"}:
            raise ValueError(f"a fault does answer, cut, drop or stop, not {self.do!r}")
        if self.do == "answer" and self.status not in {429, 500, 502, 503, 504}:
            raise ValueError(f"a fault answers 429, 500, 502, 503 or 504, not {self.status}")
        try:
            re.compile(self.path or "")
        except re.error as error:
            raise ValueError(f"a fault's path is a regular expression: {error}") from None

    def fires(self, method: str, path: str) -> bool:
        """Whether it fires for this request, counting it."""
        if self.do == "stop" and self.fired:
            self.fired += 1
            return True
        if self.method not in {None, method} or (self.path and not re.search(self.path, path)):
            return False
        self.matched += 1
        if self.matched <= self.after or (self.times is not None and self.fired >= self.times):
            return False
        self.fired += 1
        return True


def pick(rules: list[Rule], method: str, path: str) -> Rule | None:
    """The rule that decides about this request. Every rule counts it, so that they do not depend on each other."""
    fired = [rule for rule in rules if rule.fires(method, path)]
    return next((rule for rule in fired if rule.do == "stop"), fired[0] if fired else None)


@dataclass
class Logged:
    """A request, as it was seen.

    Attributes:
        n: Its number, from 1.
        status: What was answered; None where nothing was.
        acted: It was carried out, whether or not an answer arrived.
        fault: The fault that hit it.
        dropped: Keys of its body that no schema names and that were ignored.
        user: Who asked, by e-mail address.
    """

    n: int
    method: str
    path: str
    query: dict[str, str]
    body: Any = None
    status: int | None = None
    acted: bool = False
    fault: str | None = None
    dropped: list[str] = field(default_factory=list)
    user: str | None = None


@dataclass
class Log:
    """All requests since the last reset."""

    entries: list[Logged] = field(default_factory=list)

    def open(self, method: str, path: str, query: dict[str, str]) -> Logged:
        """Notes that a request came."""
        entry = Logged(len(self.entries) + 1, method, path, query)
        self.entries.append(entry)
        return entry

    def report(self, method: str | None = None, path: str | None = None, after: int = 0) -> dict[str, Any]:
        """The requests that fit, and counts of them."""
        chosen = [
            e
            for e in self.entries
            if e.n > after and method in {None, e.method} and (path is None or re.search(path, e.path))
        ]
        return {
            "total": len(chosen),
            "writes": sum(e.method in WRITES for e in chosen),
            "by_method": dict(Counter(e.method for e in chosen)),
            "by_status": dict(Counter(str(e.status) for e in chosen)),
            "requests": [asdict(e) for e in chosen],
        }
