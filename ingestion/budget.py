"""The call budget: who may call now, and who must wait so that Meta never has to refuse.

Pacing belongs here: meters per account and for the app, fed by `ingestion.usage`, asked before every call.
What Meta's headers mean is in `ingestion.usage`; what an error means in `ingestion.classify`.

Two facts shape it (fact sheet, section 4.3): calls during a block lengthen the block, and the headers alone cannot be
trusted, since they come only with answers. So each meter predicts: last value seen, minus what has drained since,
plus what the calls under way will cost. Costs and drain are learned per meter from what the next header says.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ingestion.clock import Clock
from ingestion.errors import Throttled
from ingestion.state import UsageStore
from ingestion.usage import Usage, read_usage

log = logging.getLogger(__name__)

APP = "app"
CEILING = 97.0  # percent; Meta refuses at 100
_DRAIN_SECONDS = {"score": 300.0}  # decay of the API-level score; every other meter is a rolling hour
_ROLLING_HOUR = 3600.0
# Reason: until the tier is known the smallest quota is assumed: 60 points in development access, 9000 in full access.
_FIRST_COST = {"score": 100 / 60}
_TIER_COST = {"development_access": 100 / 60, "standard_access": 100 / 9000}
_DEFAULT_BLOCK = {"account": 300.0, "app": 60.0}
_LONGEST_BLOCK = 3600.0
_SAVE_EVERY_SECONDS = 30.0


@dataclass
class Meter:
    """One limit of one account or of the app.

    Attributes:
        drain_seconds: How long a full meter takes to empty.
        cost: Percent that one call is expected to cost.
        drain: Share of the nominal drain that was really seen, 0 to 1. Reason: a rolling window empties in steps, a
            decaying score steadily; assuming the latter on the former would run into the limit.
        steady: Whether Meta's own reset times say that it empties steadily. Then there is nothing to learn, and calls
            that overlap or take long cannot be mistaken for a meter that does not drain.
    """

    drain_seconds: float
    cost: float
    utilisation: float = 0.0
    observed_at: float = 0.0
    reset_at: float = 0.0
    drain: float = 1.0
    steady: bool = False
    pending: int = 0
    saved_at: float = 0.0
    saved_value: float = -100.0
    tier: str | None = None

    def drained(self, now: float) -> float:
        """Percent that should have drained since the last header."""
        return min(self.utilisation, 100.0 * self.drain * (now - self.observed_at) / self.drain_seconds)

    def predicted(self, now: float) -> float:
        """Percent used now, calls under way included."""
        return self.utilisation - self.drained(now) + self.pending * self.cost

    def delay(self, now: float, points: int) -> float:
        """Seconds until a call of `points` fits under the ceiling."""
        excess = self.predicted(now) + points * self.cost - CEILING
        if excess <= 0 or self.utilisation == 0.0:
            return 0.0
        if self.reset_at > self.observed_at and now >= self.reset_at:
            return 0.0  # the meter has had its full time to empty
        speed = 100.0 * self.drain / self.drain_seconds
        wait = excess / speed if speed > 0.001 else self.drain_seconds
        return max(0.05, min(wait, self.reset_at - now) if self.reset_at > now else wait)

    def observe(self, usage: Usage, now: float) -> None:
        """Takes in what a header says, and learns cost and drain from the difference to what was predicted."""
        if self.observed_at and self.pending:
            expected_drain = self.drained(now)
            risen = usage.utilisation - (self.utilisation - expected_drain)
            # Reason: a rise while hardly anything can have drained is cost; else what is missing from it is drain.
            if risen > 0 and expected_drain < 0.25 * self.pending * self.cost:
                self.cost = 0.8 * self.cost + 0.2 * risen / self.pending
            elif expected_drain > 0 and not self.steady:
                seen = expected_drain - (risen - self.pending * self.cost)
                share = min(1.0, self.drain * max(0.0, min(1.5, seen / expected_drain)))
                # Reason: believing too much runs into the limit, believing too little only waits for the reset.
                self.drain = share if share < self.drain / 2 else 0.5 * self.drain + 0.5 * share
        self.utilisation, self.observed_at, self.pending = usage.utilisation, now, 0
        if usage.reset_seconds is not None:
            self.reset_at = now + usage.reset_seconds
            nominal = usage.utilisation / 100 * self.drain_seconds
            # Reason: near the limit a meter that empties all at once would show the same reset time.
            if nominal < 0.85 * self.drain_seconds:
                self.steady = usage.reset_seconds <= 1.1 * nominal + 2.0
                self.drain = 1.0 if self.steady else self.drain
        if usage.tier is not None and usage.tier != self.tier:
            self.tier = usage.tier
            if self.drain_seconds == _DRAIN_SECONDS["score"]:
                self.cost = _TIER_COST.get(usage.tier, self.cost)


@dataclass
class _Scope:
    """All meters of one account or of the app, and its block."""

    meters: dict[str, Meter] = field(default_factory=dict)
    blocked_until: float = 0.0
    refusals: int = 0


class CallBudget:
    """Paces calls for one access token. Thread-safe.

    Args:
        clock: Where time comes from.
        store: Remembers blocks and meters between processes; None forgets.
        on_wait: Told `(scope id, seconds, reason)` before a wait of more than a second.
    """

    def __init__(
        self,
        clock: Clock,
        store: UsageStore | None = None,
        on_wait: Callable[[str, float, str], None] | None = None,
    ) -> None:
        self._clock = clock
        self._store = store
        self._on_wait = on_wait or _log_wait
        self._lock = threading.Lock()
        self._scopes: dict[str, _Scope] = {}
        self.waited_seconds = 0.0
        self._restore()

    @contextmanager
    def call(self, account_id: str | None, points: int = 1) -> Iterator[None]:
        """Waits until a call may be made, and counts it.

        Args:
            account_id: Digits; None for calls that concern no account.
            points: What the call costs: 1 a read (each id of `?ids=` and each part of a batch counts), 3 a write.
        """
        ids = (APP,) if account_id is None else (APP, account_id)
        while True:
            with self._lock:
                now = self._clock.now()
                delay, scope_id, reason = max(self._delay(scope_id, now, points) for scope_id in ids)
                if delay <= 0:
                    for scope_id in ids:
                        for meter in self._scope(scope_id).meters.values():
                            meter.pending += points
                    break
            if delay > 1:
                self._on_wait(scope_id, delay, reason)
            self.waited_seconds += delay
            self._clock.sleep(delay)
        yield

    def observe(self, account_id: str | None, headers: Mapping[str, str]) -> None:
        """Takes in the usage headers of an answer, errors included."""
        with self._lock:
            now = self._clock.now()
            for usage in read_usage(headers):
                scope_id = APP if usage.scope == "app" or account_id is None else account_id
                meter = self._meter(scope_id, usage.meter)
                meter.observe(usage, now)
                if usage.regain_seconds > 0 and usage.utilisation >= 100:
                    self._block(scope_id, now, usage.regain_seconds)
                self._save(scope_id, usage.meter, meter, now)

    def succeeded(self, account_id: str | None) -> None:
        """Notes a call that was not refused: the next refusal starts with a short wait again."""
        with self._lock:
            for scope_id in {APP, account_id or APP}:
                self._scope(scope_id).refusals = 0

    def refused(self, account_id: str | None, error: Throttled) -> float:
        """Notes a refusal; nobody calls for this account (or app) until its end. Returns the seconds to wait."""
        with self._lock:
            now = self._clock.now()
            scope_id = APP if error.scope == "app" or account_id is None else account_id
            scope = self._scope(scope_id)
            scope.refusals += 1
            seconds = error.seconds
            if seconds is None:
                kind = "app" if scope_id == APP else "account"
                seconds = min(_LONGEST_BLOCK, _DEFAULT_BLOCK[kind] * 2 ** (scope.refusals - 1))
            self._block(scope_id, now, seconds)
            self._save(scope_id, "block", Meter(_ROLLING_HOUR, 0.0, utilisation=100.0), now)
            return seconds

    def blocked_seconds(self, account_id: str | None) -> float:
        """How long this account (or the app) is blocked from now on; 0 if it is not."""
        with self._lock:
            now = self._clock.now()
            return max(0.0, *(self._scope(i).blocked_until - now for i in {APP, account_id or APP}))

    def _delay(self, scope_id: str, now: float, points: int) -> tuple[float, str, str]:
        scope = self._scope(scope_id)
        if scope.blocked_until > now:
            return scope.blocked_until - now, scope_id, "Meta asked to wait"
        waits = [(meter.delay(now, points), scope_id, name) for name, meter in scope.meters.items()]
        return max(waits, default=(0.0, scope_id, ""))

    def _block(self, scope_id: str, now: float, seconds: float) -> None:
        scope = self._scope(scope_id)
        # Reason: a call in the last second of a block lengthens it, so leave a margin for rounding.
        scope.blocked_until = max(scope.blocked_until, now + seconds * 1.01 + 1.0)

    def _scope(self, scope_id: str) -> _Scope:
        return self._scopes.setdefault(scope_id, _Scope())

    def _meter(self, scope_id: str, name: str) -> Meter:
        meters = self._scope(scope_id).meters
        if name not in meters:
            meters[name] = Meter(_DRAIN_SECONDS.get(name, _ROLLING_HOUR), _FIRST_COST.get(name, 0.1))
        return meters[name]

    def _save(self, scope_id: str, name: str, meter: Meter, now: float) -> None:
        if self._store is None:
            return
        moved = abs(meter.utilisation - meter.saved_value) >= 5.0
        blocked_until = self._scope(scope_id).blocked_until
        if not (moved or name == "block" or now - meter.saved_at >= _SAVE_EVERY_SECONDS):
            return
        meter.saved_at, meter.saved_value = now, meter.utilisation
        self._store.save(
            "app" if scope_id == APP else "account",
            scope_id,
            name,
            utilisation=meter.utilisation,
            regain_at=_moment(blocked_until) if blocked_until > now else None,
            tier=meter.tier,
            detail={"cost": meter.cost, "drain": meter.drain, "reset_at": meter.reset_at},
            observed_at=_moment(now),
        )

    def _restore(self) -> None:
        for row in self._store.load() if self._store else []:
            scope_id = str(row["scope_id"])
            if row["regain_at"] is not None:
                scope = self._scope(scope_id)
                scope.blocked_until = max(scope.blocked_until, row["regain_at"].timestamp())
            if row["usage_type"] == "block":
                continue
            meter = self._meter(scope_id, row["usage_type"])
            meter.utilisation = float(row["utilisation"])
            meter.observed_at = row["observed_at"].timestamp()
            detail = row["detail"] or {}
            meter.cost = float(detail.get("cost", meter.cost))
            meter.reset_at = float(detail.get("reset_at", 0.0))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _log_wait(scope_id: str, seconds: float, reason: str) -> None:
    who = "the app" if scope_id == APP else f"act_{scope_id}"
    log.info("%s waits %.0f s for Meta's quota (%s)", who, seconds, reason)
