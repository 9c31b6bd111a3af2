"""Nothing phones home: dependencies really run, in a process where every connection is refused and counted.

Each program runs twice: with our switches, where nothing may be tried, and without, where something must be. The
second run proves that the first would have noticed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestration.privacy import SWITCHES, switch_off_telemetry

SPY = """
import os, sys
tried = []
def spy(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        tried.append(arguments[0])
    elif event == "socket.connect" and isinstance(arguments[1], tuple):
        tried.append(arguments[1])
    else:
        return
    raise OSError("the test refuses every connection")
sys.addaudithook(spy)
if os.environ.pop("SWITCHES_OFF", None):
    from orchestration.privacy import switch_off_telemetry
    switch_off_telemetry()
"""
REPORT = "\nprint('TRIED', tried)\n"

DBT = """
from dbt.cli.main import dbtRunner
result = dbtRunner().invoke(["parse", "--no-partial-parse", "--project-dir", ".", "--profiles-dir", "."])
assert result.success, result.exception
"""

# What `FacebookAdsApi.init` does, by hand as `ingestion` does it; then a crash, which the reporter would send.
FACEBOOK = """
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession
api = FacebookAdsApi(FacebookSession(app_id="1", access_token="EAAx"), api_version="v26.0")
FacebookAdsApi.set_default_api(api)
if __CRASH_LOG__:
    from facebook_business.crashreporter import CrashReporter
    CrashReporter.enable()
try:
    from facebook_business.exceptions import FacebookBadObjectError
    raise FacebookBadObjectError("crash")
except FacebookBadObjectError:
    sys.excepthook(*sys.exc_info())
"""


def run(program: str, where: Path, *, switched_off: bool) -> str:
    (where / "program.py").write_text(SPY + program + REPORT)
    environment = {name: value for name, value in os.environ.items() if name not in {*SWITCHES, "CI"}}
    environment |= {"HOME": str(where), "PYTHONPATH": str(Path(__file__).parents[2])}
    if switched_off:
        environment["SWITCHES_OFF"] = "1"
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=where, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr + done.stdout
    return next(line for line in done.stdout.splitlines() if line.startswith("TRIED"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "dbt_project.yml").write_text("name: quiet\nprofile: quiet\nmodel-paths: [models]\n")
    (tmp_path / "profiles.yml").write_text(
        "quiet: {target: t, outputs: {t: {type: postgres, host: localhost, port: 1, user: u, password: p,"
        " dbname: d, schema: s}}}\n"
    )
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "one.sql").write_text("select 1 as one\n")
    return tmp_path


def test_dbt_tries_no_connection(project: Path) -> None:
    assert run(DBT, project, switched_off=True) == "TRIED []"
    assert "sinter" in run(DBT, project, switched_off=False)


def test_the_meta_sdk_reports_no_crash(tmp_path: Path) -> None:
    assert run(FACEBOOK.replace("__CRASH_LOG__", "False"), tmp_path, switched_off=True) == "TRIED []"
    assert "graph.facebook.com" in run(FACEBOOK.replace("__CRASH_LOG__", "True"), tmp_path, switched_off=True)


def test_the_switches_overrule_the_environment_and_leave_the_rest() -> None:
    environment = {"DO_NOT_TRACK": "0", "PATH": "/bin"}
    switch_off_telemetry(environment)
    assert environment == {**SWITCHES, "PATH": "/bin"}


def test_the_module_imports_nothing_of_ours_or_others_first() -> None:
    program = (
        "import sys; before = set(sys.modules); import orchestration.privacy\n"
        "heavy = {name.partition('.')[0] for name in set(sys.modules) - before}\n"
        "print(sorted(heavy - set(sys.stdlib_module_names) - {'orchestration'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "[]\n"
