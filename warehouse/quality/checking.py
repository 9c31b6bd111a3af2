"""`check`: the raw data of some accounts and days against everything that is expected of it.

What belongs here: the order of a check. What does not: rules, Great Expectations (`warehouse.quality.engine`).

    measure (one pass over each raw table, inside the database)
    -> remember which fields and time zones were seen
    -> run a Great Expectations suite per report on what was measured
    -> look up examples where something failed -> outcomes -> `ops.quality_result`
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from warehouse.connect import Warehouse
from warehouse.errors import translated
from warehouse.quality import entity_rules, history_rules, row_rules, store
from warehouse.quality.measure import Measurement
from warehouse.quality.model import ENTITIES, Outcome, QualityResult
from warehouse.quality.rules import RowRule, Rule, in_words
from warehouse.tables import InsightTable

if TYPE_CHECKING:
    from warehouse.quality.engine import Engine, Finding

DEFAULT_DAYS = 28
"""Days that a check looks at unless told otherwise: those that Meta still changes."""

# Reason: Great Expectations shows at most 200 rows that a query found, and a query finds one per account.
_ACCOUNTS_AT_ONCE = 100


@dataclass(frozen=True)
class _Suite:
    name: str
    table: InsightTable | None
    rules: Sequence[Rule]
    accounts: Sequence[int]


def check(
    warehouse: Warehouse,
    accounts: Mapping[int, Iterable[str]] | Sequence[int],
    since: date | None = None,
    until: date | None = None,
    reports: Iterable[InsightTable] = (),
    *,
    entities: bool = True,
    now: datetime | None = None,
    keep: bool = True,
    done: Callable[[str], None] | None = None,
) -> QualityResult:
    """Checks the raw data of accounts. Reads in a read-only session; writes what it found to `ops` alone.

    Args:
        warehouse: Where; migrated.
        accounts: The accounts; as a mapping, with the names of the reports that are expected of each. Without it
            every report in `reports` is expected of every account.
        since: First day, the accounts' own; default: 28 days before `until`.
        until: Last day, included; default: the day of `now`, so that everything recent is looked at. Whether data is
            fresh is judged only where `until` reaches the account's yesterday.
        reports: The reports' tables, presets or declared.
        entities: Also check accounts, campaigns, ad sets and ads.
        now: The moment that freshness is measured from, with a time zone; default: the present.
        keep: Store the outcomes in `ops.quality_result`.
        done: Told the name of each suite that was run.

    Raises:
        ValueError: `since` lies after `until`, or `now` has no time zone.
        WarehouseError: The database failed.
    """
    now = now or datetime.now(UTC)
    if now.tzinfo is None:
        raise ValueError("now needs a time zone, or its meaning depends on the machine.")
    # Reason: it is tomorrow already in the east of the world, and an account's days are its own.
    until = until or now.astimezone(UTC).date() + timedelta(days=1)
    since = since or until - timedelta(days=DEFAULT_DAYS)
    if since > until:
        raise ValueError(f"since {since} lies after until {until}.")
    tables = list(reports)
    plan = {account: frozenset(names) for account, names in accounts.items()} if isinstance(accounts, Mapping) else {}
    ids = sorted(set(accounts))
    seconds: dict[str, float] = {}
    documents: dict[str, list[dict[str, Any]]] = {}
    outcomes: list[Outcome] = []
    windows = store.windows_held(warehouse)
    for start in range(0, len(ids), _ACCOUNTS_AT_ONCE):
        suites = _suites(ids[start : start + _ACCOUNTS_AT_ONCE], plan, tables, windows, entities)
        for suite, found, document, took in _run_all(warehouse, suites, since, until, now):
            outcomes += found
            documents.setdefault(suite.name, []).append(document)
            seconds[suite.name] = seconds.get(suite.name, 0.0) + took
            if done is not None:
                done(suite.name)
    order = {name: number for number, name in enumerate((ENTITIES, *(table.name for table in tables)))}
    outcomes.sort(key=lambda outcome: (outcome.account_id, order[outcome.report]))
    result = QualityResult(uuid4(), datetime.now(UTC), since, until, tuple(outcomes), seconds, documents)
    if keep:
        store.write(warehouse, result)
    return result


def rules_for(table: InsightTable, windows: Sequence[str] = ()) -> list[Rule]:
    """Everything that is expected of a report whose slices were pulled with these attribution windows."""
    return [*row_rules.rules_for(table, windows), *history_rules.rules_for(table)]


def _suites(
    accounts: Sequence[int],
    plan: Mapping[int, frozenset[str]],
    tables: Sequence[InsightTable],
    windows: Mapping[str, Sequence[str]],
    entities: bool,
) -> list[_Suite]:
    suites = [_Suite(ENTITIES, None, entity_rules.rules(), accounts)] if entities else []
    for table in tables:
        wanted = [account for account in accounts if account not in plan or table.name in plan[account]]
        if wanted:
            suites.append(_Suite(table.name, table, rules_for(table, windows.get(table.name, ())), wanted))
    return suites


def _run_all(
    warehouse: Warehouse, suites: Sequence[_Suite], since: date, until: date, now: datetime
) -> Iterator[tuple[_Suite, list[Outcome], dict[str, Any], float]]:
    """Runs suites over one session of their own, and tells how many seconds each took."""
    if not suites:
        return
    from warehouse.quality.engine import Engine

    session = warehouse.session()
    try:
        with translated():
            measurement = Measurement(session, since, until, now)
            expected = [(account, suite.name) for suite in suites for account in suite.accounts]
            measurement.prepare([(suite.table, suite.rules) for suite in suites if suite.table], expected)
            engine = Engine(session)
            for suite in suites:
                started = time.monotonic()
                found, document = _run(warehouse, measurement, engine, suite, now)
                yield suite, found, document, time.monotonic() - started
    finally:
        session.close()


def _run(
    warehouse: Warehouse, measurement: Measurement, engine: Engine, suite: _Suite, now: datetime
) -> tuple[list[Outcome], dict[str, Any]]:
    if suite.table is None:
        measurement.measure_entities(suite.accounts)
        store.remember_time_zones(warehouse, measurement.time_zones(suite.accounts), now)
    else:
        measurement.measure(suite.table, suite.rules, suite.accounts)
        store.remember_fields(warehouse, suite.name, measurement.fields(suite.table), now)
    findings, document = engine.run(suite.name, suite.rules)
    failed: dict[tuple[int, str], Finding] = {}
    for finding in findings:
        for account in suite.accounts if finding.account_id is None else [finding.account_id]:
            failed[account, finding.rule.name] = finding
    outcomes = []
    for account in suite.accounts:
        for rule in suite.rules:
            found = failed.get((account, rule.name))
            outcomes.append(
                Outcome(account, suite.name, rule.name, rule.severity, True, message=rule.expected)
                if found is None
                else _failure(measurement, suite, account, found)
            )
    return outcomes, document


def _failure(measurement: Measurement, suite: _Suite, account: int, finding: Finding) -> Outcome:
    rule = finding.rule
    if finding.account_id is None:
        return Outcome(
            account,
            suite.name,
            rule.name,
            "error",
            passed=False,
            observed=finding.observed,
            message=f"This could not be checked: {finding.observed}",
            mend="report it as a defect",
        )
    examples: list[str] = []
    if isinstance(rule, RowRule) and suite.table is not None:
        examples = measurement.examples(suite.table, rule, account, finding.days)
    observed = finding.observed or ("; ".join(examples) or None)
    return Outcome(
        account,
        suite.name,
        rule.name,
        rule.severity,
        passed=False,
        observed=observed,
        unexpected_count=finding.count,
        days=finding.days,
        examples=tuple(examples),
        message=in_words(rule, finding.count, finding.days, observed),
        mend=rule.mend,
    )
