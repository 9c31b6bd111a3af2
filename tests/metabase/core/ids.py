"""Identifiers: NanoIDs, API keys, session ids."""

from __future__ import annotations

import re
import secrets
import string
from datetime import UTC, datetime

NANO_ID = re.compile(r"[A-Za-z0-9_\-]{21}")
NANO_ID_LENGTH = 21
_ALPHABET = string.ascii_letters + string.digits + "_-"
KEY_PREFIX_LENGTH = 7
KEY_LENGTH = 47
"""Characters of an API key: `mb_` and 44 of base64."""


def new_entity_id() -> str:
    """A fresh NanoID of 21 characters."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(NANO_ID_LENGTH))


def new_api_key() -> str:
    """A fresh API key, `mb_` and 44 characters."""
    return ("mb_" + secrets.token_urlsafe(33).replace("_", "x").replace("-", "y"))[:KEY_LENGTH]


def masked(key: str) -> str:
    """An API key with all but its first seven characters hidden."""
    return key[:KEY_PREFIX_LENGTH] + "*" * (KEY_LENGTH - KEY_PREFIX_LENGTH)


def timestamp(moment: datetime | None = None) -> str:
    """A moment as answers carry it: ISO 8601 in UTC with microseconds."""
    return (moment or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
