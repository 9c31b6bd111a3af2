"""A clock that does not wait and a network that is a function: the two seams of `ingestion`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import orjson

from ingestion.budget import CallBudget
from ingestion.graph import Answer, CallPolicy, GraphClient

GRAPH = "http://graph.test"
Handler = Callable[[str, str, Mapping[str, Any]], Answer]


class ManualClock:
    """Sleeping moves time on at once."""

    def __init__(self, start: float = 1_800_000_000.0) -> None:
        self._now = start
        self._lock = threading.Lock()
        self.slept: list[float] = []

    def now(self) -> float:
        with self._lock:
            return self._now

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.slept.append(seconds)
            self._now += max(0.0, seconds)


class FunctionTransport:
    """A transport that answers by calling a function with (method, path, params)."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.requests: list[tuple[str, str, dict[str, Any]]] = []

    def request(self, method: str, url: str, params: Mapping[str, Any], timeout: float) -> Answer:
        path = url.removeprefix(f"{GRAPH}/v26.0/")
        self.requests.append((method, path, dict(params)))
        return self.handler(method, path, params)

    def close(self) -> None:
        pass


def answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return Answer(status, headers or {}, content)


def error(code: int | None, subcode: int | None = None, message: str = "no", status: int = 400, **more: Any) -> Answer:
    body: dict[str, Any] = {"message": message, "type": "OAuthException", "code": code, **more}
    if subcode is not None:
        body["error_subcode"] = subcode
    return answer({"error": body}, status, more.pop("headers", None))


def make_client(handler: Handler, clock: ManualClock | None = None, **policy: Any) -> GraphClient:
    clock = clock or ManualClock()
    return GraphClient(
        FunctionTransport(handler),
        graph_url=GRAPH,
        clock=clock,
        budget=CallBudget(clock),
        policy=CallPolicy(**policy),
    )


RUN = uuid4()
