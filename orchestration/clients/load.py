"""Reads `clients.yml` and reports every mistake in it at once.

What belongs here: file to models. What does not: what the keys mean (`models`, `checks`).
"""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarfloat import ScalarFloat
from ruamel.yaml.scalarint import ScalarInt

from orchestration.clients.checks import check
from orchestration.clients.declarations import declare
from orchestration.clients.models import ClientsFile
from orchestration.clients.problems import ClientsFileError, Finding, Problem, findings_of, locate
from orchestration.errors import ConfigurationError

_log = logging.getLogger(__name__)
_DEEPEST = 12
"""Far deeper than any valid file."""
_EASTERNMOST = timedelta(hours=14)
"""The time zone in which a day begins first."""


def load_clients(path: Path, *, required: bool = False) -> ClientsFile:
    """Reads and checks the file; what is odd but legal goes to the log and to `ClientsFile.warnings`.

    Args:
        path: The file. When it does not exist, every account that the token sees is meant, with the default plan.
        required: Whether its absence is a mistake, because somebody named it.

    Raises:
        ClientsFileError: With every mistake, each with line and column.
        ConfigurationError: When the file cannot be read at all.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if required:
            raise ConfigurationError(
                f"{path} does not exist.", "copy clients.example.yml there, or unset CLIENTS_FILE"
            ) from None
        return ClientsFile(version=1)
    except UnicodeDecodeError:
        raise ConfigurationError(f"{path} is not UTF-8 text.", "save it again as UTF-8") from None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.", "check path and permissions") from None
    return parse_clients(text, path)


def parse_clients(text: str, path: Path, today: date | None = None) -> ClientsFile:
    """Checks the text of a clients file, and reads the exchange rates that it names.

    Args:
        text: The file's content.
        path: What messages call it; the path of exchange rates starts at its folder.
        today: The latest day that any account can have; by default that of the clock.

    Raises:
        ClientsFileError: With every mistake, each with line and column.
    """
    root = _parse(text, path)
    document = _plain(root, path)
    if not isinstance(document, dict):
        raise ClientsFileError(path, [Problem(1, 1, str(path), "the file holds no keys", "see clients.example.yml")])

    findings: list[Finding] = []
    clients = None
    try:
        clients = ClientsFile.model_validate(document)
    except ValidationError as error:
        findings += findings_of(error.errors(include_url=False))
    findings += check(document, lambda place: locate(root, place)[0])

    mistakes = [_place(root, path, finding) for finding in findings if finding.fatal]
    if mistakes or clients is None:
        raise ClientsFileError(path, mistakes)
    today = today or (datetime.now(UTC) + _EASTERNMOST).date()
    clients._declarations, wrong = declare(clients, path, lambda place: locate(root, place)[0], today)
    odd = [*(_place(root, path, finding) for finding in [*findings, *wrong.here]), *wrong.elsewhere]
    warnings = tuple(str(problem) for problem in sorted(odd))
    for warning in warnings:
        _log.warning("%s", warning)
    clients._path, clients._warnings = path, warnings
    return clients


def _place(root: Any, path: Path, finding: Finding) -> Problem:
    return Problem(*locate(root, finding.path, finding.at_key), str(path), finding.what, finding.mend)


class _Constructor(RoundTripConstructor):
    """Takes 2026-02-30 as a text, which is then told with its entry; the parser's own error has no line."""

    def construct_yaml_timestamp(self, node: Any, values: Any = None) -> Any:
        try:
            return super().construct_yaml_timestamp(node, values)
        except ValueError:
            return self.construct_scalar(node)


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", _Constructor.construct_yaml_timestamp)


def _parse(text: str, path: Path) -> Any:
    yaml = YAML(typ="rt")
    yaml.Constructor = _Constructor
    try:
        return yaml.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = (error.problem or error.context or "cannot be read").splitlines()[0]
        mend = "indent with spaces, not tabs" if "\\t" in what else "correct the YAML on or just above this line"
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise ClientsFileError(path, [Problem(line, column, str(path), what, mend)]) from None
    except RecursionError:
        raise _too_deep(path) from None
    except (YAMLError, ValueError) as error:
        problem = Problem(1, 1, str(path), f"no valid YAML: {error}", "see clients.example.yml")
        raise ClientsFileError(path, [problem]) from None


def _plain(node: Any, path: Path, depth: int = 0) -> Any:
    """The node without ruamel's subclasses, whose behaviour differs from that of plain values."""
    if depth > _DEEPEST:
        raise _too_deep(path)
    if isinstance(node, dict):
        return {_plain(key, path, depth + 1): _plain(value, path, depth + 1) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(item, path, depth + 1) for item in node]
    if isinstance(node, ScalarInt):
        return int(node)
    if isinstance(node, ScalarFloat):
        return float(node)
    return str(node) if isinstance(node, str) else node


def _too_deep(path: Path) -> ClientsFileError:
    return ClientsFileError(
        path, [Problem(1, 1, str(path), "the file is nested too deeply", "see clients.example.yml")]
    )
