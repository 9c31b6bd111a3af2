"""Building: whole or not at all, and only over a site of ours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dashboards.answerer import Answerer
from dashboards.answering import Space
from dashboards.library import load
from dashboards.site.assets import Assets
from dashboards.site.build import MARK, UnsafeFolder, build
from tests.dashboards import fake_marts
from tests.databases import Databases
from warehouse.connect import Warehouse
from warehouse.errors import WarehouseError

pytestmark = pytest.mark.integration

LIBRARY = load()


@pytest.fixture(scope="module")
def warehouse(databases: Databases) -> Iterator[Warehouse]:
    with databases.fresh("plain") as url, Warehouse(url) as opened:
        fake_marts.make(url, datetime.now(UTC).date())
        yield opened


@pytest.fixture(scope="module")
def assets(tmp_path_factory: pytest.TempPathFactory) -> Assets:
    return Assets(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def answerer() -> Iterator[Answerer]:
    with Answerer(LIBRARY, threads=2) as opened:
        yield opened


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.parent.iterdir()}


def test_a_second_build_replaces_the_first_and_leaves_nothing_beside_it(
    warehouse: Warehouse, assets: Assets, answerer: Answerer, tmp_path: Path
) -> None:
    out = tmp_path / "site"
    spaces = [Space("all", "All clients", "marts", warehouse)]
    told: list[str] = []
    built = build(answerer, spaces, out, assets, done=told.append)
    assert (built.failed, built.index) == ((), out / "index.html")
    assert len(told) == built.pages == len(LIBRARY.dashboards) * 3  # All, and each of two clients
    (out / "all" / "old.html").write_text("gone with the next build")
    build(answerer, spaces, out, assets)
    assert not (out / "all" / "old.html").exists()
    assert names(out) == {"site"}
    assert (out / "all" / assets.paths["vega.js"]).stat().st_size > 500_000


def test_a_build_that_fails_leaves_the_last_one(
    warehouse: Warehouse, assets: Assets, answerer: Answerer, tmp_path: Path
) -> None:
    out = tmp_path / "site"
    build(answerer, [Space("all", "All clients", "marts", warehouse)], out, assets)
    before = {path: path.read_bytes() for path in out.rglob("*.html")}
    with Warehouse("postgresql://nobody@127.0.0.1:1/none") as away, pytest.raises(WarehouseError):
        build(answerer, [Space("all", "All clients", "marts", away)], out, assets)
    assert {path: path.read_bytes() for path in out.rglob("*.html")} == before
    assert names(out) == {"site"}


def test_a_folder_of_something_else_is_left_alone(
    warehouse: Warehouse, assets: Assets, answerer: Answerer, tmp_path: Path
) -> None:
    (tmp_path / "thesis.txt").write_text("ten years of work")
    with pytest.raises(UnsafeFolder):
        build(answerer, [Space("all", "All clients", "marts", warehouse)], tmp_path, assets)
    assert (tmp_path / "thesis.txt").exists()
    assert not (tmp_path / MARK).exists()
