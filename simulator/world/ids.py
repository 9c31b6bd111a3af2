"""Object ids that look like Meta's and tell where the object is.

What belongs here: the number scheme. What does not: objects.

An 18-digit id reads `1202` + account (4 digits) + kind (1) + index (6) + check (3). So any id resolves without a
table, and a made-up id is refused by its check digits.
"""

from __future__ import annotations

from typing import NamedTuple

from simulator.contract import NodeKind
from simulator.world.hashing import scalar_key

_KINDS: tuple[NodeKind, ...] = ("campaign", "adset", "ad", "adcreative", "ad_study", "customconversion", "adspixel")
_CELL = len(_KINDS)
_PREFIX = "1202"


class Place(NamedTuple):
    """Where an object lives: account index, kind (`cell` for a study's cell) and index within the account."""

    account: int
    kind: str
    number: int


def _check(seed: int, body: str) -> str:
    return f"{scalar_key('id', seed, body) % 1000:03d}"


def object_id(seed: int, account: int, kind: str, index: int) -> str:
    """The 18-digit id of an object."""
    number = _CELL if kind == "cell" else _KINDS.index(kind)
    body = f"{_PREFIX}{account:04d}{number + 1}{index:06d}"
    return body + _check(seed, body)


def resolve(seed: int, text: str) -> Place | None:
    """The place an id names, or None if it is no id of this world (the index may still be out of range)."""
    if len(text) != 18 or not text.isascii() or not text.isdigit() or not text.startswith(_PREFIX):
        return None
    kind = int(text[8]) - 1
    if not 0 <= kind <= _CELL or _check(seed, text[:15]) != text[15:]:
        return None
    return Place(int(text[4:8]), "cell" if kind == _CELL else _KINDS[kind], int(text[9:15]))


def account_id(seed: int, index: int) -> str:
    """A 16-digit account id, a function of the seed and the account's number only."""
    return str(1_000_000_000_000_000 + scalar_key("account", seed, index) % 8_000_000_000_000_000)


def business_id(seed: int, index: int) -> str:
    """A 15-digit business id."""
    return str(100_000_000_000_000 + scalar_key("business", seed, index) % 800_000_000_000_000)
