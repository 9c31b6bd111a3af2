"""Checks of raw reports as asset checks: by account and day, and blocking.

What belongs here: the check of each report, and how its outcome is told. What does not: what is expected
(`warehouse.quality`), and what a failure keeps out of the marts (`warehouse.ops.holds`): that account's days, and
nothing else.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

import dagster as dg

from ingestion.reports import PRESETS
from orchestration.defs.partitions import ACCOUNT_DAYS, account_key, account_ranges
from orchestration.defs.raw import report_key
from orchestration.defs.resources import PlatformSource
from orchestration.errors import UserError
from orchestration.logs import log_context
from orchestration.quality import check_and_hold
from orchestration.workers import META_QUEUE, QUEUE_TAG
from warehouse.errors import WarehouseError
from warehouse.ops.reconcile import differing_days
from warehouse.quality import Outcome

CHECK = "as_expected"
RECONCILED = "adds_up_to_account_total"
TOTALS = "account_daily"
_SHOWN = 10


def check_key(report: str) -> dg.AssetCheckKey:
    """Key of a report's check."""
    return dg.AssetCheckKey(report_key(report), CHECK)


@dg.multi_asset_check(
    name="raw_checks",
    specs=[
        dg.AssetCheckSpec(
            CHECK,
            asset=report_key(name),
            description="Keys, ranges, volumes, days and fields are what Meta sends and what came before; an error "
            "keeps the account's days out of the marts until the check passes.",
            blocking=True,
            partitions_def=ACCOUNT_DAYS,
        )
        for name in PRESETS
    ]
    + [
        # Reason for not blocking: marts mark such days, and showing them so is better than showing nothing.
        dg.AssetCheckSpec(
            RECONCILED,
            asset=report_key(TOTALS),
            description="Ads add up to the total that Meta reports for the account and day, to the cent; a day that "
            "does not is marked in the marts (mart_reconciliation).",
            partitions_def=ACCOUNT_DAYS,
        )
    ],
    can_subset=True,
    op_tags={QUEUE_TAG: META_QUEUE},
)
def raw_checks(
    context: dg.AssetCheckExecutionContext, platform: dg.ResourceParam[PlatformSource]
) -> Iterator[dg.AssetCheckResult]:
    """Great Expectations, inside the database, on the account days of the run."""
    chosen = context.selected_asset_check_keys
    names = [name for name in PRESETS if check_key(name) in chosen]
    differing: dict[int, dict[date, Decimal]] = {}
    found: dict[str, list[Outcome]] = {name: [] for name in names}
    with log_context(dagster_run=context.run.run_id), platform.opened() as opened:
        now = datetime.fromtimestamp(opened.clock.now(), UTC)
        for account_id, several in account_ranges(context.partition_keys).items():
            for since, until in several:
                try:
                    failures = (
                        check_and_hold(opened, account_id, names, since, until, now=now).failures() if names else ()
                    )
                    days = differing_days(opened.warehouse, account_id, since, until)
                except UserError as problem:
                    raise dg.Failure(f"{problem.message} Mend: {problem.mend}.", allow_retries=False) from None
                except WarehouseError as problem:
                    raise dg.Failure(str(problem)) from problem
                differing.setdefault(account_id, {}).update(days)
                for outcome in failures:
                    if outcome.report in found:
                        found[outcome.report].append(outcome)
    for name in names:
        errors = [outcome for outcome in found[name] if outcome.severity == "error"]
        yield dg.AssetCheckResult(
            asset_key=report_key(name),
            check_name=CHECK,
            passed=not found[name],
            severity=dg.AssetCheckSeverity.ERROR if errors else dg.AssetCheckSeverity.WARN,
            description="; ".join(_told(outcome) for outcome in found[name][:_SHOWN]) or None,
            metadata={"errors": len(errors), "warnings": len(found[name]) - len(errors)},
        )

    if dg.AssetCheckKey(report_key(TOTALS), RECONCILED) in chosen:
        yield _reconciliation(differing)


def _reconciliation(differing: Mapping[int, Mapping[date, Decimal]]) -> dg.AssetCheckResult:
    days = [(account_id, day, amount) for account_id, found in differing.items() for day, amount in found.items()]
    listing = "; ".join(
        f"{account_key(account)} {day}: spend differs by {amount}" for account, day, amount in days[:_SHOWN]
    )
    mend = "Meta was asked twice; pull these days again later, and look at mart_reconciliation if they stay"
    return dg.AssetCheckResult(
        asset_key=report_key(TOTALS),
        check_name=RECONCILED,
        passed=not days,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{listing}. Mend: {mend}." if days else None,
        metadata={"days": len(days)},
    )


def _told(outcome: Outcome) -> str:
    mend = f" Mend: {outcome.mend}." if outcome.mend else ""
    return f"{account_key(outcome.account_id)}, {outcome.expectation}: {outcome.message}{mend}"
