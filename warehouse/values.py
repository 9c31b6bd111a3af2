"""Single values of Meta's rows, as `COPY` text.

What belongs here: one function per kind of column, each for any JSON value at all, and the checks of a row
against its slice. What does not: whole rows (`warehouse.encoder`).

Meta writes numbers as strings, but its own older samples show bare numbers, so both are read.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson

NULL = r"\N"
"""What `COPY` reads as NULL."""

BLANKS = bytes.maketrans(b"\t\n\r", b"   ")
"""Translation of JSON's whitespace that `COPY` would take for separators."""

_BIGINT_MIN, _BIGINT_MAX = -(2**63), 2**63 - 1
_INTEGER = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,4})?")
_LONGEST_NUMBER = 1000
_UNESCAPED = r"(?<!\\)((?:\\\\)*)"
_NUL = re.compile((_UNESCAPED + r"\\u0000").encode())
_SURROGATE = re.compile(
    (
        _UNESCAPED + r"(?:(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    ).encode()
)
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": "\ufffd"})


class BadValue(Exception):
    """A value that cannot be stored: where it stands, what is wrong, and what helps."""

    def __init__(self, column: str, value: object, reason: str, mend: str) -> None:
        super().__init__(reason)
        self.column = column
        self.value = value
        self.reason = reason
        self.mend = mend


def identifier(value: Any) -> str:
    """An object's id: any bigint. Negative ones are derived from names (imports without ids). Absent is an error."""
    if value is None:
        raise BadValue("", value, "is absent", "ask for the ids of the report's level among the fields")
    number = _whole(value)
    if number is None or not _BIGINT_MIN <= number <= _BIGINT_MAX:
        raise BadValue("", value, "is no object id", "pull the slice again; if it stays, report it as a defect")
    return str(number)


def integer(value: Any) -> str:
    """A count; NULL where absent."""
    if value is None:
        return NULL
    number = _whole(value)
    if number is None:
        raise BadValue("", value, "is no whole number", "pull the slice again; if it stays, report it as a defect")
    if not _BIGINT_MIN <= number <= _BIGINT_MAX:
        raise BadValue("", value, "is too large for bigint", "pull the slice again; if it stays, report it as a defect")
    return str(number)


def numeric(value: Any) -> str:
    """A decimal number, digit for digit; NULL where absent."""
    if value is None:
        return NULL
    spelled = _spelling(value)
    if spelled is None or not _NUMBER.fullmatch(spelled):
        raise BadValue("", value, "is no number", "pull the slice again; if it stays, report it as a defect")
    return spelled


def text(value: Any) -> str:
    """Text, escaped; NULL where absent. Anything but text is stored as its JSON."""
    if value is None:
        return NULL
    return _plain(value).translate(_ESCAPES)


def breakdown(value: Any) -> str:
    """A breakdown's value, escaped; the empty string where Meta left it out."""
    return "" if value is None else _plain(value).translate(_ESCAPES)


def day(value: Any) -> str:
    """A date, `YYYY-MM-DD`. Absent is an error."""
    try:
        return date.fromisoformat(value).isoformat()
    except (TypeError, ValueError):
        raise BadValue("", value, "is no date", "pull the slice again; if it stays, report it as a defect") from None


def check_account(value: Any, account_id: int) -> None:
    """Raises `BadValue` unless a row's `account_id` is the slice's."""
    if value is None or _whole(value) != account_id:
        raise BadValue(
            "account_id",
            value,
            f"the slice is account {account_id}'s",
            "ask for account_id among the fields, and hand each account's rows over as slices of their own",
        )


def check_day(key: str, value: Any, expected: date) -> None:
    """Raises `BadValue` unless a row's date is the slice's day."""
    if value != expected.isoformat():
        raise BadValue(
            key,
            value,
            f"the slice is of {expected}",
            "ask for one row per day (time_increment=1), and hand each day over as a slice of its own",
        )


def replace_unstorable(payload: bytes) -> bytes:
    r"""JSON text with escaped NULs and halves of surrogate pairs replaced by `\ufffd`: jsonb can hold neither."""
    if not isinstance(payload, bytes):
        raise BadValue("payload", type(payload).__name__, "is not bytes", "hand rows over as JSON bytes")
    payload = _NUL.sub(rb"\1\\ufffd", payload)
    return _SURROGATE.sub(lambda found: found[1] + (found[2] or rb"\ufffd"), payload)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _spelling(value: Any) -> str | None:
    """A number as Meta spelled it; None for anything that is no number. True and False are none."""
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_NUMBER else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return repr(value)


def _whole(value: Any) -> int | None:
    """A whole number, also when spelled `12.0`; None for anything else."""
    spelled = _spelling(value)
    if spelled is None:
        return None
    if _INTEGER.fullmatch(spelled):
        return int(spelled)
    if not _NUMBER.fullmatch(spelled):
        return None
    try:
        number = Decimal(spelled)
        return int(number) if number == number.to_integral_value() else None
    except InvalidOperation:
        return None
