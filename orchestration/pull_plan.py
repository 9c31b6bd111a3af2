"""Which days a pull asks for: what is due, or what the request names.

Turning requests and what is held into ranges belongs here; pulling them does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from orchestration.clients import PlannedReport
from orchestration.discovery import KnownAccount
from orchestration.due import DayRange, due_days, each_day, ranges
from orchestration.platform import Platform
from orchestration.pull_model import PullRequest
from warehouse.ops.runs import Run
from warehouse.ops.slices import pulled_at

DayPlan = dict[str, list[DayRange]]  # report -> ranges


def make_plan(
    platform: Platform, run: Run, accounts: Sequence[KnownAccount], request: PullRequest
) -> dict[int, DayPlan]:
    """Ranges for each account and report; a continued run keeps those that it began with, so that its jobs fit."""
    if run.resumed and run.state.get("plan"):
        return {
            int(account_id): {
                report: [(date.fromisoformat(a), date.fromisoformat(b)) for a, b in found]
                for report, found in reports.items()
            }
            for account_id, reports in run.state["plan"].items()
        }
    now = datetime.fromtimestamp(platform.clock.now(), UTC)
    plan = {account.account_id: _account_plan(platform, account, request, now) for account in accounts}
    run.remember(
        plan={
            str(account_id): {name: [(a.isoformat(), b.isoformat()) for a, b in found] for name, found in days.items()}
            for account_id, days in plan.items()
        }
    )
    return plan


def _account_plan(platform: Platform, account: KnownAccount, request: PullRequest, now: datetime) -> DayPlan:
    if not request.insights:
        return {}
    planned = platform.clients.plan_for(account.account_id)
    by_name = {item.report: item for item in planned}
    wanted = request.reports or tuple(by_name)
    plan: DayPlan = {}
    for name in wanted:
        report = platform.report(name)  # refuses unknown names before anything is asked of Meta
        item = by_name.get(name) or PlannedReport(name, report.history_days)
        if request.since is not None:
            until = request.until or due_days(item, {}, now, account.time_zone)[-1]
            plan[name] = [(request.since, until)]
            if request.unless_since is not None:
                held = pulled_at(platform.warehouse, account.account_id, name)
                plan[name] = ranges(
                    day for day in each_day(request.since, until) if not _is_newer(held.get(day), request)
                )
            continue
        held = pulled_at(platform.warehouse, account.account_id, name)
        days = due_days(item, held, now, account.time_zone, again=request.again)
        plan[name] = ranges(day for day in days if request.until is None or day <= request.until)
    return plan


def _is_newer(last: datetime | None, request: PullRequest) -> bool:
    return last is not None and request.unless_since is not None and last >= request.unless_since
