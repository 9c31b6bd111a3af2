"""What our objects are found by again.

What belongs here: ids of our own making, and the mark in descriptions. What does not: keeping numbers
(`warehouse.ops.dashboards`).
"""

from __future__ import annotations

import base64
import hashlib
from uuid import UUID, uuid5

_LENGTH = 21
_TAGS = UUID("6d2f3a52-0d53-4c38-9df6-0b7a2f0a6a3e")


def entity_id(key: str) -> str:
    """A card's id in Metabase's form: 21 characters of the NanoID alphabet, the same for the same key.

    Args:
        key: Space, dashboard and card.
    """
    return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()).decode()[:_LENGTH]


def tag_id(entity: str, tag: str) -> str:
    """The id of a template tag of a card."""
    return str(uuid5(_TAGS, f"{entity}/{tag}"))


def mark(key: str) -> str:
    """What the description of an object of ours ends with."""
    return f"[managed:{key}]"


def marked(about: str, key: str) -> str:
    """A description with the mark."""
    return f"{about}\n\n{mark(key)}"


def has_mark(description: object, key: str) -> bool:
    """Whether a description says that the object is ours."""
    return isinstance(description, str) and mark(key) in description
