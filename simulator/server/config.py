"""Settings of a simulator process.

Only values belong here, with their units; the command line that fills them is `cli`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LIVE_VERSIONS = ("v26.0", "v25.0")
"""Marketing API versions that are served, newest first (section 1 of the fact sheet)."""

RETIRED_VERSIONS = tuple(f"v{n}.0" for n in range(24, 1, -1))
"""Versions that existed once."""


@dataclass
class Settings:
    """What a process was started with. Durations named `*_seconds` are simulated seconds.

    Attributes:
        tier: Which quota formulas apply (section 4.1); the headers say `<tier>_access`.
        latency_ms: Real milliseconds added to every answer, without blocking others.
        job_seconds: How long a report run takes.
        retired: What a retired version answers: `refuse` is 2635, `upgrade` serves it with a warning header.
        limits: Whether quotas are enforced; the headers are computed in any case.
        page_limit_max: More rows than this in one page answer "reduce the amount of data".
        sync_row_limit: A synchronous insights request with more rows than this times out.
        total_row_limit: A request with more rows than this answers 100/1487534, also asynchronously.
        job_row_limit: A report run with more rows than this fails with -3/1504045.
        usage_after: Usage headers appear once an account has made this many calls.
        opt_in: `all`, `none` or account ids (digits) whose administrator opted in to `impression_device`,
            audience-time-zone hours and `frequency_value`.
        opt_in_quota: Report runs with such breakdowns per account and 24 hours; 0 for no quota.
    """

    tier: Literal["development", "standard"] = "standard"
    seed: int = 1
    latency_ms: float = 0.0
    job_seconds: float = 20.0
    token: str = "SIMULATOR"  # noqa: S105 - the documented token of a stand-in, no secret
    app_id: str = "138483919580948"
    app_secret: str = "simulator-app-secret"  # noqa: S105 - same
    require_proof: bool = False
    retired: Literal["refuse", "upgrade"] = "refuse"
    limits: bool = True
    page_limit_max: int = 5000
    sync_row_limit: int = 100_000
    total_row_limit: int = 4_000_000
    job_row_limit: int = 1_000_000
    usage_after: int = 5
    app_users: int = 1000
    insights_calls_per_minute: int = 30_000
    opt_in: str | frozenset[str] = "all"
    opt_in_quota: int = 10
    faults: str = "none"
