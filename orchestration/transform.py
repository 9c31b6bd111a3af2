"""Runs dbt: one invocation builds all marts for the account days that changed.

How dbt is called and what its events mean belongs here; the models are in `dbt_project/`, which account days are due is
decided by `warehouse` (docs/reference/seams.md).
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from orchestration.errors import UserError
from orchestration.progress import Display
from orchestration.ready_dbt import ReadyDbt
from orchestration.redaction import redactor

log = logging.getLogger(__name__)

PROJECT = Path(__file__).resolve().parent.parent / "dbt_project"
#: Arguments of a build that brings new data into the marts of an unchanged project (`dbt_project/selectors.yml`). The
#: manifest that the first build of the project wrote stays as it is: writing it again takes more than a second.
TICK = ("--selector", "tick", "--no-write-json")
#: Of a build that takes in nothing but hours of the current day.
TODAY = ("--selector", "today", "--no-write-json")
_SOURCES = {".sql", ".yml", ".md"}
_MADE = {"target", "logs", "dbt_packages"}
_ready: list[ReadyDbt] = []
_BAD = {"error", "fail", "runtime error", "partial success"}


@dataclass(frozen=True)
class NodeResult:
    """What became of a model, a snapshot, a function or a test.

    Attributes:
        unique_id: As in the manifest, e.g. `model.meta_ads.fct_ad_day`.
        status: `success` of what was built, `pass`, `warn`, `fail` of tests, `error`, `skip` ... of either.
        failures: Rows that a test found.
        seconds: Wall time.
    """

    unique_id: str
    status: str
    failures: int
    seconds: float

    @property
    def is_test(self) -> bool:
        """Whether it is a test of data."""
        return self.unique_id.startswith("test.")


@dataclass(frozen=True)
class TransformResult:
    """What dbt did.

    Attributes:
        models: Models built.
        tests: Data tests and unit tests passed.
        failures: One line for each failed model or test.
        warnings: One line for each test that found odd numbers and stopped nothing.
        seconds: Wall time of dbt.
        nodes: Each node that ran, in the order in which they ended.
    """

    models: int
    tests: int
    failures: tuple[str, ...]
    seconds: float
    warnings: tuple[str, ...] = ()
    nodes: tuple[NodeResult, ...] = ()


class TransformError(UserError):
    """dbt could not build or a test of the data failed.

    Attributes:
        result: What dbt did before, and which nodes failed; None if it did not get that far.
    """

    exit_code = 1

    def __init__(self, message: str, mend: str = "", result: TransformResult | None = None) -> None:
        super().__init__(message, mend)
        self.result = result


def project_version(project: Path = PROJECT) -> str:
    """A digest of the dbt project's files and of dbt itself: it differs when views, functions or tables may."""
    digest = hashlib.sha256(version("dbt-core").encode())
    for file in sorted(project.rglob("*")):
        inside = file.relative_to(project)
        if file.suffix in _SOURCES and inside.parts[0] not in _MADE:
            digest.update(f"\n{inside.as_posix()}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def dbt_environment(parameters: Mapping[str, str], home: Path, threads: int = 2) -> dict[str, str]:
    """The environment that `dbt_project/profiles.yml` reads.

    Args:
        parameters: libpq parameters of the warehouse (`host`, `port`, `user`, `password`, `dbname`).
        home: The platform's state folder; dbt's artefacts and logs go there.
        threads: Models built at once.
    """
    return {
        **os.environ,
        "META_ADS_DBT_HOST": parameters.get("host", "localhost"),
        "META_ADS_DBT_PORT": parameters.get("port", "5432"),
        "META_ADS_DBT_USER": parameters.get("user", "postgres"),
        "META_ADS_DBT_PASSWORD": parameters.get("password", ""),
        "META_ADS_DBT_DBNAME": parameters.get("dbname", "warehouse"),
        "META_ADS_DBT_THREADS": str(threads),
        "DBT_TARGET_PATH": str(home / "dbt" / "target"),
        "DBT_LOG_PATH": str(home / "dbt" / "logs"),
    }


def dbt_arguments(command: str, *extra: str) -> list[str]:
    """The command line of one dbt invocation. No variable changes between runs, so partial parsing always hits."""
    return [sys.executable, "-m", "dbt.cli.main", *_options(command, *extra)]


def _options(command: str, *extra: str) -> list[str]:
    return [
        "--log-format",
        "json",
        "--log-level-file",
        "warn",
        "--no-use-colors",
        command,
        "--project-dir",
        str(PROJECT),
        "--profiles-dir",
        str(PROJECT),
        *extra,
    ]


def parse_project(target: Path) -> Path:
    """The manifest of the project in `target`, made unless it is there. It needs no database.

    Raises:
        TransformError: The project cannot be read.
    """
    manifest = target / "manifest.json"
    if manifest.exists():
        return manifest
    made = target.with_name(f"{target.name}.{os.getpid()}")
    environment = {**os.environ, "DBT_TARGET_PATH": str(made), "DBT_LOG_PATH": str(target.parent / "logs")}
    done = subprocess.run(dbt_arguments("parse"), env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if done.returncode != 0:
        events = _Events()
        for line in done.stdout.splitlines():
            events.read(line, None)
        told = events.errors or events.tail[-5:] or [redactor.redact(done.stderr.strip())]
        raise TransformError("The dbt project cannot be read:\n" + "\n".join(f"  - {line}" for line in told[:10]))
    with suppress(OSError):  # Reason: of two processes that parse at once, the first to finish is as good.
        made.rename(target)
    return manifest if manifest.exists() else made / "manifest.json"


def get_dbt_ready(environment: Mapping[str, str]) -> None:
    """Starts dbt now for the next `run_dbt` of this process with the same environment.

    Args:
        environment: From `dbt_environment`.
    """
    dismiss_dbt()
    with suppress(OSError):  # Reason: this saves time only; the build starts one of its own, and tells what hinders it.
        _ready.append(ReadyDbt.begin(_options("parse", "--quiet", "--no-write-json"), environment, project_version()))


def dismiss_dbt() -> None:
    """Ends what `get_dbt_ready` started and nobody used."""
    while _ready:
        _ready.pop().dismiss()


def _started(arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """The process that works: the one that is ready, if it read the project as it is now, or a new one."""
    while _ready:
        ready = _ready.pop()
        fits = ready.environment == environment and ready.version == project_version()
        if fits and ready.order(arguments):
            return ready.process
        ready.dismiss()
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "dbt.cli.main", *arguments],
        env=dict(environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run_dbt(
    environment: Mapping[str, str], display: Display, command: str = "build", extra: Sequence[str] = ()
) -> TransformResult:
    """Runs dbt and shows its progress.

    Args:
        environment: From `dbt_environment`.
        display: Where progress goes.
        command: `build`, `test` or `run`.
        extra: Further arguments, e.g. `--full-refresh`.

    Raises:
        TransformError: A model or a test failed, or dbt did not start; with the first failures in the message.
    """
    if command == "build":
        # Reason: unit tests ask whether the SQL is right, which no tick changes; the test suite runs them.
        extra = [*extra, "--exclude-resource-type", "unit_test"]
    events = _Events()
    with display.task("Building marts") as task:
        process = _started(_options(command, *extra), environment)
        assert process.stdout is not None
        try:
            for line in process.stdout:
                events.read(line, task)
            code = process.wait()
        except BaseException:
            process.terminate()  # Reason: an interrupted build must not go on alone and hold locks.
            process.wait()
            raise
    result = events.result()
    if code != 0:
        told = events.failures or events.errors or events.tail[-5:]
        listing = "\n".join(f"  - {line}" for line in told[:10])
        raise TransformError(
            f"The marts were not built: dbt reported {len(told)} problem(s).\n{listing}",
            f"read {environment['DBT_LOG_PATH']}/dbt.log; what was committed to raw tables is safe",
            result,
        )
    return result


class _Events:
    """Reads dbt's JSON log lines."""

    def __init__(self) -> None:
        self.models = self.tests = 0
        self.seconds = 0.0
        self.failures: list[str] = []
        self.warnings: list[str] = []
        self.errors: list[str] = []
        self.tail: list[str] = []
        self.nodes: list[NodeResult] = []
        self._expected = False

    def result(self) -> TransformResult:
        return TransformResult(
            self.models, self.tests, tuple(self.failures), self.seconds, tuple(self.warnings), tuple(self.nodes)
        )

    def read(self, line: str, task: Any) -> None:
        try:
            event = json.loads(line)
            info, data = event["info"], event.get("data", {})
        except (ValueError, KeyError, TypeError):
            if line.strip():
                self.tail.append(redactor.redact(line.strip()))
            return
        name = info.get("name", "")
        if name in ("LogModelResult", "LogTestResult", "LogSnapshotResult", "LogFunctionResult", "LogSeedResult"):
            self._result(name, data, task)
        elif name == "FinishedRunningStats":
            self.seconds = float(data.get("execution_time", 0.0))
        elif name == "RunResultError" or info.get("level") == "error":
            self.errors.append(redactor.redact(str(info.get("msg", "")).strip()))

    def _result(self, name: str, data: Mapping[str, Any], task: Any) -> None:
        if not self._expected:
            task.expect(int(data.get("total", 0)))
            self._expected = True
        status = str(data.get("status", "")).lower()
        node = str((data.get("node_info") or {}).get("node_name") or data.get("name") or data.get("description"))
        task.advance(1, node)
        unique_id = str((data.get("node_info") or {}).get("unique_id") or node)
        seconds = float(data.get("execution_time") or 0)
        # Reason: of a model dbt tells what the database answered, such as "INSERT 0 24".
        is_built = name != "LogTestResult" and not any(status.startswith(bad) for bad in (*_BAD, "skip"))
        outcome = "success" if is_built else status.split()[0] if status else "error"
        self.nodes.append(NodeResult(unique_id, outcome, int(data.get("num_failures") or 0), seconds))
        if name == "LogTestResult":
            self.tests += 1
        else:
            self.models += 1
        if status.startswith("warn"):
            self.warnings.append(f"{node}: {data.get('num_failures') or 'some'} rows")
            log.warning("odd numbers, which stopped nothing: %s", self.warnings[-1])
        if any(status.startswith(bad) for bad in _BAD):
            count = f", {data['num_failures']} rows" if data.get("num_failures") else ""
            self.failures.append(f"{node}: {status}{count}")
