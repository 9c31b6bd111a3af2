"""Faults of `clients.yml`, each with file, line and column.

What belongs here: where a path lies in the text, and pydantic's findings in our words. What does not: the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from orchestration.clients.models import ClientsFile
from orchestration.clients.values import near
from orchestration.errors import ConfigurationError

Path_ = tuple[str | int, ...]
_EXAMPLE = "see clients.example.yml"


@dataclass(frozen=True)
class Finding:
    """What is wrong with a place in the file.

    Attributes:
        path: Keys and list positions from the top; the place need not exist.
        what: What is wrong there.
        mend: What to write instead.
        at_key: Whether the key is at fault, and not its value.
        fatal: False for what is odd but may be meant.
    """

    path: Path_
    what: str
    mend: str = ""
    at_key: bool = False
    fatal: bool = True


@dataclass(frozen=True, order=True)
class Problem:
    """A finding with its place in the text; line and column count from 1."""

    line: int
    column: int
    file: str
    what: str
    mend: str = ""

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}:{self.column}: {self.what}"
        return f"{text}\n  -> {self.mend}" if self.mend else text


class ClientsFileError(ConfigurationError):
    """Everything that is wrong with `clients.yml`, in the order of its lines."""

    def __init__(self, path: Path, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        count = len(self.problems)
        heading = f"{path} has {count} mistake{'s' if count != 1 else ''}."
        super().__init__("\n".join([heading, *map(str, self.problems)]))


def locate(root: Any, path: Path_, at_key: bool = False) -> tuple[int, int]:
    """Line and column, from 1, of the deepest part of the path that the text has.

    Args:
        root: What ruamel.yaml's round-trip loader returned; its containers know where they stood.
        path: Keys and list positions from the top.
        at_key: Whether to point at the last key and not at its value.
    """
    line, column = 0, 0
    node = root
    for depth, part in enumerate(path):
        places = getattr(getattr(node, "lc", None), "data", None) or {}
        if part not in places:  # A missing key, a merged key, or a part that pydantic added.
            break
        place = places[part]
        node = node[part]
        # Reason: an empty value has the place of whatever follows it.
        key_only = (at_key and depth == len(path) - 1) or len(place) < 4 or node is None
        line, column = (place[0], place[1]) if key_only else (place[2], place[3])
    return line + 1, column + 1


def show(path: Path_) -> str:
    """The path as people write it: `clients[0].accounts[1].id`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def findings_of(errors: Sequence[Any]) -> list[Finding]:
    """Pydantic's `ValidationError.errors()` in our words."""
    # Reason: a key that is no text is also an unknown one, which `checks` says better.
    return [_finding(error) for error in errors if error["loc"][-1:] != ("[key]",)]


def _finding(error: Any) -> Finding:
    path: Path_ = tuple(error["loc"])
    context = error.get("ctx", {})
    key = path[-1] if path else ""
    parent = path[:-1]
    place = show(path)
    match error["type"]:
        case "refused":
            return Finding(path, f"{place}: {context['what']}", context["mend"])
        case "missing":
            where = f"{show(parent)}: " if parent else ""
            mend = "write `version: 1` as the first line" if path == ("version",) else f"add `{key}:`; {_EXAMPLE}"
            return Finding(path, f"{where}`{key}` is missing", mend, at_key=True)
        case "extra_forbidden" | "invalid_key":
            where = f"{show(parent)}: " if parent else ""
            return Finding(path, f"{where}unknown key `{key}`", _hint(parent, str(key)), at_key=True)
        case "literal_error":
            return Finding(path, f"{place} is {error['input']!r}", f"write {context['expected']}")
        case "too_short":
            return Finding(path, f"{place} is empty", f"list at least one; {_EXAMPLE}")
        case "greater_than" | "greater_than_equal" | "less_than_equal":
            bound = next(context[name] for name in ("gt", "ge", "le") if name in context)
            word = {"greater_than": "more than", "greater_than_equal": "at least", "less_than_equal": "at most"}
            return Finding(path, f"{place} is {error['input']}", f"write {word[error['type']]} {bound}")
    wanted = _WANTED.get(error["type"])
    if wanted and error["input"] is None:
        return Finding(path, f"{place} is empty", f"write {wanted}; or remove it")
    if wanted:
        return Finding(path, f"{place} is {_briefly(error['input'])}", f"write {wanted}")
    return Finding(path, f"{place} is {_briefly(error['input'])}: {error['msg']}", _EXAMPLE)


_WANTED = {
    "string_type": 'text; quote it ("...") where YAML reads something else',
    "int_type": "a whole number without quotes",
    "list_type": "a list: one line an entry, each starting with `- `",
    "model_type": f"keys and values, indented below; {_EXAMPLE}",
    "dict_type": f"keys and values, indented below; {_EXAMPLE}",
    "decimal_parsing": "a number with a point and without a currency or thousands separators, such as 1250.50",
    "decimal_type": "a number with a point and without a currency or thousands separators, such as 1250.50",
    "finite_number": "a finite number",
}


def _briefly(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


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


def _hint(parent: Path_, key: str) -> str:
    """What was meant by an unknown key: one spelt alike, one that belongs elsewhere, or the list of known ones."""
    here = _KEYS.get(tuple(part for part in parent if isinstance(part, str)), ())
    elsewhere = [path for path, keys in _KEYS.items() if key in keys]
    if elsewhere:
        names = sorted(" > ".join(path) or "the top of the file" for path in elsewhere)
        return f"`{key}` belongs under {' or '.join(names)}"
    return near(key, here) or f"known keys here: {', '.join(here)}"
