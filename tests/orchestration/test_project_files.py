"""The Makefile, the locks, the import contracts and the files that a newcomer reads first."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
TARGETS = [
    "help",
    "demo",
    "test",
    "check",
    "bench",
    "mutants",
    "soak",
    "up",
    "down",
    "secrets",
    "metabase",
    "format",
    "lock",
    "clean",
]
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=60
    )


def test_help_lists_every_target_once_and_without_colour_in_a_pipe() -> None:
    for done in (make("help"), make()):
        assert done.returncode == 0
        assert [line.split()[0] for line in done.stdout.splitlines()] == TARGETS
        assert "\033" not in done.stdout
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert phony
    assert sorted(phony[1].split()) == sorted(TARGETS)


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_can_be_planned(target: str) -> None:
    done = make("--dry-run", target)
    assert done.returncode == 0, done.stderr


def test_the_demo_installs_the_runtime_lock_alone(tmp_path: Path) -> None:
    planned = make("--dry-run", "demo", f"VENV={tmp_path}/venv").stdout
    assert "requirements/runtime.txt" in planned
    assert "requirements/dev.txt" not in planned


def test_a_python_that_is_too_old_is_told(tmp_path: Path) -> None:
    for name in ("python", "python3", "python3.11", "python3.12", "python3.13"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    done = make(f"{tmp_path}/venv/bin/python", f"VENV={tmp_path}/venv", PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode == 2
    assert "No Python 3.11, 3.12 or 3.13 found" in done.stderr
    assert not (tmp_path / "venv").exists()


def pins(lock: Path) -> set[tuple[str, str]]:
    """Name and version; a name comes twice where newer Pythons get a newer version."""
    return set(re.findall(r"^([a-z0-9._-]+)==([^\s;\\]+)", lock.read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_host_and_no_path_and_has_hashes(lock: Path) -> None:
    text = lock.read_text()
    assert not re.search(r"://|file:|^-|^/| @ |\b(index|find-links|trusted-host)\b", text, re.MULTILINE)
    blocks = re.split(r"\n(?=[a-z0-9])", re.sub(r"(?m)^\s*#.*\n?", "", text).strip())
    assert len(blocks) == len(pins(lock))
    assert all("--hash=sha256:" in block for block in blocks)


def test_the_locks_agree_and_hold_what_the_project_asks_for() -> None:
    runtime, dev = pins(ROOT / "requirements/runtime.txt"), pins(ROOT / "requirements/dev.txt")
    assert runtime <= dev
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for wanted, lock in [
        (project["dependencies"], runtime),
        (project["optional-dependencies"]["dev"], dev),
    ]:
        names = {re.split(r"[^A-Za-z0-9._-]", line)[0].lower().replace("_", "-").replace(".", "-") for line in wanted}
        assert names <= {name for name, _ in lock}, "run `make lock`"


def test_the_import_contracts_hold_and_are_not_empty() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
    assert re.search(r"Contracts: [6-9] kept, 0 broken", done.stdout)


def test_pre_commit_downloads_no_hooks_and_checks_what_make_checks() -> None:
    config = YAML(typ="safe").load((ROOT / ".pre-commit-config.yaml").read_text())
    assert {repository["repo"] for repository in config["repos"]} == {"local"}
    hooks = [hook for repository in config["repos"] for hook in repository["hooks"]]
    assert {hook["language"] for hook in hooks} == {"system"}
    tools = set(re.findall(r"^\t\$\(BIN\)/(\S+)", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert tools == {hook["entry"].split()[0].removeprefix(".venv/bin/") for hook in hooks}
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config"], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout


def test_ci_runs_make_test_and_stops_at_the_first_failure() -> None:
    script = (ROOT / ".ci/run").read_text()
    assert "set -euo pipefail" in script
    assert script.rstrip().endswith("make test")
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert subprocess.run(["bash", "-n", ROOT / ".ci/run"]).returncode == 0


DOCUMENTS = [ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
        assert (document.parent / target).exists(), target
