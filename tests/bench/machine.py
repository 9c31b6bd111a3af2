"""On what the figures were measured.

What belongs here: facts about the machine and its software. What does not: the figures.
"""

from __future__ import annotations

import os
import platform
from pathlib import Path

import psycopg

_GIGABYTE = 1024**3


def cpu_model() -> str:
    """The processor's name as the kernel knows it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    found = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return found[0] if found else platform.machine()


def describe(server_url: str) -> str:
    """Cores, processor, memory, versions."""
    with psycopg.connect(server_url) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIGABYTE
    return (
        f"{len(os.sched_getaffinity(0))} cores of {cpu_model()}, {memory:.0f} GB, {platform.system()} "
        f"{platform.release()}, Python {platform.python_version()}, PostgreSQL {row[0] if row else '?'} (embedded, "
        "durable: fsync on); client, server and simulator share the cores"
    )


def load() -> str:
    """The load average of the last minute: what else the machine was doing."""
    return f"{os.getloadavg()[0]:.1f}"
