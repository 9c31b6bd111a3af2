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


LONGEST = ("dbt", "up", "celery", "tick", "soak", "judged")
"""Groups of tests that take minutes."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """What shares fixtures stays together: a file is a group, unless its tests name one. What takes long comes first.

    Raises:
        pytest.UsageError: pytest-xdist marked no group, as `--dist loadgroup` is missing or pytest is too new for it:
            tests of a group would hinder each other, or do the same work twice.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.as_posix()))
    items.sort(key=lambda item: (_place(item), item.path not in slow))
    yield
    if "PYTEST_XDIST_WORKER" in os.environ:
        for item in items:
            if "@" not in item.nodeid:
                raise pytest.UsageError(f"{item.nodeid} is in no group. Run pytest -n with --dist loadgroup.")


def _place(item: pytest.Item) -> int:
    mark = item.get_closest_marker("xdist_group")
    assert mark is not None
    return LONGEST.index(mark.args[0]) if mark.args[0] in LONGEST else len(LONGEST)


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
