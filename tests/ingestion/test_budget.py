from __future__ import annotations

from contextlib import contextmanager

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.budget import CallBudget
from ingestion.errors import Throttled
from tests.ingestion.fakes import ManualClock


class DecayingScore:
    """Meta's API-level score as a leaky bucket: 60 points, emptied in 300 s, a block that lengthens."""

    def __init__(self, clock, limit=60.0, decay=300.0, block=300.0, stepwise=False):
        self.clock, self.limit, self.decay, self.block, self.stepwise = clock, limit, decay, block, stepwise
        self.calls: list[float] = []
        self.level, self.at, self.blocked_until, self.refused, self.while_blocked = 0.0, clock.now(), 0.0, 0, 0

    def call(self):
        now = self.clock.now()
        if now < self.blocked_until:
            self.while_blocked += 1
            self.blocked_until += self.block
        if self.stepwise:
            self.calls = [t for t in self.calls if t > now - self.decay]
            self.level = float(len(self.calls))
        else:
            self.level = max(0.0, self.level - self.limit * (now - self.at) / self.decay)
        self.at = now
        if self.level + 1 > self.limit:
            self.refused += 1
            self.blocked_until = max(self.blocked_until, now + self.block)
            return False, self.headers()
        self.level += 1
        self.calls.append(now)
        return True, self.headers()

    def headers(self):
        # "How long it takes to reset the current score": to nothing, that is.
        reset = self.decay if self.stepwise else self.decay * self.level / self.limit
        value = {
            "acc_id_util_pct": round(100 * self.level / self.limit, 2),
            "reset_time_duration": int(reset) + 1,
            "ads_api_access_tier": "development_access",
        }
        return {"X-Ad-Account-Usage": orjson.dumps(value).decode()}


@pytest.mark.parametrize("stepwise", [False, True])
def test_development_tier_is_used_up_and_never_overrun(stepwise):
    clock = ManualClock()
    server, budget = DecayingScore(clock, stepwise=stepwise), CallBudget(clock)
    start = clock.now()
    for _ in range(400):
        with budget.call("1") as call:
            ok, call.headers = server.call()
        assert ok
        clock.sleep(0.1)
    elapsed = clock.now() - start
    dictated = (400 - 60) * 5.0 if not stepwise else 300.0 * (400 // 60)
    allowance = 1.15 if not stepwise else 1.25  # a quota that empties in steps is not Meta's; it must do no harm
    assert server.while_blocked == 0
    assert server.refused == 0
    assert elapsed <= allowance * dictated


def test_nobody_calls_during_a_block():
    clock = ManualClock()
    budget = CallBudget(clock)
    seconds = budget.refused("1", Throttled("no", scope="account", seconds=240.0, code=80000))
    assert seconds == 240.0
    start = clock.now()
    with budget.call("2"):
        assert clock.now() == start  # another account goes on
    with budget.call("1"):
        assert clock.now() - start >= 240.0


def test_a_block_of_the_app_stops_every_account():
    clock = ManualClock()
    budget = CallBudget(clock)
    budget.refused("1", Throttled("no", scope="app", seconds=60.0, code=4))
    start = clock.now()
    with budget.call("2"):
        assert clock.now() - start >= 60.0


def test_refusals_without_a_hint_wait_longer_each_time():
    budget = CallBudget(ManualClock())
    waits = [budget.refused("1", Throttled("no", scope="account", seconds=None)) for _ in range(3)]
    assert waits == [300.0, 600.0, 1200.0]
    with budget.call("1") as call:
        call.succeeded = True
    assert budget.refused("1", Throttled("no", scope="account", seconds=None)) == 300.0


class Store:
    """A `UsageStore` in memory, through JSON as a database would."""

    def __init__(self):
        self.states, self.rows, self.counted = {}, {}, []

    def count(self, counted):
        self.counted += counted

    @contextmanager
    def exclusive(self, scope_ids):
        states = {scope: orjson.loads(self.states.get(scope, b"{}")) for scope in scope_ids}
        yield states
        self.states.update({scope: orjson.dumps(state) for scope, state in states.items()})

    def save(self, scope, scope_id, usage_type, **values):
        self.rows[scope, scope_id, usage_type] = values


def test_a_restarted_process_keeps_the_block():
    clock, store = ManualClock(), Store()
    CallBudget(clock, store).refused("1", Throttled("no", scope="account", seconds=500.0))
    reborn = CallBudget(clock, store)
    assert reborn.blocked_seconds("1") >= 500.0
    assert reborn.blocked_seconds("2") == 0.0


@settings(max_examples=40, deadline=None)
@given(
    limit=st.integers(20, 500),
    decay=st.floats(30, 4000),
    gaps=st.lists(st.floats(0, 20), min_size=30, max_size=120),
    stepwise=st.booleans(),
)
def test_whatever_the_quota_no_call_is_made_while_blocked(limit, decay, gaps, stepwise):
    clock = ManualClock()
    server, budget = DecayingScore(clock, limit, decay, decay, stepwise), CallBudget(clock)
    for gap in gaps:
        while True:
            with budget.call("1") as call:
                ok, call.headers = server.call()
                call.succeeded = ok
            if ok:
                break
            budget.refused("1", Throttled("no", scope="account", seconds=server.blocked_until - clock.now()))
        clock.sleep(gap)
    assert server.while_blocked == 0


def test_each_call_wait_and_refusal_is_counted_once_under_its_account_and_hour():
    clock, store = ManualClock(), Store()
    budget = CallBudget(clock, store)
    for account in ("1", "1", "2", None):
        with budget.call(account):
            clock.sleep(4)
    budget.refused("1", Throttled("no", scope="app", seconds=30.0))
    with budget.call("2"):
        pass
    budget.counts.write()
    budget.counts.write()
    sums: dict[str, list[float]] = {}
    for scope, hour, *values in store.counted:
        assert (hour.minute, hour.second, hour.tzinfo is not None) == (0, 0, True)
        sums[scope] = [a + b for a, b in zip(sums.get(scope, [0] * 4), values, strict=True)]
    assert {scope: values[0] for scope, values in sums.items()} == {"1": 2, "2": 2, "app": 1}
    assert sums["1"][3] == 1
    assert sums["2"][1] == 1
    assert sums["2"][2] >= 30
    assert budget.counts.of("2").calls == 2
    assert budget.counts.of("9").calls == 0


def test_counts_outlive_a_store_that_fails():
    class Failing(Store):
        fails = True

        def count(self, counted):
            if self.fails:
                raise ConnectionError
            super().count(counted)

    store = Failing()
    budget = CallBudget(ManualClock(), store)
    with budget.call("1"):
        pass
    with pytest.raises(ConnectionError):
        budget.counts.write()
    store.fails = False
    budget.counts.write()
    assert [row[2] for row in store.counted] == [1]
