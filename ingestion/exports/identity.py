"""Ids for objects that a file knows only by name.

What belongs here: the rule that makes an id from a name, and reading ids from cells. What does not: deciding which
objects need one (`objects.py`).

The rule: the first 8 bytes of BLAKE2b over the JSON list [kind, account id, parent id, name], shifted to 63 bits, made
negative. The name is in Unicode NFC, without outer spaces, upper and lower case kept. So the same names give the same
ids in every file and on every machine, an id depends on the whole path above it, and no derived id can meet one of
Meta's, which are positive. Two objects of one parent with one name get one id: a file without ids cannot tell them
apart.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from hashlib import blake2b

import orjson

from ingestion.exports.model import Cell

_ID = re.compile(r"^(?:[a-z]{1,3}:|act_)?(\d{1,19})(?:\.0)?$")
_EXACT_FLOAT = 10**15
_MAX = 2**63 - 1


def clean_name(text: str) -> str:
    """Return a name as it is stored and hashed: NFC, no outer spaces, no NUL (which PostgreSQL cannot hold)."""
    return unicodedata.normalize("NFC", text.replace("\x00", "")).strip()


def derive_id(kind: str, account_id: int, parent_id: int, name: str) -> int:
    """Return the stable id of an object known only by name, between -(2**63 - 1) and -1.

    Args:
        kind: `account`, `campaign`, `adset`, `ad`, or with a `*` for a stand-in of "all children of the parent".
        account_id: The account; 0 for an account itself.
        parent_id: Id of the object above, derived or not; 0 for an account.
        name: The name.
    """
    digest = blake2b(orjson.dumps([kind, str(account_id), str(parent_id), clean_name(name)]), digest_size=8).digest()
    return -((int.from_bytes(digest, "big") >> 1) or 1)


def read_id(cell: Cell) -> int | None:
    """Return Meta's id in a cell, None for nothing.

    Raises:
        ValueError: The cell holds something else, most often an id that a spreadsheet program has rounded
            (`1.2021E+17`): its last digits are gone and it would meet another object.
    """
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return None
    if isinstance(cell, Decimal) and abs(cell) >= _EXACT_FLOAT:
        raise ValueError(f"{cell} is too long for a spreadsheet number, so its last digits are lost")
    text = str(cell).strip().lstrip("'").strip('="')
    match = _ID.match(text)
    if match is None or not 0 < int(match.group(1)) <= _MAX:
        raise ValueError(f"{text!r} is not an id")
    return int(match.group(1))
