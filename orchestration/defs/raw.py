"""Raw assets: objects of an account, and a report for an account and day.

What belongs here: keys, partitions, what a step asks `orchestration.pull` for, and how its outcome is told to Dagster.
What does not: pulling. Nothing else talks to Meta, so the pool `meta_api` bounds how many steps do; the calls
themselves are counted by the budget that all processes share (`ingestion.budget`).
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg

from ingestion.entities import KINDS
from ingestion.errors import IngestionError
from ingestion.reports import PRESETS, Report
from orchestration.defs.partitions import (
    ACCOUNT_DAYS,
    ACCOUNTS,
    account_day_key,
    account_key,
    account_of,
    account_ranges,
)
from orchestration.defs.resources import PlatformSource
from orchestration.errors import UserError
from orchestration.platform import Platform
from orchestration.pull import run_pull
from orchestration.pull_model import PullRequest, PullSummary
from orchestration.pulled import Pulled, pulled_slices
from orchestration.workers import META_QUEUE, QUEUE_TAG
from warehouse.errors import WarehouseError

META_POOL = "meta_api"
DAYS_PER_RUN = 30  # Reason: one range of an account is one report run at Meta, and what a retry repeats at most.
OWNERS = ["team:data-engineering"]
#: `true` on a run: all objects, also those that have not changed as far as Meta can tell.
FULL_TAG = "meta-ads/full"
#: Remembers on the first of several attempts since when a day counts as pulled. Dagster shows no
#: tag of this prefix: it would stand where people look for what a run cost.
ASKED_AT = ".dagster/meta-ads/asked_at"
#: What a run has cost so far, all attempts of its step together; the list of runs shows it.
API_CALLS, WAITED = "meta-ads/api_calls", "meta-ads/seconds_waited_for_quota"

RETRY = dg.RetryPolicy(max_retries=3, delay=60, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.FULL)
_ENTITY_TABLES = {
    "accounts": "The ad accounts themselves.",
    **{kind: f"Objects of the edge `{found.edge}`, as last seen." for kind, found in KINDS.items()},
    "activities": "Meta's change history of the account.",
}


def entity_key(kind: str) -> dg.AssetKey:
    """Key of a table of objects."""
    return dg.AssetKey(["raw", kind])


def report_key(report: str) -> dg.AssetKey:
    """Key of a report's table."""
    return dg.AssetKey(["raw", f"insights_{report}"])


def raw_assets(retry: dg.RetryPolicy = RETRY) -> list[dg.AssetsDefinition]:
    """Objects by account, and reports by account and day.

    Args:
        retry: When a step that failed for a passing reason is tried again.
    """

    @dg.multi_asset(
        name="raw_entities",
        specs=[_spec(entity_key(kind), text, "raw_entities") for kind, text in _ENTITY_TABLES.items()],
        partitions_def=ACCOUNTS,
        retry_policy=retry,
        pool=META_POOL,
        op_tags={QUEUE_TAG: META_QUEUE},
    )
    def raw_entities(
        context: dg.AssetExecutionContext, platform: dg.ResourceParam[PlatformSource]
    ) -> Iterator[dg.MaterializeResult[Any]]:
        """All objects of an account, and its change history; where Meta can tell, only what changed.

        A run with the tag `meta-ads/full` asks for all of them, as the weekly schedule does.
        """
        request = PullRequest(
            (account_of(context.partition_key),),
            insights=False,
            full_entities=context.run.tags.get(FULL_TAG) == "true",
            dagster_run=context.run.run_id,
        )
        with platform.opened() as opened:
            summary = _pull(opened, request)
        _fail_on_problems([summary])
        for key in context.selected_asset_keys:
            yield dg.MaterializeResult(key, metadata={"api_calls": summary.calls})

    @dg.multi_asset(
        name="raw_insights",
        specs=[
            _spec(report_key(name), _described(report), "raw_insights", skippable=True)
            for name, report in PRESETS.items()
        ],
        can_subset=True,
        partitions_def=ACCOUNT_DAYS,
        backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=DAYS_PER_RUN),
        retry_policy=retry,
        pool=META_POOL,
        op_tags={QUEUE_TAG: META_QUEUE},
    )
    def raw_insights(
        context: dg.AssetExecutionContext, platform: dg.ResourceParam[PlatformSource]
    ) -> Iterator[dg.MaterializeResult[Any]]:
        """Reports of an account for a range of days; each day is replaced whole.

        Attempts after the first, retries of the run among them, ask only for days that the first did not get.
        """
        names = [name for name in PRESETS if report_key(name) in context.selected_asset_keys]
        summaries = []
        with platform.opened() as opened:
            asked_at = _asked_at(context, opened)
            found = account_ranges(context.partition_keys)
            for account_id, since, until in ((a, *days) for a, several in found.items() for days in several):
                request = PullRequest(
                    (account_id,),
                    tuple(names),
                    since,
                    until,
                    entities=False,
                    unless_since=asked_at,
                    dagster_run=context.run.run_id,
                )
                summaries.append(_pull(opened, request))
            pulled = {name: pulled_slices(opened.warehouse, name, found, asked_at) for name in names}
        cost = _add_cost(context, summaries)
        for name in names:
            if not pulled[name].missing:
                _tell_days(context, report_key(name), pulled[name])
                yield dg.MaterializeResult(report_key(name), metadata=cost)
        _fail_on_problems(summaries)
        late = [f"{name}: {_days(found.missing[:5])}" for name, found in pulled.items() if found.missing]
        if late:
            raise dg.Failure(f"Some days did not come: {'; '.join(late)}.")

    return [raw_entities, raw_insights]


def _spec(key: dg.AssetKey, description: str, group: str, *, skippable: bool = False) -> dg.AssetSpec:
    return dg.AssetSpec(
        key,
        description=description,
        kinds={"meta", "postgres"},
        owners=OWNERS,
        group_name=group,
        skippable=skippable,
        metadata={"dagster/table_name": ".".join(key.path)},
    )


def _described(report: Report) -> str:
    cells = ", ".join((report.level, "period" if report.period else "day", *report.breakdowns))
    return f"Insights as Meta sent them, a row per {cells}; a day is replaced whole."


def _days(found: Sequence[tuple[int, date]]) -> str:
    return ", ".join(f"{account_key(account_id)} {day}" for account_id, day in found)


def _tell_days(context: dg.AssetExecutionContext, key: dg.AssetKey, pulled: Pulled) -> None:
    """Rows of each account day, and when Meta answered, beside what the step tells of all of them."""
    for (account_id, day), state in pulled.slices.items():
        context.add_asset_metadata(
            {
                "dagster/partition_row_count": state.row_count,
                "pulled_at": dg.TimestampMetadataValue(state.pulled_at.timestamp()),
            },
            asset_key=key,
            partition_key=str(account_day_key(account_id, day)),
        )


def _add_cost(context: dg.AssetExecutionContext, summaries: Sequence[PullSummary]) -> dict[str, float]:
    """What these pulls cost, as metadata; tags of the run say what all attempts of its step cost together."""
    calls = sum(summary.calls for summary in summaries)
    waited = round(sum(summary.waited_seconds for summary in summaries), 1)
    # Reason: a run that is executed again inherits tags, but not the calls of the one before.
    run = context.instance.get_run_by_id(context.run.run_id) if context.retry_number else None
    tags = run.tags if run else {}
    total = {API_CALLS: int(tags.get(API_CALLS, 0)) + calls, WAITED: round(float(tags.get(WAITED, 0)) + waited)}
    context.instance.add_run_tags(context.run.run_id, {name: str(value) for name, value in total.items() if value})
    return {"api_calls_of_the_step": calls, "seconds_waited_for_quota": waited}


def _pull(platform: Platform, request: PullRequest) -> PullSummary:
    """A pull whose errors say how to mend them; what no second attempt can mend is not tried again.

    Raises:
        Failure: Permanent, with the mend in its text.
        WarehouseError: The database failed, which may pass.
    """
    try:
        return run_pull(platform, request)
    except UserError as problem:
        mend = f" Mend: {problem.mend.rstrip('.')}." if problem.mend else ""
        # Reason: alerts tell a refused token from other failures by the type of the error, which Dagster does not keep.
        kind = type(problem.__cause__ or problem).__name__
        raise dg.Failure(f"{problem.message}{mend}", metadata={"error_kind": kind}, allow_retries=False) from None
    except (IngestionError, WarehouseError) as problem:
        raise dg.Failure(str(problem)) from problem


def _fail_on_problems(summaries: Sequence[PullSummary]) -> None:
    problems = [problem for summary in summaries for outcome in summary.outcomes for problem in outcome.problems]
    if problems:
        listing = "\n".join(f"- {problem}" for problem in problems[:10])
        raise dg.Failure(
            f"{len(problems)} parts failed; what came is kept:\n{listing}", metadata={"error_kind": "PartsFailed"}
        )


def _asked_at(context: dg.AssetExecutionContext, platform: Platform) -> datetime:
    """When the first attempt began, by the platform's clock, UTC: of this step, and of the run that a retry repeats.

    A run that somebody executes again as a whole asks for everything again: that is what they want.
    """
    is_retry = bool({"dagster/retry_number", "dagster/is_resume_retry"} & context.run.tags.keys())
    first_id = context.run.root_run_id if is_retry and context.run.root_run_id else context.run.run_id
    first = context.instance.get_run_by_id(first_id)
    told = first.tags.get(ASKED_AT) if first else None
    if told:
        return datetime.fromisoformat(told)
    now = datetime.fromtimestamp(platform.clock.now(), UTC)
    context.instance.add_run_tags(first_id, {ASKED_AT: now.isoformat()})
    return now
