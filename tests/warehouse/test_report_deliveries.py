"""Rows of reports: one a period, changed by one process at a time, and forgotten when they are old."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from warehouse.connect import Warehouse
from warehouse.errors import DeliveryChanged, WarehouseError
from warehouse.ops.report_deliveries import Delivery, deliveries, drop, find, forget, put, turn

NOW = datetime(2026, 11, 16, 6, 0, tzinfo=UTC)
DAY = date(2026, 11, 15)


def row(report: str = "weekly", last: date = DAY, tried: datetime = NOW, client: str = "acme") -> Delivery:
    return Delivery(client, report, last - timedelta(days=6), last, NOW, tried, tried, "writing")


def test_a_row_comes_back_as_it_was_put(warehouse: Warehouse) -> None:
    first = put(warehouse, row())
    assert first == replace(row(), version=1)
    sent = replace(
        first,
        state="sent",
        reason="text with a zero byte \x00",
        mend="none",
        sent_at=NOW,
        message_id="<a@b>",
        digest="ab",
        recipients=("a@b.de", "c@d.de"),
        refused={"c@d.de": "550 no"},
        attempts=2,
        copy=1,
    )
    put(warehouse, sent)
    found = find(warehouse, *sent.key)
    assert found is not None
    assert "\x00" not in found.reason
    assert replace(found, reason="") == replace(sent, version=2, reason="")
    assert find(warehouse, "acme", "weekly", DAY, DAY) is None
    assert deliveries(warehouse) == [found]


def test_of_two_that_read_the_same_version_one_writes(warehouse: Warehouse) -> None:
    read = put(warehouse, row())
    put(warehouse, replace(read, state="withheld"))
    for late in (replace(read, state="sending", message_id="<a@b>"), row()):
        with pytest.raises(DeliveryChanged):
            put(warehouse, late)
    with pytest.raises(DeliveryChanged):
        drop(warehouse, read)
    found = find(warehouse, *read.key)
    assert found is not None
    assert (found.state, found.version) == ("withheld", 2)
    drop(warehouse, found)
    assert deliveries(warehouse) == []


def test_what_was_handed_over_has_an_id(warehouse: Warehouse) -> None:
    with pytest.raises(WarehouseError, match="check constraint"):
        put(warehouse, replace(row(), state="sending"))


def test_a_report_has_one_worker_at_a_time(warehouse: Warehouse) -> None:
    with turn(warehouse, "acme", "weekly") as mine, turn(warehouse, "acme", "weekly") as yours:
        assert (mine, yours) == (True, False)
        with turn(warehouse, "acme", "daily") as other:
            assert other
    for _ in range(30):  # Reason: whoever is done has let go, and not only a moment later.
        with turn(warehouse, "acme", "weekly") as mine:
            assert mine


def test_old_rows_go_but_for_the_newest_of_a_report_that_is_still_sent(warehouse: Warehouse) -> None:
    old = NOW - timedelta(days=100)
    week = timedelta(days=7)
    put(warehouse, row(tried=old))
    put(warehouse, row(last=DAY - week, tried=old))
    put(warehouse, row("monthly", tried=old))
    put(warehouse, row("gone", tried=old))
    put(warehouse, row("gone", last=DAY - week))
    declared = [("acme", "weekly"), ("acme", "monthly")]
    assert forget(warehouse, NOW - timedelta(days=90), declared) == 2
    left = {(one.report, one.last_day) for one in deliveries(warehouse)}
    assert left == {("weekly", DAY), ("monthly", DAY), ("gone", DAY - week)}
    assert forget(warehouse, NOW - timedelta(days=90), declared) == 0
