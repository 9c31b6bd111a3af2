"""Reads `clients.yml` and reports every mistake in it at once.

What belongs here: file to models. What does not: what the keys mean (`models`, `checks`).
"""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from dashboards import checked_yaml
from dashboards.checked_yaml import UnreadableYaml, locate
from orchestration.clients.checks import check
from orchestration.clients.declarations import declare
from orchestration.clients.models import ClientsFile
from orchestration.clients.problems import EXAMPLE, ClientsFileError, Finding, Place, Problem, findings_of
from orchestration.errors import ConfigurationError

_log = logging.getLogger(__name__)
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
    try:
        read = checked_yaml.read(text, str(path), EXAMPLE)
    except UnreadableYaml as error:
        raise ClientsFileError(path, [error.problem]) from None
    document = read.values
    if not isinstance(document, dict):
        raise ClientsFileError(path, [Problem(str(path), 1, 1, "the file holds no keys", EXAMPLE)])

    def line_of(place: Place) -> int:
        return locate(read.root, place)[0]

    findings: list[Finding] = []
    clients = None
    try:
        clients = ClientsFile.model_validate(document)
    except ValidationError as error:
        findings += findings_of(error.errors(include_url=False))
    findings += check(document, line_of)

    mistakes = [read.problem(finding) for finding in findings if finding.fatal]
    if mistakes or clients is None:
        raise ClientsFileError(path, mistakes)
    today = today or (datetime.now(UTC) + _EASTERNMOST).date()
    clients._declarations, wrong = declare(clients, path, line_of, today)
    odd = [*(read.problem(finding) for finding in [*findings, *wrong.here]), *wrong.elsewhere]
    warnings = tuple(str(problem) for problem in sorted(odd))
    for warning in warnings:
        _log.warning("%s", warning)
    clients._path, clients._warnings = path, warnings
    return clients
