"""What a run did, account by account (`ops.run_account`), summed up in `ops.run` and in the totals.

What belongs here: writing it down while the run goes on, so that a process that dies loses only its last report. What
does not: how the run itself ends (`warehouse.ops.runs`).
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from warehouse.connect import Warehouse
from warehouse.ops import counters

_BEGIN = """
    INSERT INTO ops.run_account (account_id, run_id, status) VALUES (%s, %s, 'running')
    ON CONFLICT (account_id, run_id) DO UPDATE SET status = 'running', finished_at = NULL
"""
_ADD_TO_ACCOUNT = """
    UPDATE ops.run_account SET
        slices = slices + %(slices)s,
        slices_unchanged = slices_unchanged + %(unchanged)s,
        rows_written = rows_written + %(rows)s,
        calls = calls + %(calls)s,
        wait_seconds = wait_seconds + %(wait_seconds)s
    WHERE account_id = %(account_id)s AND run_id = %(run_id)s
"""
_ADD_TO_RUN = """
    UPDATE ops.run SET
        slices = coalesce(slices, 0) + %(slices)s,
        rows_written = coalesce(rows_written, 0) + %(rows)s,
        calls = coalesce(calls, 0) + %(calls)s,
        wait_seconds = coalesce(wait_seconds, 0) + %(wait_seconds)s
    WHERE run_id = %(run_id)s
"""
_FINISH = """
    UPDATE ops.run_account SET status = %s, finished_at = clock_timestamp(), problems = %s
    WHERE account_id = %s AND run_id = %s
"""
_DAGSTER_RUN = "UPDATE ops.run SET dagster_run = %s WHERE run_id = %s"


@dataclass(frozen=True)
class Work:
    """Work that was done since it was last written down.

    Attributes:
        report: Of the slices; None where there are none.
        slices: Slices written or confirmed.
        unchanged: Of these, how many held the same rows before.
        rows: Rows in them.
        calls: Calls to Meta.
        wait_seconds: Waited for Meta's quota, summed over everything that waited at once.
    """

    report: str | None = None
    slices: int = 0
    unchanged: int = 0
    rows: int = 0
    calls: int = 0
    wait_seconds: float = 0.0


def begin_account(warehouse: Warehouse, run_id: UUID, account_id: int) -> None:
    """Notes that a run works on an account; a continued run adds to what it did before."""
    with warehouse.connection() as connection:
        connection.execute(_BEGIN, [account_id, run_id])


def add_work(warehouse: Warehouse, run_id: UUID, account_id: int | None, work: Work) -> None:
    """Adds work to an account of a run, to the run, and to the totals, in one transaction.

    Args:
        warehouse: Migrated.
        run_id: The run.
        account_id: Whose; None for calls that concern no account.
        work: What was done.
    """
    values = {
        "run_id": run_id,
        "account_id": account_id,
        "slices": work.slices,
        "unchanged": work.unchanged,
        "rows": work.rows,
        "calls": work.calls,
        "wait_seconds": work.wait_seconds,
    }
    with warehouse.connection() as connection, connection.transaction():
        if account_id is not None:
            connection.execute(_ADD_TO_ACCOUNT, values)
        connection.execute(_ADD_TO_RUN, values)
        if work.report is not None:
            report = (("report", work.report),)
            counters.add(connection, {(counters.SLICES, report): work.slices, (counters.ROWS, report): work.rows})


def finish_account(warehouse: Warehouse, run_id: UUID, account_id: int, problems: int) -> None:
    """Notes that a run is done with an account, and how many of its parts failed."""
    with warehouse.connection() as connection:
        connection.execute(_FINISH, ["failed" if problems else "succeeded", problems, account_id, run_id])


def set_dagster_run(warehouse: Warehouse, run_id: UUID, dagster_run: str) -> None:
    """Notes which run of Dagster a run belongs to."""
    with warehouse.connection() as connection:
        connection.execute(_DAGSTER_RUN, [dagster_run, run_id])
