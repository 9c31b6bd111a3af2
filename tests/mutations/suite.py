"""The tests that a developer runs, in the order of how quickly they tell: unit tests, data tests, the test modules.

What belongs here: running them against a planted project. What does not: which bugs there are, what a bug can reach.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from dbt.cli.main import dbtRunner
from psycopg import sql

from tests.dbt_project import world
from tests.mutations.lineage import Reach, modules, reach
from tests.mutations.mutant import Mutant
from warehouse.connect import Warehouse
from warehouse.urls import DatabaseUrl

ROOT = Path(__file__).parents[2]
PROJECT_VARIABLE = "META_ADS_TEST_DBT_PROJECT"
#: A bug may make a query endless. Whoever waits for it notices.
_STATEMENT_SECONDS = 90
_MODULES_SECONDS = 900
_FAILED_TEST = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)
_FAILURES = ("fail", "error", "runtime error")
_KINDS = {"unit_test": "unit test", "test": "data test"}


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: who noticed (`unit test`, `data test`, `build`, `pytest`), or nobody (None)."""

    killed_by: str | None
    test: str = ""


class Suite:
    """A copy of the project, and a warehouse that is made anew for each bug from a built template.

    dbt runs within the process, which saves its start for each of the two commands that a bug takes; hence one process
    has one suite.
    """

    def __init__(self, url: DatabaseUrl, copy: Path, scratch: Path) -> None:
        self._url = url
        self._copy = copy
        self._scratch = scratch
        self._manifest: dict[str, Any] = {}
        parameters = url.libpq()
        names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "DBNAME"}
        os.environ.update(
            {
                "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
                "PGOPTIONS": f"-c statement_timeout={_STATEMENT_SECONDS}s",
                **{f"META_ADS_DBT_{name}": str(parameters[key]) for key, name in names.items() if parameters.get(key)},
            }
        )

    def build_template(self) -> None:
        """Fills the database and builds the sound project in it, so that it can be copied.

        Raises:
            RuntimeError: The sound project fails: no mutant can be judged.
        """
        with Warehouse(self._url.render(reveal=True)) as warehouse:
            world.fill(warehouse)
        if not self._dbt("build", "--fail-fast"):
            raise RuntimeError(f"The sound project does not pass its own tests: {self._culprit(self._results())}")

    def open(self, template: str) -> None:
        """Makes a sound database of its own out of the template.

        Raises:
            RuntimeError: dbt does not run in it.
        """
        name = str(self._url.database)
        self._copy_database(template, name)
        # Reason: the body of a function names the database that it was made in.
        if not self._dbt("build", "--select", "resource_type:function"):
            raise RuntimeError("The sound project does not run in a copy of its database.")
        self._manifest = json.loads((self._target / "manifest.json").read_text())
        self._copy_database(name, f"{name}_sound")

    def judge(self, mutant: Mutant, *, with_pytest: bool = True) -> Verdict:
        """Runs the suite on the planted copy until something fails."""
        reached = reach(mutant, self._manifest)
        self._restore()
        noticed = self._unit_tests(reached) or self._build(reached)
        if noticed or not with_pytest:
            return noticed or Verdict(None)
        return self._pytest(mutant)

    def _unit_tests(self, reached: Reach) -> Verdict | None:
        if reached.functions and (noticed := self._noticed("build", "--select", *reached.functions)):
            return noticed
        # Reason: a function may stand in any model. A macro that dbt finds by its name writes tables, which unit tests
        # have none of.
        selected = ["test_type:unit"] if reached.functions else [f"test_type:unit,{name}" for name in reached.models]
        return self._noticed("test", "--select", *selected) if selected else None

    def _build(self, reached: Reach) -> Verdict | None:
        """What hangs on the changed models, built anew. Where that is everything, the test modules do it."""
        selected = [f"{name}+" for name in reached.models]
        options = ("--full-refresh", "--exclude-resource-type", "unit_test")
        return self._noticed("build", *options, "--select", *selected) if selected else None

    def _noticed(self, *arguments: str) -> Verdict | None:
        """Who notices, if anybody. Until the first failure; where dbt loses it on the way out, all is run."""
        for options in (["--fail-fast"], []):
            if self._dbt(*arguments, *options):
                return None
            verdict = self._culprit(self._results())
            if verdict.test != "unknown":
                break
        return verdict

    def _pytest(self, mutant: Mutant) -> Verdict:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *modules(mutant)]
        environment = os.environ | {PROJECT_VARIABLE: str(self._copy)}
        try:
            done = subprocess.run(
                command,
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                timeout=_MODULES_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Verdict("pytest", "takes forever")
        if done.returncode == 0:
            return Verdict(None)
        found = _FAILED_TEST.search(done.stdout)
        return Verdict("pytest", found[1].rpartition("/")[2] if found else done.stdout[-200:])

    def _dbt(self, *arguments: str) -> bool:
        (self._target / "run_results.json").unlink(missing_ok=True)
        command = [
            *("--quiet", *arguments, f"--project-dir={self._copy}", f"--profiles-dir={self._copy}"),
            *(f"--target-path={self._target}", f"--log-path={self._scratch / 'logs'}"),
        ]
        with contextlib.redirect_stdout(io.StringIO()):
            return bool(dbtRunner().invoke(command).success)

    @property
    def _target(self) -> Path:
        return self._scratch / "target"

    def _results(self) -> Iterable[dict[str, Any]] | None:
        """dbt's own report; None if it made none."""
        try:
            return list(json.loads((self._target / "run_results.json").read_text())["results"])
        except FileNotFoundError:
            return None

    @staticmethod
    def _culprit(results: Iterable[dict[str, Any]] | None) -> Verdict:
        """Who failed first; without a report, the project did not even compile."""
        if results is None:
            return Verdict("build", "the project does not compile")
        failed = next((result for result in results if result["status"] in _FAILURES), None)
        if failed is None:
            return Verdict("build", "unknown")
        kind, _, name = failed["unique_id"].partition(".")
        # Reason: the id of a data test ends with a hash, that of a unit test begins with its model.
        words = name.split(".")
        return Verdict(_KINDS.get(kind, "build"), words[1] if kind == "test" else words[-1])

    def _restore(self) -> None:
        """The sound database again. Under one name, because dbt parses everything anew when its settings change."""
        self._copy_database(f"{self._url.database}_sound", str(self._url.database))

    def _copy_database(self, template: str, name: str) -> None:
        with psycopg.connect("", autocommit=True, **self._url.with_database("postgres").libpq()) as connection:  # type: ignore[arg-type]
            for statement in (
                "DROP DATABASE IF EXISTS {name} WITH (FORCE)",
                "CREATE DATABASE {name} TEMPLATE {template}",
            ):
                composed = sql.SQL(statement).format(name=sql.Identifier(name), template=sql.Identifier(template))
                connection.execute(composed)
