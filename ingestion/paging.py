"""Walks through pages of raw JSON.

Following cursors, shrinking pages that are too heavy and growing them back belong here. Why not the SDK's `Cursor`: an
empty page in the middle ends it silently although there is a next page, and it builds an object per row (fact sheet,
section 9).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ingestion.errors import PageTooLarge, ProtocolError, TooMuchData
from ingestion.graph import GraphClient

log = logging.getLogger(__name__)

SMALLEST_PAGE = 5
_GROW_AFTER = 3
_PATIENCE_WITH_EMPTY_PAGES = 5


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
    """Yields the rows of each page, empty pages left out. The next page is asked for while one is worked on.

    Raises:
        TooMuchData: Even the smallest page is too heavy.
        ProtocolError: The answer is no listing, or the cursor does not move.
        GraphError: Anything else that a call may raise, e.g. `InvalidCursor`.
    """
    standing = 0
    after: str | None = None
    page = _read_page(client, path, params, account_id, size, None)
    while True:
        following = _next_cursor(path, page, after)
        # Reason: an empty page may point at itself and have rows when asked again; a full one that does is a loop.
        standing = standing + 1 if following == after else 0
        if following is not None and standing and (page["data"] or standing > _PATIENCE_WITH_EMPTY_PAGES):
            raise ProtocolError(f"{path}: there is a next page, but its cursor does not move ({following!r}).")
        coming = None
        if following is not None:
            coming = client.background.submit(_read_page, client, path, params, account_id, size, following)
        if page["data"]:
            yield page["data"]
        if coming is None:
            return
        page, after = coming.result(), following


def _read_page(
    client: GraphClient,
    path: str,
    params: Mapping[str, Any],
    account_id: str | None,
    size: PageSize,
    after: str | None,
) -> dict[str, Any]:
    """One page, as large as Meta lets it be."""
    while True:
        query = {**params, "limit": size.current}
        if after is not None:
            query["after"] = after
        try:
            page = client.get(path, query, account_id)
        except PageTooLarge as problem:
            if not size.shrink():
                raise TooMuchData(problem.message, code=problem.code, account_id=account_id) from None
            log.info("%s: page too heavy, asking for %d rows", path, size.current)
            continue
        if not isinstance(page, dict) or not isinstance(page.get("data"), list):
            raise ProtocolError(f"{path}: expected a page with 'data', got {str(page)[:80]!r}.")
        size.went_well()
        return page


def _next_cursor(path: str, page: Mapping[str, Any], after: str | None) -> str | None:
    """Where the next page begins, or None at the end.

    Reason: the end of the data is the absence of `next`, not an empty page; `after` exists even at the end.
    """
    paging = page.get("paging") or {}
    if not paging.get("next"):
        return None
    following = (paging.get("cursors") or {}).get("after")
    if not following:
        raise ProtocolError(f"{path}: there is a page after {after!r}, but no cursor to it.")
    return str(following)
