"""Cursors and the `paging` object (section 2.3).

A cursor is opaque to clients. Here it carries what the page was cut from (a digest), a position and the moment the
listing began, so that any page can be recomputed and nothing needs to be stored.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass
from typing import Any

import orjson

from simulator.server.errors import make
from simulator.server.graph import GraphRequest

_SHAPE = struct.Struct(">8sQQ")
_CHECK = 2
VOLATILE = frozenset({"after", "before", "limit", "access_token", "appsecret_proof", "summary", "default_summary"})
"""Parameters that may differ between the pages of one listing."""


@dataclass(frozen=True)
class Cursor:
    """A position in a listing.

    Attributes:
        digest: Eight bytes naming the listing.
        position: Row number, or the id of an object in an entity listing.
        at: Epoch seconds of the moment the listing shows.
    """

    digest: bytes
    position: int
    at: int

    def encode(self) -> str:
        """Returns the text given to clients."""
        raw = _SHAPE.pack(self.digest, self.position, self.at)
        raw += hashlib.blake2b(raw, digest_size=_CHECK).digest()
        return base64.urlsafe_b64encode(raw).decode().rstrip("=") + "ZD"


def decode(text: Any, digest: bytes) -> Cursor:
    """Returns the cursor of this listing.

    Raises:
        GraphError: 2642, when it is damaged or belongs to another listing.
    """
    found = _unpack(text) if isinstance(text, str) and text.endswith("ZD") else None
    if found is None or found.digest != digest:
        raise make("invalid_cursor")
    return found


def _unpack(text: str) -> Cursor | None:
    body = text[:-2]
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        head, check = raw[: _SHAPE.size], raw[_SHAPE.size :]
        found = Cursor(*_SHAPE.unpack(head))
    except (ValueError, struct.error, binascii.Error):
        return None
    return found if hashlib.blake2b(head, digest_size=_CHECK).digest() == check else None


def digest_of(request: GraphRequest) -> bytes:
    """Returns eight bytes naming the listing: path and parameters without those that vary from page to page."""
    kept = {k: v for k, v in request.params.items() if k not in VOLATILE}
    text = orjson.dumps([request.parts, kept], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=8).digest()


def links(
    request: GraphRequest, limit: int, first: Cursor | None, last: Cursor | None, more: bool, earlier: bool
) -> dict[str, Any]:
    """Returns the `paging` object. `next` and `previous` only exist when there is such a page."""
    if first is None or last is None:
        return {}
    before, after = first.encode(), last.encode()
    found: dict[str, Any] = {"cursors": {"before": before, "after": after}}
    if more:
        found["next"] = request.url(limit=str(limit), after=after, before=None)
    if earlier:
        found["previous"] = request.url(limit=str(limit), before=before, after=None)
    return found
