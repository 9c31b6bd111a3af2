"""What several commands need: settings with logging set up, and the parsing of dates and account ids."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from rich.console import Console

from orchestration.clients.values import parse_account_id
from orchestration.errors import UserError
from orchestration.logs import configure_logging
from orchestration.platform import Platform, open_platform
from orchestration.progress import Display
from orchestration.settings import Settings, load_settings

# Reason: without a terminal there is no width to fit, and a table cut at 80 columns loses its numbers.
out = Console(highlight=False, width=None if sys.stdout.isatty() else 160)


def settings_for_command(**overrides: Any) -> Settings:
    """Settings, with logging set up; on a terminal only warnings are logged, since progress is drawn."""
    settings = load_settings(**overrides)
    level = settings.log_level
    if level == "INFO" and Console(stderr=True).is_terminal:
        level = "WARNING"
    configure_logging(level, settings.log_format, settings.secrets())
    for name in ("alembic", "httpx"):  # Reason: both tell each of their steps.
        logging.getLogger(name).setLevel(logging.WARNING)
    return settings


@contextmanager
def opened(**overrides: Any) -> Iterator[Platform]:
    """The platform of this installation."""
    with open_platform(settings_for_command(**overrides), Display()) as platform:
        yield platform


def account_ids(texts: list[str] | None) -> tuple[int, ...]:
    """`act_1`, `1` and `1,2` as numbers.

    Raises:
        UserError: A text is no account id.
    """
    found = []
    for text in (part for item in texts or [] for part in item.split(",") if part.strip()):
        try:
            found.append(parse_account_id(text.strip()))
        except ValueError as problem:
            raise UserError(f"--account {text}: {problem}", "write it like act_1234567890") from None
    return tuple(found)


def day(text: str | None, option: str) -> date | None:
    """An ISO date.

    Raises:
        UserError: It is none.
    """
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UserError(f"{option} {text!r} is no date.", "write it like 2026-01-31") from None
