"""Puts a published extractor into an environment of its own, once per machine.

Belongs here: making such an environment in the user's cache, and what happens where that is impossible. Which
extractors there are does not, nor how they are run.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def cache_folder() -> Path:
    """Where environments are kept from one run to the next."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "meta-ads-tests"


def environment_with(name: str, version: str) -> Path:
    """The environment holding that version, installed on the first call; where it cannot be, the test is skipped.

    In CI it fails instead: there, nobody would notice a skip.
    """
    tag = f"py{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache_folder() / f"{name}-{version}-{tag}"
    done = folder / ".installed"
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Reason: several workers may want the same environment at once.
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            problem = _install(folder, f"{name}=={version}")
            if problem:
                reason = f"{name} {version} cannot be installed here: {problem}"
                (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
            done.touch()
    return folder


def _install(folder: Path, requirement: str) -> str:
    """Returns what went wrong, or nothing."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if uv is None:
        return "there is no uv"
    for command in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
        [uv, "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), requirement],
    ):
        try:
            result = subprocess.run(command, capture_output=True, text=True, timeout=300)
        except subprocess.TimeoutExpired:
            return "it took more than five minutes"
        if result.returncode:
            return result.stderr.strip()[-500:] or f"uv ended with {result.returncode}"
    return ""
