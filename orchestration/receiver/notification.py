"""A delivery as changes: from signed bytes to what is stored.

What belongs here: reading the envelope, and what makes two changes the same. What does not: what a change means
(`orchestration.receiver.meaning`). Whatever is in the bytes, nothing is raised and nothing is lost: what cannot be
understood is stored as it came, with the reason.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from warehouse.ops.notifications import Received
from warehouse.values import replace_unstorable

_DIGITS = 19  # of the first number that bigint may not hold


def read_delivery(body: bytes) -> list[Received]:
    """The changes of a delivery; never none.

    Args:
        body: Signed bytes: `{"object": ..., "entry": [{"id", "time", "changes": [{"field", "value"}]}]}` (fact sheet,
            webhooks).
    """
    try:
        # Reason: texts cut in the middle of an emoji are signed, too, and must not make the rest unreadable.
        envelope = orjson.loads(replace_unstorable(body))
    except orjson.JSONDecodeError:
        return [_not_understood(body, "is no JSON")]
    entries = envelope.get("entry") if isinstance(envelope, dict) else None
    if not isinstance(entries, list) or not entries:
        return [_not_understood(body, "has no list of entries")]
    topic = envelope.get("object")
    try:
        found = [change for entry in entries for change in _changes(topic if isinstance(topic, str) else None, entry)]
    except orjson.JSONEncodeError:  # It writes 254 levels, and reads 1,024.
        return [_not_understood(body, "is nested too deeply")]
    # Reason: the same change twice in one delivery is one change.
    return list({change.digest: change for change in found}.values())


def _changes(topic: str | None, entry: Any) -> Iterator[Received]:
    changes = entry.get("changes") if isinstance(entry, dict) else None
    if not isinstance(changes, list) or not changes:
        yield Received(_digest(topic, entry), topic, payload=entry, state="unknown", reason="the entry has no changes")
        return
    for change in changes:
        # Reason: the time belongs to the digest. The same value may come back later, and that is news.
        digest = _digest(topic, [entry.get("id"), entry.get("time"), change])
        name = change.get("field") if isinstance(change, dict) else None
        moment = _moment(entry.get("time"))
        if not isinstance(name, str):
            yield Received(
                digest, topic, _account(entry, {}), None, moment, change, None, "unknown", "the change has no field"
            )
            continue
        yield Received(digest, topic, _account(entry, change.get("value")), name, moment, change)


def _account(entry: Any, value: Any) -> int | None:
    """The ad account: the entry's id, or where that is 0, as in older samples, the one that the value names."""
    named = [value.get("account_id"), value.get("ad_account_id")] if isinstance(value, dict) else []
    for item in (entry.get("id"), *named):
        text = str(item).removeprefix("act_") if isinstance(item, str | int) and not isinstance(item, bool) else ""
        if text.isascii() and text.isdigit() and len(text) < _DIGITS and int(text):
            return int(text)
    return None


def _moment(value: Any) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):  # A time outside the years 1 to 9999 is none.
        return None


def _digest(topic: str | None, content: Any) -> bytes:
    text = orjson.dumps([topic, content], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).digest()


def _not_understood(body: bytes, reason: str) -> Received:
    return Received(hashlib.sha256(body).digest(), body=body, state="unknown", reason=f"the body {reason}")
