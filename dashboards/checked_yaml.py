"""YAML files that people write, and their mistakes with file, line and column.

What belongs here: text to plain values, where a path lies in the text, pydantic's findings in our words. What does not:
what any file means.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic_core import PydanticCustomError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarfloat import ScalarFloat
from ruamel.yaml.scalarint import ScalarInt

Place = tuple[str | int, ...]
"""Keys and list positions from the top of a file."""
_DEEPEST = 16


@dataclass(frozen=True)
class Finding:
    """What is wrong with a place in a file.

    Attributes:
        path: Keys and list positions from the top; the place need not exist.
        what: What is wrong there.
        mend: What to write instead.
        at_key: Whether the key is at fault, and not its value.
        fatal: False for what is odd but may be meant.
        below: Lines below the place: for a text of several lines, its first line counts 1.
    """

    path: Place
    what: str
    mend: str = ""
    at_key: bool = False
    fatal: bool = True
    below: int = 0


@dataclass(frozen=True, order=True)
class Problem:
    """A finding with its place in the text; line and column count from 1."""

    file: str
    line: int
    column: int
    what: str
    mend: str = ""

    def __str__(self) -> str:
        text = f"{self.file}:{self.line}:{self.column}: {self.what}"
        return f"{text}\n  -> {self.mend}" if self.mend else text


class UnreadableYaml(Exception):
    """A text that is no YAML, or nothing that a file of ours can hold.

    Attributes:
        problem: What is wrong, and where.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


@dataclass(frozen=True)
class CheckedYaml:
    """A file that could be read.

    Attributes:
        file: What messages call it.
        root: As ruamel.yaml's round-trip loader returned it; its containers know where they stood.
        values: The same as plain values.
    """

    file: str
    root: Any
    values: Any

    def problem(self, finding: Finding) -> Problem:
        """A finding with its place in the text."""
        line, column = locate(self.root, finding.path, finding.at_key)
        if finding.below:
            line, column = line + finding.below, 1
        return Problem(self.file, line, column, finding.what, finding.mend)


def read(text: str, file: str, example: str) -> CheckedYaml:
    """Reads a file's text.

    Args:
        text: All of it.
        file: What messages call it.
        example: Where to look for a right file, e.g. `see clients.example.yml`.

    Raises:
        UnreadableYaml: It is no YAML, or nested beyond reason.
    """
    yaml = YAML(typ="rt")
    yaml.Constructor = _Constructor
    try:
        root = yaml.load(text)
        return CheckedYaml(file, root, _plain(root))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = (error.problem or error.context or "cannot be read").splitlines()[0]
        mend = "indent with spaces, not tabs" if "\\t" in what else "correct the YAML on or just above this line"
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise UnreadableYaml(Problem(file, line, column, what, mend)) from None
    except RecursionError:
        raise UnreadableYaml(Problem(file, 1, 1, "the file is nested too deeply", example)) from None
    except (YAMLError, ValueError) as error:
        raise UnreadableYaml(Problem(file, 1, 1, f"no valid YAML: {error}", example)) from None


class _Constructor(RoundTripConstructor):
    """Takes 2026-02-30 as a text, which is then told with its entry; the parser's own error has no line."""

    def construct_yaml_timestamp(self, node: Any, values: Any = None) -> Any:
        try:
            return super().construct_yaml_timestamp(node, values)
        except ValueError:
            return self.construct_scalar(node)


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _Constructor.construct_yaml_timestamp)


def _plain(node: Any, depth: int = 0) -> Any:
    """The node without ruamel's subclasses, whose behaviour differs from that of plain values."""
    if depth > _DEEPEST:
        raise RecursionError
    if isinstance(node, dict):
        return {_plain(key, depth + 1): _plain(value, depth + 1) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(item, depth + 1) for item in node]
    if isinstance(node, ScalarInt):
        return int(node)
    if isinstance(node, ScalarFloat):
        return float(node)
    return str(node) if isinstance(node, str) else node


def locate(root: Any, path: Place, at_key: bool = False) -> tuple[int, int]:
    """Line and column, from 1, of the deepest part of the path that the text has.

    Args:
        root: What ruamel.yaml's round-trip loader returned.
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


def show(path: Place) -> str:
    """The path as people write it: `tabs[0].rows[1].cards[2].sql`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def near(word: str, known: Iterable[str]) -> str:
    """`did you mean x?`, or an empty text when nothing is near."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean {found[0]}?" if found else ""


def refuse(what: str, mend: str) -> PydanticCustomError:
    """An error whose text is ours: what is wrong with the value, and what to write instead."""
    # Reason: pydantic formats the template with the context, so braces of the user must not be in the template.
    return PydanticCustomError("refused", "{what}", {"what": what, "mend": mend})


def findings_of(errors: Sequence[Any], example: str, hint: Callable[[Place, str], str]) -> list[Finding]:
    """Pydantic's `ValidationError.errors()` in our words.

    Args:
        errors: As pydantic lists them.
        example: Where to look for a right file, e.g. `see clients.example.yml`.
        hint: What was meant by an unknown key, by the path above it and the key.
    """
    # Reason: a key that is no text is also an unknown one, which its own rule says better.
    return [_finding(error, example, hint) for error in errors if error["loc"][-1:] != ("[key]",)]


def _finding(error: Any, example: str, hint: Callable[[Place, str], str]) -> Finding:
    path: Place = tuple(error["loc"])
    context = error.get("ctx", {})
    key = path[-1] if path else ""
    parent = path[:-1]
    place = show(path)
    match error["type"]:
        case "refused":
            return Finding(path, f"{place}: {context['what']}", context["mend"])
        case "missing":
            where = f"{show(parent)}: " if parent else ""
            mend = "write `version: 1` as the first line" if path == ("version",) else f"add `{key}:`; {example}"
            return Finding(path, f"{where}`{key}` is missing", mend, at_key=True)
        case "extra_forbidden" | "invalid_key":
            where = f"{show(parent)}: " if parent else ""
            return Finding(path, f"{where}unknown key `{key}`", hint(parent, str(key)), at_key=True)
        case "literal_error":
            return Finding(path, f"{place} is {error['input']!r}", f"write {context['expected']}")
        case "too_short":
            return Finding(path, f"{place} is empty", f"list at least one; {example}")
        case "greater_than" | "greater_than_equal" | "less_than_equal":
            bound = next(context[name] for name in ("gt", "ge", "le") if name in context)
            word = {"greater_than": "more than", "greater_than_equal": "at least", "less_than_equal": "at most"}
            return Finding(path, f"{place} is {error['input']}", f"write {word[error['type']]} {bound}")
    wanted = _WANTED.get(error["type"])
    if wanted and wanted.endswith("below"):
        wanted = f"{wanted}; {example}"
    if wanted and error["input"] is None:
        return Finding(path, f"{place} is empty", f"write {wanted}; or remove it")
    if wanted:
        return Finding(path, f"{place} is {_briefly(error['input'])}", f"write {wanted}")
    return Finding(path, f"{place} is {_briefly(error['input'])}: {error['msg']}", example)


_WANTED = {
    "string_type": 'text; quote it ("...") where YAML reads something else',
    "int_type": "a whole number without quotes",
    "bool_type": "true or false",
    "list_type": "a list: one line an entry, each starting with `- `",
    "model_type": "keys and values, indented below",
    "dict_type": "keys and values, indented below",
    "decimal_parsing": "a number with a point and without a currency or thousands separators, such as 1250.50",
    "decimal_type": "a number with a point and without a currency or thousands separators, such as 1250.50",
    "finite_number": "a finite number",
}


def _briefly(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
