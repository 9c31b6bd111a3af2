"""Simulators shared by tests of a module, benches on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import Bench, Simulator, running_simulator
from tests.e2e.receiving import Receiver, running_receiver, subscribed
from tests.e2e.running_up import Up, running_up
from warehouse.connect import Warehouse


@pytest.fixture(scope="module")
def shared_simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    with running_simulator(tmp_path_factory.mktemp("simulator"), "--job-seconds", "20") as simulator:
        yield simulator


@pytest.fixture
def simulator(shared_simulator: Simulator) -> Simulator:
    shared_simulator.reset()
    return shared_simulator


@pytest.fixture
def bench(simulator: Simulator, warehouse: Warehouse, tmp_path: Path) -> Bench:
    """On PostgreSQL and on TimescaleDB."""
    return Bench(simulator, warehouse, tmp_path)


@pytest.fixture
def plain_bench(simulator: Simulator, databases, tmp_path: Path) -> Iterator[Bench]:
    """On PostgreSQL only: for what does not depend on the storage."""
    with databases.fresh("plain") as url, Warehouse(url) as warehouse:
        yield Bench(simulator, warehouse, tmp_path)


@pytest.fixture
def built_bench(simulator: Simulator, databases, tmp_path: Path) -> Iterator[Bench]:
    """On PostgreSQL, with the marts of an empty warehouse: a build takes in what was pulled, and makes no view anew."""
    with databases.built(tmp_path / "home") as url, Warehouse(url) as warehouse:
        yield Bench(simulator, warehouse, tmp_path)


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """`meta-ads up`, for all tests of the group `up`: test_browser_backfill.py, then test_up.py, which ends it."""
    with running_up(tmp_path_factory.mktemp("up")) as up:
        yield up


@pytest.fixture
def receiver(plain_bench: Bench, tmp_path: Path) -> Iterator[Receiver]:
    with running_receiver(tmp_path, plain_bench.warehouse.url) as running:
        yield running


@pytest.fixture
def accounts(plain_bench: Bench, receiver: Receiver) -> list[int]:
    """All accounts; the simulator tells the receiver what changes in them."""
    return subscribed(plain_bench, receiver)
