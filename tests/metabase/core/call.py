"""A call of an endpoint, what an endpoint may return, and the table of all endpoints."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel

from tests.metabase.core.errors import not_found, unauthenticated
from tests.metabase.core.ids import NANO_ID
from tests.metabase.core.standin import Standin
from tests.metabase.core.state import Row, State
from tests.metabase.options import Options

ID = r"{id:\d+}"
ID_OR_ENTITY = r"{id:\d+|[A-Za-z0-9_\-]{21}}"
"""A number, or a NanoID."""

Access = Literal["open", "user", "admin"]
Handler = Callable[["Call"], Any | Awaitable[Any]]


@dataclass
class Reply:
    """An answer with a status of its own; endpoints return plain bodies for 200 and None for 204."""

    body: Any
    status: int = 200
    content_type: str = "application/json"
    cookies: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """One request that passed authentication and its schemas.

    Attributes:
        path: The variable parts of the path.
        query: The query as its model, or as a mapping where the endpoint has no model.
        body: The body as its model.
        known: Who asks, or None (only open endpoints see that).
        session: The session's id, where one is used.
    """

    standin: Standin
    path: dict[str, str]
    query: Any
    body: Any
    known: Row | None
    session: str | None = None

    @property
    def state(self) -> State:
        """What the instance remembers."""
        return self.standin.state

    @property
    def options(self) -> Options:
        """What the instance was told."""
        return self.standin.options

    @property
    def user(self) -> Row:
        """Who asks."""
        if self.known is None:
            raise unauthenticated()
        return self.known

    def id(self, name: str = "id") -> int:
        """A number of the path."""
        return int(self.path[name])

    def row(self, table: str, name: str = "id") -> Row:
        """The row that the path names, by number or by entity id.

        Raises:
            ApiError: 404, there is none.
        """
        text = self.path[name]
        if text.isdigit():
            found = self.state.get(table, int(text))
        else:
            found = self.state.first(table, entity_id=text) if NANO_ID.fullmatch(text) else None
        if found is None:
            raise not_found()
        return found


@dataclass(frozen=True)
class Route:
    """An endpoint."""

    method: str
    path: str
    handler: Handler
    access: Access
    body: type[BaseModel] | None
    query: type[BaseModel] | None


ROUTES: list[Route] = []
"""Every endpoint, in the order in which the modules were loaded."""


def route(
    method: str,
    path: str,
    *,
    access: Access = "user",
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
) -> Callable[[Handler], Handler]:
    """Makes a function the handler of an endpoint.

    Args:
        access: `open` without authentication, `user` for anybody known, `admin` for administrators.
        body: The closed schema of the body; without one a body is not looked at.
        query: The schema of the query string.
    """

    def register(handler: Handler) -> Handler:
        ROUTES.append(Route(method, path, handler, access, body, query))
        return handler

    return register
