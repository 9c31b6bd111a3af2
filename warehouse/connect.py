"""`Warehouse`: one PostgreSQL or TimescaleDB database, by URL or embedded.

What belongs here: opening, connections, the storage profile. What does not: SQL about data, migrations
(`warehouse.migrations`).
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from sqlalchemy import Engine, create_engine
from sqlalchemy.pool import NullPool

from warehouse import embedded
from warehouse.pool import Connection, Pool
from warehouse.urls import DatabaseUrl

if TYPE_CHECKING:
    from warehouse.storage import Storage


class Warehouse:
    """A database that holds the platform's data. Safe to share between threads; connects when first used.

    Attributes:
        server: The embedded server it lies on, or None.
    """

    def __init__(self, url: str, *, server: embedded.EmbeddedServer | None = None) -> None:
        """Remembers the URL; nothing is connected yet.

        Raises:
            InvalidUrl: The URL cannot be read.
        """
        self._url = DatabaseUrl.parse(url)
        self._pool = Pool(self._url)
        self._storage: Storage | None = None
        self._guard = threading.Lock()
        self.server = server

    @property
    def url(self) -> str:
        """The URL with its password: for libraries, never for messages or logs."""
        return self._url.render(reveal=True)

    @property
    def safe_url(self) -> str:
        """The URL without its secrets, for messages and logs."""
        return self._url.render()

    @property
    def parameters(self) -> dict[str, str]:
        """Keyword parameters of libpq (`host`, `port`, `user`, `password`, `dbname`, ...), e.g. for dbt's profile."""
        return self._url.libpq()

    @property
    def storage(self) -> Storage:
        """How this server stores insight tables, detected at the first use and then remembered.

        Raises:
            DatabaseUnavailable: The server cannot be reached.
        """
        from warehouse.storage import detect

        with self._guard:
            if self._storage is None:
                with self.connection() as connection:
                    self._storage = detect(connection)
            return self._storage

    def connection(self) -> AbstractContextManager[Connection]:
        """A pooled psycopg connection in autocommit mode, its session in UTC. Use `connection.transaction()` within.

        Raises:
            DatabaseUnavailable: The server cannot be reached, or hung up in the middle.
            WarehouseError: psycopg errors raised inside the block, translated.
        """
        return self._pool.connection()

    def session(self) -> Connection:
        """A connection of the caller's own, to be closed by the caller: for locks that live as long as a session."""
        return self._pool.open()

    def engine(self) -> Engine:
        """A SQLAlchemy engine for Alembic, which asks for one. Nothing else should use it."""
        return create_engine("postgresql+psycopg://", creator=self._pool.open, poolclass=NullPool)

    def forget_storage(self) -> None:
        """Detects the storage profile anew at the next use (migrations can change it)."""
        with self._guard:
            self._storage = None

    def close(self) -> None:
        """Closes idle connections. The embedded server keeps running."""
        self._pool.close()

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Warehouse({self.safe_url!r})"


def connect(url: str | None = None, *, state_directory: Path | str | None = None) -> Warehouse:
    """The warehouse at `url`, or on the embedded server when there is no URL.

    Args:
        url: `postgresql://user:password@host:5432/database`, or `postgresql://user@/database?host=/socket/directory`.
        state_directory: Data directory of the embedded server; default `.meta-ads/postgres`.

    Raises:
        InvalidUrl: The URL cannot be read.
        EmbeddedServerError: There is no URL and the embedded server does not start.
    """
    if url:
        return Warehouse(url)
    server = embedded.start(state_directory or embedded.DEFAULT_STATE_DIRECTORY)
    return Warehouse(server.url(), server=server)
