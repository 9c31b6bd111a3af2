"""Notifications sorted into pulls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from orchestration.notified import sort_out
from orchestration.receiver.meaning import Pull
from warehouse.ops.notifications import Notification

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def notified(number: int, account: int, field: str = "effective_status", run_key: str | None = None) -> Notification:
    payload = {"field": field, "value": {"field": "today_spent"}}
    moment = NOON + timedelta(seconds=number)
    return Notification(number, moment, "ad_account", account, field, NOON, payload, run_key)


def test_an_account_is_one_pull_of_each_kind() -> None:
    waiting = [
        notified(1, 5),
        notified(2, 4, run_key="promised"),
        notified(3, 5, "subscriptions"),
        notified(4, 5),
        notified(5, 9),
        notified(6, 4, "product_set_issue"),
    ]
    found = sort_out(waiting, {4, 5})
    assert [(one.account_id, one.pull, sorted(one.fresh), one.promised) for one in found.wanted] == [
        (4, Pull.OBJECTS, [], {"promised": [2]}),
        (5, Pull.OBJECTS, [1, 4], {}),
        (5, Pull.TODAY, [3], {}),
    ]
    assert found.ignored == {"act_9 is not an account of this platform": [5], "catalogues are not pulled": [6]}
    assert found.wanted[1].new_key == "act_5 objects, notified 4 at 2026-11-20T12:00:04"
    assert sort_out([], {4}).wanted == []


def test_a_warehouse_set_up_again_has_other_keys() -> None:
    """Its ids begin anew, and Dagster would take the run for one that has been."""
    first, again = (sort_out([item], {5}).wanted[0].new_key for item in (notified(1, 5), notified(1, 5)))
    assert first == again
    later = Notification(1, NOON + timedelta(days=1), "ad_account", 5, "effective_status", NOON, {}, None)
    assert sort_out([later], {5}).wanted[0].new_key != first
