"""Ids made from names that people chose.

What belongs here: the one rule for it. What does not: where such ids are kept.
"""

from __future__ import annotations

import re
import unicodedata


def slug(name: str) -> str:
    """A name as lower-case letters, digits and hyphens; empty where it has no Latin letter and no digit."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name.lower()).strip("-")
