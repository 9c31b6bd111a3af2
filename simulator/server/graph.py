"""A request and an answer of the graph, free of any web framework.

The same pair serves plain calls, the parts of a batch and `?ids=` look-ups. Parsing HTTP belongs to `app`, choosing
a handler to `router`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

import orjson

if TYPE_CHECKING:
    from simulator.server.tokens import Token

Kind = Literal[
    "insights", "insights_async", "report_run", "report_insights", "edge", "node", "update", "other", "batch"
]
"""What a call is, for quotas, faults and the counters."""


@dataclass
class GraphRequest:
    """One call, after transport.

    Attributes:
        method: GET, POST, DELETE or PATCH.
        version: `v26.0` as asked, or an empty string for an unversioned call.
        parts: Path components after the version.
        params: Query, form and JSON body merged; values are strings unless they came in a JSON body.
        base: Scheme and host the client used, for `paging.next`.
        at: The simulated moment of the call.
        token: The credential, once checked.
        kind: Set by the router.
        account_id: Digits of the account concerned, once known.
    """

    method: str
    version: str
    parts: tuple[str, ...]
    params: dict[str, Any]
    base: str
    at: datetime
    token: Token | None = None
    kind: Kind = "other"
    account_id: str | None = None

    @property
    def path(self) -> str:
        """The path without the version, `/` first."""
        return "/" + "/".join(self.parts)

    def url(self, **changes: Any) -> str:
        """Returns the full URL of this call with some parameters replaced (None removes one), token included."""
        params = {k: v for k, v in {**self.params, **changes}.items() if v is not None}
        text = {k: v if isinstance(v, str) else orjson.dumps(v).decode() for k, v in params.items()}
        return f"{self.base}/{self.version}{self.path}?{urlencode(text)}"

    def child(self, parts: tuple[str, ...], params: dict[str, Any], method: str = "GET") -> GraphRequest:
        """Returns a call derived from this one (a batch part, one of `ids`)."""
        return replace(self, parts=parts, params=params, method=method, kind="other", account_id=None)


@dataclass
class Reply:
    """An answer, before transport.

    Attributes:
        transport: A fault of the connection that `app` carries out.
        delay: Real seconds to wait before answering.
        rows: Rows in the body, for the cost counters.
    """

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=UTF-8"
    transport: Literal["cut_before", "cut_middle"] | None = None
    delay: float = 0.0
    rows: int = 0


def answer(payload: Mapping[str, Any] | list[Any], rows: int = 0) -> Reply:
    """Returns a 200 with a JSON body."""
    return Reply(orjson.dumps(payload), rows=rows)
