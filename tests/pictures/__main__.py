"""Takes the pictures of the docs: `python -m tests.pictures [NAME...]`.

What belongs here: arguments. What does not: what is on the pictures. They are written to docs/img; look at each before
you commit it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from tests.pictures.dagster import dagster
from tests.pictures.dashboards import dashboards

IMAGES = Path(__file__).parents[2] / "docs" / "img"
ALBUMS: dict[str, Callable[[Path], None]] = {"dagster": dagster, "dashboards": dashboards}


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description="Takes the pictures of the docs.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(ALBUMS)}; default: all")
    parser.add_argument("--folder", type=Path, default=IMAGES, help="where to (default docs/img)")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(ALBUMS):
        parser.error(f"there is no album {', '.join(sorted(unknown))}")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name in arguments.names or ALBUMS:
        ALBUMS[name](arguments.folder)


if __name__ == "__main__":
    main()
