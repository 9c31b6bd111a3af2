"""Housekeeping as a job: every night, by itself.

What belongs here: the job and its schedule. What does not: what is forgotten (`orchestration.maintenance`).
"""

from dataclasses import asdict

import dagster as dg

from orchestration.defs.resources import PlatformSource
from orchestration.errors import UserError
from orchestration.logs import log_context
from orchestration.maintenance import keep_house
from orchestration.workers import DBT_QUEUE, QUEUE_TAG
from warehouse.errors import WarehouseError

POOL = "maintenance"  # a pool that nobody sized admits one step


@dg.op(pool=POOL, tags={QUEUE_TAG: DBT_QUEUE})
def keep_house_op(context: dg.OpExecutionContext, platform: dg.ResourceParam[PlatformSource]) -> None:
    """Forgets what is older than the settings say, in insights, in `ops` and in Dagster's event log."""
    with log_context(dagster_run=context.run_id), platform.opened() as opened:
        try:
            done = keep_house(opened)
        except UserError as problem:
            raise dg.Failure(f"{problem.message} Mend: {problem.mend}.", allow_retries=False) from None
        except WarehouseError as problem:
            raise dg.Failure(str(problem)) from problem
    context.add_output_metadata(
        {
            "raw_slices": done.raw_slices,
            **{f"ops_{table}": count for table, count in done.ops_rows.items()},
            **{f"dagster_{name}": count for name, count in (asdict(done.event_log) if done.event_log else {}).items()},
        }
    )


@dg.job(description="Forgets what is old: runs and events in Dagster's log, the platform's own history, raw insights.")
def maintenance() -> None:
    """One step."""
    keep_house_op()


nightly_maintenance = dg.ScheduleDefinition(
    name="nightly_maintenance",
    job=maintenance,
    cron_schedule="40 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night at 03:40 UTC.",
)
