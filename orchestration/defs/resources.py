"""What assets work with: the platform, opened for the time of a step.

Thin on purpose: opening is `orchestration.platform`'s, and tests pass a source of their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from orchestration.dagster_logs import take_over_console
from orchestration.logs import configure_logging
from orchestration.platform import Platform, open_platform
from orchestration.progress import Display
from orchestration.settings import environment_settings


def set_up_logging() -> None:
    """Logging as this installation wants it, in a process of Dagster that loads our code: code server or run.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    settings = environment_settings()
    configure_logging(settings.log_level, settings.log_format, settings.secrets())
    take_over_console()


class PlatformSource(Protocol):
    """Opens the platform."""

    def opened(self) -> AbstractContextManager[Platform]:
        """The platform, for the time of a block."""


class EnvironmentPlatform:
    """The platform of this installation, from the environment and `.env`."""

    @contextmanager
    def opened(self) -> Iterator[Platform]:
        """The platform, for the time of a block.

        Raises:
            ConfigurationError: A setting or `clients.yml` is wrong.
            WarehouseError: The database cannot be reached or migrated.
        """
        settings = environment_settings()
        configure_logging(settings.log_level, settings.log_format, settings.secrets())
        with open_platform(settings, Display()) as platform:
            yield platform
