"""The call budget: who may call now, and who must wait so that Meta never has to refuse.

Pacing belongs here: meters per account and for the app, fed by `ingestion.usage`, asked before every call.
What Meta's headers mean is in `ingestion.usage`; what an error means in `ingestion.classify`.

Two facts shape it (fact sheet, section 4.3): calls during a block lengthen the block, and the headers alone cannot be
trusted, since they come only with answers. So each meter predicts: last value seen, minus what has drained since,
plus what the calls under way will cost. Costs and drain are learned per meter from what the next header says.

With a store the budget is one for all processes that use the token: each call is written down before it is made, under
a lock on its account and the app, and crossed out when its answer is there. A process that dies leaves its calls
written down until they expire.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from ingestion.clock import Clock
from ingestion.counts import NO_ACCOUNT, CallCounts
from ingestion.errors import Throttled
from ingestion.state import UsageStore
from ingestion.usage import Usage, read_usage

log = logging.getLogger(__name__)

APP = NO_ACCOUNT
CEILING = 97.0  # percent; Meta refuses at 100
_DRAIN_SECONDS = {"score": 300.0}  # decay of the API-level score; every other meter is a rolling hour
_ROLLING_HOUR = 3600.0
# Reason: until the tier is known the smallest quota is assumed: 60 points in development access, 9000 in full access.
_FIRST_COST = {"score": 100 / 60}
_TIER_COST = {"development_access": 100 / 60, "standard_access": 100 / 9000}
_DEFAULT_BLOCK = {"account": 300.0, "app": 60.0}
_LONGEST_BLOCK = 3600.0
_SAVE_EVERY_SECONDS = 30.0
_FORGOTTEN_AFTER_SECONDS = (
    600.0  # a call without an answer; longer than any call may take, retries are calls of their own
)


@dataclass
class Meter:
    """One limit of one account or of the app.

    Attributes:
        drain_seconds: How long a full meter takes to empty.
        cost: Percent that one call is expected to cost.
        drain: Share of the nominal drain that was really seen, 0 to 1. Reason: a rolling window empties in steps, a
            decaying score steadily; assuming the latter on the former would run into the limit.
        pending: Points of the calls begun since the last header. What the next header rose by is their cost.
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

    def predicted(self, now: float, under_way: int = 0) -> float:
        """Percent used now, `under_way` points of calls without an answer included."""
        return self.utilisation - self.drained(now) + max(self.pending, under_way) * self.cost

    def delay(self, now: float, points: int, under_way: int = 0, ceiling: float = CEILING) -> float:
        """Seconds until a call of `points` fits under the ceiling (percent)."""
        excess = self.predicted(now, under_way) + points * self.cost - ceiling
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
    """All meters of one account or of the app, its block, and the calls that have no answer yet."""

    meters: dict[str, Meter] = field(default_factory=dict)
    blocked_until: float = 0.0
    refusals: int = 0
    under_way: dict[str, tuple[int, float]] = field(default_factory=dict)  # ticket -> points, when it expires

    def meter(self, name: str) -> Meter:
        if name not in self.meters:
            self.meters[name] = Meter(_DRAIN_SECONDS.get(name, _ROLLING_HOUR), _FIRST_COST.get(name, 0.1))
        return self.meters[name]

    def points_under_way(self, now: float) -> int:
        self.under_way = {ticket: call for ticket, call in self.under_way.items() if call[1] > now}
        return sum(points for points, _ in self.under_way.values())

    def block(self, now: float, seconds: float) -> None:
        # Reason: a call in the last second of a block lengthens it, so leave a margin for rounding.
        self.blocked_until = max(self.blocked_until, now + seconds * 1.01 + 1.0)

    def as_state(self) -> dict[str, Any]:
        """As plain data, for the store."""
        return asdict(self)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> _Scope:
        """What `as_state` gave; keys that another release of this code wrote are left out."""
        known = {one.name for one in fields(Meter)}
        meters = {
            name: Meter(**{key: value for key, value in meter.items() if key in known})
            for name, meter in state.get("meters", {}).items()
        }
        under_way = {ticket: (int(call[0]), float(call[1])) for ticket, call in state.get("under_way", {}).items()}
        return cls(meters, float(state.get("blocked_until", 0.0)), int(state.get("refusals", 0)), under_way)


def percent_used(name: str, utilisation: float, observed_at: float, detail: Mapping[str, Any], now: float) -> float:
    """Percent of a limit that is used now, from what was told of it before.

    Args:
        name: Which meter.
        utilisation: Percent, as told.
        observed_at: When, epoch seconds.
        detail: What was stored with it: `drain`, `reset_at`.
        now: Epoch seconds.
    """
    reset_at = float(detail.get("reset_at") or 0.0)
    if observed_at < reset_at <= now:
        return 0.0
    drain = float(detail.get("drain", 1.0))
    meter = Meter(_DRAIN_SECONDS.get(name, _ROLLING_HOUR), 0.0, utilisation, observed_at, drain=drain)
    return max(0.0, meter.predicted(now))


class CallBudget:
    """Paces calls for one access token. Thread-safe; with a store, safe between processes too.

    Args:
        clock: Where time comes from; processes that share a store must share the clock's idea of time.
        store: Holds the budget for all processes; None keeps it in this one.
        on_wait: Told `(scope id, seconds, reason)` before a wait of more than a second.
        ceiling: Percent of a quota that these calls may fill. Less than the default leaves room for others.

    Attributes:
        counts: Of the calls that it let through.
    """

    def __init__(
        self,
        clock: Clock,
        store: UsageStore | None = None,
        on_wait: Callable[[str, float, str], None] | None = None,
        ceiling: float = CEILING,
    ) -> None:
        self._clock = clock
        self._store = store
        self._on_wait = on_wait or _log_wait
        self._ceiling = ceiling
        self._lock = threading.Lock()
        self._own: dict[str, _Scope] = {}
        self.counts = CallCounts(clock, store)

    @contextmanager
    def call(self, account_id: str | None, points: int = 1) -> Iterator[Call]:
        """Waits until a call may be made, and counts it; at the end of the block takes in what its answer said.

        Args:
            account_id: Digits; None for calls that concern no account.
            points: What the call costs: 1 a read (each id of `?ids=` and each part of a batch counts), 3 a write.
        """
        ids = _scope_ids(account_id)
        ticket = uuid4().hex
        self._reserve(ids, ticket, points)
        self.counts.add(account_id, calls=1)
        call = Call()
        try:
            yield call
        finally:
            with self._scopes(ids) as scopes:
                now = self._clock.now()
                for scope in scopes.values():
                    scope.under_way.pop(ticket, None)
                    if call.succeeded:
                        scope.refusals = 0
                if call.headers is not None:
                    self._observe(scopes, account_id, call.headers, now)

    def refused(self, account_id: str | None, error: Throttled) -> float:
        """Notes a refusal; nobody calls for this account (or app) until its end. Returns the seconds to wait."""
        scope_id = APP if error.scope == "app" or account_id is None else account_id
        self.counts.add(account_id, refusals=1)
        with self._scopes((scope_id,)) as scopes:
            now = self._clock.now()
            scope = scopes[scope_id]
            scope.refusals += 1
            seconds = error.seconds
            if seconds is None:
                kind = "app" if scope_id == APP else "account"
                seconds = min(_LONGEST_BLOCK, _DEFAULT_BLOCK[kind] * 2 ** (scope.refusals - 1))
            scope.block(now, seconds)
            self._tell(scope_id, scope, "block", Meter(_ROLLING_HOUR, 0.0, utilisation=100.0), now)
            return seconds

    def blocked_seconds(self, account_id: str | None) -> float:
        """How long this account (or the app) is blocked from now on; 0 if it is not."""
        with self._scopes(_scope_ids(account_id)) as scopes:
            now = self._clock.now()
            return max(0.0, *(scope.blocked_until - now for scope in scopes.values()))

    def _reserve(self, ids: Sequence[str], ticket: str, points: int) -> None:
        while True:
            with self._scopes(ids) as scopes:
                now = self._clock.now()
                delay, scope_id, reason = max(self._delay(one, scope, now, points) for one, scope in scopes.items())
                if delay <= 0:
                    for scope in scopes.values():
                        scope.under_way[ticket] = (points, now + _FORGOTTEN_AFTER_SECONDS)
                        for meter in scope.meters.values():
                            meter.pending += points
                    return
            if delay > 1:
                self._on_wait(scope_id, delay, reason)
            self.counts.add(ids[-1], waits=1, wait_seconds=delay)
            self._clock.sleep(delay)

    def _observe(
        self, scopes: Mapping[str, _Scope], account_id: str | None, headers: Mapping[str, str], now: float
    ) -> None:
        for usage in read_usage(headers):
            scope_id = APP if usage.scope == "app" or account_id is None else account_id
            meter = scopes[scope_id].meter(usage.meter)
            meter.observe(usage, now)
            if usage.regain_seconds > 0 and usage.utilisation >= 100:
                scopes[scope_id].block(now, usage.regain_seconds)
            self._tell(scope_id, scopes[scope_id], usage.meter, meter, now)

    def _delay(self, scope_id: str, scope: _Scope, now: float, points: int) -> tuple[float, str, str]:
        if scope.blocked_until > now:
            return scope.blocked_until - now, scope_id, "Meta asked to wait"
        under_way = scope.points_under_way(now)
        waits = [
            (meter.delay(now, points, under_way, self._ceiling), scope_id, name) for name, meter in scope.meters.items()
        ]
        return max(waits, default=(0.0, scope_id, ""))

    @contextmanager
    def _scopes(self, ids: Sequence[str]) -> Iterator[dict[str, _Scope]]:
        """These scopes, nobody else's for the time of the block, in this process or another."""
        with self._lock:
            if self._store is None:
                yield {one: self._own.setdefault(one, _Scope()) for one in ids}
                return
            with self._store.exclusive(ids) as states:
                scopes = {one: _Scope.from_state(states[one]) for one in ids}
                yield scopes
                states.update({one: scope.as_state() for one, scope in scopes.items()})

    def _tell(self, scope_id: str, scope: _Scope, name: str, meter: Meter, now: float) -> None:
        """Leaves a meter where people and dashboards look; not at every call."""
        if self._store is None:
            return
        moved = abs(meter.utilisation - meter.saved_value) >= 5.0
        if not (moved or name == "block" or now - meter.saved_at >= _SAVE_EVERY_SECONDS):
            return
        meter.saved_at, meter.saved_value = now, meter.utilisation
        self._store.save(
            "app" if scope_id == APP else "account",
            scope_id,
            name,
            utilisation=meter.utilisation,
            regain_at=_moment(scope.blocked_until) if scope.blocked_until > now else None,
            tier=meter.tier,
            detail={"cost": meter.cost, "drain": meter.drain, "reset_at": meter.reset_at},
            observed_at=_moment(now),
        )


@dataclass
class Call:
    """A call that the budget let through; its maker says here what became of it.

    Attributes:
        headers: Of the answer, errors included; None while there is none.
        succeeded: Whether it was answered with data: the next refusal then starts with a short wait again.
    """

    headers: Mapping[str, str] | None = None
    succeeded: bool = False


def _scope_ids(account_id: str | None) -> tuple[str, ...]:
    return (APP,) if account_id is None else (APP, account_id)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _log_wait(scope_id: str, seconds: float, reason: str) -> None:
    who = "the app" if scope_id == APP else f"act_{scope_id}"
    log.info("%s waits %.0f s for Meta's quota (%s)", who, seconds, reason)
