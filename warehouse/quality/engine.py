"""Great Expectations: rules become suites, suites run inside the database, results become findings.

What belongs here: everything that imports Great Expectations. What does not: rules, measuring, storing. Import
this module only when a check runs: Great Expectations takes seconds.

Its data source gets the session of `warehouse.quality.measure` and no URL, so that it sees the session's
temporary tables, can write nothing, and never holds a password. Its context lives in memory, with analytics off.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Any
from uuid import uuid4

# Reason: read when the module is imported; `orchestration.privacy` says the same for the whole platform, and this
# package must not phone home for anybody else either.
os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults
from sqlalchemy.pool import StaticPool

from warehouse.pool import Connection
from warehouse.quality.measure import batch_table
from warehouse.quality.model import ENTITIES
from warehouse.quality.rules import ColumnRule, QueryRule, RowRule, Rule

# Reason: it logs each of its own defaults as information.
logging.getLogger("great_expectations").setLevel(logging.WARNING)

# Reason: the package's type stubs neither export its expectations nor know an engine's arguments.
_expectations: Any = import_module("great_expectations.expectations")

# Reason: Great Expectations wants a user and a host in a PostgreSQL URL; nothing is ever connected with this one.
_NOWHERE = "postgresql+psycopg://reader@warehouse/warehouse"
_SEVERITY = {"error": "critical", "warn": "warning"}


@dataclass(frozen=True)
class Finding:
    """What an expectation found in one account.

    Attributes:
        rule: Which rule.
        account_id: Where; None where the expectation could not be evaluated at all.
        count: Rows, days or fields at fault.
        days: Days concerned.
        observed: What was found, or the database's complaint.
    """

    rule: Rule
    account_id: int | None
    count: int
    days: tuple[date, ...]
    observed: str | None


class Engine:
    """Runs suites on the batches of one session."""

    def __init__(self, session: Connection) -> None:
        # Reason: the default makes a folder for pages, and leaves it behind.
        stores = InMemoryStoreBackendDefaults(init_temp_docs_sites=False)
        config = DataContextConfig(store_backend_defaults=stores, analytics_enabled=False)
        context: Any = gx.get_context(mode="ephemeral", project_config=config)
        context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        self._source = context.data_sources.add_postgres(
            f"session-{uuid4().hex[:8]}",
            connection_string=_NOWHERE,
            kwargs={"creator": lambda: session, "poolclass": StaticPool},
        )

    def run(self, name: str, rules: Sequence[Rule]) -> tuple[list[Finding], dict[str, Any]]:
        """Runs the suite of a report (or of `ENTITIES`) on its batch.

        Returns:
            What failed, per rule and account, and Great Expectations' own result as JSON-like values.
        """
        query = f'SELECT * FROM "{batch_table(name)}"'  # noqa: S608 - a report's name is an identifier
        asset = self._source.add_query_asset(f"{name}-{uuid4().hex[:8]}", query=query)
        batch = asset.add_batch_definition_whole_table("all").get_batch()
        keys = ["account_id"] if name == ENTITIES else ["account_id", "day"]
        suite = gx.ExpectationSuite(name=name, expectations=[_expectation(rule) for rule in rules])
        validation = batch.validate(
            suite, result_format={"result_format": "COMPLETE", "unexpected_index_column_names": keys}
        )
        by_name = {rule.name: rule for rule in rules}
        findings = []
        for result in validation.results:
            rule = by_name[result.expectation_config.meta["rule"]]
            findings += _findings(rule, result)
        return findings, validation.to_json_dict()


def _expectation(rule: Rule) -> Any:
    common: dict[str, Any] = {
        "severity": _SEVERITY[rule.severity],
        "description": rule.expected,
        "meta": {"rule": rule.name},
    }
    if isinstance(rule, RowRule):
        return _expectations.ExpectColumnValuesToBeBetween(column=rule.column, max_value=0, **common)
    if isinstance(rule, QueryRule):
        return _expectations.UnexpectedRowsExpectation(unexpected_rows_query=rule.bound, **common)
    assert isinstance(rule, ColumnRule)
    if rule.kind == "at_most":
        return _expectations.ExpectColumnValuesToBeBetween(column=rule.column, max_value=rule.limit, **common)
    if rule.kind == "matches":
        return _expectations.ExpectColumnValuesToMatchRegex(column=rule.column, regex=rule.limit, **common)
    if rule.kind == "equals":
        return _expectations.ExpectColumnPairValuesToBeEqual(
            column_A=rule.column, column_B=rule.limit, ignore_row_if="neither", **common
        )
    raise ValueError(f"{rule.kind!r} is no kind of column rule.")


def _findings(rule: Rule, result: Any) -> list[Finding]:
    if result.success:
        return []
    found = result.result or {}
    rows = found.get("details", {}).get("unexpected_rows") if isinstance(rule, QueryRule) else None
    if isinstance(rule, QueryRule) and rows:
        return [
            Finding(
                rule,
                int(row["account_id"]),
                int(row["unexpected_count"]),
                tuple(_day(day) for day in row["days"]),
                row["observed"],
            )
            for row in rows
        ]
    listed = found.get("unexpected_index_list")
    if not isinstance(rule, QueryRule) and listed:
        return _by_account(rule, listed)
    # Reason: neither passed nor a row at fault: the database refused the statement.
    return [Finding(rule, None, 0, (), _complaint(result))]


def _by_account(rule: Rule, rows: Sequence[dict[str, Any]]) -> list[Finding]:
    grouped: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        grouped.setdefault(int(row["account_id"]), []).append(row)
    findings = []
    for account_id, bad in grouped.items():
        days = tuple(sorted({_day(row["day"]) for row in bad if "day" in row}))
        observed, count = None, len(bad)
        if isinstance(rule, RowRule) or (isinstance(rule, ColumnRule) and rule.kind == "at_most"):
            count = sum(int(row[rule.column]) for row in bad)
        elif isinstance(rule, ColumnRule):
            observed = _observed(rule, bad)
        findings.append(Finding(rule, account_id, count, days, observed))
    return findings


def _observed(rule: ColumnRule, bad: Sequence[dict[str, Any]]) -> str:
    if rule.kind == "matches":
        return ", ".join(sorted({repr(row[rule.column]) for row in bad}))
    shown = []
    for row in bad[:4]:
        written = row[rule.limit] if row[rule.limit] >= 0 else "none"
        shown.append(f"{row['day']} holds {row[rule.column]}, its last pull wrote {written}")
    return "; ".join(shown)


def _day(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def _complaint(result: Any) -> str:
    information = result.exception_info or {}
    messages = [information] if "exception_message" in information else list(information.values())
    texts = [
        str(part.get("exception_message"))
        for part in messages
        if isinstance(part, dict) and part.get("exception_message")
    ]
    return (texts[0] if texts else "no reason given").splitlines()[0][:300]
