#!/bin/sh
# Runs once, when the warehouse's volume is empty: Dagster's database, and nobody in a database who was not let in.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE DATABASE dagster;
-- Reason: clients get logins on this server (docs/reference/isolation.md), and every login may enter every database.
REVOKE CONNECT ON DATABASE dagster, postgres, template1 FROM PUBLIC;
SQL
