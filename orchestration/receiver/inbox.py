"""From many deliveries at once to few transactions: durable when it answers, and fast.

What belongs here: the queue between the server and the database. What does not: HTTP, what is stored.

One writer stores whatever waits in one transaction (group commit): a burst costs a handful of commits and one
connection, where a transaction for each delivery would wait for the disk every time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from warehouse.errors import WarehouseError
from warehouse.ops.notifications import Received

log = logging.getLogger(__name__)

Store = Callable[[Sequence[Received]], int]
_MOST_PER_TRANSACTION = 5_000


class InboxUnavailable(Exception):
    """What came in could not be stored, or not in time; whoever sent it must send it again."""


class Inbox:
    """Stores what is put into it. To be used on one event loop, with `run` as a task."""

    def __init__(self, store: Store, *, patience_seconds: float = 5.0, most_waiting: int = 1_000) -> None:
        """Nothing is stored before `run`.

        Args:
            store: Stores changes in one transaction and returns how many were new; called in a thread.
            patience_seconds: How long a caller waits.
            most_waiting: Deliveries in the queue beyond which callers are turned away at once.
        """
        self._store = store
        self._patience = patience_seconds
        self._queue: asyncio.Queue[tuple[list[Received], asyncio.Future[None]]] = asyncio.Queue(most_waiting)

    async def put(self, received: list[Received]) -> None:
        """Returns when all of it is on disk.

        Raises:
            InboxUnavailable: It is not, or not yet; storing it again does no harm.
        """
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        try:
            self._queue.put_nowait((received, stored))
        except asyncio.QueueFull:
            raise InboxUnavailable("too much waits to be stored") from None
        try:
            await asyncio.wait_for(stored, self._patience)
        except TimeoutError:
            raise InboxUnavailable(f"nothing could be stored within {self._patience:g} s") from None

    async def run(self) -> None:
        """Stores until cancelled."""
        while True:
            batch = [await self._queue.get()]
            while not self._queue.empty() and sum(len(received) for received, _ in batch) < _MOST_PER_TRANSACTION:
                batch.append(self._queue.get_nowait())
            changes = [change for received, _ in batch for change in received]
            problem: InboxUnavailable | None = None
            try:
                fresh = await asyncio.to_thread(self._store, changes)
                log.debug("notifications stored: %d, repeated: %d", fresh, len(changes) - fresh)
            except WarehouseError as error:
                log.error("%d notifications could not be stored: %s", len(changes), error)  # noqa: TRY400 - no traceback
                problem = InboxUnavailable("the database refused")
            except Exception:
                # Reason: the writer must outlive whatever it meets, or every later delivery would wait in vain.
                log.exception("%d notifications could not be stored", len(changes))
                problem = InboxUnavailable("an error")
            for _, stored in batch:
                if stored.done():  # Its caller has lost patience, or hung up.
                    continue
                if problem:
                    stored.set_exception(problem)
                else:
                    stored.set_result(None)
