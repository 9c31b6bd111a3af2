"""A database with marts that reports are written from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dashboards.answerer import Answerer
from dashboards.answering import Space
from dashboards.library import Library, load
from dashboards.reports.asking import by_account_id
from tests.dashboards.reports import world
from tests.databases import Databases
from warehouse.connect import Warehouse


@pytest.fixture(scope="session")
def library() -> Library:
    return load()


@pytest.fixture(scope="module")
def space(databases: Databases) -> Iterator[Space]:
    with databases.fresh("plain") as url:
        world.make(url)
        with Warehouse(url) as warehouse:
            yield Space("all", "All clients", "marts", warehouse)


@pytest.fixture(scope="module")
def answerer(library: Library) -> Iterator[Answerer]:
    with Answerer(by_account_id(library), threads=2, now=lambda: world.NOW) as opened:
        yield opened
