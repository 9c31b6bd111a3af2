"""Style, script and the drawing library: files that every page names, each with a name that changes with its content.

What belongs here: those files. What does not: pages (`dashboards.site.pages`).

Vega comes out of the Python package `vl-convert-python`, so no page asks another host for it.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Mapping
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

import vl_convert

STATIC = Path(__file__).with_name("static")
FOLDER = "_assets"
"""No id of a client begins like this."""
_VEGA = "vega.js"
_VERSION = version("vl-convert-python")
_SNIPPET = "window.vegaEmbed = vegaEmbed;"


class Assets:
    """Files by the name that templates know them by. Safe to share between threads.

    Attributes:
        paths: Where each is below a site's root.
    """

    def __init__(self, cache: Path | None = None) -> None:
        """Reads the small ones.

        Args:
            cache: A folder that keeps the drawing library, which takes four seconds to put together.
        """
        own = {path.name: path.read_bytes() for path in sorted(STATIC.iterdir())}
        self._cache = cache
        self._guard = threading.Lock()
        self._contents: dict[str, bytes] = {}
        paths = {_VEGA: f"{FOLDER}/vega-{_VERSION}.js"}
        for name, content in own.items():
            stem, _, ending = name.rpartition(".")
            paths[name] = f"{FOLDER}/{stem}-{hashlib.sha256(content).hexdigest()[:12]}.{ending}"
            self._contents[paths[name]] = content
        self.paths: Mapping[str, str] = paths

    def content(self, path: str) -> bytes | None:
        """The bytes of a file by its path; None if there is none such."""
        return self._vega if path == self.paths[_VEGA] else self._contents.get(path)

    def write(self, root: Path) -> None:
        """Writes all of them below a folder."""
        (root / FOLDER).mkdir(parents=True, exist_ok=True)
        for path in self.paths.values():
            (root / path).write_bytes(self.content(path) or b"")

    @cached_property
    def _vega(self) -> bytes:
        with self._guard:
            if self._cache is None:
                return vl_convert.javascript_bundle(_SNIPPET).encode()
            kept = self._cache / f"vega-{_VERSION}.js"
            if not kept.exists():
                self._cache.mkdir(parents=True, exist_ok=True)
                draft = kept.with_name(f"{kept.name}.{os.getpid()}")
                draft.write_bytes(vl_convert.javascript_bundle(_SNIPPET).encode())
                draft.replace(kept)  # Reason: another process never reads half of it.
            return kept.read_bytes()
