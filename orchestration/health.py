"""Whether a process is well: `python -m orchestration.health NAME [PORT]`, for the health checks of containers.

What belongs here: one question to one process on this machine, cheap enough to be asked every few seconds. What does
not: whether data are fresh (`orchestration.metrics`, alerts).

Exit code 0 if it is well, 1 if not, with the reason on standard error. The daemon listens nowhere: Dagster's own
`dagster-daemon liveness-check` looks for its heartbeats in the database.
"""

from __future__ import annotations

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence

SECONDS = 5.0
PATHS: Mapping[str, str] = {
    "webserver": "/server_info",
    "site": "/healthz",
    "receiver": "/healthz",
    "metrics": "/metrics",
    "simulator": "/",
}


def check(name: str, port: int) -> str | None:
    """What is wrong with a process that listens on this machine; None if nothing is.

    Args:
        name: One of `PATHS`, or `code-server`.
        port: Where it listens.
    """
    return _serves(port) if name == "code-server" else _answers(port, PATHS[name])


def _answers(port: int, path: str) -> str | None:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=SECONDS):
            return None
    except urllib.error.HTTPError as error:
        # Reason: the simulator has no page for people; that it refuses shows that it is there.
        return None if error.code < 500 else f"answers {error.code}"
    except OSError as error:
        return f"does not answer: {error}"


def _serves(port: int) -> str | None:
    # Reason: it takes a moment to import, and the other processes do not need it.
    import grpc  # type: ignore[import-untyped]
    from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse  # type: ignore[import-untyped]
    from grpc_health.v1.health_pb2_grpc import HealthStub  # type: ignore[import-untyped]

    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        try:
            answer = HealthStub(channel).Check(HealthCheckRequest(service="DagsterApi"), timeout=SECONDS)
        except grpc.RpcError as error:
            return f"does not answer: {error.code().name}"
    return None if answer.status == HealthCheckResponse.SERVING else "is not serving"


def _daemon() -> int:
    """Asks Dagster, with the database that `meta-ads run daemon` uses."""
    from orchestration import instance
    from orchestration.settings import environment_settings

    prepared = instance.prepare(environment_settings(), os.environ)
    command = [sys.executable, "-m", "dagster._daemon", "liveness-check"]
    return subprocess.run(command, env=dict(prepared.environment), check=False).returncode  # noqa: S603 - our own


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    match arguments:
        case ["daemon"]:
            return _daemon()
        case [name, port] if (name in PATHS or name == "code-server") and port.isdigit():
            problem = check(name, int(port))
            if problem:
                print(f"{name} {problem}", file=sys.stderr)  # noqa: T201 - a program's answer
            return 1 if problem else 0
    print(f"usage: python -m orchestration.health daemon | code-server|{'|'.join(PATHS)} PORT", file=sys.stderr)  # noqa: T201
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
