"""The dashboards that there are, without a mistake."""

from __future__ import annotations

from pathlib import Path

from dashboards.answers import Catalog
from dashboards.library import load
from dashboards.lint import lint
from orchestration.transform import parse_project


def test_they_have_no_mistake(tmp_path: Path) -> None:
    library = load()
    assert len(library.dashboards) == 10
    assert lint(library, Catalog.of_manifest(parse_project(tmp_path / "target"))) == ()
