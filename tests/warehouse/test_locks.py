"""Locks by name: one holder at a time, until its session ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet

import pytest

from warehouse.connect import Warehouse
from warehouse.errors import DatabaseUnavailable
from warehouse.ops.locks import wait_for_lock


@pytest.mark.integration
def test_who_comes_second_waits_until_the_first_has_ended(plain_url: str) -> None:
    with Warehouse(plain_url) as warehouse, ThreadPoolExecutor(1) as other:
        first = wait_for_lock(warehouse, "step:1")
        wait_for_lock(warehouse, "step:2").close()
        second = other.submit(wait_for_lock, warehouse, "step:1")
        with pytest.raises(NotYet):
            second.result(0.5)
        first.close()
        second.result(10).close()


def test_without_a_server_it_is_told() -> None:
    with Warehouse("postgresql://u@127.0.0.1:1/x") as warehouse, pytest.raises(DatabaseUnavailable):
        wait_for_lock(warehouse, "step:1")
