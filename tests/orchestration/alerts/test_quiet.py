"""What a channel gets to hear, whatever causes and channels do: a machine that tries, in memory and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from orchestration.alerts.channels import Handover
from orchestration.alerts.dispatch import WarehouseAlerts, dispatch
from orchestration.alerts.memory import MemoryAlerts
from orchestration.alerts.model import ALL_CLEARS, CALM, Cause, Event, Kind, Message, Outcome
from orchestration.alerts.policy import LONGEST_QUIET, quiet_after
from orchestration.alerts.render import Context
from warehouse.connect import Warehouse
from warehouse.ops import alerts as store

QUIET = timedelta(minutes=60)
START = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEYS = ("checks_failed:1:ad_daily", "checks_failed:2:ad_daily", "version_retired")
CHANNELS = ("email", "webhook")
RANK = {"warning": 1, "error": 2}


class Ear:
    """A channel that remembers what it heard, and may be out of order."""

    where = "here"

    def __init__(self, name: str) -> None:
        self.name = name
        self.works = True
        self.heard: list[tuple[str, Event, str, datetime]] = []
        self.messages = 0

    def wants(self, event: Event, cause: Cause) -> bool:
        return True

    def send(self, message: Message, context: Context) -> Handover:
        if not self.works:
            return Handover(Outcome.FAILED, "out of order", is_down=True)
        self.messages += 1
        for alert in message.alerts:
            self.heard.append((alert.cause.key, message.event, alert.cause.severity, message.at))
        return Handover(Outcome.DELIVERED)

    def about(self, key: str) -> list[tuple[Event, str, datetime]]:
        return [(event, severity, at) for found, event, severity, at in self.heard if found == key]


class WarehouseBoard(WarehouseAlerts):
    """The warehouse's store, with the memory's way of taking in causes."""

    def __init__(self, warehouse: Warehouse) -> None:
        super().__init__(warehouse)
        self._warehouse = warehouse

    def observe(self, seen: Iterable[Cause], now: datetime) -> None:
        store.observe(self._warehouse, list(Kind), list(seen), now, reopen_after=now - CALM)


class Machine(RuleBasedStateMachine):
    """Causes come, get worse, go and come back; channels break; somebody looks now and then."""

    @contextmanager
    def store(self) -> Iterator[Any]:
        yield MemoryAlerts()

    @initialize()
    def begin(self) -> None:
        self.stack = ExitStack()
        self.kept = self.stack.enter_context(self.store())
        self.now = START
        self.present: dict[str, str] = {}
        self.ears = [Ear(name) for name in CHANNELS]

    @rule(key=st.sampled_from(KEYS), severity=st.sampled_from(["warning", "error"]))
    def is_wrong(self, key: str, severity: str) -> None:
        self.present[key] = severity

    @rule(key=st.sampled_from(KEYS))
    def is_mended(self, key: str) -> None:
        self.present.pop(key, None)

    @rule(channel=st.integers(0, 1), works=st.booleans())
    def channel(self, channel: int, works: bool) -> None:
        self.ears[channel].works = works

    @rule(minutes=st.sampled_from([0, 1, 3, 9, 11, 30, 59, 61, 200, 3000]))
    def look(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)
        causes = [Cause(key, key.split(":")[0], severity, key) for key, severity in self.present.items()]  # type: ignore[arg-type]
        self.kept.observe(causes, self.now)
        before = [ear.messages for ear in self.ears]
        dispatch(self.kept, self.ears, Context({}), self.now, QUIET)
        if not minutes:
            return
        for ear, count in zip(self.ears, before, strict=True):
            assert ear.messages - count <= 10
        if isinstance(self.kept, MemoryAlerts):
            self.kept = MemoryAlerts.from_json(self.kept.to_json())

    @invariant()
    def nobody_is_pestered(self) -> None:
        if not hasattr(self, "ears"):
            return
        for ear in self.ears:
            for key in KEYS:
                last: tuple[str, datetime] | None = None
                owes = False
                for event, severity, at in ear.about(key):
                    if event in ALL_CLEARS:
                        assert owes, "an all-clear of what was never told"
                        owes = False
                        continue
                    rose = last is not None and RANK[severity] > RANK[last[0]]
                    assert last is None or rose or at - last[1] >= QUIET
                    last, owes = (severity, at), True

    def teardown(self) -> None:
        if not hasattr(self, "ears"):
            return
        with self.stack:
            self.present.clear()
            for ear in self.ears:
                ear.works = True
            self.look(1)
            self.look(CALM // timedelta(minutes=1) + 1)
            self.look(3000)
            for ear in self.ears:
                for key in KEYS:
                    events = [event for event, *_ in ear.about(key)]
                    assert not events or events[-1] in ALL_CLEARS
            self.nobody_is_pestered()


TestInMemory = Machine.TestCase
TestInMemory.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@pytest.mark.integration
def test_on_postgresql(databases: Any) -> None:
    with databases.fresh("plain") as url, Warehouse(url) as warehouse:

        class OnPostgreSQL(Machine):
            @contextmanager
            def store(self) -> Iterator[Any]:
                with warehouse.connection() as connection:
                    connection.execute("TRUNCATE ops.alert, ops.alert_delivery")
                yield WarehouseBoard(warehouse)

        few = settings(max_examples=8, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
        run_state_machine_as_test(OnPostgreSQL, settings=few)


def heard(steps: Iterable[tuple[float, str | None]], quiet: timedelta = QUIET) -> list[tuple[float, Event]]:
    """What one channel hears of one cause that is there (with a severity) or not, at these minutes."""
    kept, ear = MemoryAlerts(), Ear("email")
    for minute, severity in steps:
        now = START + timedelta(minutes=minute)
        kept.observe([Cause("version_retired", "version_retired", severity, "x")] if severity else [], now)  # type: ignore[arg-type]
        dispatch(kept, [ear], Context({}), now, quiet)
    return [((at - START) / timedelta(minutes=1), event) for _, event, _, at in ear.heard]


def test_a_cause_that_lasts_is_told_again_ever_more_seldom() -> None:
    told = heard((minute, "error") for minute in range(0, 6000, 5))
    assert told[:6] == [
        (0, Event.OPENED),
        (60, Event.REMINDER),
        (180, Event.REMINDER),
        (420, Event.REMINDER),
        (900, Event.REMINDER),
        (1860, Event.REMINDER),
    ]
    gaps = {later[0] - earlier[0] for earlier, later in pairwise(told[5:])}
    assert gaps == {24 * 60}


def test_a_cause_that_flaps_is_told_once() -> None:
    steps = [(minute, "error" if minute % 10 < 5 else None) for minute in range(50)]
    assert heard([*steps, (55, None), (70, None)]) == [(0, Event.OPENED), (55, Event.ALL_CLEAR)]


def test_a_cause_that_comes_back_after_its_all_clear_waits_for_the_quiet_period() -> None:
    there = [(minute, "error") for minute in range(25, 100)]
    assert heard([(0, "error"), (1, None), (20, None), *there]) == [
        (0, Event.OPENED),
        (20, Event.ALL_CLEAR),
        (60, Event.OPENED),
    ]


def test_a_cause_that_gets_worse_is_told_at_once_and_only_once() -> None:
    steps = [(0, "warning"), (5, "error"), (6, "warning"), (7, "error"), (30, "error")]
    assert heard(steps) == [(0, Event.OPENED), (5, Event.WORSE)]


@given(st.integers(0, 10**6), st.integers(5, 10080))
def test_the_quiet_period_never_shrinks_and_never_exceeds_a_day_or_what_was_set(count: int, minutes: int) -> None:
    quiet = timedelta(minutes=minutes)
    assert quiet <= quiet_after(count, quiet) <= max(quiet, LONGEST_QUIET)
    assert quiet_after(count, quiet) <= quiet_after(count + 1, quiet)
