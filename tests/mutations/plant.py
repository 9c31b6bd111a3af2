"""A copy of the dbt project in which one bug at a time stands. Nothing is ever changed in the tree."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.mutations.mutant import Mutant

_LEFT_OUT = shutil.ignore_patterns("target", "logs", "dbt_packages", ".user.yml")


class CannotPlant(Exception):
    """A bug whose text is not where it is said to be: the code changed, and the bug must follow."""


def check(mutants: list[Mutant], project: Path) -> list[str]:
    """What keeps mutants from being planted, in words; nothing if all can."""
    faults = []
    names = [mutant.name for mutant in mutants]
    faults += [f"two mutants are named {name}" for name in sorted({name for name in names if names.count(name) > 1})]
    for mutant in mutants:
        file = project / mutant.file
        found = file.read_text(encoding="utf-8").count(mutant.old) if file.is_file() else None
        if found is None:
            faults.append(f"{mutant.name}: there is no {mutant.file}")
        elif found != 1:
            faults.append(f"{mutant.name}: the text stands {found} times in {mutant.file}, not once")
        elif mutant.old == mutant.new:
            faults.append(f"{mutant.name}: changes nothing")
    return faults


def copy_project(project: Path, folder: Path) -> Path:
    """A copy without what dbt left behind."""
    return Path(shutil.copytree(project, folder, ignore=_LEFT_OUT))


@contextmanager
def planted(copy: Path, mutant: Mutant) -> Iterator[None]:
    """The bug in the copy, for the time of a block.

    Raises:
        CannotPlant: See there.
    """
    file = copy / mutant.file
    sound = file.read_text(encoding="utf-8")
    if sound.count(mutant.old) != 1:
        raise CannotPlant(f"{mutant.name}: the text does not stand once in {mutant.file}")
    file.write_text(sound.replace(mutant.old, mutant.new), encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(sound, encoding="utf-8")
