"""Alerts in the database: one open row for a cause, and deliveries that outlive it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from tests.warehouse.rows import query
from warehouse.connect import Warehouse
from warehouse.ops import alerts
from warehouse.ops.alerts import Alert, Cause, Success

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=9)
CALM = timedelta(minutes=10)


def at(minutes: float) -> datetime:
    return NOW + timedelta(minutes=minutes)


def cause(key: str = "token_refused", severity: str = "error", **changes: object) -> Cause:
    return Cause(key, key.split(":")[0], severity, f"title of {key}", **changes)  # type: ignore[arg-type]


def failed(subject: str, account: int, run_id: str) -> Cause:
    return cause("run_failed:daily:X", samples={subject: {"account_id": account, "run_id": run_id}})


def record(warehouse: Warehouse, *happened: Cause | Success, minutes: float = 0) -> None:
    alerts.record(warehouse, happened, at(minutes), reopen_after=at(minutes) - CALM)


def observe(warehouse: Warehouse, kinds: list[str], *seen: Cause, minutes: float = 0) -> None:
    alerts.observe(warehouse, kinds, seen, at(minutes), reopen_after=at(minutes) - CALM)


def board(warehouse: Warehouse, since: datetime = LONG_AGO) -> list[Alert]:
    return alerts.board(warehouse, since)


def test_a_cause_has_one_open_row_that_remembers(warehouse: Warehouse) -> None:
    record(warehouse, failed("daily|act_1", 1, "a"))
    record(warehouse, failed("daily|act_2", 2, "b"), minutes=5)
    (alert,) = board(warehouse)
    assert (alert.opened_at, alert.last_seen_at, alert.seen_count) == (at(0), at(5), 2)
    assert alert.accounts == [1, 2]
    assert query(warehouse, "SELECT account_id FROM ops.alert_account ORDER BY 1") == [(1,), (2,)]


def test_successes_end_what_they_make_good_for(warehouse: Warehouse) -> None:
    record(warehouse, failed("daily|act_1", 1, "a"), failed("daily|act_2", 2, "b"), failed("daily|act_3", 3, "c"))
    record(warehouse, Success("other|act_1"), Success("daily|act_1"))
    (alert,) = board(warehouse)
    assert (alert.accounts, alert.resolved_at) == ([2, 3], None)
    record(warehouse, Success("somewhere else", frozenset({"b"})))  # the run was executed again
    record(warehouse, failed("daily|act_3", 3, "d"), Success("daily|act_3"), minutes=3)
    (alert,) = board(warehouse)
    assert (alert.resolved_at, alert.resolution, alert.accounts) == (at(3), "gone", [3])


def test_what_was_looked_at_and_not_found_is_gone_and_the_rest_stays(warehouse: Warehouse) -> None:
    record(warehouse, cause("token_refused"), cause("checks_failed:1:x"), cause("checks_failed:2:x"))
    observe(warehouse, ["checks_failed"], cause("checks_failed:2:x", "warning"), minutes=1)
    state = {alert.cause.key: (alert.cause.severity, alert.resolved_at) for alert in board(warehouse)}
    assert state == {
        "token_refused": ("error", None),
        "checks_failed:1:x": ("error", at(1)),
        "checks_failed:2:x": ("warning", None),
    }


def test_a_cause_that_comes_back_soon_goes_on_and_later_begins_anew(warehouse: Warehouse) -> None:
    for minutes, seen in ((0, True), (1, False), (10, True), (11, False), (22, True)):
        observe(warehouse, ["token_refused"], *([cause()] if seen else []), minutes=minutes)
    rows = "SELECT opened_at, resolved_at, seen_count FROM ops.alert ORDER BY alert_id"
    assert query(warehouse, rows) == [(at(0), at(11), 2), (at(22), None, 1)]


def test_a_cause_whose_end_was_told_begins_anew(warehouse: Warehouse) -> None:
    observe(warehouse, ["token_refused"], cause())
    alerts.told(warehouse, "email", board(warehouse), at(0), None)
    observe(warehouse, ["token_refused"], minutes=1)
    alerts.cleared(warehouse, "email", board(warehouse), at(1), None)
    observe(warehouse, ["token_refused"], cause(), minutes=2)
    assert query(warehouse, "SELECT count(*) FROM ops.alert") == [(2,)]
    (alert,) = board(warehouse)
    assert (alert.opened_at, alert.deliveries["email"].told_at) == (at(2), at(0))
    assert not alert.deliveries["email"].owes_all_clear


def test_deliveries_are_kept_by_channel(warehouse: Warehouse) -> None:
    record(warehouse, cause(severity="warning"))
    found = board(warehouse)
    alerts.told(warehouse, "email", found, at(1), "bob was refused")
    alerts.told(warehouse, "email", found, at(2), None)
    alerts.not_delivered(warehouse, "webhook", found, "down")
    (alert,) = board(warehouse)
    mail, hook = alert.deliveries["email"], alert.deliveries["webhook"]
    assert (mail.told_at, mail.told_count, mail.severity, mail.problem) == (at(2), 2, "warning", None)
    assert (hook.told_at, hook.told_count, hook.problem, hook.owes_all_clear) == (None, 0, "down", False)
    assert query(warehouse, "SELECT notified_at, last_notified_at FROM ops.alert") == [(at(1), at(2))]
    observe(warehouse, ["token_refused"], minutes=3)
    assert [one.cause.key for one in board(warehouse, at(99))] == ["token_refused"]  # an all-clear is owed
    alerts.cleared(warehouse, "email", board(warehouse), at(4), None)
    alerts.cleared(warehouse, "email", board(warehouse), at(5), None)
    assert query(warehouse, "SELECT all_clear_at FROM ops.alert") == [(at(4),)]
    assert board(warehouse, at(99)) == []
    alerts.told(warehouse, "email", found, at(6), None)
    assert board(warehouse)[0].deliveries["email"].told_count == 1


def test_what_nobody_repeats_expires(warehouse: Warehouse) -> None:
    record(warehouse, failed("a", 1, "a"), cause())
    assert alerts.expire(warehouse, ["run_failed"], at(0), at(10)) == 0
    assert alerts.expire(warehouse, ["run_failed"], at(1), at(10)) == 1
    assert {alert.cause.kind: alert.resolution for alert in board(warehouse)} == {
        "run_failed": "expired",
        "token_refused": None,
    }


def test_one_process_at_a_time_has_its_turn(warehouse: Warehouse) -> None:
    with alerts.turn(warehouse) as mine, Warehouse(warehouse.url) as other:
        assert mine
        with alerts.turn(other) as theirs:
            assert not theirs
    with alerts.turn(warehouse) as again:
        assert again


def test_threads_that_record_at_once_open_one_row(warehouse: Warehouse) -> None:
    start = threading.Barrier(6)

    def see(number: int) -> None:
        start.wait()
        for _ in range(5):
            record(warehouse, failed(f"daily|act_{number}", number, str(number)))

    threads = [threading.Thread(target=see, args=(number,)) for number in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (alert,) = board(warehouse)
    assert (alert.seen_count, alert.accounts) == (30, [1, 2, 3, 4, 5, 6])


def test_old_alerts_are_forgotten_and_open_ones_are_not(warehouse: Warehouse) -> None:
    record(warehouse, cause("a"), cause("b"))
    alerts.told(warehouse, "email", board(warehouse), at(0), None)
    observe(warehouse, ["a"], minutes=1)
    assert alerts.forget(warehouse, at(1)) == 0
    assert alerts.forget(warehouse, at(2)) == 1
    assert query(warehouse, "SELECT cause FROM ops.alert") == [("b",)]
    assert query(warehouse, "SELECT cause FROM ops.alert_delivery") == [("b",)]


@pytest.mark.parametrize("value", ["\x00", "\ud800"])
def test_texts_that_postgresql_cannot_hold_lose_only_what_is_odd(warehouse: Warehouse, value: str) -> None:
    record(warehouse, cause(detail=f"a{value}b", samples={f"s{value}": {"text": value}}))
    (alert,) = board(warehouse)
    assert alert.cause.detail.startswith("a")
