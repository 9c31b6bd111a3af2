"""Everything `warehouse` raises, in one tree, and the translation of database errors into it.

What belongs here: exception classes and the mapping from SQLSTATE codes. What does not: retrying (that is
decided by whoever calls, from `TransientError` and `TerminalError`).

    WarehouseError
    ├── TransientError: the same call may succeed later without anybody doing anything
    │   ├── DatabaseUnavailable: no server, it is starting, stopping, or it hung up
    │   ├── Contention: deadlock, serialisation failure, lock timeout
    │   ├── BuildInProgress: another process is building the marts
    │   └── DeliveryChanged: another process changed what became of a report
    └── TerminalError: somebody or something must change first
        ├── InvalidUrl: the warehouse URL cannot be read
        ├── DiskFull: the server has no room left
        ├── ServerLimit: memory or a configured limit of the server is exhausted
        ├── PermissionDenied: the role may not do this
        ├── SchemaOutdated: the schema is not the one this code was written for
        ├── SliceRejected: a row of a slice contradicts the slice; nothing was written
        ├── SlicesRejected: some of many slices were rejected; the others were written
        ├── RowRejected: an entity, activity or client row cannot be stored; nothing was written
        ├── BuildLost: the build was declared dead by another process
        ├── FenceOpen: a role of a client could do more than read its views; it got no login
        ├── ClientSchemasFailed: some clients' schemas could not be brought up to date; the others were
        ├── EmbeddedServerError: the embedded server cannot be installed, started or stopped
        └── StatementFailed: any other complaint of the database
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date

import psycopg

MIGRATE_COMMAND = "meta-ads migrate"
"""The command line that brings the schema up to date; named in messages."""

_SHOWN_VALUE_LENGTH = 120


class WarehouseError(Exception):
    """Root of everything `warehouse` raises on purpose."""


class TransientError(WarehouseError):
    """The same call may succeed later without a change to data, code or configuration."""


class TerminalError(WarehouseError):
    """Repeating the call gives the same error until somebody mends the cause."""


class DatabaseUnavailable(TransientError):
    """The server cannot be reached, refuses connections for now, or closed the connection."""


class Contention(TransientError):
    """The transaction lost against a concurrent one (deadlock, serialisation failure, lock timeout)."""


class BuildInProgress(TransientError):
    """Another living process is building the marts."""


class DeliveryChanged(TransientError):
    """Another process changed what became of a report since it was read; whoever meets this has lost its turn."""


class InvalidUrl(TerminalError):
    """The warehouse URL cannot be read. Messages never quote it, because a broken URL may hold a password anywhere."""


class DiskFull(TerminalError):
    """The server's disk is full. The transaction was rolled back: what was stored before is still there."""


class ServerLimit(TerminalError):
    """The server ran out of memory or into one of its configured limits."""


class PermissionDenied(TerminalError):
    """The role lacks a privilege."""


class SchemaOutdated(TerminalError):
    """The schema is older or newer than this code expects.

    Attributes:
        current: Revision found in the database; None where no migration was ever applied.
        expected: Revision that this code was written for.
    """

    def __init__(self, message: str, *, current: str | None = None, expected: str | None = None) -> None:
        super().__init__(message)
        self.current = current
        self.expected = expected


class SliceRejected(TerminalError):
    """A row contradicts the slice it came in, or cannot be stored. The slice stored before is untouched.

    Attributes:
        account_id: Account of the slice.
        report: Report of the slice.
        day: Day of the slice.
        column: Column (or key of the row) at fault.
        value: The offending value, shortened.
        row_number: Which row, counted from 1; None where it is not known.
    """

    def __init__(
        self,
        *,
        account_id: int,
        report: str,
        day: date,
        column: str,
        value: object,
        reason: str,
        mend: str,
        row_number: int | None = None,
    ) -> None:
        shown = value if isinstance(value, str) else repr(value)
        if len(shown) > _SHOWN_VALUE_LENGTH:
            shown = shown[:_SHOWN_VALUE_LENGTH] + "…"
        where = f"account {account_id}, report {report}, day {day}"
        if row_number is not None:
            where += f", row {row_number}"
        super().__init__(f"Slice rejected ({where}): {column} = {shown!r}: {reason}. To mend: {mend}")
        self.account_id = account_id
        self.report = report
        self.day = day
        self.column = column
        self.value = shown
        self.row_number = row_number


class SlicesRejected(TerminalError):
    """Some slices of a series were rejected. All others were committed.

    Attributes:
        rejections: One `SliceRejected` per rejected slice, in order.
    """

    def __init__(self, rejections: Sequence[SliceRejected]) -> None:
        super().__init__(f"{len(rejections)} slices rejected; the first: {rejections[0]}")
        self.rejections = tuple(rejections)


class RowRejected(TerminalError):
    """A row of an entity, an activity or a client cannot be stored; nothing of its call was written."""


class BuildLost(TerminalError):
    """The build is no longer the running one: its process was thought dead, and its marks were taken back."""


class FenceOpen(TerminalError):
    """A role that belongs to the fence between clients may do more than it should. Nothing was changed."""


class ClientSchemasFailed(TerminalError):
    """The schemas of some clients could not be brought up to date; the message names each with its mend."""


class EmbeddedServerError(TerminalError):
    """The embedded PostgreSQL cannot be installed, started or stopped."""


class StatementFailed(TerminalError):
    """The database refused a statement for a reason with no class of its own.

    Attributes:
        sqlstate: The five-character code, or None.
    """

    def __init__(self, message: str, *, sqlstate: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate


_UNAVAILABLE = {"57P01", "57P02", "57P03", "57P05", "53300"}
_CONTENTION = {"40001", "40P01", "55P03"}
_MISSING_OBJECT = {"42P01", "3F000", "42703"}


def from_database_error(error: psycopg.Error) -> WarehouseError:
    """The `WarehouseError` that says what a psycopg error means for the caller.

    Codes are those of PostgreSQL's appendix "PostgreSQL Error Codes".
    """
    state = error.sqlstate
    text = str(error).strip()
    if state is None or state.startswith("08") or state in _UNAVAILABLE:
        if isinstance(error, psycopg.ProgrammingError | psycopg.DataError | psycopg.NotSupportedError):
            return StatementFailed(f"psycopg: {text}", sqlstate=state)
        if "No space left on device" in text:  # Reason: a full disk under the WAL ends the session without a code
            return _disk_full(text)
        return DatabaseUnavailable(f"The database is not available: {text}")
    if state in _CONTENTION:
        return Contention(f"The transaction lost against a concurrent one: {text}")
    if state == "53100" or "No space left on device" in text:
        return _disk_full(text)
    if state.startswith(("53", "54")):
        return ServerLimit(f"The server ran into a limit (SQLSTATE {state}): {text}")
    if state == "42501":
        return PermissionDenied(f"The role may not do this: {text}")
    if state in _MISSING_OBJECT:
        return SchemaOutdated(f"The schema lacks something: {text}. To mend: run `{MIGRATE_COMMAND}`.")
    return StatementFailed(f"The database refused the statement (SQLSTATE {state}): {text}", sqlstate=state)


def _disk_full(text: str) -> DiskFull:
    return DiskFull(
        f"The server's disk is full; nothing of this transaction was stored: {text}. "
        "To mend: free space or shorten retention, then run again."
    )


@contextmanager
def translated() -> Iterator[None]:
    """Turns psycopg errors raised inside the block into `WarehouseError`s."""
    try:
        yield
    except psycopg.Error as error:
        raise from_database_error(error) from error
