"""Fixtures for all tests that need a Metabase.

`metabase_server` is one stand-in per module; `metabase` is the same one, fresh for each test and not set up.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.metabase.client import Metabase


@pytest.fixture(scope="module")
def metabase_server() -> Iterator[Metabase]:
    """A stand-in in a thread; ask for `metabase` unless a whole module shares one state."""
    # Reason: test sessions without a Metabase shall not load a web server.
    from tests.metabase.client import Metabase
    from tests.metabase.server import in_thread

    with in_thread() as url:
        yield Metabase(url).reset()


@pytest.fixture
def metabase(metabase_server: Metabase) -> Metabase:
    """A fresh instance with default options."""
    from tests.metabase.options import Options

    defaults = asdict(Options())
    metabase_server.options(**{name: value for name, value in defaults.items() if name != "state"})
    return metabase_server.reset()
