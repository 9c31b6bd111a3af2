"""A small warehouse behind the stand-in: two schemas, a role that sees one of them, keys, comments, a view."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.databases import Databases
from tests.metabase.client import Metabase

ROLE, PASSWORD = "mb_tests", "s3cret-of-the-role"
_SCHEMA = f"""
CREATE SCHEMA marts;
CREATE SCHEMA client_acme;
CREATE SCHEMA hidden;
CREATE TABLE marts.dim_campaign (campaign_id bigint PRIMARY KEY, name text NOT NULL, objective text);
COMMENT ON TABLE marts.dim_campaign IS 'Campaigns as they are now';
COMMENT ON COLUMN marts.dim_campaign.name IS 'As in Ads Manager';
CREATE TABLE marts.fct_ad_daily (
  day date NOT NULL, campaign_id bigint NOT NULL REFERENCES marts.dim_campaign, country text, spend numeric(12, 2),
  clicks integer, is_final boolean, loaded_at timestamptz, updated timestamp, ref uuid, extra jsonb
);
INSERT INTO marts.dim_campaign VALUES (1, 'Spring_1', 'sales'), (2, 'Summer 100%', 'sales'), (3, 'O''Neil', 'leads');
INSERT INTO marts.fct_ad_daily
SELECT d::date, c, CASE c WHEN 1 THEN 'DE' WHEN 2 THEN 'FR' END, c * 10.25, c, d < '2026-11-01',
  d + interval '13 hours', d + interval '13 hours', ('00000000-0000-0000-0000-00000000000' || c)::uuid,
  '{{"a": 1}}'
FROM generate_series(timestamp '2026-10-01', '2026-11-20', '1 day') AS d, generate_series(1, 3) AS c;
CREATE VIEW client_acme.fct AS SELECT * FROM marts.fct_ad_daily WHERE campaign_id = 1;
CREATE TABLE hidden.secrets (id integer);
GRANT USAGE ON SCHEMA marts, client_acme TO {ROLE};
GRANT SELECT ON ALL TABLES IN SCHEMA marts, client_acme TO {ROLE};
"""


@dataclass
class Sample:
    """The warehouse: its libpq URL and its name."""

    url: str
    name: str

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)

    def details(self, **changes: Any) -> dict[str, Any]:
        return {"host": "db", "port": 5432, "dbname": self.name, "user": ROLE, "password": PASSWORD} | changes

    def body(self, name: str = "ads", **changes: Any) -> dict[str, Any]:
        return {"name": name, "engine": "postgres", "details": self.details(**changes)}


@pytest.fixture(scope="module")
def sample(databases: Databases) -> Iterator[Sample]:
    with databases.fresh("plain", migrated=False) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(
                f"DO $$ BEGIN CREATE ROLE {ROLE} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
            )
            connection.execute(_SCHEMA)
        yield Sample(url, str(conninfo_to_dict(url)["dbname"]))


@pytest.fixture
def ready(metabase: Metabase, sample: Sample) -> Metabase:
    """Set up, with the sample behind the host `db` and a clock at noon of 2026-11-20."""
    metabase.options(databases={"db": sample.url}, now="2026-11-20T12:00:00")
    return metabase.set_up()


@pytest.fixture
def connected(ready: Metabase, sample: Sample) -> int:
    """The id of the sample as a database, synced."""
    database = int(ready.post("database", sample.body())["id"])
    wait_for_sync(ready, database)
    return database


def wait_for_sync(metabase: Metabase, database: int) -> None:
    deadline = time.monotonic() + 20
    while metabase.get(f"database/{database}")["initial_sync_status"] == "incomplete":
        assert time.monotonic() < deadline, "the sync did not end"
        time.sleep(0.01)


Fields = dict[tuple[str, str, str], dict[str, Any]]


def fields_of(metabase: Metabase, database: int) -> Fields:
    """Fields by schema, table and column."""
    return {
        (table["schema"], table["name"], field["name"]): field
        for table in metabase.get(f"database/{database}/metadata")["tables"]
        for field in table["fields"]
    }


@pytest.fixture
def fields(ready: Metabase, connected: int) -> Fields:
    return fields_of(ready, connected)


def eventually(what: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
