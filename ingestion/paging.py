"""Walks through pages of raw JSON.

Following cursors, shrinking pages that are too heavy and growing them back belong here. Why not the SDK's `Cursor`: an
empty page in the middle ends it silently although there is a next page, and it builds an object per row (fact sheet,
section 9).
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Iterator, Mapping
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any

import orjson

from ingestion.errors import PageTooLarge, ProtocolError, TooMuchData, TransientError
from ingestion.graph import GraphClient

log = logging.getLogger(__name__)

SMALLEST_PAGE = 5
_GROW_AFTER = 3
_PATIENCE_WITH_EMPTY_PAGES = 5
_PAGES_AHEAD = 1
_END = object()


@dataclass
class PageSize:
    """The `limit` to ask for. Halved when Meta finds a page too heavy, doubled again after some that went well.

    Reason: Meta counts calls, not rows, so large pages are cheap; but a page that is too heavy fails with a 500.
    """

    current: int
    largest: int
    _good: int = 0

    def shrink(self) -> bool:
        """Halves; returns False when it cannot."""
        if self.current <= SMALLEST_PAGE:
            return False
        self.current = max(SMALLEST_PAGE, self.current // 2)
        self._good = 0
        return True

    def went_well(self) -> None:
        """Notes a good page; grows back after a few."""
        self._good += 1
        if self._good >= _GROW_AFTER and self.current < self.largest:
            self.current = min(self.largest, self.current * 2)
            self._good = 0


def read_pages(
    client: GraphClient,
    path: str,
    params: Mapping[str, Any],
    account_id: str | None,
    size: PageSize,
) -> Iterator[list[dict[str, Any]]]:
    """Yields the rows of each page, empty pages left out. While one is worked on, the next one is already on its way.

    Raises:
        TooMuchData: Even the smallest page is too heavy.
        ProtocolError: The answer is no listing, or the cursor does not move.
        GraphError: Anything else that a call may raise, e.g. `InvalidCursor`.
    """
    listing = _Listing(client, path, params, account_id, size)
    first = listing.fetch()
    if listing.ended:
        yield from _rows(path, first)
        return
    # Reason: a thread of its own would know nothing of what the caller has noted about this work, e.g. for its log.
    reader = threading.Thread(
        target=copy_context().run, args=(listing.run_ahead,), name=f"pages of {path}", daemon=True
    )
    reader.start()
    try:
        yield from _rows(path, first)
        while (page := listing.ahead.get()) is not _END:
            if isinstance(page, BaseException):
                raise page
            yield from _rows(path, page)
    finally:
        listing.stop()
        reader.join()


@dataclass
class _Listing:
    """A listing that is read a little ahead of its consumer.

    Only the end of a page is parsed here, where its cursor is: the rows are left to the consumer, so that the next
    request is under way while they are parsed.
    """

    client: GraphClient
    path: str
    params: Mapping[str, Any]
    account_id: str | None
    size: PageSize
    after: str | None = None
    ended: bool = False
    ahead: queue.Queue[Any] = field(default_factory=lambda: queue.Queue(_PAGES_AHEAD))
    _standing: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)

    def fetch(self) -> bytes:
        """The next page; afterwards `after` is the cursor to the one behind it, or `ended` is set."""
        page = self._page()
        following = _next_cursor(self.path, page, self.after)
        self.ended = following is None
        # Reason: an empty page may point at itself and have rows when asked again; a full one that does is a loop.
        self._standing = self._standing + 1 if following == self.after and not self.ended else 0
        if self._standing and (not _is_empty(page) or self._standing > _PATIENCE_WITH_EMPTY_PAGES):
            raise ProtocolError(f"{self.path}: there is a next page, but its cursor does not move ({following!r}).")
        self.after = following
        return page

    def run_ahead(self) -> None:
        """Puts the remaining pages into `ahead`, then the end or what went wrong."""
        try:
            while not self.ended and not self._stopped.is_set():
                self._put(self.fetch())
            self._put(_END)
        except BaseException as problem:  # noqa: BLE001 - handed to the consumer, which raises it
            self._put(problem)

    def stop(self) -> None:
        """Nobody takes pages any more."""
        self._stopped.set()

    def _put(self, item: Any) -> None:
        while not self._stopped.is_set():
            try:
                self.ahead.put(item, timeout=0.5)
            except queue.Full:
                continue
            return

    def _page(self) -> bytes:
        """One page, as large as Meta lets it be."""
        while True:
            query = {**self.params, "limit": self.size.current}
            if self.after is not None:
                query["after"] = self.after
            try:
                page = self.client.get_page(self.path, query, self.account_id)
            except PageTooLarge as problem:
                if not self.size.shrink():
                    raise TooMuchData(problem.message, code=problem.code, account_id=self.account_id) from None
                log.info("%s: page too heavy, asking for %d rows", self.path, self.size.current)
                continue
            self.size.went_well()
            return page


def _rows(path: str, content: bytes) -> Iterator[list[dict[str, Any]]]:
    """The rows of a page, if it has any."""
    try:
        page = orjson.loads(content)
    except orjson.JSONDecodeError:
        raise TransientError(f"{path}: a page that is no JSON") from None
    if not isinstance(page, dict) or not isinstance(page.get("data"), list):
        raise ProtocolError(f"{path}: expected a page with 'data', got {content[:80]!r}.")
    if page["data"]:
        yield page["data"]


def _is_empty(content: bytes) -> bool:
    return content.startswith(b'{"data":[]') or not orjson.loads(content).get("data")


def _next_cursor(path: str, content: bytes, after: str | None) -> str | None:
    """Where the next page begins, or None at the end.

    Reason: the end of the data is the absence of `next`, not an empty page; `after` exists even at the end.
    """
    paging = _paging(path, content)
    if not paging.get("next"):
        return None
    following = (paging.get("cursors") or {}).get("after")
    if not following:
        raise ProtocolError(f"{path}: there is a page after {after!r}, but no cursor to it.")
    return str(following)


def _paging(path: str, content: bytes) -> Mapping[str, Any]:
    """A page's `paging`, taken from its end where it stands there, else from the whole."""
    begin = content.rfind(b'"paging":')
    try:
        # Reason: within a text of a row the quotes would be escaped, so this can only be the key.
        whole = orjson.loads(b"{" + content[begin:] if begin > 0 else content)
    except orjson.JSONDecodeError:
        try:
            whole = orjson.loads(content)
        except orjson.JSONDecodeError:
            raise TransientError(f"{path}: a page that is no JSON") from None
    if not isinstance(whole, dict):
        raise ProtocolError(f"{path}: expected a page with 'data', got {content[:80]!r}.")
    return whole.get("paging") or {}
