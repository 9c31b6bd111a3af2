"""Settings of the embedded server: fast, but crash-safe.

What belongs here: the settings and the file that holds them. What does not: starting the server. The file
is written anew before every start; what a user appends to `postgresql.conf` after the include line wins
over it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

FILE_NAME = "meta-ads.conf"

_MEGABYTE = 1024 * 1024
_INCLUDE = f"include_if_exists = '{FILE_NAME}'"


def write(data: Path, socket_directory: Path) -> None:
    """Writes the settings file and makes `postgresql.conf` include it (once)."""
    (data / FILE_NAME).write_text(render(socket_directory))
    main = data / "postgresql.conf"
    text = main.read_text()
    if _INCLUDE not in text:
        with main.open("a") as handle:
            handle.write(f"\n# Platform settings; lines below this one win over them.\n{_INCLUDE}\n")


def render(socket_directory: Path) -> str:
    """The settings as text."""
    lines = ["# Written before every start; put your own settings at the end of postgresql.conf."]
    lines += [f"{name} = {value}" for name, value in settings(socket_directory).items()]
    return "\n".join(lines) + "\n"


def settings(socket_directory: Path) -> dict[str, str]:
    """Name to value as written. Durability (fsync, full_page_writes, synchronous_commit) keeps its safe defaults."""
    quoted = str(socket_directory).replace("'", "''")
    return {
        "listen_addresses": "''",
        "unix_socket_directories": f"'{quoted}'",
        "unix_socket_permissions": "0700",
        "max_connections": "120",
        "shared_buffers": f"{_shared_buffers_megabytes()}MB",
        "dynamic_shared_memory_type": _dynamic_shared_memory(),
        "work_mem": "32MB",
        "maintenance_work_mem": "128MB",
        "effective_cache_size": "1GB",
        # Reason: fewer checkpoints write fewer full-page images; recovery after a crash stays under a minute.
        "wal_compression": "on",
        "max_wal_size": "2GB",
        "min_wal_size": "128MB",
        "checkpoint_timeout": "15min",
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "random_page_cost": "1.1",
        # Reason: compiling costs more than it saves here, and it compiles SQL functions anew in each call.
        "jit": "off",
        "timezone": "'UTC'",
        "log_timezone": "'UTC'",
        "log_checkpoints": "off",
        "log_min_messages": "warning",
        # Reason: statements can hold a client's data and must not settle in a log file.
        "log_min_error_statement": "panic",
    }


def _shared_buffers_megabytes() -> int:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MEGABYTE
    return max(64, min(256, memory // 8))


def _dynamic_shared_memory() -> str:
    # Reason: containers often get a /dev/shm of 64 MB, and parallel queries then fail as if the disk were full.
    shared = Path("/dev/shm")  # noqa: S108 - only measured
    if shared.is_dir() and shutil.disk_usage(shared).free >= 256 * _MEGABYTE:
        return "posix"
    return "mmap" if shared.is_dir() else "posix"
