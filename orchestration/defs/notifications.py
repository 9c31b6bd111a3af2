"""Meta's notifications as runs: a burst for an account is one pull.

What belongs here: the sensor, and the run of each kind of pull. What does not: receiving and meaning
(`orchestration.receiver`), sorting (`orchestration.notified`).

No notification is lost, whoever dies when: it is promised to a run under that run's key, and counts as asked for only
once the run is seen. Until then the same run is requested again, which Dagster does not start twice.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime

import dagster as dg

from orchestration.defs.partitions import ACCOUNTS, account_day_key, account_key, account_of
from orchestration.defs.raw import report_key
from orchestration.defs.resources import PlatformSource
from orchestration.defs.schedules import ACCOUNT_TAG, daily_insights, daily_objects, run_tags
from orchestration.due import account_today
from orchestration.notified import Wanted, sort_out
from orchestration.platform import Platform
from orchestration.receiver.meaning import Pull
from warehouse.errors import WarehouseError
from warehouse.ops.notifications import mark_asked, mark_ignored, new_notifications, promise_run
from warehouse.query import account_overview

LOOK_EVERY_SECONDS = 30
#: Says what a run was asked for by notifications.
PULL_TAG = "meta-ads/notified"
_RUN_KEY_TAG, _SENSOR_TAG = "dagster/run_key", "dagster/sensor_name"
_SENSOR = "notifications"


def objects_request(account_id: int, run_key: str) -> dg.RunRequest:
    """The run that pulls the objects of an account that changed."""
    return dg.RunRequest(
        run_key=run_key,
        job_name=daily_objects.name,
        partition_key=account_key(account_id),
        tags=run_tags(account_id) | {PULL_TAG: Pull.OBJECTS.value},
    )


def today_request(account_id: int, today: date, run_key: str) -> dg.RunRequest:
    """The run that pulls an account's current day by the hour.

    Args:
        account_id: Whose.
        today: The account's own.
        run_key: Of the run.
    """
    day = account_day_key(account_id, today)
    return dg.RunRequest(
        run_key=run_key,
        job_name=daily_insights.name,
        asset_selection=[report_key("ad_hourly")],
        tags=run_tags(account_id)
        | {
            PULL_TAG: Pull.TODAY.value,
            "dagster/asset_partition_range_start": day,
            "dagster/asset_partition_range_end": day,
        },
    )


@dg.sensor(
    name=_SENSOR,
    jobs=[daily_objects, daily_insights],
    minimum_interval_seconds=LOOK_EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Pulls what Meta's webhooks say has changed: an account's objects, or its current day.",
)
def notifications(
    context: dg.SensorEvaluationContext, platform: dg.ResourceParam[PlatformSource]
) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """A run for each account and kind of pull that waits; none where one is queued, which will see the change."""
    keys = context.instance.get_dynamic_partitions(ACCOUNTS.name or "")
    try:
        with platform.opened() as opened:
            waiting = new_notifications(opened.warehouse)
            found = sort_out(waiting, {account_of(key) for key in keys})
            for reason, ids in found.ignored.items():
                mark_ignored(opened.warehouse, ids, reason)
            keyed = [(wanted, _settled(context.instance, opened, wanted)) for wanted in found.wanted]
            requests = _requests(opened, {run_key: wanted for wanted, run_key in keyed if run_key is not None})
    except WarehouseError as problem:
        yield dg.SkipReason(str(problem))
        return
    yield from requests
    if not requests:
        yield dg.SkipReason(f"{len(waiting)} notifications needed no new run." if waiting else "Nothing was notified.")


def _settled(instance: dg.DagsterInstance, platform: Platform, wanted: Wanted) -> str | None:
    """Marks what a run exists for, and promises the rest.

    Returns:
        The key of the run to request; None where no new one is needed.
    """
    unstarted = None
    for run_key, ids in wanted.promised.items():
        if instance.get_runs_count(dg.RunsFilter(tags={_RUN_KEY_TAG: run_key, _SENSOR_TAG: _SENSOR})):
            mark_asked(platform.warehouse, ids, run_key)
        else:
            unstarted = run_key
    if not wanted.fresh:
        return unstarted
    if unstarted is None:
        queued = _queued(instance, wanted)
        if queued is not None:
            # Reason: these were stored before the run was seen in the queue, so it asks Meta after they came.
            mark_asked(platform.warehouse, list(wanted.fresh), queued)
            return None
    run_key = unstarted or wanted.new_key
    promised = promise_run(platform.warehouse, list(wanted.fresh), run_key)
    return run_key if promised or unstarted else None


def _queued(instance: dg.DagsterInstance, wanted: Wanted) -> str | None:
    """The key of a run for the same, if one waits for its turn: runs of one account go one by one."""
    tags = {ACCOUNT_TAG: account_key(wanted.account_id), PULL_TAG: wanted.pull.value}
    runs = instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.QUEUED], tags=tags), limit=1)
    return runs[0].tags.get(_RUN_KEY_TAG) if runs else None


def _requests(platform: Platform, wanted: Mapping[str, Wanted]) -> list[dg.RunRequest]:
    """Requests for pulls by the keys of their runs."""
    now = datetime.fromtimestamp(platform.clock.now(), UTC)
    zones: dict[int, str] = {}
    if any(one.pull is Pull.TODAY for one in wanted.values()):
        zones = {int(row["account_id"]): str(row["time_zone"] or "UTC") for row in account_overview(platform.warehouse)}
    return [
        objects_request(one.account_id, run_key)
        if one.pull is Pull.OBJECTS
        else today_request(one.account_id, account_today(now, zones.get(one.account_id, "UTC")), run_key)
        for run_key, one in wanted.items()
    ]
