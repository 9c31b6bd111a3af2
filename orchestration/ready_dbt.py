"""A process of dbt that has read the project before anybody knows what to build.

What belongs here: that process, and how it is told what to do. What does not: dbt's arguments and its events
(`orchestration.transform`). Starting dbt takes four seconds of processor time; a pull waits for Meta most of its time,
so a tick has dbt started beside it.

The process reads one line from standard input, a JSON list of arguments, and does that; without a line it ends.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True)
class ReadyDbt:
    """The process.

    Attributes:
        process: Alive, or ended by a mistake that the next start will tell.
        environment: What it was started with.
        version: Of the project that it read (`project_version`).
    """

    process: subprocess.Popen[str]
    environment: Mapping[str, str]
    version: str

    @classmethod
    def begin(cls, parse: Sequence[str], environment: Mapping[str, str], version: str) -> ReadyDbt:
        """Starts it.

        Args:
            parse: Arguments with which dbt reads the project.
            environment: From `dbt_environment`.
            version: Of the project as it is now.
        """
        command = [sys.executable, "-m", __name__, *parse]
        process = subprocess.Popen(  # noqa: S603 - our own command
            command,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return cls(process, dict(environment), version)

    def order(self, arguments: Sequence[str]) -> bool:
        """Tells it what to do.

        Returns:
            Whether it still listened; its output and its end are then those of dbt.
        """
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps([*arguments]) + "\n")
            self.process.stdin.close()
        except OSError:
            return False
        return self.process.poll() is None

    def dismiss(self) -> None:
        """Ends it without an order."""
        assert self.process.stdin is not None
        with suppress(OSError):
            self.process.stdin.close()
        self.process.kill()
        self.process.wait()


def main() -> int:
    """What the process does; returns dbt's exit code.

    A project that cannot be read is told by the invocation that is asked for, in its own way.
    """
    from dbt.cli.main import dbtRunner

    read = dbtRunner().invoke(sys.argv[1:])
    line = sys.stdin.readline()
    if not line:
        return 0
    done = dbtRunner(manifest=read.result if read.success else None).invoke(json.loads(line))
    return 0 if done.success else 2 if done.exception else 1


if __name__ == "__main__":
    sys.exit(main())
