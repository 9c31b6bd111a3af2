"""Background processes, with real ones: stale records, reused pids, children, failures to start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest

from orchestration.errors import ProcessError
from orchestration.processes import Processes

SERVER = """
import http.server, pathlib, sys
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
print("listening", flush=True)
pathlib.Path(sys.argv[1]).write_text(str(server.server_address[1]))
server.serve_forever()
"""
SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    started = Processes(tmp_path)
    yield started
    for process in started.running():
        started.stop(process.name)


def serve(processes: Processes, home: Path, name: str = "server") -> tuple[list[str], Path]:
    port_file = home / "run" / f"{name}.port"
    return [sys.executable, "-c", SERVER, str(port_file)], port_file


def test_start_find_stop(processes: Processes, tmp_path: Path) -> None:
    argv, port_file = serve(processes, tmp_path)
    process = processes.start("server", argv, port_file, timeout=20)
    with urlopen(process.url) as answer:
        assert answer.status == 200
    assert processes.find("server") == process
    assert Processes(tmp_path).running() == [process]  # Another command sees it as well.
    assert "listening" in Path(process.log_file).read_text()
    assert processes.start("server", argv, port_file) == process  # Not a second one.
    assert processes.stop("server")
    assert processes.find("server") is None
    assert not processes.stop("server")
    assert not (tmp_path / "run" / "server.json").exists()


def test_it_outlives_the_command_that_started_it(processes: Processes, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from orchestration.processes import Processes\n"
        f"print(Processes(Path({str(tmp_path)!r})).start('sleeper', {SLEEPER!r}).pid)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=True)
    found = processes.find("sleeper")
    assert found is not None
    assert found.pid == int(done.stdout)
    assert done.stderr == ""
    assert os.getsid(found.pid) != os.getsid(0)  # Ctrl-C in the terminal does not reach it.
    assert processes.stop("sleeper")


def test_other_options_under_the_same_name_are_refused(processes: Processes) -> None:
    processes.start("sleeper", SLEEPER)
    with pytest.raises(ProcessError, match="already runs with other options"):
        processes.start("sleeper", [*SLEEPER, "other"])


def test_a_record_of_a_dead_process_is_removed(processes: Processes, tmp_path: Path) -> None:
    process = processes.start("sleeper", SLEEPER)
    psutil.Process(process.pid).kill()
    deadline = time.monotonic() + 10
    while processes.find("sleeper") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert processes.find("sleeper") is None  # Also while it is a zombie that nobody has waited for.
    assert not (tmp_path / "run" / "sleeper.json").exists()
    assert processes.start("sleeper", SLEEPER).pid != process.pid


def test_a_reused_pid_is_not_taken_for_the_process(processes: Processes, tmp_path: Path) -> None:
    stranger = processes.start("stranger", SLEEPER)
    record = json.loads((tmp_path / "run" / "stranger.json").read_text())
    record |= {"name": "server", "started": stranger.started - 100}
    (tmp_path / "run" / "server.json").write_text(json.dumps(record))
    assert not processes.stop("server")
    assert processes.find("stranger") == stranger
    assert psutil.pid_exists(stranger.pid)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"pid": 1}', '{"command": 3}'])
def test_half_a_record_counts_as_none(processes: Processes, tmp_path: Path, text: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "server.json").write_text(text)
    assert processes.find("server") is None
    assert not (tmp_path / "run" / "server.json").exists()


def test_a_process_that_dies_at_once_is_told_with_its_last_words(processes: Processes, tmp_path: Path) -> None:
    words = "import sys; print('access_token=EAAsecret1'); sys.exit('no such world')"
    with pytest.raises(ProcessError, match=r"exit code 1(.|\n)*no such world") as caught:
        processes.start("server", [sys.executable, "-c", words], tmp_path / "port", timeout=20)
    assert "EAAsecret1" not in str(caught.value)
    assert processes.find("server") is None


def test_several_start_beside_each_other_and_one_that_fails_takes_the_others_along(
    processes: Processes, tmp_path: Path
) -> None:
    argv, port_file = serve(processes, tmp_path)
    with processes.starting("server", argv, port_file, 20) as first, processes.starting("sleeper", SLEEPER) as second:
        assert first().url
        assert processes.find("sleeper") == second()
    assert [process.name for process in processes.running()] == ["server", "sleeper"]
    assert processes.stop("server")

    fails = [sys.executable, "-c", "import sys; sys.exit('no such world')"]
    with (
        pytest.raises(ProcessError, match=r"^broken did not start: it ended with exit code 1(.|\n)*no such world"),
        processes.starting("broken", fails, tmp_path / "port", 20) as broken,
        processes.starting("server", argv, port_file, 20),
        processes.starting("sleeper", SLEEPER),
    ):
        broken()
    assert [process.name for process in processes.running()] == ["sleeper"], "it ran before"


def test_a_process_that_never_listens_is_ended(processes: Processes, tmp_path: Path) -> None:
    (tmp_path / "port").write_text("1")  # Left over from an earlier start: must not be believed.
    with pytest.raises(ProcessError, match=r"within 0.5 s"):
        processes.start("server", SLEEPER, tmp_path / "port", timeout=0.5)
    assert processes.running() == []
    # Reason: other tests of this worker may have children of their own.
    children = [child.as_dict(["cmdline", "status"]) for child in psutil.Process().children()]
    assert not [child for child in children if child["cmdline"] == SLEEPER and child["status"] != psutil.STATUS_ZOMBIE]


def test_a_command_that_does_not_exist(processes: Processes) -> None:
    with pytest.raises(ProcessError, match=r"cannot be started: /nowhere/x: No such file"):
        processes.start("server", ["/nowhere/x"])
    with pytest.raises(ValueError, match="name of a file"):
        processes.start("../server", SLEEPER)


def test_children_end_with_their_parent_and_the_stubborn_are_killed(processes: Processes, tmp_path: Path) -> None:
    stubborn = (
        "import signal, subprocess, sys, time, pathlib\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "pathlib.Path(sys.argv[1]).write_text(str(child.pid))\n"
        "time.sleep(600)"
    )
    told = tmp_path / "child"
    process = processes.start("stubborn", [sys.executable, "-c", stubborn, str(told)])
    deadline = time.monotonic() + 20
    while not (told.exists() and told.read_text()) and time.monotonic() < deadline:
        time.sleep(0.02)
    child = int(told.read_text())
    assert processes.stop("stubborn", timeout=0.5)
    for pid in (process.pid, child):
        assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_two_commands_at_once_start_one_process(processes: Processes) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: processes.start("sleeper", SLEEPER), range(4)))
    assert len({process.pid for process in found}) == 1
