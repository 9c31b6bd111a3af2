"""Entities, activities and the record of every pull."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"

ENTITIES = (
    "accounts",
    "campaigns",
    "adsets",
    "ads",
    "adcreatives",
    "ad_studies",
    "custom_conversions",
    "pixels",
)


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS raw")
    for name in ENTITIES:
        op.execute(
            f"""
            CREATE TABLE raw.{name} (
                account_id bigint NOT NULL,
                id bigint NOT NULL,
                name text,
                status text,
                effective_status text,
                updated_time timestamptz,
                payload jsonb NOT NULL,
                pulled_at timestamptz NOT NULL,
                run_id uuid NOT NULL,
                PRIMARY KEY (account_id, id)
            )
            """
        )
    op.execute(
        """
        CREATE TABLE raw.activities (
            account_id bigint NOT NULL,
            event_time timestamptz NOT NULL,
            event_type text NOT NULL,
            object_id bigint,
            event_key text NOT NULL,
            payload jsonb NOT NULL,
            pulled_at timestamptz NOT NULL,
            run_id uuid NOT NULL,
            PRIMARY KEY (account_id, event_time, event_key)
        )
        """
    )
    op.execute(
        """
        CREATE TABLE raw.insight_revision (
            account_id bigint NOT NULL,
            report text NOT NULL,
            day date NOT NULL,
            pulled_at timestamptz NOT NULL,
            run_id uuid NOT NULL,
            source text NOT NULL,
            row_count int NOT NULL,
            impressions numeric,
            clicks numeric,
            inline_link_clicks numeric,
            spend numeric,
            action_totals jsonb,
            value_totals jsonb,
            PRIMARY KEY (account_id, report, day, pulled_at)
        )
        """
    )
