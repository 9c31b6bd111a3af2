"""Fixtures for all tests."""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator

import pytest

from orchestration.logs import HANDLER

pytest_plugins = ["tests.databases", "tests.chromium", "tests.metabase.fixtures"]


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuses to spread a group over several workers, where its tests hinder each other or do the same work twice.

    Raises:
        pytest.UsageError: pytest-xdist marked no group: `--dist loadgroup` is missing, or pytest is too new for it.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return
    for item in items:
        if item.get_closest_marker("xdist_group") and "@" not in item.nodeid:
            raise pytest.UsageError(f"{item.nodeid} belongs to a group. Run pytest -n with --dist loadgroup.")


@pytest.fixture(autouse=True)
def _logging_ends_with_the_test() -> Iterator[None]:
    """A command that runs in this process logs to the standard error of its test, which is closed afterwards."""
    root = logging.getLogger()
    before = root.level, logging.getLogRecordFactory(), sys.excepthook, threading.excepthook
    yield
    for handler in [handler for handler in root.handlers if handler.get_name() == HANDLER]:
        root.removeHandler(handler)
        logging.captureWarnings(False)
    root.setLevel(before[0])
    logging.setLogRecordFactory(before[1])
    sys.excepthook, threading.excepthook = before[2:]
