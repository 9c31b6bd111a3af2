"""Building the site of an installation: where it goes, and how long it shows itself.

What belongs here: that. What does not: pages (`dashboards.site`).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from dashboards.answerer import Answerer
from dashboards.errors import FaultyDefinitions
from dashboards.library import load
from dashboards.site.assets import Assets
from dashboards.site.build import Built, UnsafeFolder, build
from orchestration.errors import ConfigurationError
from orchestration.platform import Platform
from orchestration.settings import Settings
from orchestration.site.spaces import AGENCY, find_spaces

log = logging.getLogger(__name__)

FOLDER = "site"
_CACHE = "cache"
_QUERIES_AT_ONCE = 4


def assets_of(settings: Settings) -> Assets:
    """The site's files, of which the large one is kept in this installation's folder."""
    return Assets(settings.meta_ads_home / _CACHE)


def build_site(
    platform: Platform,
    out: Path | None = None,
    wanted: Sequence[str] = (),
    *,
    language: str = "en",
    pictures: bool = False,
) -> Built:
    """Builds it, showing progress.

    Args:
        platform: Open.
        out: Its folder; None for the usual one of this installation.
        wanted: Ids of clients, `all` for the agency; all of them if empty.
        language: Of numbers and dates.
        pictures: Whether pages may ask other hosts for images.

    Raises:
        ConfigurationError: A client is not declared, the folder holds something else, or no file can be used.
        WarehouseError: The database cannot be reached.
    """
    known = [AGENCY, *(client.id for client in platform.clients.clients)]
    for name in wanted:
        if name not in known:
            raise ConfigurationError(f"There is no client {name!r}.", f"choose one of {', '.join(known)}")
    spaces = find_spaces(platform.warehouse, platform.clients, wanted)
    if not spaces:
        raise ConfigurationError(
            f"{', '.join(wanted)}: no schema of its own, so there is nothing that pages could be made of.",
            "build the marts, which makes it; or leave --client out",
        )
    try:
        library = load()
        for problem in library.problems:
            log.warning("%s", problem)
        total = len(spaces) * len(library.dashboards)
        with (
            Answerer(library, threads=_QUERIES_AT_ONCE) as answerer,
            platform.display.task("Building the site", total) as task,
        ):
            target = out or platform.settings.meta_ads_home / FOLDER
            assets = assets_of(platform.settings)
            built = build(
                answerer,
                spaces,
                target,
                assets,
                language=language,
                pictures=pictures,
                done=lambda page: task.advance(1, page),
            )
    except FaultyDefinitions as error:
        raise ConfigurationError(str(error), "see docs/reference/dashboards.md") from None
    except UnsafeFolder as error:
        raise ConfigurationError(error.message, error.mend) from None
    except OSError as error:
        raise ConfigurationError(f"The site cannot be written: {error}.", "check path and permissions") from None
    for told in built.failed:
        log.warning("no answer: %s", told)
    return built
