"""What can go wrong between us and Meta, as types.

Code that retries, splits or gives up reads the type, never a message. Only exceptions belong here; which answer
becomes which exception is decided in `ingestion.classify`.

    IngestionError
    ├── GraphError                 Meta answered with an error (or with nothing usable)
    │   ├── TransientError         the same call may succeed later
    │   │   ├── NetworkError       no answer: refused, reset, timed out
    │   │   └── ReportNotReady     a report run that cannot be seen or read yet
    │   ├── Throttled              wait; further calls make it worse
    │   ├── TooMuchData            split: by date, then by objects, then by fields
    │   │   └── PageTooLarge       first ask for smaller pages
    │   └── TerminalError          repeating will not help
    │       ├── InvalidField       one field is refused: drop it
    │       ├── InvalidCursor      restart this listing
    │       ├── RangeTooOld        clamp the start of the range
    │       ├── ObjectNotFound     no such object, or not for us
    │       ├── AccountUnavailable this account cannot be read; others can
    │       ├── CredentialError    the token is no good: stop everything that uses it
    │       └── VersionRetired     the API version is dead: configuration
    ├── ReportFailed               a report could not be had even in its smallest piece
    └── ProtocolError              an answer that contradicts the protocol
"""

from __future__ import annotations

from typing import Any

from ingestion.scrub import scrub


class IngestionError(Exception):
    """Root of everything that `ingestion` raises."""


class GraphError(IngestionError):
    """An unsuccessful call.

    Attributes:
        code: Meta's error code; None when the answer held none.
        subcode: Meta's error subcode, if any.
        http_status: None when there was no answer.
        trace_id: `fbtrace_id`, for a support case.
        account_id: The account called, digits, if any.
    """

    mend = "If it persists, look the code up in Meta's error reference."

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        subcode: int | None = None,
        http_status: int | None = None,
        trace_id: str | None = None,
        account_id: str | None = None,
        mend: str | None = None,
        body: dict[str, Any] | None = None,
    ) -> None:
        self.message = scrub(message)
        self.code = code
        self.subcode = subcode
        self.http_status = http_status
        self.trace_id = trace_id
        self.account_id = account_id
        self.body = body or {}
        if mend is not None:
            self.mend = mend
        super().__init__(self.message)

    def __str__(self) -> str:
        where = f"act_{self.account_id}: " if self.account_id else ""
        number = "" if self.code is None else f" [{self.code}{f'/{self.subcode}' if self.subcode else ''}]"
        return f"{where}{self.message}{number}. {self.mend}"


class TransientError(GraphError):
    """The same call may succeed later."""

    mend = "It is repeated by itself; if it lasts, Meta has an outage."


class NetworkError(TransientError):
    """No answer at all. `maybe_done` is True when the request may have reached Meta."""

    mend = "Check the network and META_GRAPH_URL."

    def __init__(self, message: str, *, maybe_done: bool = True, account_id: str | None = None) -> None:
        super().__init__(message, account_id=account_id)
        self.maybe_done = maybe_done


class ReportNotReady(TransientError):
    """A report run that cannot be seen or read yet."""


class Throttled(GraphError):
    """Meta asks to wait.

    Attributes:
        scope: `account`, `app`, or `object` (a budget that was changed too often).
        seconds: How long to wait; None when Meta did not say.
    """

    mend = "The platform waits by itself; a token with full access has a larger quota."

    def __init__(self, message: str, *, scope: str, seconds: float | None, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.scope = scope
        self.seconds = seconds


class TooMuchData(GraphError):
    """The request is too large in rows or time; a smaller one can succeed."""

    mend = "It is split by itself."


class PageTooLarge(TooMuchData):
    """One page is too heavy; the same listing with a smaller `limit` can succeed."""


class TerminalError(GraphError):
    """Repeating will not help."""


class InvalidField(TerminalError):
    """Meta refuses one field.

    Attributes:
        field: Its name.
    """

    mend = "It is left out with a warning; remove it from the report."

    def __init__(self, message: str, *, field: str, **rest: Any) -> None:
        super().__init__(message, **rest)
        self.field = field


class InvalidCursor(TerminalError):
    """The page cursor is no longer valid; the listing must start again."""


class RangeTooOld(TerminalError):
    """The range starts before Meta's 37 months."""

    mend = "Start the range later: Meta keeps 37 months."


class ObjectNotFound(TerminalError):
    """No such object, or the token may not see it."""

    mend = "Check the id, and that the token's user is assigned to the account."


class AccountUnavailable(TerminalError):
    """This account cannot be read with this token; the others can."""

    mend = "Grant the token ads_read on this account in Business Settings, or remove the account from clients.yml."


class CredentialError(TerminalError):
    """The token is invalid, expired or wrongly signed."""

    mend = "Create a new token and set META_ACCESS_TOKEN (docs/cookbooks/rotate-token.md)."


class VersionRetired(TerminalError):
    """The API version is no longer served."""

    mend = "Set META_API_VERSION to a live version (v26.0)."


class ReportFailed(IngestionError):
    """A report could not be had, even in its smallest piece."""


class ProtocolError(IngestionError):
    """An answer that contradicts the protocol, e.g. a row outside the range that was asked."""
