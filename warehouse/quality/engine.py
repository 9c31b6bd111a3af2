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
from typing import Any
from uuid import uuid4

# Reason: read when the module is imported; `orchestration.privacy` says the same for the whole platform, and this
# package must not phone home for anybody else either.
os.environ["GX_ANALYTICS_ENABLED"] = "false"

import great_expectations as gx
import great_expectations.expectations as gxe
from sqlalchemy.pool import StaticPool

from warehouse.pool import Connection
from warehouse.quality.measure import batch_table
from warehouse.quality.model import ENTITIES
from warehouse.quality.rules import ColumnRule, QueryRule, RowRule, Rule

log = logging.getLogger(__name__)

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
        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        self._source = self._context.data_sources.add_postgres(
            f"session-{uuid4().hex[:8]}",
            connection_string=_NOWHERE,
            kwargs={"creator": lambda: session, "poolclass": StaticPool},
        )

    def run(self, name: str, rules: Sequence[Rule]) -> tuple[list[Finding], dict[str, Any]]:
        """Runs the suite of a report (or of `ENTITIES`) on its batch.

        Returns:
            What failed, per rule and account, and Great Expectations' own result as JSON-like values.
        """
        asset = self._source.add_query_asset(f"{name}-{uuid4().hex[:8]}", query=f'SELECT * FROM "{batch_table(name)}"')
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


def _expectation(rule: Rule) -> gxe.Expectation:
    common: dict[str, Any] = {
        "severity": _SEVERITY[rule.severity],
        "description": rule.expected,
        "meta": {"rule": rule.name},
    }
    if isinstance(rule, RowRule):
        return gxe.ExpectColumnValuesToBeBetween(column=rule.column, max_value=0, **common)
    if isinstance(rule, QueryRule):
        return gxe.UnexpectedRowsExpectation(unexpected_rows_query=rule.bound, **common)
    assert isinstance(rule, ColumnRule)
    if rule.kind == "at_most":
        return gxe.ExpectColumnValuesToBeBetween(column=rule.column, max_value=rule.limit, **common)
    if rule.kind == "matches":
        return gxe.ExpectColumnValuesToMatchRegex(column=rule.column, regex=rule.limit, **common)
    if rule.kind == "equals":
        return gxe.ExpectColumnPairValuesToBeEqual(
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
    shown = [
        f"{row['day']}: {row[rule.column]} rows, its last pull wrote {row[rule.limit] if row[rule.limit] >= 0 else 'none'}"
        for row in bad[:4]
    ]
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
