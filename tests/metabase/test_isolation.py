"""The stand-in shares no code with the product, so that no misreading of Metabase can cancel out."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

HERE = Path(__file__).parent
LIBRARIES = {"aiohttp", "psycopg", "pydantic", "requests", "pytest"}
TESTS_ONLY = {"conftest.py"}


def _imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            found.add(node.module or "")
    return found


def test_the_stand_in_imports_nothing_of_the_project_but_itself() -> None:
    files = [p for p in HERE.rglob("*.py") if not p.name.startswith("test_") and p.name not in TESTS_ONLY]
    assert len(files) > 40
    for path in files:
        for name in _imports(path):
            top = name.partition(".")[0]
            own = name == "tests.metabase" or name.startswith("tests.metabase.")
            assert own or top in LIBRARIES or top in sys.stdlib_module_names, f"{path.name} imports {name}"


def test_the_product_does_not_import_the_stand_in() -> None:
    root = HERE.parents[1]
    for package in ("simulator", "ingestion", "warehouse", "optimization", "dashboards", "orchestration"):
        for path in (root / package).rglob("*.py"):
            assert not any(name.startswith("tests") for name in _imports(path)), path


def test_every_file_is_short() -> None:
    for path in HERE.rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path
