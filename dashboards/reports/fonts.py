"""The font of reports.

What belongs here: which it is and where its files are. What does not: drawing (`dashboards.reports.drawn`), pages
(`dashboards.reports.pdf`).

Noto Sans CJK JP (SIL Open Font License 1.1) comes from PyPI, in two weights, so that a report looks the same on every
machine. It has Latin, Greek, Cyrillic, Chinese, Japanese and Korean characters; for others, such as Arabic or an emoji
in a campaign's name, the fonts of the machine are asked.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import vl_convert

FAMILY = "Noto Sans CJK JP"
_PACKAGES = ("noto_cjk_sans_jp_regular", "noto_cjk_sans_jp_bold")


def folders() -> list[Path]:
    """Folders that hold the font's files."""
    return [Path(str(files(name))) for name in _PACKAGES]


@lru_cache(maxsize=1)
def teach_vega() -> None:
    """Makes the font known to the library that draws charts; once in a process."""
    for folder in folders():
        vl_convert.register_font_directory(str(folder))
