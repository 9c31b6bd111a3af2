"""A bug as a change of text. The bugs themselves do not belong here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One bug.

    Attributes:
        name: Short and unique.
        file: Below `dbt_project/`.
        old: Stands in the file exactly once.
        new: What stands there instead.
        meaning: What a reader of the marts would suffer from.
    """

    name: str
    file: str
    old: str
    new: str
    meaning: str
