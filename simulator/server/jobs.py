"""Report runs: their store, their states in simulated time, their faults and failures (section 3).

The life of a run belongs here; its rows and its creation from a request are in `insights`.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from simulator.server.config import Settings
from simulator.server.errors import GraphError, unsupported
from simulator.server.faults import JOB
from simulator.server.graph import GraphRequest
from simulator.server.insights_params import InsightsCall

FAULTS = JOB
EXPIRY_SECONDS = 30 * 86_400.0
HIDDEN_POLLS = 2
"""How often a run answers 100/33 after its creation under `job_hidden_after_create`."""
_NOT_STARTED, _STARTED, _RUNNING = 0.05, 0.15, 0.95

FAILED = GraphError(-2, "The report could not be generated.", subcode=2490547)
TOO_LARGE = GraphError(-3, "The report is too large.", subcode=1504045)
_TITLES = {
    2490547: ("Report failed", "The report could not be completed. Try again later."),
    1504045: ("Report too large", "Ask for a shorter period, a higher level or fewer breakdowns."),
    1487534: ("Too many rows", "There are too many rows in this report. Ask for fewer days, levels or breakdowns."),
}
_FIELDS_ECHOED = (
    "level",
    "fields",
    "breakdowns",
    "action_breakdowns",
    "action_attribution_windows",
    "date_preset",
    "time_range",
    "time_ranges",
    "time_increment",
    "filtering",
    "sort",
    "summary",
    "default_summary",
    "limit",
)


@dataclass(frozen=True)
class State:
    """What a poll shows: status, percent, and whether the run is past its 30 days."""

    status: str
    percent: int
    expired: bool = False


@dataclass
class Run:
    """A report run.

    Attributes:
        created_at: Epoch seconds, simulated.
        duration: Simulated seconds from creation to the last state.
        fault: Name of the job fault that struck at creation, or None.
        failure: Why it failed, once known.
        fingerprint: Hash of node and parameters: equal for equal work.
    """

    id: str
    account_id: str
    node_id: str
    call: InsightsCall
    params: dict[str, Any]
    created_at: float
    duration: float
    fingerprint: str
    fault: str | None = None
    failure: GraphError | None = None
    checked: bool = False
    polls: int = 0
    rows: int | None = None

    def __post_init__(self) -> None:
        """Decides at once how a faulty run will end."""
        if self.fault in {"job_failed", "job_failed_at_zero"}:
            self.failure = FAILED
        elif self.fault == "job_too_large":
            self.failure = TOO_LARGE

    @property
    def completed_at(self) -> datetime:
        """The moment at which its result was frozen."""
        return datetime.fromtimestamp(self.created_at, UTC) + timedelta(seconds=self.duration)

    def fail(self, error: GraphError) -> None:
        """Turns a run that was found too large into a failed one."""
        self.failure = error

    def state(self, now: float) -> State:
        """Returns the state at `now` (epoch seconds)."""
        age = now - self.created_at
        if age > EXPIRY_SECONDS:
            return State("Job Skipped", 0, expired=True)
        done = age / self.duration if self.duration > 0 else 1.0
        if done < _NOT_STARTED:
            return State("Job Not Started", 0)
        if self.fault == "job_skipped":
            return State("Job Skipped", 0)
        if self.fault == "job_failed_at_zero":
            return State("Job Failed", 0)
        if done < _STARTED:
            return State("Job Started", 0)
        if self.fault == "job_stuck":
            return State("Job Running", min(37, round(100 * (done - _STARTED))))
        if done < _RUNNING:
            return State("Job Running", min(99, round(100 * (done - _STARTED) / (_RUNNING - _STARTED))))
        if self.failure is not None:
            return State("Job Failed", 100 if self.fault is None else 60)
        # Reason: a run shows Job Running with 100 percent for a moment before it is readable.
        return State("Job Running" if done < 1 else "Job Completed", 100)

    def data(self, now: float) -> dict[str, Any]:
        """Returns all fields of the run as a node."""
        state = self.state(now)
        since = min((r[0] for r in self.call.query.ranges), default=None)
        until = max((r[1] for r in self.call.query.ranges), default=None)
        found: dict[str, Any] = {
            "id": self.id,
            "account_id": self.account_id,
            "time_ref": int(self.created_at),
            "async_status": state.status,
            "async_percent_completion": state.percent,
            "is_running": state.status in {"Job Not Started", "Job Started", "Job Running"},
        }
        if since is not None and until is not None:
            found |= {"date_start": since.isoformat(), "date_stop": until.isoformat()}
        if state.status in {"Job Completed", "Job Failed"}:
            found["time_completed"] = int(self.created_at + self.duration)
        if state.status == "Job Failed" and self.failure is not None:
            title, text = _TITLES[self.failure.subcode or 2490547]
            found |= {
                "error_code": self.failure.code,
                "error_message": self.failure.message,
                "error_subcode": self.failure.subcode,
                "error_user_title": title,
                "error_user_msg": text,
            }
        return found | {k: self.params[k] for k in _FIELDS_ECHOED if k in self.params}


@dataclass
class JobStore:
    """All report runs of the process, and small daily quotas that concern them."""

    settings: Settings
    runs: dict[str, Run] = field(default_factory=dict)
    spent: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    # Reason for the clock: Meta never gives an id twice, so a simulator that is started again must not either. Whoever
    # waits for a run of the one before would read another run's rows.
    next_id: int = field(default_factory=lambda: time.time_ns() // 1_000)

    def create(self, request: GraphRequest, call: InsightsCall, account_id: str, fault: str | None) -> Run:
        """Starts a run."""
        self.next_id += 7
        hidden = {"access_token", "appsecret_proof"}
        params = {k: v for k, v in request.params.items() if k not in hidden}
        run = Run(
            id=str(self.next_id),
            account_id=account_id,
            node_id=call.query.node_id,
            call=call,
            params=params,
            created_at=request.at.timestamp(),
            duration=self.settings.job_seconds,
            fingerprint=hashlib.blake2b(repr(call.query).encode(), digest_size=12).hexdigest(),
            fault=fault,
        )
        self.runs[run.id] = run
        return run

    def poll(self, run: Run, *, count: bool) -> None:
        """Counts a poll and hides the run where a fault says so.

        Raises:
            GraphError: 100/33.
        """
        run.polls += count
        lost = run.fault == "job_lost"
        if lost or (run.fault == "job_hidden_after_create" and run.polls <= HIDDEN_POLLS):
            raise unsupported(run.id)

    def spend(self, key: tuple[str, str], now: float, period: float) -> int:
        """Counts one use of a rolling quota and returns how many uses the period has seen, this one included."""
        recent = [t for t in self.spent[key] if t > now - period]
        recent.append(now)
        self.spent[key] = recent
        return len(recent)

    def as_list(self, now: float) -> list[dict[str, Any]]:
        """Returns every run for the admin path."""
        return [
            {
                "id": run.id,
                "account_id": run.account_id,
                "node_id": run.node_id,
                "fingerprint": run.fingerprint,
                "created_at": run.created_at,
                "status": run.state(now).status,
                "percent": run.state(now).percent,
                "polls": run.polls,
                "rows": run.rows,
                "fault": run.fault,
                "params": orjson.loads(orjson.dumps(run.params)),
            }
            for run in self.runs.values()
        ]
