"""Which raw data is checked: the accounts held, the reports of each one's plan, the days.

Wiring belongs here, so that the command line and Dagster share it. What is expected of raw data, and how it is
checked, is `warehouse.quality`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, datetime

from orchestration.errors import UserError
from orchestration.logs import log_context
from orchestration.platform import Platform
from warehouse.ops import HeldDay, hold_days
from warehouse.quality import QualityResult, check, reports_held
from warehouse.tables import PRESETS

log = logging.getLogger(__name__)


def check_raw_data(
    platform: Platform,
    accounts: Sequence[int] = (),
    reports: Sequence[str] = (),
    since: date | None = None,
    until: date | None = None,
    *,
    now: datetime | None = None,
) -> QualityResult:
    """Checks what was pulled, and keeps the outcome in `ops.quality_result`.

    Args:
        platform: Opened.
        accounts: Only these; default: all that the warehouse holds.
        reports: Only these; default: what the account's plan asks for, and what is held beside it.
        since: First day, the accounts' own; default: the last 28 days.
        until: Last day, included.
        now: The moment that freshness is measured from; default: the present.

    Raises:
        UserError: The warehouse holds nothing of an account, or nothing at all.
        ConfigurationError: There is no report of a name.
        WarehouseError: The database failed.
    """
    for name in reports:
        platform.report(name)  # refuses unknown names
    held = reports_held(platform.warehouse)
    unknown = [account for account in accounts if account not in held]
    if unknown:
        raise UserError(f"The warehouse holds nothing of act_{unknown[0]}.", "pull it first: `meta-ads pull`")
    if not held:
        raise UserError("The warehouse holds no insights yet.", "pull first: `meta-ads pull`, or try `meta-ads demo`")
    expected = {
        account: frozenset(reports) or _expected(platform, account, *held[account]) for account in accounts or held
    }
    names = sorted(frozenset().union(*expected.values()), key=_order)
    tables = [platform.table(platform.report(name)) for name in names]
    with platform.display.task("Checking raw data", total=len(tables) + 1) as task:
        return check(
            platform.warehouse,
            expected,
            since,
            until,
            tables,
            entities=not reports,
            now=now,
            done=lambda name: task.advance(detail=name),
        )


def check_and_hold(
    platform: Platform, account: int, reports: Sequence[str], since: date, until: date, *, now: datetime | None = None
) -> QualityResult:
    """Checks reports of an account, and keeps the days that failed out of the marts until they pass.

    Only errors hold a day, and only those that name days: a currency that changed is told, and holds nothing.

    Args:
        platform: Opened.
        account: Digits.
        reports: Which; those that the warehouse holds nothing of are left out by the caller.
        since: First day, the account's own.
        until: Last day, included.
        now: The moment that freshness is measured from; default: the present.

    Raises:
        UserError: As `check_raw_data`.
        WarehouseError: The database failed.
    """
    with log_context(account=f"act_{account}", slice=f"{since}..{until}"):
        result = check_raw_data(platform, [account], reports, since, until, now=now)
        for outcome in result.failures():
            level = logging.ERROR if outcome.severity == "error" else logging.WARNING
            log.log(level, "%s, %s: %s", outcome.report, outcome.expectation, outcome.message)
        log.info("checked %d reports of %d days", len(reports), (until - since).days + 1)
    failed = [
        HeldDay(account, day, outcome.report, outcome.expectation, outcome.message, result.checked_at)
        for outcome in result.failures("error")
        for day in outcome.days
        if since <= day <= until
    ]
    hold_days(platform.warehouse, account, reports, since, until, failed)
    return result


def _expected(platform: Platform, account: int, held: frozenset[str], is_from_api: bool) -> frozenset[str]:
    """The reports that an account ought to have: what its plan asks for, and what is held of known reports.

    A plan is for the API: an account that was only ever imported ought to have what its files had.
    """
    planned = {item.report for item in platform.clients.plan_for(account)} if is_from_api else set()
    declared = {report.name for report in platform.clients.custom_reports}
    return frozenset(planned | (held & (PRESETS.keys() | declared)))


def _order(name: str) -> tuple[int, str]:
    presets = list(PRESETS)
    return (presets.index(name) if name in PRESETS else len(presets), name)
