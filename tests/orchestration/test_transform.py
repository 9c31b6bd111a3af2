"""How dbt is called."""

from __future__ import annotations

from pathlib import Path

from orchestration.transform import project_version


def test_the_version_of_a_project_is_that_of_its_files(tmp_path: Path) -> None:
    """What dbt makes itself, and a bare touch, are no change; a moved file is."""
    model = tmp_path / "models" / "a.sql"
    model.parent.mkdir()
    model.write_text("select 1")
    first = project_version(tmp_path)
    for made in ("target", "logs", "dbt_packages"):
        (tmp_path / made).mkdir()
        (tmp_path / made / "a.sql").write_text("select 1")
    model.touch()
    assert project_version(tmp_path) == first
    model.write_text("select 2")
    second = project_version(tmp_path)
    moved = model.rename(tmp_path / "models" / "b.sql")
    third = project_version(tmp_path)
    moved.rename(model).write_text("select 1")
    assert len({first, second, third}) == 3
    assert project_version(tmp_path) == first
