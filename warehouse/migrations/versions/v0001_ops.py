"""The platform's own state: runs, slices, jobs, usage, clients, builds."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    """
    CREATE TABLE ops.run (
        run_id uuid PRIMARY KEY,
        kind text NOT NULL,
        status text NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'partial')),
        started_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz,
        api_version text,
        arguments jsonb NOT NULL DEFAULT '{}',
        message text,
        state jsonb
    )
    """,
    """
    CREATE TABLE ops.slice (
        account_id bigint NOT NULL,
        report text NOT NULL,
        day date NOT NULL,
        run_id uuid NOT NULL,
        source text NOT NULL CHECK (source IN ('api', 'import')),
        api_version text,
        attribution_windows text[] NOT NULL,
        pulled_at timestamptz NOT NULL,
        committed_at timestamptz NOT NULL,
        row_count int NOT NULL,
        duplicate_count int NOT NULL,
        build_id bigint,
        digest bytea,
        PRIMARY KEY (account_id, report, day)
    )
    """,
    "CREATE INDEX slice_unbuilt ON ops.slice (account_id, day) WHERE build_id IS NULL",
    """
    CREATE TABLE ops.report_job (
        job_id uuid PRIMARY KEY,
        account_id bigint NOT NULL,
        report text NOT NULL,
        fingerprint text NOT NULL,
        since date NOT NULL,
        until date NOT NULL,
        entity_filter jsonb,
        state text NOT NULL
            CHECK (state IN ('intent', 'submitted', 'completed', 'read', 'split', 'failed', 'abandoned')),
        report_run_id text,
        percent int,
        created_at timestamptz NOT NULL,
        progress_at timestamptz,
        finished_at timestamptz,
        error jsonb,
        run_id uuid NOT NULL
    )
    """,
    "CREATE INDEX report_job_fingerprint ON ops.report_job (account_id, report, fingerprint, created_at)",
    """
    CREATE TABLE ops.api_usage (
        scope text NOT NULL CHECK (scope IN ('app', 'account')),
        scope_id text NOT NULL,
        usage_type text NOT NULL,
        utilisation numeric,
        regain_at timestamptz,
        tier text,
        detail jsonb NOT NULL DEFAULT '{}',
        observed_at timestamptz NOT NULL,
        PRIMARY KEY (scope, scope_id, usage_type)
    )
    """,
    """
    CREATE TABLE ops.client_account (
        account_id bigint PRIMARY KEY,
        client_id text NOT NULL,
        client_name text NOT NULL,
        account_name text,
        conversion_action text,
        value_action text,
        conversion_window text,
        goals jsonb NOT NULL DEFAULT '{}'
    )
    """,
    """
    CREATE TABLE ops.mart_build (
        build_id bigserial PRIMARY KEY,
        started_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz,
        status text NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'died')),
        slices int NOT NULL
    )
    """,
    """
    CREATE TABLE ops.build_scope (
        account_id bigint NOT NULL,
        day date NOT NULL,
        PRIMARY KEY (account_id, day)
    )
    """,
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
