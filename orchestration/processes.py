"""Background processes of the platform: start, find, stop.

What belongs here: a record per process in `<home>/run/<name>.json`, its log in `<home>/logs/<name>.log`, and the
proof that a pid is still the process that was started. What does not: what the processes do.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import psutil

from orchestration.errors import ProcessError
from orchestration.redaction import redactor

_POLL_SECONDS = 0.02
_SAME_START_SECONDS = 1.5
"""Start times come from ticks since boot, and the boot time itself wanders by a second when the clock is set."""


@dataclass(frozen=True)
class RunningProcess:
    """A process that this platform started and that is alive.

    Attributes:
        name: What it was called.
        pid: Its process id, which is also its process group.
        command: Its arguments.
        port: The port that it wrote into its port file, if it has one.
        started: When it started, in seconds since the epoch, as the operating system tells it.
        log_file: Where its output goes.
    """

    name: str
    pid: int
    command: tuple[str, ...]
    port: int | None
    started: float
    log_file: str

    @property
    def url(self) -> str:
        """Its address on this machine.

        Raises:
            ProcessError: When it has no port.
        """
        if self.port is None:
            raise ProcessError(f"{self.name} listens on no port.")
        return f"http://127.0.0.1:{self.port}"


class Processes:
    """The background processes of one home folder. Several commands may use it at once."""

    def __init__(self, home: Path) -> None:
        self._run = home.absolute() / "run"
        self._logs = home.absolute() / "logs"

    def start(
        self,
        name: str,
        argv: Sequence[str],
        port_file: Path | None = None,
        timeout: float = 30.0,
        env: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> RunningProcess:
        """Starts a process that outlives this one, or returns it when the same command runs already.

        Args:
            name: Lower-case name of the record and the log.
            argv: The command. It must itself be told to write `port_file`.
            port_file: Where the process writes the port that it listens on; None when it has no port.
            timeout: Seconds until the port must answer.
            env: The environment; this process's own when left out.
            port: The port that its command names, for a program that writes no port file.

        Raises:
            ProcessError: When it dies or does not listen in time, or when another command runs under the name.
        """
        with self.starting(name, argv, port_file, timeout, env, port) as wait:
            return wait()

    @contextmanager
    def starting(
        self,
        name: str,
        argv: Sequence[str],
        port_file: Path | None = None,
        timeout: float = 30.0,
        env: Mapping[str, str] | None = None,
        port: int | None = None,
    ) -> Iterator[Callable[[], RunningProcess]]:
        """As `start`, for several that start beside each other: the value waits until the process listens.

        A process that this began is ended when the block is left by an exception.
        """
        with self._locked(name):
            running = self.find(name)
            if running is None:
                with self._begun(name, argv, port_file, timeout, env, port) as wait:
                    yield wait
            elif running.command == tuple(argv):
                found = running
                yield lambda: found
            else:
                raise ProcessError(f"{name} already runs with other options (pid {running.pid}).", "meta-ads down")

    @contextmanager
    def _begun(
        self,
        name: str,
        argv: Sequence[str],
        port_file: Path | None,
        timeout: float,
        env: Mapping[str, str] | None,
        port: int | None,
    ) -> Iterator[Callable[[], RunningProcess]]:
        self._logs.mkdir(parents=True, exist_ok=True)
        log_file = self._logs / f"{name}.log"
        if port_file:
            port_file.parent.mkdir(parents=True, exist_ok=True)
            port_file.unlink(missing_ok=True)
        begin = log_file.stat().st_size if log_file.exists() else 0
        try:
            with log_file.open("ab") as log:
                # A session of its own: the terminal's Ctrl-C is not for it.
                child = subprocess.Popen(  # noqa: S603 - the command is ours
                    list(argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, env=env
                )
        except OSError as error:
            raise ProcessError(f"{name} cannot be started: {argv[0]}: {error.strerror}.") from None
        began = time.monotonic()

        def wait() -> RunningProcess:
            complete = record
            try:
                if port_file or port:
                    complete = replace(record, port=_wait_for_port(child, port_file or port or 0, began, timeout))
            except _NotListeningError as error:
                tail = _tail(log_file, begin)
                raise ProcessError(f"{name} did not start: {error}.{tail}", f"read {log_file}") from None
            self._write(complete)
            return complete

        try:
            started = psutil.Process(child.pid).create_time()
            record = RunningProcess(name, child.pid, tuple(argv), None, started, str(log_file))
            self._write(record)  # Before it listens: if we are killed now, `stop` still finds it.
            yield wait
        except BaseException:
            _end(child.pid, timeout=2)
            child.wait()
            self._file(name).unlink(missing_ok=True)
            raise
        child.returncode = 0  # It is not ours to wait for: silences the warning about an unreaped child.

    def find(self, name: str) -> RunningProcess | None:
        """The process of that name if it is alive; a record of a dead one is removed."""
        path = self._file(name)
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
            record = RunningProcess(**fields | {"command": tuple(fields["command"])})
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError):  # Half a record, from a full disk or a crash.
            path.unlink(missing_ok=True)
            return None
        if _is_same(record.pid, record.started):
            return record
        path.unlink(missing_ok=True)
        return None

    def running(self) -> list[RunningProcess]:
        """Every process that is alive, by name."""
        names = sorted(path.stem for path in self._run.glob("*.json"))
        return [found for name in names if (found := self.find(name))]

    def stop(self, name: str, timeout: float = 10.0) -> bool:
        """Ends the process and its children: politely first, by force after `timeout` seconds.

        Returns:
            Whether there was one to end.

        Raises:
            ProcessError: When it is still alive afterwards.
        """
        with self._locked(name):
            running = self.find(name)
            if not running:
                return False
            _end(running.pid, timeout)
            if _is_same(running.pid, running.started):
                raise ProcessError(f"{name} (pid {running.pid}) does not stop.", f"kill -9 {running.pid}")
            self._file(name).unlink(missing_ok=True)
            return True

    def _file(self, name: str) -> Path:
        if not re.fullmatch(r"[a-z][a-z0-9_-]*", name):
            raise ValueError(f"{name!r} cannot be the name of a file")
        return self._run / f"{name}.json"

    def _write(self, record: RunningProcess) -> None:
        path = self._file(record.name)
        fresh = path.with_suffix(f".{os.getpid()}.tmp")
        fresh.write_text(json.dumps(asdict(record), indent=1) + "\n", encoding="utf-8")
        fresh.replace(path)

    @contextmanager
    def _locked(self, name: str) -> Iterator[None]:
        # Reason: two commands started together must not both find nothing and both start it.
        self._run.mkdir(parents=True, exist_ok=True)
        with self._file(name).with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


class _NotListeningError(Exception):
    """The process died, or its port did not answer in time."""


def _wait_for_port(child: subprocess.Popen[bytes], told: Path | int, began: float, timeout: float) -> int:
    while time.monotonic() < began + timeout:
        code = child.poll()
        if code is not None:
            raise _NotListeningError(f"it ended with exit code {code}")
        with suppress(OSError, ValueError):  # Not there, half written, or not listening yet.
            port = told if isinstance(told, int) else int(told.read_text(encoding="ascii"))
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return port
        time.sleep(_POLL_SECONDS)
    where = f" in {told}" if isinstance(told, Path) else f" {told}"
    raise _NotListeningError(f"no port{where} answered within {timeout:g} s")


def _is_same(pid: int, started: float) -> bool:
    try:
        process = psutil.Process(pid)
        # Reason: in a container nobody reaps orphans, so a dead process keeps its pid as a zombie.
        return process.status() != psutil.STATUS_ZOMBIE and abs(process.create_time() - started) <= _SAME_START_SECONDS
    except psutil.NoSuchProcess:
        return False


def _end(pid: int, timeout: float) -> None:
    try:
        parent = psutil.Process(pid)
        family = [*parent.children(recursive=True), parent]
    except psutil.NoSuchProcess:
        return
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = _wait(family, timeout)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _wait(alive, 5)


def _wait(family: list[psutil.Process], timeout: float) -> tuple[list[psutil.Process], list[psutil.Process]]:
    deadline = time.monotonic() + timeout
    while True:
        gone, alive = psutil.wait_procs(family, timeout=_POLL_SECONDS)
        alive = [process for process in alive if _is_same(process.pid, process.create_time())]
        if not alive or time.monotonic() > deadline:
            return gone, alive
        family = alive


def _tail(log_file: Path, begin: int, lines: int = 8) -> str:
    """The last lines that this start has written, without secrets."""
    with log_file.open("rb") as log:
        log.seek(begin)
        text = log.read().decode("utf-8", errors="replace").strip()
    last = "\n".join(text.splitlines()[-lines:])
    return f"\n{redactor.redact(last)}" if last else ""
