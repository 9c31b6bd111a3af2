"""Faults of `clients.yml`, each with file, line and column.

What belongs here: the error that lists them, and what was meant by an unknown key. What does not: where a path lies in
the text and pydantic's findings in our words (`dashboards.checked_yaml`), the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from dashboards import checked_yaml
from dashboards.checked_yaml import Finding, Place, Problem, near, show
from orchestration.clients.models import ClientsFile
from orchestration.errors import ConfigurationError

__all__ = ["EXAMPLE", "ClientsFileError", "Finding", "Place", "Problem", "findings_of", "show"]

EXAMPLE = "see clients.example.yml"


class ClientsFileError(ConfigurationError):
    """Everything that is wrong with `clients.yml`, in the order of its lines."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        count = len(self.problems)
        heading = f"{path} has {count} mistake{'s' if count != 1 else ''}."
        super().__init__("\n".join([heading, *map(str, self.problems)]))


def findings_of(errors: Sequence[Any]) -> list[Finding]:
    """Pydantic's `ValidationError.errors()` in our words."""
    return checked_yaml.findings_of(errors, EXAMPLE, _hint)


def _models(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    yield path, model
    for name, field in model.model_fields.items():
        for kind in _inside(field.annotation):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from _models(kind, (*path, name))


def _inside(annotation: Any) -> Iterator[Any]:
    """The annotation and whatever it is made of: list[Arm] | None holds Arm."""
    yield annotation
    for part in get_args(annotation):
        yield from _inside(part)


_KEYS = {path: tuple(model.model_fields) for path, model in _models(ClientsFile)}


def _hint(parent: Place, key: str) -> str:
    """What was meant by an unknown key: one spelt alike, one that belongs elsewhere, or the list of known ones."""
    here = _KEYS.get(tuple(part for part in parent if isinstance(part, str)), ())
    elsewhere = [path for path, keys in _KEYS.items() if key in keys]
    if elsewhere:
        names = sorted(" > ".join(path) or "the top of the file" for path in elsewhere)
        return f"`{key}` belongs under {' or '.join(names)}"
    return near(key, here) or f"known keys here: {', '.join(here)}"
