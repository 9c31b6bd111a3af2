"""A small pool of psycopg connections, safe for threads and for forked processes.

What belongs here: lending, checking and returning connections. What does not: what is done with them.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import TupleRow

from warehouse.errors import DatabaseUnavailable, WarehouseError, from_database_error
from warehouse.urls import DatabaseUrl

Connection = psycopg.Connection[TupleRow]

_MAX_IDLE = 8
_CONNECT_TIMEOUT_SECONDS = 10


class Pool:
    """Lends connections in autocommit mode and keeps a few of them open.

    There is no ceiling on open connections: one is lent per concurrent caller, and callers are few.
    """

    def __init__(self, url: DatabaseUrl) -> None:
        self._url = url
        self._idle: list[Connection] = []
        self._guard = threading.Lock()
        self._owner = os.getpid()

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection in autocommit mode, returned (or thrown away if it is broken) afterwards.

        Raises:
            DatabaseUnavailable: The server cannot be reached, or hung up in the middle.
            WarehouseError: psycopg errors raised inside the block, translated.
        """
        connection = self._take()
        try:
            yield connection
        except psycopg.Error as error:
            raise self._translate(error) from error
        finally:
            self._give_back(connection)

    def open(self) -> Connection:
        """A new connection that the caller owns and must close (session locks need one of their own)."""
        parameters: dict[str, str | int] = {
            "connect_timeout": _CONNECT_TIMEOUT_SECONDS,
            "application_name": "meta-ads",
            **self._url.libpq(),
        }
        try:
            connection = psycopg.Connection[TupleRow].connect(
                "",
                autocommit=True,
                client_encoding="utf8",
                **parameters,  # type: ignore[arg-type]
            )
        except psycopg.Error as error:
            # Reason: not chained, because libpq's own message can quote parts of the connection string.
            raise self._connect_error(error) from None
        try:
            connection.execute("SET TIME ZONE 'UTC'")
        except psycopg.Error as error:
            connection.close()
            raise self._translate(error) from error
        return connection

    def close(self) -> None:
        """Closes the idle connections; later calls open new ones."""
        with self._guard:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _take(self) -> Connection:
        while True:
            with self._guard:
                if self._owner != os.getpid():
                    # Reason: sockets inherited through fork belong to the parent; using or closing one here
                    # would corrupt the parent's session. They are only forgotten.
                    _forget(self._idle)
                    self._idle = []
                    self._owner = os.getpid()
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self.open()
            if _alive(connection):
                return connection
            connection.close()

    def _give_back(self, connection: Connection) -> None:
        if connection.closed or connection.pgconn.transaction_status != TransactionStatus.IDLE:
            connection.close()
            return
        with self._guard:
            if len(self._idle) < _MAX_IDLE and self._owner == os.getpid():
                self._idle.append(connection)
                return
        connection.close()

    def _translate(self, error: psycopg.Error) -> WarehouseError:
        translated = from_database_error(error)
        translated.args = tuple(self._url.redact(part) if isinstance(part, str) else part for part in translated.args)
        return translated

    def _connect_error(self, error: psycopg.Error) -> WarehouseError:
        text = self._url.redact(str(error).strip())
        state = error.sqlstate
        hint = ""
        if state == "3D000" or "does not exist" in text:
            hint = " To mend: create the database, or correct WAREHOUSE_URL."
        elif "authentication failed" in text or "no password supplied" in text:
            hint = " To mend: correct the user and password in WAREHOUSE_URL."
        return DatabaseUnavailable(f"Cannot connect to {self._url.render()}: {text}.{hint}")


def _alive(connection: Connection) -> bool:
    """Whether an idle connection still has a server: a socket that is readable while idle has been hung up."""
    if connection.closed:
        return False
    try:
        poller = select.poll()
        poller.register(connection.fileno(), select.POLLIN)
        if not poller.poll(0):
            return True
        connection.execute("SELECT 1")  # Reason: a notice also makes the socket readable
    except (psycopg.Error, OSError):
        return False
    return True


_forgotten: list[Connection] = []


def _forget(connections: list[Connection]) -> None:
    """Keeps inherited connections referenced for ever, so that no destructor says goodbye on the parent's socket."""
    _forgotten.extend(connections)
