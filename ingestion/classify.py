"""Meta's error answers to typed errors: the (code, subcode) table.

Only the decision "what kind of trouble is this" belongs here; what to do about it is in `ingestion.graph` (wait,
repeat), `ingestion.reports_run` (split) and `ingestion.paging` (shrink). Facts: fact sheet, sections 3, 4.1 and 4.4.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import orjson

from ingestion.errors import (
    AccountUnavailable,
    CredentialError,
    GraphError,
    InvalidCursor,
    InvalidField,
    ObjectNotFound,
    PageTooLarge,
    RangeTooOld,
    ReportNotReady,
    TerminalError,
    Throttled,
    TooMuchData,
    TransientError,
    VersionRetired,
)
from ingestion.usage import wait_seconds

# Reason: code 2 is not always transient and code 100 not always permanent, so the pair decides; None = any subcode.
_TABLE: dict[tuple[int, int | None], type[GraphError]] = {
    (-2, 2490547): TransientError,
    (-2, None): TransientError,
    (-3, 1504045): TooMuchData,
    (-3, None): TooMuchData,
    (1, 2853001): TerminalError,
    (1, None): TransientError,
    (2, 1504038): TooMuchData,
    (2, 1504041): TerminalError,
    (2, 1504042): TerminalError,
    (2, None): TransientError,
    (3, None): AccountUnavailable,
    (10, None): AccountUnavailable,
    (100, 33): ObjectNotFound,
    (100, 1487534): TooMuchData,
    (100, 1504018): TooMuchData,
    (100, 3191001): AccountUnavailable,
    (100, None): TerminalError,
    (102, None): CredentialError,
    (104, None): CredentialError,
    (190, None): CredentialError,
    (270, None): AccountUnavailable,
    (275, None): TerminalError,
    (294, None): AccountUnavailable,
    (1150, None): TransientError,
    (2500, None): TerminalError,
    (2601, None): ReportNotReady,
    (2635, None): VersionRetired,
    (2637, None): ReportNotReady,
    (2642, None): InvalidCursor,
    (3018, None): RangeTooOld,
}

# Code -> scope. 613/1487632 (budget changed too often) concerns one object only.
_THROTTLES: dict[int, str] = {
    4: "app",
    17: "account",
    32: "app",
    341: "app",
    368: "app",
    613: "account",
} | dict.fromkeys((*range(80000, 80010), 80014), "account")
_OBJECT_THROTTLES = {1487632, 1885172, 1487225}

_TOKEN_MENDS = {
    458: "The person removed the app: log in again and create a new token.",
    459: "The token's user must log in at facebook.com and pass a check, then create a new token.",
    460: "The password was changed: create a new token.",
    463: "The token has expired: create a new one (a system user token never expires) and set META_ACCESS_TOKEN.",
    464: "The token's user is not confirmed: confirm it at facebook.com, then create a new token.",
    467: "The token was revoked: create a new one and set META_ACCESS_TOKEN.",
    492: "The session is no longer valid: create a new token.",
}

_FIELD_PATTERNS = (
    re.compile(r"nonexisting field \(([\w.]+)\)"),
    re.compile(r"\(#100\) ([\w.]+) is not valid for fields param"),
    re.compile(r"[Ff]ields? (?:param )?(?:is invalid|not valid|deprecated)\W+([a-z_0-9]+)"),
)
_REDUCE = re.compile(r"reduce the amount of data", re.IGNORECASE)
_SUMMARY_RACE = re.compile(r"Cannot include .* in summary param", re.DOTALL)
_MISSING_PERMISSION = re.compile(r"missing permission|NOT grant ads_|Requires .*permission", re.IGNORECASE)


def error_in(status: int, body: object) -> Mapping[str, Any] | None:
    """Returns the error object of an answer, or None if the answer is a success.

    Args:
        status: HTTP status; a success status proves nothing (200 with an error body occurs).
        body: The parsed body, or None when it is not JSON.
    """
    if isinstance(body, dict):
        error = body.get("error")
        if isinstance(error, dict):
            return error
        if error is not None:
            return {"message": str(error)}
        if body.get("success") is False:
            return {"message": "Meta answered success: false"}
        if status < 400:
            return None
    if isinstance(body, list) and status < 400:
        return None
    return {"message": f"HTTP {status} without a usable body"}


def classify(
    status: int,
    error: Mapping[str, Any],
    headers: Mapping[str, str],
    account_id: str | None = None,
) -> GraphError:
    """Turns an error object into the typed error to raise.

    Args:
        status: HTTP status.
        error: From `error_in`; the same keys as a failed report run's, with `code`, `error_subcode`, `message`.
        headers: The answer's headers: they say how long a throttle lasts.
        account_id: The account called, digits.
    """
    code, subcode = _integer(error.get("code")), _integer(error.get("error_subcode"))
    message = str(error.get("error_user_msg") or error.get("message") or "no message")
    technical = str(error.get("message") or "")
    if technical and technical not in message:
        message = f"{technical} ({message})"
    rest: dict[str, Any] = {
        "code": code,
        "subcode": subcode,
        "http_status": status,
        "trace_id": error.get("fbtrace_id"),
        "account_id": account_id,
        "body": dict(error),
    }
    if code in _THROTTLES or status == 429:
        scope = "object" if subcode in _OBJECT_THROTTLES else _THROTTLES.get(code or 0, "account")
        return Throttled(message, scope=scope, seconds=wait_seconds(headers), **rest)
    if _REDUCE.search(message):
        return PageTooLarge(message, **rest)
    if code == 100 and subcode is None:
        for pattern in _FIELD_PATTERNS:
            if found := pattern.search(technical):
                return InvalidField(message, field=found.group(1), **rest)
        if _SUMMARY_RACE.search(technical):
            return TransientError(message, **rest)
        if _MISSING_PERMISSION.search(technical):
            return AccountUnavailable(message, **rest)
    if code == 190 and subcode in _TOKEN_MENDS:
        rest["mend"] = _TOKEN_MENDS[subcode]
    if code == 104 or (code == 100 and "appsecret_proof" in technical):
        return CredentialError(message, **{**rest, "mend": "META_APP_SECRET does not belong to the token's app."})
    if code is not None and 200 <= code <= 299:
        return AccountUnavailable(message, **rest)
    kind = _TABLE.get((code, subcode)) or _TABLE.get((code, None)) if code is not None else None
    if kind is None:
        # Reason: only codes are stable; where there is none, the HTTP status and Meta's own hint must do.
        transient = status >= 500 or status < 400 or error.get("is_transient") is True
        kind = TransientError if transient else TerminalError
    return kind(message, **rest)


def blamed_fields(error: GraphError) -> list[str]:
    """Names that Meta blames in `error_data.blame_field_specs`; empty if it names none."""
    data = error.body.get("error_data")
    if isinstance(data, str):  # Reason: documented as an object, observed mostly as a JSON string.
        try:
            data = orjson.loads(data)
        except orjson.JSONDecodeError:
            return []
    specs = data.get("blame_field_specs", []) if isinstance(data, dict) else []
    return [str(path[0]) for path in specs if isinstance(path, list) and path]


def _integer(value: object) -> int | None:
    try:
        return int(str(value))
    except ValueError:
        return None
