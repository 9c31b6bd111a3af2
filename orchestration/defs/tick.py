"""The tick: every 15 minutes the current day of each account, then the marts, in one run with one dbt invocation.

What belongs here: the job, its schedule, what it tells Dagster. What does not: which accounts and days are asked for
(`orchestration.today`), pulling, building. A run catches up by itself: it asks what is due when it starts, not what was
due when it was scheduled. Of all ticks one runs at a time (`tag_concurrency_limits`), and a day that was pulled a
moment ago is not pulled again.
"""

from collections.abc import Iterator
from datetime import UTC
from typing import Any

import dagster as dg
from pydantic import Field

from ingestion.errors import IngestionError
from orchestration.defs.freshness import freshness_events
from orchestration.defs.marts import build_what_is_due
from orchestration.defs.partitions import ACCOUNTS, account_day_key, account_of
from orchestration.defs.raw import META_POOL, report_key
from orchestration.defs.resources import PlatformSource
from orchestration.errors import UserError
from orchestration.logs import log_context
from orchestration.pull import run_pull
from orchestration.pull_model import PullRequest, PullSummary
from orchestration.transform import dbt_environment, get_dbt_ready
from warehouse.errors import WarehouseError
from warehouse.ops.slices import HOURS

TICK_TAG = "meta-ads/tick"
#: Above all else: it is late after 15 minutes.
TICK_PRIORITY = "20"
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
]


class CurrentDay(dg.Config):
    """What a tick is restricted to.

    Attributes:
        account_ids: Digits; empty for all accounts.
    """

    account_ids: list[int] = Field(default_factory=list)


@dg.op(pool=META_POOL, out=dg.Out(dict, io_manager_key="in_memory"))
def pull_current_day(
    context: dg.OpExecutionContext, config: CurrentDay, platform: dg.ResourceParam[PlatformSource]
) -> Iterator[dg.AssetMaterialization | dg.Output[dict[str, Any]]]:
    """Objects that changed, and the hours of accounts whose ads deliver; failures are told after the build."""
    accounts = config.account_ids or sorted(
        account_of(key) for key in context.instance.get_dynamic_partitions(ACCOUNTS.name or "")
    )
    problems: list[str] = []
    kind = None
    calls = rows = 0
    if accounts:
        try:
            with log_context(dagster_run=context.run_id), platform.opened() as opened:
                # Reason: dbt needs seconds to start, and a pull waits for Meta most of its time.
                get_dbt_ready(dbt_environment(opened.warehouse.parameters, opened.settings.meta_ads_home))
                summary = run_pull(opened, PullRequest(tuple(accounts), current=True, dagster_run=context.run_id))
        except UserError as problem:
            kind = type(problem.__cause__ or problem).__name__
            problems.append(f"{problem.message} Mend: {problem.mend.rstrip('.')}." if problem.mend else problem.message)
        except (IngestionError, WarehouseError) as problem:
            problems.append(str(problem))
        else:
            yield from _events(summary)
            problems += [problem for outcome in summary.outcomes for problem in outcome.problems]
            calls, rows = summary.calls, sum(outcome.rows for outcome in summary.outcomes)
    metadata: dict[str, Any] = {"accounts": len(accounts), "api_calls": calls, "rows": rows, "problems": problems}
    yield dg.Output({"problems": problems, "error_kind": kind}, metadata=metadata)


def _events(summary: PullSummary) -> Iterator[dg.AssetMaterialization]:
    for outcome in summary.outcomes:
        for day, rows in sorted(outcome.days.get(HOURS, {}).items()):
            yield dg.AssetMaterialization(
                report_key(HOURS),
                partition=account_day_key(outcome.account.account_id, day),
                metadata={"dagster/partition_row_count": rows},
            )


@dg.op(ins={"built": dg.In(dg.Nothing)})
def tell_freshness(
    context: dg.OpExecutionContext, platform: dg.ResourceParam[PlatformSource]
) -> Iterator[dg.AssetCheckEvaluation | dg.Output[None]]:
    """The check of freshness of each account whose freshness has changed."""
    accounts = [account_of(key) for key in context.instance.get_dynamic_partitions(ACCOUNTS.name or "")]
    with platform.opened() as opened:
        try:
            yield from freshness_events(context.instance, opened, accounts)
        except WarehouseError as problem:
            raise dg.Failure(str(problem)) from problem
    yield dg.Output(None)


@dg.op(ins={"built": dg.In(dg.Nothing)})
def fail_if_parts_failed(pulled: dict[str, Any]) -> None:
    """Fails the run for what could not be pulled, after the marts took in what could."""
    problems = pulled["problems"]
    if not problems:
        return
    # Reason: alerts tell a refused token from other failures by the type of the error, which Dagster does not keep.
    metadata = {"error_kind": pulled["error_kind"]} if pulled["error_kind"] else None
    if len(problems) == 1:
        raise dg.Failure(problems[0], metadata=metadata, allow_retries=False)
    listing = "\n".join(f"- {problem}" for problem in problems[:10])
    raise dg.Failure(f"{len(problems)} parts failed; what came is in the marts:\n{listing}", metadata, False)


@dg.job(
    description="The current day of each account, and the marts, in one dbt invocation.",
    tags={TICK_TAG: "1", "dagster/priority": TICK_PRIORITY},
    # Reason: whatever runs assets, the parts of a tick hand their findings on in memory.
    executor_def=dg.in_process_executor,
)
def tick() -> None:
    """Pull, build, then tell what failed."""
    pulled = pull_current_day()
    built = build_what_is_due(after=pulled)
    tell_freshness(built=built)
    fail_if_parts_failed(pulled, built=built)


@dg.schedule(
    job=tick,
    cron_schedule="*/15 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every 15 minutes: the current day of accounts whose ads deliver, and the marts.",
)
def every_quarter_hour(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
    """A run, unless the last one still goes on or waits; it takes in what this one would have."""
    waiting = context.instance.get_runs(
        dg.RunsFilter(job_name=tick.name, statuses=_UNFINISHED, tags={TICK_TAG: "1"}), limit=1
    )
    if waiting:
        return dg.SkipReason(f"Run {waiting[0].run_id} of the tick before goes on.")
    at = context.scheduled_execution_time.astimezone(UTC)
    return dg.RunRequest(run_key=f"tick {at:%Y-%m-%d %H:%M}")
