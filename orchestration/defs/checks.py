"""Checks of raw reports as asset checks: by account and day, and blocking.

What belongs here: the check of each report, and how its outcome is told. What does not: what is expected
(`warehouse.quality`), and what a failure keeps out of the marts (`warehouse.ops.holds`): that account's days, and
nothing else.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from ingestion.reports import PRESETS
from orchestration.defs.partitions import ACCOUNT_DAYS, account_key, account_ranges
from orchestration.defs.raw import report_key
from orchestration.defs.resources import PlatformSource
from orchestration.errors import UserError
from orchestration.logs import log_context
from orchestration.quality import check_and_hold
from warehouse.errors import WarehouseError
from warehouse.quality import Outcome

CHECK = "as_expected"
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
    ],
    can_subset=True,
)
def raw_checks(
    context: dg.AssetCheckExecutionContext, platform: dg.ResourceParam[PlatformSource]
) -> Iterator[dg.AssetCheckResult]:
    """Great Expectations, inside the database, on the account days of the run."""
    names = [name for name in PRESETS if check_key(name) in context.selected_asset_check_keys]
    found: dict[str, list[Outcome]] = {name: [] for name in names}
    with log_context(dagster_run=context.run.run_id), platform.opened() as opened:
        now = datetime.fromtimestamp(opened.clock.now(), UTC)
        for account_id, several in account_ranges(context.partition_keys).items():
            for since, until in several:
                try:
                    result = check_and_hold(opened, account_id, names, since, until, now=now)
                except UserError as problem:
                    raise dg.Failure(f"{problem.message} Mend: {problem.mend}.", allow_retries=False) from None
                except WarehouseError as problem:
                    raise dg.Failure(str(problem)) from problem
                for outcome in result.failures():
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


def _told(outcome: Outcome) -> str:
    mend = f" Mend: {outcome.mend}." if outcome.mend else ""
    return f"{account_key(outcome.account_id)}, {outcome.expectation}: {outcome.message}{mend}"
