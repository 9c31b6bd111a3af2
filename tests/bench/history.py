"""A Dagster instance with a long history behind it: accounts as partitions, and every day of them materialized.

What belongs here: events as runs over 30 days write them, stored in batches. What does not: what is measured on them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from uuid import uuid4

import dagster as dg
from dagster._core.events import DagsterEvent, DagsterEventType, StepMaterializationData
from dagster._core.events.log import EventLogEntry

from ingestion.reports import PRESETS
from orchestration.defs.partitions import ACCOUNTS, account_day_key, account_key
from orchestration.defs.raw import DAYS_PER_RUN, report_key

JOB = "__ASSET_JOB"


def fill(instance: dg.DagsterInstance, account_ids: Sequence[int], since: date, until: date) -> int:
    """Adds accounts, and a materialization of every report for each of their days.

    Returns:
        How many events were stored.
    """
    instance.add_dynamic_partitions(ACCOUNTS.name or "", [account_key(account_id) for account_id in account_ids])
    stored = 0
    for account_id in account_ids:
        runs = list(_ranges(since, until))
        ids = [_add_run(instance, account_id, first, last) for first, last in runs]
        for name in PRESETS:
            key = report_key(name)
            found = zip(ids, runs, strict=True)
            events = [
                event for run_id, (first, last) in found for event in _events(key, run_id, account_id, first, last)
            ]
            instance.event_log_storage.store_event_batch(events)
            stored += len(events)
    return stored


def _add_run(instance: dg.DagsterInstance, account_id: int, first: date, last: date) -> str:
    run_id = str(uuid4())
    ends = {"start": first, "end": last}
    tags = {f"dagster/asset_partition_range_{end}": str(account_day_key(account_id, day)) for end, day in ends.items()}
    keys = frozenset(report_key(name) for name in PRESETS)
    instance.add_run(
        dg.DagsterRun(JOB, run_id=run_id, status=dg.DagsterRunStatus.SUCCESS, tags=tags, asset_selection=keys)
    )
    return run_id


def _ranges(since: date, until: date) -> Iterator[tuple[date, date]]:
    while since <= until:
        last = min(until, since + timedelta(days=DAYS_PER_RUN - 1))
        yield since, last
        since = last + timedelta(days=1)


def _events(key: dg.AssetKey, run_id: str, account_id: int, first: date, last: date) -> Iterator[EventLogEntry]:
    for number in range((last - first).days + 1):
        partition = account_day_key(account_id, first + timedelta(days=number))
        materialization = dg.AssetMaterialization(
            key,
            partition=partition,
            metadata={
                "dagster/partition_row_count": 20,
                "pulled_at": dg.TimestampMetadataValue(time.time()),
                "api_calls_of_the_step": 60,
                "seconds_waited_for_quota": 0.0,
            },
        )
        event = DagsterEvent(
            DagsterEventType.ASSET_MATERIALIZATION.value,
            JOB,
            event_specific_data=StepMaterializationData(materialization),
        )
        yield EventLogEntry(
            user_message="",
            level="INFO",
            job_name=JOB,
            run_id=run_id,
            error_info=None,
            timestamp=time.time(),
            dagster_event=event,
        )
