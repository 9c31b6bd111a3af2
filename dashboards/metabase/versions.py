"""Which versions of Metabase we work with.

What belongs here: the floor below which one must not be used, and the range that our forms were made for.
"""

from __future__ import annotations

import re

from dashboards.errors import MetabaseUnsafe

_TAG = re.compile(r"v?[01]\.(\d+)(?:\.(\d+))?")
_FLOORS = {58: 28, 61: 19, 62: 17, 63: 14}
"""The first release of each line without the holes of August 2026; lines between them never got one."""
_TRIED = range(61, 64)


def check_version(tag: str) -> str | None:
    """What to warn of, if anything.

    Args:
        tag: `version.tag` of Metabase's properties, e.g. `v0.62.20`; `v1.` is the paid edition of the same.

    Raises:
        MetabaseUnsafe: Whoever reaches this version can read and change everything in it without a password.
    """
    match = _TAG.match(tag)
    if match is None:
        return f"Metabase does not tell its version ({tag!r}); 0.61 to 0.63 are what this was made for."
    line, patch = int(match[1]), int(match[2] or 0)
    floor = _FLOORS.get(line)
    if (line < max(_FLOORS) and (floor is None or patch < floor)) or (floor is not None and patch < floor):
        raise MetabaseUnsafe(
            f"Metabase {tag} lets anybody run SQL without a password (CVE-2026-72898, exploited since August 2026)",
            "take 0.61.19, 0.62.17, 0.63.14 or newer",
        )
    if line not in _TRIED:
        return f"Metabase {tag} is outside of 0.61 to 0.63, which is what this was made for."
    return None
