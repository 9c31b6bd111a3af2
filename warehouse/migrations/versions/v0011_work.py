"""What work was done: totals that only grow, calls by hour, and what each run did for each account."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"

STATEMENTS = (
    # Rows of runs are purged; a total must never go down. Labels are those of the metric.
    """
    CREATE TABLE ops.counter (
        name text NOT NULL,
        labels jsonb NOT NULL DEFAULT '{}',
        value numeric NOT NULL CHECK (value >= 0),
        PRIMARY KEY (name, labels)
    ) WITH (fillfactor = 50)
    """,
    # scope_id is an account's digits, or 'app' for calls that concern no account: each call is counted once.
    """
    CREATE TABLE ops.api_hour (
        scope_id text NOT NULL,
        hour timestamptz NOT NULL,
        calls bigint NOT NULL,
        waits bigint NOT NULL,
        wait_seconds double precision NOT NULL,
        refusals bigint NOT NULL,
        PRIMARY KEY (scope_id, hour)
    )
    """,
    # NULL: the run ended before this was counted.
    """
    ALTER TABLE ops.run
        ADD COLUMN dagster_run text,
        ADD COLUMN slices bigint,
        ADD COLUMN rows_written bigint,
        ADD COLUMN calls bigint,
        ADD COLUMN wait_seconds double precision
    """,
    """
    CREATE TABLE ops.run_account (
        account_id bigint NOT NULL,
        run_id uuid NOT NULL REFERENCES ops.run (run_id) ON DELETE CASCADE,
        status text NOT NULL CHECK (status IN ('running', 'succeeded', 'failed')),
        started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        finished_at timestamptz,
        slices bigint NOT NULL DEFAULT 0,
        slices_unchanged bigint NOT NULL DEFAULT 0,
        rows_written bigint NOT NULL DEFAULT 0,
        calls bigint NOT NULL DEFAULT 0,
        wait_seconds double precision NOT NULL DEFAULT 0,
        problems int NOT NULL DEFAULT 0,
        PRIMARY KEY (account_id, run_id)
    )
    """,
    "CREATE INDEX run_account_run ON ops.run_account (run_id)",
    # Without these every purge would read the whole table, and every scrape all results that were ever kept.
    "CREATE INDEX run_finished ON ops.run (finished_at)",
    "CREATE INDEX quality_result_suites ON ops.quality_result (account_id, report, checked_at) WHERE expectation = '*'",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
