"""Where rows came from; it travels with every slice and every entity.

What belongs here: the value type. What does not: where it is stored.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Source = Literal["api", "import"]

_WINDOW = re.compile(r"[a-z0-9_]{1,63}")


@dataclass(frozen=True)
class Provenance:
    """Where rows came from.

    Attributes:
        run_id: The run that pulled them (`ops.run`).
        source: `api`, or `import` for an Ads Manager export.
        api_version: E.g. `v26.0`; None for an import.
        attribution_windows: Windows asked for, e.g. `("1d_click", "7d_click")`; empty for the account's default alone.
        pulled_at: When Meta answered, with a time zone.

    Raises:
        ValueError: `pulled_at` has no time zone, or a window's name is not one.
    """

    run_id: UUID
    source: Source
    api_version: str | None
    attribution_windows: tuple[str, ...]
    pulled_at: datetime

    def __post_init__(self) -> None:
        if self.pulled_at.tzinfo is None:
            raise ValueError("pulled_at needs a time zone, or its meaning depends on the machine.")
        for window in self.attribution_windows:
            if not _WINDOW.fullmatch(window):
                raise ValueError(f"{window!r} is no attribution window.")
