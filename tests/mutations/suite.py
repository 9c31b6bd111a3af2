"""The tests that a developer runs, in the order of how quickly they tell: unit tests, data tests, the test module.

What belongs here: running them against a planted project. What does not: which bugs there are.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.dbt_project import world
from tests.mutations.mutant import Mutant
from warehouse.connect import Warehouse
from warehouse.urls import DatabaseUrl

ROOT = Path(__file__).parents[2]
PROJECT_VARIABLE = "META_ADS_TEST_DBT_PROJECT"
_TIMEOUT_SECONDS = 600
_FAILED_TEST = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: who noticed (`unit test`, `data test`, `build`, `pytest`), or nobody (None)."""

    killed_by: str | None
    test: str = ""


class Suite:
    """A built warehouse as the template of many, and a copy of the project to run on them."""

    def __init__(self, url: str, copy: Path, scratch: Path) -> None:
        self._url = DatabaseUrl.parse(url)
        self._copy = copy
        self._scratch = scratch

    def prepare(self) -> None:
        """Fills the template database and builds the sound project in it.

        Raises:
            RuntimeError: The sound project fails: no mutant can be judged.
        """
        with Warehouse(self._url.render(reveal=True)) as warehouse:
            world.fill(warehouse)
        done = self._dbt("build", "--fail-fast")
        if done.returncode:
            raise RuntimeError(f"The sound project does not pass its own tests:\n{done.stdout[-3000:]}")
        self._administer("CREATE DATABASE {template} TEMPLATE {name}")

    def judge(self, mutant: Mutant, *, with_pytest: bool = True) -> Verdict:
        """Runs the suite on the planted copy until something fails."""
        self._restore()
        node = Path(mutant.file).stem
        is_model = mutant.file.startswith("models/")
        if mutant.file.startswith("functions/"):
            self._dbt("build", "--select", node)
        unit = f"test_type:unit,{node}" if is_model else "test_type:unit"
        if self._dbt("test", "--select", unit, "--fail-fast").returncode:
            return Verdict(*self._culprit())
        # Reason: a macro may stand in any model, and dbt cannot be asked in which.
        selected = ["--select", f"{node}+"] if is_model else []
        if self._dbt(
            "build", "--full-refresh", "--fail-fast", "--exclude-resource-type", "unit_test", *selected
        ).returncode:
            return Verdict(*self._culprit())
        if with_pytest:
            return self._pytest()
        return Verdict(None)

    def _pytest(self) -> Verdict:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "tests/dbt_project"]
        environment = os.environ | {PROJECT_VARIABLE: str(self._copy)}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
        if done.returncode == 0:
            return Verdict(None)
        found = _FAILED_TEST.search(done.stdout)
        return Verdict("pytest", found[1].rpartition("/")[2] if found else done.stdout[-200:])

    def _dbt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        parameters = self._url.libpq()
        names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "DBNAME"}
        environment = os.environ | {
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            **{f"META_ADS_DBT_{name}": str(parameters[key]) for key, name in names.items() if parameters.get(key)},
        }
        (self._target / "run_results.json").unlink(missing_ok=True)
        return subprocess.run(
            [
                *(sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", *arguments),
                *(f"--project-dir={self._copy}", f"--profiles-dir={self._copy}"),
                *(f"--target-path={self._target}", f"--log-path={self._scratch / 'logs'}"),
            ],
            env=environment, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False,
        )  # fmt: skip

    @property
    def _target(self) -> Path:
        return self._scratch / "target"

    def _culprit(self) -> tuple[str, str]:
        """Who failed first, from dbt's own report; without one, the project did not even compile."""
        try:
            results = json.loads((self._target / "run_results.json").read_text())["results"]
        except FileNotFoundError:
            return "build", "the project does not compile"
        failed = [result for result in results if result["status"] in ("fail", "error", "runtime error")]
        if not failed:
            return "build", "unknown"
        kind, _, name = failed[0]["unique_id"].partition(".")
        label = {"unit_test": "unit test", "test": "data test"}.get(kind, "build")
        # Reason: the id of a data test ends with a hash, that of a unit test begins with its model.
        words = name.split(".")
        return label, words[-1] if kind != "test" else words[1]

    def _restore(self) -> None:
        """The built database again. Under one name, because dbt parses everything anew when its settings change."""
        self._administer("DROP DATABASE {name} WITH (FORCE)")
        self._administer("CREATE DATABASE {name} TEMPLATE {template}")

    def _administer(self, statement: str) -> None:
        name = str(self._url.database)
        composed = sql.SQL(statement).format(name=sql.Identifier(name), template=sql.Identifier(f"{name}_built"))  # type: ignore[arg-type]
        with psycopg.connect("", autocommit=True, **self._url.with_database("postgres").libpq()) as connection:  # type: ignore[arg-type]
            connection.execute(composed)
