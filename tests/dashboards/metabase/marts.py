"""A small schema `marts` with every mart of the dbt project, made from its files without running dbt, and a client's.

Rows are the same each time: three accounts, forty days, five objects each. What columns hold follows from their names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict
from ruamel.yaml import YAML

from dashboards.answers import Catalog

MODELS = Path(__file__).parents[3] / "dbt_project" / "models" / "marts"
TODAY = date(2026, 11, 20)
# Reason: roles belong to the server, where other tests have an agency and an Acme of their own.
AGENCY, ACME = "fake_agency", "fake_acme"
_ROWS = 600
_VALUES = {
    "text": "'{name} ' || (i / 3 % 5)",
    "bigint": "(i * 37 % 1000)",
    "integer": "(i * 37 % 100)",
    "smallint": "(i % 7)",
    "numeric": "(i * 37 % 1000 + 1) / 4.0",
    "double precision": "(i * 37 % 1000 + 1) / 8.0",
    "boolean": "i % 5 <> 0",
    "date": "date '2026-11-20' - (i / 15)::integer",
    "timestamptz": "timestamptz '2026-11-20 06:00+00' - make_interval(hours => i::integer)",
}
_BY_NAME = {
    "account_id": "1 + i % 3",
    "account_name": "'Account ' || (1 + i % 3)",
    "client_id": "CASE i % 3 WHEN 0 THEN 'acme' ELSE 'other' END",
    "client_name": "CASE i % 3 WHEN 0 THEN 'Acme' ELSE 'Other' END",
    "currency": "CASE i % 3 WHEN 2 THEN 'USD' ELSE 'EUR' END",
    "reporting_currency": "'EUR'",
    "time_zone": "CASE i % 3 WHEN 0 THEN 'Europe/Berlin' ELSE 'America/New_York' END",
    "campaign_id": "100 + i / 3 % 5",
    "ad_set_id": "200 + i / 3 % 5",
    "ad_id": "300 + i / 3 % 5",
    "campaign_name": "'Campaign ' || (i / 3 % 5)",
    "ad_set_name": "'Ad set ' || (i / 3 % 5)",
    "ad_name": "'Ad ' || (i / 3 % 5)",
    "objective": "CASE i / 3 % 5 WHEN 0 THEN 'SALES' ELSE 'LEADS' END",
}


@cache
def declared() -> dict[str, dict[str, str]]:
    """Types of columns by mart, as the dbt project declares them."""
    found: dict[str, dict[str, str]] = {}
    for path in sorted(MODELS.rglob("*.yml")):
        for model in (YAML(typ="safe").load(path) or {}).get("models") or []:
            columns = {c["name"]: c["data_type"] for c in model.get("columns") or [] if "data_type" in c}
            found[model["name"]] = columns
    return found


def catalog() -> Catalog:
    return Catalog(declared())


@dataclass
class Marts:
    """The warehouse: its libpq URL and its name."""

    url: str

    @property
    def name(self) -> str:
        return str(conninfo_to_dict(self.url)["dbname"])

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def fill(self, *only: str) -> None:
        """Makes the marts, or only those that are named."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            for role in (AGENCY, ACME):
                connection.execute(
                    f"DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"  # type: ignore[arg-type]
                )
            connection.execute(";".join(_statements(only)))  # type: ignore[arg-type]


def _statements(only: tuple[str, ...]) -> list[str]:
    made = ["CREATE SCHEMA marts", "CREATE SCHEMA client_acme"]
    for table, columns in declared().items():
        if only and table not in only:
            continue
        listed = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        made.append(f"CREATE TABLE marts.{table} ({listed})")
        where = ""
        if table.startswith("dim_") and "account_id" in columns and "valid_from" not in columns:
            # Reason: dimensions have a row for each object, not one for each day.
            where = " WHERE i < 3" if table == "dim_account" else " WHERE i < 15"
        if table == "dim_day":
            values = ", ".join(_VALUES[kind].format(name=n) if n != "day" else "d" for n, kind in columns.items())
            days = "generate_series(date '2026-01-01', date '2026-12-31', '1 day') WITH ORDINALITY AS g (d, i)"
            made.append(f"INSERT INTO marts.dim_day SELECT {values} FROM {days}")
        else:
            values = ", ".join(_value(name, kind) for name, kind in columns.items())
            made.append(
                f"INSERT INTO marts.{table} SELECT {values} FROM generate_series(0, {_ROWS - 1}) AS g (i){where}"
            )
        if "account_id" in columns or table == "dim_day":
            condition = " WHERE account_id = 1" if "account_id" in columns else ""
            made.append(f"CREATE VIEW client_acme.{table} AS SELECT * FROM marts.{table}{condition}")
    made += [
        f"GRANT USAGE ON SCHEMA marts TO {AGENCY}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA marts TO {AGENCY}",
        f"GRANT USAGE ON SCHEMA client_acme TO {ACME}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA client_acme TO {ACME}",
    ]
    return made


def _value(name: str, kind: str) -> str:
    if name in _BY_NAME:
        return f"({_BY_NAME[name]})::{kind}"
    return _VALUES[kind].format(name=name) if kind in _VALUES else "NULL"
