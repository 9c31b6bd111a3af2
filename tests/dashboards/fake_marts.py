"""All marts as plain tables with a few hundred rows of invented numbers: for cards that have to run, without dbt.

What belongs here: tables with the columns that dbt's contracts declare, and rows that join. What does not: numbers that
mean something (the tests of `dbt_project` have those).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from ruamel.yaml import YAML

from dashboards.answers import Catalog
from dashboards.library import load

MODELS = Path(__file__).parents[2] / "dbt_project" / "models" / "marts"
EVIL = '<script>window.wasRun = true</script><img src=x onerror="window.wasRun = true"> & "sale"'
DAYS = 70


@dataclass(frozen=True)
class Thing:
    """An account, campaign, ad set or ad with what lies above it, by column."""

    columns: dict[str, Any]

    @cached_property
    def seed(self) -> str:
        """Tells it from others."""
        return str([self.columns.get(name) for name in ("account_id", "campaign_id", "ad_set_id", "ad_id")])


@lru_cache(maxsize=1)
def tables() -> dict[str, dict[str, str]]:
    """Types of columns by mart, as dbt's contracts declare them."""
    yaml = YAML(typ="safe")
    found: dict[str, dict[str, str]] = {}
    for path in sorted(MODELS.rglob("*.yml")):
        for model in (yaml.load(path) or {}).get("models", []):
            columns = {one["name"]: one["data_type"] for one in model.get("columns", []) if "data_type" in one}
            if columns:
                found[model["name"]] = columns
    return found


def catalog() -> Catalog:
    """The same for the linter."""
    return Catalog(tables())


def make(url: str, today: date, schema: str = "marts", accounts: int = 3) -> None:
    """Makes all of them in a database, and fills those that a card reads.

    Args:
        url: Of the database.
        today: The last of their days is the one before.
        schema: Where.
        accounts: How many of the three accounts, of two clients and two currencies.
    """
    library = load()
    cards = [*library.context, *(placed for one in library.dashboards.values() for placed in one.cards)]
    read = {name for placed in cards for name in re.findall(r"\bmarts\.(\w+)", placed.sql)}
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(schema)))
        for table, columns in tables().items():
            typed = [sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in columns.items()]  # type: ignore[arg-type]
            name = sql.Identifier(schema, table)
            connection.execute(sql.SQL("CREATE TABLE {} ({})").format(name, sql.SQL(", ").join(typed)))
            if table not in read:
                continue  # Reason: the rows of all marts take twenty seconds.
            names = sql.SQL(", ").join(map(sql.Identifier, columns))
            with connection.cursor().copy(sql.SQL("COPY {} ({}) FROM STDIN").format(name, names)) as copy:
                for row in _rows(table, columns, today, accounts):
                    copy.write_row(row)


def _rows(table: str, columns: dict[str, str], today: date, accounts: int) -> Iterator[list[Any]]:
    if "account_id" not in columns:
        things = [Thing({})]
    elif "ad_id" in columns:
        things = list(_things(4, accounts))
    elif "ad_set_id" in columns:
        things = list(_things(3, accounts))
    else:
        things = list(_things(2 if "campaign_id" in columns else 1, accounts))
    dated = next((name for name in ("day", "week", "month") if name in columns), None)
    days = [today - timedelta(days=number) for number in range(1, DAYS + 1)] if dated else [today - timedelta(days=1)]
    if table == "dim_day":
        days = [today + timedelta(days=30 - number) for number in range(400)]
    for thing in things:
        for day in days:
            yield [_value(table, name, kind, thing, day, today) for name, kind in columns.items()]


def _things(depth: int, accounts: int) -> Iterator[Thing]:
    for account in range(accounts):
        first = {
            "account_id": 1001 + account,
            "account_name": f"Shop {account + 1}",
            "client_id": f"client-{account // 2 + 1}",
            "client_name": f"Client {account // 2 + 1}",
            "currency": ("EUR", "EUR", "USD")[account],
            "account_currency": ("EUR", "EUR", "USD")[account],
            "reporting_currency": "EUR",
            "time_zone": "Europe/Berlin",
        }
        if depth == 1:
            yield Thing(first)
            continue
        for campaign in range(3):
            second = first | {
                "campaign_id": first["account_id"] * 10 + campaign,
                "campaign_name": EVIL if (account, campaign) == (0, 0) else f"Campaign {account + 1}.{campaign + 1}",
                "objective": ("OUTCOME_SALES", "OUTCOME_TRAFFIC", "OUTCOME_LEADS")[campaign],
            }
            if depth == 2:
                yield Thing(second)
                continue
            for ad_set in range(2):
                third = second | {
                    "ad_set_id": second["campaign_id"] * 10 + ad_set,
                    "ad_set_name": f"Ad set {second['campaign_id']}.{ad_set + 1}",
                }
                if depth == 3:
                    yield Thing(third)
                    continue
                for ad in range(2):
                    number = third["ad_set_id"] * 10 + ad
                    yield Thing(third | {"ad_id": number, "ad_name": f"Ad {number}", "creative_id": number + 7})


def _value(table: str, name: str, kind: str, thing: Thing, day: date, today: date) -> Any:
    if name in thing.columns:
        return thing.columns[name]
    number = zlib.crc32(f"{table}{name}{thing.seed}{day}".encode())
    if kind == "boolean":
        return day < today - timedelta(days=28) if name == "is_mature" else True
    if kind == "date":
        return day
    if kind.startswith("timestamp"):
        return datetime(today.year, today.month, today.day, 4, 30, tzinfo=UTC)
    if kind in ("bigint", "integer", "smallint"):
        return number % 900 + 100
    if kind in ("numeric", "double precision"):
        return round(number % 90_000 / 100 + 1, 2)
    if kind == "text" and name.endswith("_name"):
        return f"{name} {thing.columns.get('account_id', 0)}"
    if kind == "text":
        return "https://images.invalid/one.jpg" if name.endswith("_url") else f"{name} {number % 4}"
    return None
