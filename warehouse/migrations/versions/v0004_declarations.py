"""What people declare beside accounts: experiments, metrics of their own, exchange rates."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    # account_id is the control arm's: the account leads every key, also where arms lie in several accounts.
    """
    CREATE TABLE ops.experiment (
        account_id bigint NOT NULL,
        experiment_id text NOT NULL,
        client_id text NOT NULL,
        name text NOT NULL,
        study_id bigint,
        metric text NOT NULL,
        minimum_effect numeric NOT NULL,
        since date,
        until date,
        hypothesis text,
        place text NOT NULL,
        problem text,
        PRIMARY KEY (account_id, experiment_id)
    )
    """,
    """
    CREATE TABLE ops.experiment_arm (
        account_id bigint NOT NULL,
        experiment_id text NOT NULL,
        arm_id text NOT NULL,
        position int NOT NULL,
        name text NOT NULL,
        is_control boolean NOT NULL,
        arm_account_id bigint NOT NULL,
        level text NOT NULL CHECK (level IN ('campaign', 'ad_set', 'ad')),
        objects jsonb NOT NULL,
        PRIMARY KEY (account_id, experiment_id, arm_id)
    )
    """,
    """
    CREATE TABLE ops.custom_metric (
        account_id bigint NOT NULL,
        metric text NOT NULL,
        label text NOT NULL,
        numerator text NOT NULL,
        denominator text NOT NULL,
        multiplier numeric NOT NULL DEFAULT 1,
        format text NOT NULL CHECK (format IN ('number', 'percent', 'money', 'ratio')),
        is_lower_better boolean NOT NULL DEFAULT false,
        place text NOT NULL,
        problem text,
        PRIMARY KEY (account_id, metric)
    )
    """,
    """
    CREATE TABLE ops.exchange_rate (
        target_currency text NOT NULL,
        currency text NOT NULL,
        day date NOT NULL,
        rate numeric NOT NULL CHECK (rate > 0),
        PRIMARY KEY (target_currency, currency, day)
    )
    """,
    "ALTER TABLE ops.client_account ADD COLUMN reporting_currency text",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
