"""One client for Meta's Graph API, on the official SDK's session and API objects.

Making a call belongs here: pacing, time-out, repeating what is transient, waiting when throttled, typed errors,
no token in any text. What is asked (reports, entities) does not; nor does what an error means (`ingestion.classify`).

Why the SDK's `call` is replaced (fact sheet, section 9): it takes a 500 with a body for success, never times out,
parses slowly, repeats nothing, reads no usage header, and a proxy's HTML page breaks it in six different ways.
"""

from __future__ import annotations

import http
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import orjson
import requests
from facebook_business.api import FacebookAdsApi, FacebookResponse
from facebook_business.session import FacebookSession
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from ingestion.budget import CallBudget
from ingestion.classify import classify, error_in
from ingestion.clock import Clock, SystemClock
from ingestion.errors import GraphError, NetworkError, Throttled, TransientError
from ingestion.scrub import scrub

log = logging.getLogger(__name__)

API_VERSION = "v26.0"
ACCEPTED_VERSIONS = ("v26.0", "v25.0")


@dataclass(frozen=True)
class Answer:
    """A raw HTTP answer."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Transport(Protocol):
    """The network, as a seam: tests swap it and never patch it."""

    def request(self, method: str, url: str, params: Mapping[str, Any], timeout: float) -> Answer:
        """Sends one request; parameters go into the query for GET and DELETE, else into a form body.

        Raises:
            NetworkError: There was no answer.
        """

    def close(self) -> None:
        """Lets connections go."""


class SdkTransport:
    """Requests through the SDK's `FacebookSession`: it carries the token, the proof and Meta's certificates.

    A request has a session to itself, because a `requests` session is not promised to be thread-safe; idle sessions are
    used again, so that there are never more connections than there were calls at once.
    """

    def __init__(self, graph_url: str, access_token: str, app_id: str | None, app_secret: str | None) -> None:
        self.graph_url = graph_url.rstrip("/")
        self._new_session = partial(self._session, access_token, app_id, app_secret)
        self.session = self._new_session()
        self._idle: deque[FacebookSession] = deque([self.session])

    def request(self, method: str, url: str, params: Mapping[str, Any], timeout: float) -> Answer:
        """See `Transport.request`."""
        in_query = method in ("GET", "DELETE")
        try:
            session = self._idle.pop()
        except IndexError:
            session = self._new_session()
        try:
            response = session.requests.request(
                method,
                url,
                params=params if in_query else None,
                data=None if in_query else params,
                headers=FacebookAdsApi.HTTP_DEFAULT_HEADERS,
                timeout=(min(10.0, timeout), timeout),
            )
            content = response.content
        except requests.RequestException as problem:
            # Reason: the text and the chain of these exceptions hold the full URL with the token in it.
            refused = isinstance(problem, requests.ConnectTimeout) or "refused" in str(problem)
            text = f"{type(problem).__name__} at {self.graph_url}: {scrub(_innermost(problem))}"
            raise NetworkError(text, maybe_done=not refused) from None
        finally:
            self._idle.append(session)
        return Answer(response.status_code, response.headers, content)

    def close(self) -> None:
        """Closes idle connections."""
        while self._idle:
            self._idle.pop().requests.close()

    def _session(self, access_token: str, app_id: str | None, app_secret: str | None) -> FacebookSession:
        session = FacebookSession(app_id, app_secret, access_token)
        session.GRAPH = self.graph_url  # Reason: on the instance; the class attribute would cross clients.
        return session


def _innermost(problem: BaseException) -> str:
    while (cause := problem.__cause__ or problem.__context__) is not None:
        problem = cause
    return str(problem)


@dataclass(frozen=True)
class CallPolicy:
    """How patient one call is.

    Attributes:
        timeout_seconds: For an answer to come.
        attempts: Tries of a transient failure.
        longest_pause_seconds: Between two tries; the pauses grow exponentially, with jitter.
        throttle_patience_seconds: How long in all a call may wait for the quota before it gives up.
    """

    timeout_seconds: float = 120.0
    attempts: int = 7
    longest_pause_seconds: float = 60.0
    throttle_patience_seconds: float = 6 * 3600.0


class GraphResponse(FacebookResponse):  # type: ignore[misc]
    """An SDK response over raw bytes, parsed once with orjson, so that SDK objects work on this client."""

    def __init__(self, answer: Answer, parsed: Any) -> None:
        super().__init__(http_status=answer.status, headers=answer.headers)
        self._content = answer.content
        self._parsed = parsed

    def body(self) -> str:
        """The body as text."""
        return self._content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The parsed body."""
        return self._parsed

    def is_success(self) -> bool:
        """Always True: failures are raised before."""
        return True


class GraphClient(FacebookAdsApi):  # type: ignore[misc]
    """Calls Meta with one access token. Thread-safe; SDK objects accept it as their `api`.

    Never registers itself as the SDK's default API and never enables the SDK's crash reporter.

    Args:
        transport: The network.
        graph_url: E.g. `https://graph.facebook.com`, or a simulator's.
        api_version: `v26.0` or `v25.0`.
        budget: Shared by everything that uses the same token.
        clock: Where time comes from.
        policy: Patience.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        graph_url: str,
        api_version: str = API_VERSION,
        budget: CallBudget | None = None,
        clock: Clock | None = None,
        policy: CallPolicy | None = None,
    ) -> None:
        # Reason: SDK objects ask their api for a session's host; a swapped transport has none of its own.
        session = transport.session if isinstance(transport, SdkTransport) else FacebookSession(access_token="-")  # noqa: S106
        super().__init__(session, api_version)
        self.transport = transport
        self.graph_url = graph_url.rstrip("/")
        self.api_version = api_version
        self.clock = clock or SystemClock()
        self.budget = budget or CallBudget(self.clock)
        self.policy = policy or CallPolicy()
        self.calls = 0
        self._count = threading.Lock()

    @classmethod
    def connect(
        cls,
        access_token: str,
        *,
        graph_url: str = FacebookSession.GRAPH,
        app_id: str | None = None,
        app_secret: str | None = None,
        **rest: Any,
    ) -> GraphClient:
        """A client over the SDK's own session. `rest` as in the constructor."""
        transport = SdkTransport(graph_url, access_token, app_id, app_secret)
        return cls(transport, graph_url=graph_url, **rest)

    def get(
        self, path: str, params: Mapping[str, Any] | None = None, account_id: str | None = None, points: int = 1
    ) -> Any:
        """GET, repeated while that helps; returns the parsed body.

        Args:
            path: Without version, e.g. `act_1/insights`.
            params: Lists and objects are sent as JSON.
            account_id: Whose quota it uses, digits.
            points: What it costs of the quota.

        Raises:
            GraphError: One of its subclasses; see `ingestion.errors`.
        """
        return self._repeat("GET", path, params, account_id, points)

    def get_page(self, path: str, params: Mapping[str, Any], account_id: str | None) -> bytes:
        """GET of one page of a listing, as bytes: parsing a page of rows is left to whoever wants its rows.

        Raises:
            GraphError: One of its subclasses.
        """
        encoded = _encode(params)
        attempt = lambda: self._once("GET", self._url(path), encoded, account_id, 1, rows=True)  # noqa: E731
        return self._patiently(attempt, account_id, repeat=True)[0].content

    def post(
        self, path: str, params: Mapping[str, Any], account_id: str | None = None, *, repeat: bool, points: int = 3
    ) -> Any:
        """POST; returns the parsed body.

        Args:
            path: Without version.
            params: Sent as a form; lists and objects as JSON.
            account_id: Whose quota it uses, digits.
            repeat: Whether an unanswered request may be sent again. False for anything that spends or changes money.
            points: What it costs of the quota: 3 a write, 1 for a report run.

        Raises:
            GraphError: One of its subclasses.
        """
        if repeat:
            return self._repeat("POST", path, params, account_id, points)
        return self._once("POST", self._url(path), _encode(params), account_id, points)[1]

    def call(
        self,
        method: str,
        path: str | Sequence[str],
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,  # noqa: ARG002 - the SDK's signature
        files: Mapping[str, Any] | None = None,
        url_override: str | None = None,  # noqa: ARG002 - the host is a setting of the client
        api_version: str | None = None,  # noqa: ARG002 - so is the version
    ) -> GraphResponse:
        """What SDK objects call. Paced and typed like `get` and `post`; reads are repeated, writes are not.

        Raises:
            GraphError: One of its subclasses, instead of the SDK's FacebookRequestError.
        """
        if files:
            raise ValueError("Uploading files is not supported by this client.")
        joined = path if isinstance(path, str) else "/".join(map(str, path))
        url = joined if joined.startswith("http") else self._url(joined)
        account_id = _account_in(joined)
        points = 1 if method == "GET" else 3
        attempt = lambda: self._once(method, url, _encode(params or {}), account_id, points)  # noqa: E731
        answer, parsed = self._patiently(attempt, account_id, repeat=method == "GET")
        return GraphResponse(answer, parsed)

    def close(self) -> None:
        """Closes connections, and has the budget write down what it counted."""
        self.transport.close()
        self.budget.counts.write()

    def _url(self, path: str) -> str:
        return f"{self.graph_url}/{self.api_version}/{path.lstrip('/')}"

    def _repeat(
        self, method: str, path: str, params: Mapping[str, Any] | None, account_id: str | None, points: int
    ) -> Any:
        encoded = _encode(params or {})
        attempt = lambda: self._once(method, self._url(path), encoded, account_id, points)  # noqa: E731
        return self._patiently(attempt, account_id, repeat=True)[1]

    def _patiently(
        self, attempt: Callable[[], tuple[Answer, Any]], account_id: str | None, *, repeat: bool
    ) -> tuple[Answer, Any]:
        """Repeats transient failures with growing pauses, and waits out throttles (they count as no attempt)."""
        policy = self.policy
        deadline = self.clock.now() + policy.throttle_patience_seconds

        def unthrottled() -> tuple[Answer, Any]:
            while True:
                try:
                    return attempt()
                except Throttled as throttle:
                    if throttle.scope == "object" or not repeat:
                        raise
                    seconds = self.budget.refused(account_id, throttle)
                    log.warning("act_%s: throttled for %.0f s: %s", account_id, seconds, throttle.message)
                    if self.clock.now() + seconds > deadline:
                        raise

        if not repeat:
            return unthrottled()
        retrying = Retrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(policy.attempts),
            wait=wait_random_exponential(multiplier=0.5, max=policy.longest_pause_seconds),
            sleep=self.clock.sleep,
            reraise=True,
        )
        return retrying(unthrottled)

    def _once(
        self, method: str, url: str, params: Mapping[str, Any], account_id: str | None, points: int, rows: bool = False
    ) -> tuple[Answer, Any]:
        """One request: paced, observed, classified. With `rows`, an answer that is plainly a page is not parsed."""
        self.clock.sleep(0)  # Reason: ends here after a stop, and not only when something has to wait.
        with self.budget.call(account_id, points) as call:
            with self._count:
                self.calls += 1
            try:
                answer = self.transport.request(method, url, params, self.policy.timeout_seconds)
            except NetworkError as problem:
                problem.account_id = account_id
                raise
            call.headers = answer.headers
            parsed = None
            if not (rows and _is_page(answer)):
                parsed = _parse(answer)
                error = error_in(answer.status, parsed)
                if error is not None:
                    raise classify(answer.status, error, answer.headers, account_id)
            call.succeeded = True
        return answer, parsed


def _is_page(answer: Answer) -> bool:
    """Whether an answer begins and ends like a page of rows; an error has another first key."""
    return (
        answer.status == http.HTTPStatus.OK and answer.content.startswith(b'{"data":[') and answer.content[-1:] == b"}"
    )


def _parse(answer: Answer) -> Any:
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        if answer.status == http.HTTPStatus.OK and not answer.content:
            return None
        return None


def _encode(params: Mapping[str, Any]) -> dict[str, str]:
    """Lists and objects as compact JSON, booleans as `true`/`false`, everything else as text."""
    encoded = {}
    for name, value in params.items():
        if value is None:
            continue
        if isinstance(value, bool):
            encoded[name] = "true" if value else "false"
        elif isinstance(value, (list, tuple, dict)):
            encoded[name] = orjson.dumps(value).decode()
        else:
            encoded[name] = str(value)
    return encoded


def _account_in(path: str) -> str | None:
    for part in path.split("/"):
        if part.startswith("act_"):
            return part.removeprefix("act_")
    return None


def describe(error: GraphError) -> dict[str, Any]:
    """The error as plain data for `ops` rows and logs: type, code, subcode, message, mend, trace id."""
    return {
        "type": type(error).__name__,
        "code": error.code,
        "subcode": error.subcode,
        "message": error.message,
        "mend": error.mend,
        "trace_id": error.trace_id,
    }
