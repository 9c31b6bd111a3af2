"""Worlds shared by the tests of `simulator.world`."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simulator.contract import World
from simulator.world import build_world

from .helpers import ANCHOR, NOON


@pytest.fixture(scope="session")
def demo() -> World:
    return build_world(7, "demo", ANCHOR)


@pytest.fixture(scope="session")
def account(demo: World) -> str:
    return demo.accounts(NOON)[0].id


@pytest.fixture
def fresh() -> Callable[[], World]:
    return lambda: build_world(7, "demo", ANCHOR)
