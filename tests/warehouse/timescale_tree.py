"""A Debian tree with PostgreSQL 17 and TimescaleDB (Apache edition), and servers started from it with chroot.

For root on Debian or Ubuntu. The tree is built once per machine by debootstrap, from the mirror that this machine's own
apt uses, and kept in the cache directory.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

RELEASE = "trixie"
_PACKAGES = "postgresql-17,postgresql-17-timescaledb,ca-certificates"
_BINARIES = "/usr/lib/postgresql/17/bin"
_SETTINGS = """
shared_preload_libraries = 'timescaledb'
timescaledb.telemetry_level = off
timescaledb.max_background_workers = 0
listen_addresses = ''
unix_socket_directories = '{inside}'
dynamic_shared_memory_type = mmap
fsync = off
jit = off
max_connections = 60
max_worker_processes = 24
shared_buffers = 128MB
"""


class TreeUnavailable(Exception):
    """There is no tree on this machine, and none can be built."""


def ensure() -> Path:
    """The tree, built if it is missing (minutes).

    Raises:
        TreeUnavailable: Not root, not Debian or Ubuntu, or the build failed.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "meta-ads-tests"
    tree = cache / RELEASE
    if os.geteuid() != 0:
        raise TreeUnavailable("only root can build and enter a Debian tree; or set TEST_TIMESCALE_URL")
    if shutil.which("apt-get") is None:
        raise TreeUnavailable("this is neither Debian nor Ubuntu; or set TEST_TIMESCALE_URL")
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{RELEASE}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not tree.exists():
            building = Path(tempfile.mkdtemp(prefix=f"{RELEASE}-", dir=cache))
            try:
                _build(building)
                building.chmod(0o755)
                building.rename(tree)
            except (subprocess.CalledProcessError, OSError) as error:
                shutil.rmtree(building, ignore_errors=True)
                said = getattr(error, "output", "") or ""
                raise TreeUnavailable(f"building the Debian tree failed: {error}\n{said[-1500:]}") from error
    return tree


def start(link: Path) -> str:
    """Starts a server, or finds the one started for `link`: a path that becomes a link to its socket's directory.

    Returns:
        The administrator's URL.
    """
    tree = ensure()
    inside = _inside(link)
    outside = tree / inside.relative_to("/")
    url = f"postgresql://postgres@/postgres?host={link}"
    if not link.is_symlink():
        outside.mkdir(parents=True)
        owner = _postgres_account(tree)
        os.chown(outside, *owner)
        _in_tree(tree, "initdb", "-D", f"{inside}/data", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        with (outside / "data/postgresql.conf").open("a") as settings:
            settings.write(_SETTINGS.format(inside=inside))
        _in_tree(tree, "pg_ctl", "-D", f"{inside}/data", "-w", "-l", f"{inside}/log", "start")
        # Reason: a socket's path has at most 107 bytes, and the tree's may be longer.
        link.symlink_to(outside)
    return url


def stop(link: Path) -> None:
    """Stops the server of `link`, if there is one, and removes its data."""
    if not link.is_symlink():
        return
    tree = ensure()
    inside = _inside(link)
    with suppress(subprocess.CalledProcessError):  # Reason: the server may be gone already, as after a reboot
        _in_tree(tree, "pg_ctl", "-D", f"{inside}/data", "-w", "-m", "immediate", "stop")
    shutil.rmtree(link.resolve(), ignore_errors=True)
    link.unlink()


def _inside(link: Path) -> Path:
    return Path("/var/lib/postgresql") / f"tests-{hashlib.sha256(os.fsencode(link)).hexdigest()[:12]}"


def _build(target: Path) -> None:
    if shutil.which("debootstrap") is None:
        _run(["apt-get", "install", "--yes", "--no-install-recommends", "debootstrap"])
    _run(
        ["debootstrap", "--variant=minbase", f"--include={_PACKAGES}", RELEASE, str(target), *_mirror()],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )


def _mirror() -> list[str]:
    """Where this machine's apt gets Debian from; empty elsewhere, so that debootstrap takes its own default."""
    listed = _run(["apt-get", "indextargets", "--format", "$(CREATED_BY)|$(ORIGIN)|$(LABEL)|$(REPO_URI)"])
    for line in listed.splitlines():
        kind, origin, label, uri = line.split("|", 3)
        if (kind, origin, label) == ("Packages", "Debian", "Debian"):
            return [uri]
    return []


def _postgres_account(tree: Path) -> tuple[int, int]:
    for line in (tree / "etc/passwd").read_text().splitlines():
        name, _, uid, gid, *_ = line.split(":")
        if name == "postgres":
            return int(uid), int(gid)
    raise TreeUnavailable(f"{tree} has no account postgres; delete it to have it built anew")


def _in_tree(tree: Path, program: str, *arguments: str) -> str:
    uid, gid = _postgres_account(tree)
    return _run(["chroot", f"--userspec={uid}:{gid}", str(tree), f"{_BINARIES}/{program}", *arguments])


def _run(command: list[str], env: dict[str, str] | None = None) -> str:
    # Reason: a server started by pg_ctl keeps the output open, and a pipe would then never end.
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        result = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=env, check=False
        )
        output.seek(0)
        text = output.read()
    if result.returncode != 0:
        raise subprocess.CalledProcessError(result.returncode, command, output=text)
    return text
