"""dbt that was started before it was needed, as a real process: it does what a new one would, or is not used."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from rich.console import Console

from orchestration.progress import Display
from orchestration.ready_dbt import ReadyDbt
from orchestration.transform import PROJECT, _ready, dbt_environment, dismiss_dbt, get_dbt_ready, run_dbt

LIST = ("--select", "dim_account", "--resource-type", "model", "--output", "name")


def names(output: str) -> list[str]:
    lines = [json.loads(line) for line in output.splitlines()]
    return [line["info"]["msg"] for line in lines if line["info"]["name"] == "PrintEvent"]


def options(project: Path, command: str, *extra: str) -> list[str]:
    return ["--log-format", "json", command, "--project-dir", str(project), "--profiles-dir", str(project), *extra]


def test_it_waits_then_does_what_it_is_told(tmp_path: Path) -> None:
    ready = ReadyDbt.begin(options(PROJECT, "parse", "--quiet"), dbt_environment({}, tmp_path), "1")
    assert ready.order(options(PROJECT, "list", *LIST))
    assert ready.process.stdout is not None
    assert names(ready.process.stdout.read()) == ["dim_account"]
    assert ready.process.wait(60) == 0


def test_without_an_order_it_ends_by_itself(tmp_path: Path) -> None:
    """As when the process that started it died, whose pipe the system closes."""
    ready = ReadyDbt.begin(["--version"], dbt_environment({}, tmp_path), "1")
    assert ready.process.stdin is not None
    ready.process.stdin.close()
    assert ready.process.wait(60) == 0


def test_one_that_died_takes_no_order(tmp_path: Path) -> None:
    ready = ReadyDbt.begin(["--version"], dbt_environment({}, tmp_path), "1")
    ready.process.kill()
    ready.process.wait(60)
    assert not ready.order(["list"])
    ready.dismiss()


def test_a_project_that_cannot_be_read_is_told_by_the_order(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    shutil.copy(PROJECT / "profiles.yml", project)
    (project / "dbt_project.yml").write_text("name: [wrong]\n")
    ready = ReadyDbt.begin(options(project, "parse", "--quiet"), dbt_environment({}, tmp_path), "1")
    ready.order(options(project, "list"))
    assert ready.process.stdout is not None
    assert "no profile was specified" in ready.process.stdout.read()
    assert ready.process.wait(60) == 2


def test_another_environment_or_project_gets_a_process_of_its_own(tmp_path: Path) -> None:
    display = Display(Console(file=(tmp_path / "shown").open("w")))
    here, elsewhere = (dbt_environment({}, tmp_path / name) for name in ("here", "elsewhere"))
    get_dbt_ready(elsewhere)
    (unused,) = _ready
    run_dbt(here, display, "list", LIST)
    assert unused.process.poll() is not None
    assert not _ready

    get_dbt_ready(here)
    (used,) = _ready
    run_dbt(here, display, "list", LIST)
    assert used.process.poll() == 0
    get_dbt_ready(here)
    (dismissed,) = _ready
    dismiss_dbt()
    assert dismissed.process.poll() is not None
