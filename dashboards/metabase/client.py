"""Requests to a Metabase: time-outs, every status looked at, repeated only where that cannot do harm.

What belongs here: HTTP. What does not: which requests are made.

A POST is not repeated: when its answer is lost nobody knows whether it was carried out, and the next run finds out by
reading what is there. GET, PUT and DELETE mean the same when they are sent twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt

from dashboards.errors import (
    MetabaseError,
    MetabaseKeyWeak,
    MetabaseKeyWrong,
    MetabaseRefused,
    MetabaseUnreachable,
)

_SAID = 300
_PASSING = frozenset({429, 500, 502, 503, 504})
_LONGEST_WAIT = 60.0


@dataclass(frozen=True)
class Patience:
    """How long to wait for answers, in seconds.

    Attributes:
        timeout: For one answer.
        connect: For a connection.
        attempts: How often a request that may be repeated is made.
        pause: Before the second attempt; doubles from one to the next.
        start: How long Metabase may take to start.
        sync: How long it may take to read the tables of a database.
        poll: Between two looks at something that takes its time.
    """

    timeout: float = 60.0
    connect: float = 10.0
    attempts: int = 5
    pause: float = 0.5
    start: float = 180.0
    sync: float = 600.0
    poll: float = 1.0


class _Passing(Exception):
    """Something that may be over the next time.

    Attributes:
        error: What to tell if it is not.
        wait: Seconds that the server asked for.
    """

    def __init__(self, error: MetabaseError, wait: float = 0.0) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait


class Metabase:
    """One Metabase, seen with a key, a session, or neither.

    Attributes:
        url: Its address, without a path's last slash.
        requests: How many were sent, repetitions included.
        writes: How many of them could change something.
    """

    def __init__(
        self,
        url: str,
        *,
        patience: Patience | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Remembers the address; nothing is asked yet.

        Args:
            url: `http://` or `https://`, where Metabase answers.
            patience: How long to wait.
            transport: In place of the network, for tests.
            sleep: In place of waiting, for tests.
        """
        self.url = url.rstrip("/")
        self.patience = patience or Patience()
        self.sleep = sleep
        self.requests = 0
        self.writes = 0
        self._http = httpx.Client(
            base_url=f"{self.url}/api/",
            timeout=httpx.Timeout(self.patience.timeout, connect=self.patience.connect),
            transport=transport,
            headers={"Accept": "application/json"},
        )

    @property
    def is_encrypted(self) -> bool:
        """Whether nobody on the way can read the key."""
        parts = urlsplit(self.url)
        return parts.scheme == "https" or parts.hostname in {"localhost", "127.0.0.1", "::1"}

    def use_key(self, key: str) -> None:
        """Asks with an API key from now on."""
        self._forget_who()
        self._http.headers["x-api-key"] = key

    def use_session(self, session: str) -> None:
        """Asks in a session from now on."""
        self._forget_who()
        self._http.headers["X-Metabase-Session"] = session

    def use_nobody(self) -> None:
        """Asks as nobody from now on."""
        self._forget_who()

    def _forget_who(self) -> None:
        # Reason: logging in also sets a cookie, and a key must not be mixed with an earlier session.
        self._http.cookies.clear()
        for name in ("x-api-key", "X-Metabase-Session"):
            self._http.headers.pop(name, None)

    def get(self, path: str, **query: Any) -> Any:
        """The answer's JSON (or text), None where it has no body.

        Raises:
            MetabaseUnreachable: There was no answer, however often it was asked.
            MetabaseKeyWrong: 401.
            MetabaseKeyWeak: 403.
            MetabaseRefused: Any other status that is no success.
        """
        return self._repeated("GET", path, None, query)

    def get_once(self, path: str) -> Any:
        """As `get`, asked again only where nobody answered."""
        return self._repeated("GET", path, None, {}, self._once_or_refused)

    def put(self, path: str, body: Any = None) -> Any:
        """As `get`, for what replaces."""
        return self._repeated("PUT", path, body, {})

    def delete(self, path: str) -> Any:
        """As `get`, for what takes away."""
        return self._repeated("DELETE", path, None, {})

    def post(self, path: str, body: Any = None, *, is_harmless: bool = False) -> Any:
        """As `get`, for what makes something, and asked once.

        Args:
            path: Below `/api/`.
            body: JSON.
            is_harmless: It makes nothing, or the same however often it is sent, so that it may be repeated.
        """
        if is_harmless:
            return self._repeated("POST", path, body, {})
        try:
            return self._once("POST", path, body, {})
        except _Passing as passing:
            raise passing.error from None

    def close(self) -> None:
        """Closes connections."""
        self._http.close()

    def _once_or_refused(self, method: str, path: str, body: Any, query: dict[str, Any]) -> Any:
        try:
            return self._once(method, path, body, query)
        except _Passing as passing:
            if isinstance(passing.error, MetabaseRefused):
                raise passing.error from None
            raise

    def _repeated(
        self,
        method: str,
        path: str,
        body: Any,
        query: dict[str, Any],
        ask: Callable[[str, str, Any, dict[str, Any]], Any] | None = None,
    ) -> Any:
        retrying = Retrying(
            stop=stop_after_attempt(self.patience.attempts),
            wait=self._wait,
            retry=retry_if_exception_type(_Passing),
            sleep=self.sleep,
            reraise=True,
        )
        try:
            return retrying(ask or self._once, method, path, body, query)
        except _Passing as passing:
            raise passing.error from None

    def _wait(self, state: RetryCallState) -> float:
        passing = state.outcome.exception() if state.outcome else None
        asked = passing.wait if isinstance(passing, _Passing) else 0.0
        return float(min(_LONGEST_WAIT, max(asked, self.patience.pause * 2 ** (state.attempt_number - 1))))

    def _once(self, method: str, path: str, body: Any, query: dict[str, Any]) -> Any:
        self.requests += 1
        self.writes += method != "GET"
        what = f"{method} /api/{path}"
        try:
            answer = self._http.request(method, path, json=body, params=query or None)
        except httpx.TransportError as error:
            raise _Passing(self._silent(what, error)) from None
        except httpx.InvalidURL as error:
            raise MetabaseUnreachable(f"{self.url} is no address: {error}", "correct METABASE_URL") from None
        if answer.status_code in _PASSING and not _is_final(method, answer):
            waited = answer.headers.get("Retry-After", "")
            refused = MetabaseRefused(what, answer.status_code, _said(answer), "look into Metabase's log; run it again")
            raise _Passing(refused, float(waited) if waited.isdigit() else 0.0)
        return self._checked(what, answer)

    def _silent(self, what: str, error: httpx.TransportError) -> MetabaseUnreachable:
        reason = "no answer in time" if isinstance(error, httpx.TimeoutException) else str(error) or "it hung up"
        mend = "start Metabase, or correct METABASE_URL; then run this again: it goes on where it stopped"
        return MetabaseUnreachable(f"Metabase at {self.url} cannot be reached ({what}: {reason})", mend)

    def _checked(self, what: str, answer: httpx.Response) -> Any:
        if answer.is_success:
            return _body(answer)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise MetabaseKeyWrong(
                f"Metabase at {self.url} does not know us ({_said(answer) or 'Unauthenticated'})",
                "correct METABASE_API_KEY, or METABASE_ADMIN_EMAIL and METABASE_ADMIN_PASSWORD",
            )
        if answer.status_code == httpx.codes.FORBIDDEN:
            raise MetabaseKeyWeak(
                f"Metabase at {self.url} does not let us do this ({what})",
                "give METABASE_API_KEY a key of the group Administrators",
            )
        if answer.is_redirect:
            raise MetabaseUnreachable(
                f"{self.url} leads on to {answer.headers.get('Location', 'another address')}",
                "set METABASE_URL to where Metabase itself answers",
            )
        raise MetabaseRefused(what, answer.status_code, _said(answer))


def _is_final(method: str, answer: httpx.Response) -> bool:
    """A 500 to a write is Metabase's way to refuse what its database refuses; asking again changes nothing."""
    return method != "GET" and answer.status_code == httpx.codes.INTERNAL_SERVER_ERROR and "json" in _type(answer)


def _type(answer: httpx.Response) -> str:
    return str(answer.headers.get("Content-Type", ""))


def _body(answer: httpx.Response) -> Any:
    if not answer.content:
        return None
    # Reason: Metabase sends texts bare, without quotes.
    return answer.json() if "json" in _type(answer) else answer.text


def _said(answer: httpx.Response) -> str:
    """What a refusal says: its message, or the keys that are wrong."""
    try:
        body = _body(answer)
    except ValueError:
        body = answer.text
    if isinstance(body, dict):
        body = body.get("message") or body.get("errors") or body.get("error") or body
    text = " ".join(str(body or "").split())
    return text if len(text) <= _SAID else text[:_SAID] + "…"
