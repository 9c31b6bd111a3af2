"""`make demo` from a fresh clone, as a newcomer meets it: an empty home, nothing cached.

What belongs here: goal 6. What does not: what the demo does.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.bench.figures import Figure, Report
from tests.bench.lab import Lab
from tests.bench.machine import load
from tests.e2e.harness import ROOT

_KEPT = {"PATH", "LANG", "LC_ALL", "TERM"}
_NETWORK = ("UV_", "PIP_", "SSL_", "REQUESTS_CA")  # where packages come from on this machine, and whom to trust
_DONE = re.compile(r"Done in (\d+) s")


def demo(lab: Lab) -> Report:
    """Seconds from `git clone` to the table of results, and of these what the pipeline takes.

    Clones the last commit: what is not committed is not measured.
    """
    lab.say("demo: git clone, make demo")
    folder = Path(tempfile.mkdtemp(prefix="meta-ads-clone-"))
    folder.chmod(0o755)
    home, clone = folder / "home", folder / "clone"
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if _is_kept(name)}
    environment |= {"HOME": str(home), "UV_CACHE_DIR": str(home / "uv"), "PIP_CACHE_DIR": str(home / "pip")}
    try:
        began = time.perf_counter()
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True, env=environment)
        done = subprocess.run(["make", "demo"], cwd=clone, env=environment, capture_output=True, text=True)
        spent = time.perf_counter() - began
        found = _DONE.search(done.stdout + done.stderr)
        subprocess.run(["make", "down"], cwd=clone, env=environment, capture_output=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    way = "uv of this machine" if shutil.which("uv") else "uv installed by pip"
    report = Report(notes=[f"demo: empty home and caches, packages over the network by {way}; load average {load()}"])
    if done.returncode:
        report.notes.append(f"demo: `make demo` ended with code {done.returncode}: {done.stderr[-500:]}")
    report.figures.append(Figure("`make demo` from a fresh clone, cold caches", spent, "s", 150, more_is_better=False))
    if found:
        report.figures.append(Figure("of which the pipeline", float(found[1]), "s", 90, more_is_better=False))
    return report


def _is_kept(name: str) -> bool:
    return name in _KEPT or name.startswith(_NETWORK) or name.lower().endswith("_proxy")
