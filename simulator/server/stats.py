"""Counters for tests: calls, errors given, calls made while blocked.

Only counting belongs here. No part of the product reads these; tests do, through the admin paths.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from simulator.server.errors import GraphError
from simulator.server.graph import GraphRequest


@dataclass
class Stats:
    """What has been asked and answered since the start or the last reset."""

    calls: int = 0
    by_kind: Counter[str] = field(default_factory=Counter)
    by_account: Counter[str] = field(default_factory=Counter)
    by_version: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    http_requests: int = 0
    rows: int = 0

    def count(self, request: GraphRequest, rows: int, error: GraphError | None) -> None:
        """Counts one call (a batch part is a call)."""
        self.calls += 1
        self.by_kind[request.kind] += 1
        self.by_account[request.account_id or "-"] += 1
        self.by_version[request.version or "-"] += 1
        self.rows += rows
        if error is not None:
            self.errors[f"{error.code}/{error.subcode}" if error.subcode is not None else str(error.code)] += 1

    def as_dict(self) -> dict[str, object]:
        """Returns all counters, for the admin path."""
        return {
            "http_requests": self.http_requests,
            "calls": self.calls,
            "calls_by_kind": dict(self.by_kind),
            "calls_by_account": dict(self.by_account),
            "calls_by_version": dict(self.by_version),
            "errors": dict(self.errors),
            "rows": self.rows,
        }
