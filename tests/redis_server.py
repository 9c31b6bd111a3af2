"""A Redis server for tests: Debian's, installed where we are root on Debian or Ubuntu.

Elsewhere the tests are skipped, saying why; where CI=true that is an error.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
import redis

PASSWORD = "hush4redis"


class RedisUnavailable(Exception):
    """There is no Redis on this machine, and none can be installed."""


def ensure() -> str:
    """The path of `redis-server`, installed if it is missing.

    Raises:
        RedisUnavailable: Not root, not Debian or Ubuntu, or the installation failed.
    """
    with (Path(tempfile.gettempdir()) / "meta-ads-tests-redis.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if shutil.which("redis-server") is None:
            _install()
    found = shutil.which("redis-server")
    if found is None:
        raise RedisUnavailable("Debian's package did not bring redis-server")
    return found


def _install() -> None:
    if os.geteuid() != 0:
        raise RedisUnavailable("only root can install Debian's redis-server; or install it yourself")
    if shutil.which("apt-get") is None:
        raise RedisUnavailable("this is neither Debian nor Ubuntu; install redis-server yourself")
    # Reason: at this runlevel Debian's scripts do not start the service, and its port stays free.
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    install = ["install", "--yes", "--no-install-recommends", "redis-server"]
    for arguments in (["update"], install):
        command = ["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise RedisUnavailable(f"apt-get {arguments[0]} failed: {(done.stdout + done.stderr)[-1500:]}")


class RedisServer:
    """A server with a password, its data in a folder so that it survives a restart."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{self._port}/0"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = {"port": self._port, "bind": "127.0.0.1", "dir": self._folder, "requirepass": PASSWORD}
        options |= {"save": "", "appendonly": "yes", "appendfsync": "always"}
        command = [ensure(), *(text for name, value in options.items() for text in (f"--{name}", str(value)))]
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        with redis.Redis.from_url(self.url) as client:
            for _ in range(200):
                try:
                    client.ping()
                except redis.ConnectionError:
                    assert self._process.poll() is None, (self._folder / "redis.log").read_text()
                    time.sleep(0.05)
                else:
                    return
        raise AssertionError((self._folder / "redis.log").read_text())

    def kill(self) -> None:
        """Without a chance to tidy up."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)


def started(folder: Path) -> RedisServer:
    """A running server; the test is skipped where there can be none."""
    try:
        ensure()
    except RedisUnavailable as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must test on Redis: {error}")
        pytest.skip(f"no Redis: {error}")
    folder.mkdir(parents=True, exist_ok=True)
    server = RedisServer(folder)
    server.start()
    return server
