"""Which raw data is checked: the accounts held, the reports of each one's plan, the days.

Wiring belongs here, so that the command line and Dagster share it. What is expected of raw data, and how it is
checked, is `warehouse.quality`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from orchestration.errors import UserError
from orchestration.platform import Platform
from warehouse.quality import QualityResult, check
from warehouse.query import account_overview
from warehouse.tables import PRESETS, InsightTable


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
    held: dict[int, set[str]] = {}
    for row in account_overview(platform.warehouse):
        held.setdefault(int(row["account_id"]), set()).add(str(row["report"]))
    unknown = [account for account in accounts if account not in held]
    if unknown:
        raise UserError(f"The warehouse holds nothing of act_{unknown[0]}.", "pull it first: `meta-ads pull`")
    if not held:
        raise UserError("The warehouse holds no insights yet.", "pull first: `meta-ads pull`, or try `meta-ads demo`")
    tables = {name: _table(platform, name) for name in reports}
    expected = {}
    for account in accounts or held:
        planned = {item.report for item in platform.clients.plan_for(account)}
        expected[account] = set(reports) or _expected(planned, held[account])
    names = sorted(set().union(*expected.values()), key=_order)
    tables = [tables[name] if name in tables else _table(platform, name) for name in names]
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


def _expected(planned: Collection[str], held: Collection[str]) -> set[str]:
    """What an account ought to have.

    An account that was only ever imported has what its files had; a plan is for the API.
    """
    from_the_api = {"account_daily", "campaign_daily", "adset_daily"} & set(held)
    return set(held) | (set(planned) if from_the_api else set())


def _table(platform: Platform, name: str) -> InsightTable:
    return PRESETS[name] if name in PRESETS else platform.table(platform.report(name))


def _order(name: str) -> tuple[int, str]:
    presets = list(PRESETS)
    return (presets.index(name) if name in PRESETS else len(presets), name)
