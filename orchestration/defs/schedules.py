"""When things run by themselves.

What belongs here: ticks and what they ask for. What does not: the work. A late tick catches up: each evaluation asks
for what is due now, under a key that names the account and its day, so that no day is asked for twice.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from orchestration.defs.partitions import ACCOUNTS, account_day_key, account_key, account_of, first_day
from orchestration.defs.raw import FULL_TAG
from orchestration.defs.resources import PlatformSource
from orchestration.due import account_today
from warehouse.ops.slices import newest_days
from warehouse.query import account_overview

RESTATED_DAYS = 28
#: Above the backfills' default of 0: what people wait for every morning goes first.
DAILY_PRIORITY = "10"
FULL_PRIORITY = "5"
FULL_SLOTS = 20  # quarters of an hour between 01:00 and 06:00
ACCOUNT_TAG = "meta-ads/account"

daily_objects = dg.define_asset_job(
    "daily_objects", selection=dg.AssetSelection.groups("raw_entities"), description="The objects of an account."
)
daily_insights = dg.define_asset_job(
    "daily_insights",
    selection=dg.AssetSelection.groups("raw_insights"),
    description="All reports of an account for the days that Meta still changes.",
)


def run_tags(account_id: int) -> dict[str, str]:
    """Tags of a daily run: whose it is, and that it goes before backfills."""
    return {"dagster/priority": DAILY_PRIORITY, ACCOUNT_TAG: account_key(account_id)}


def insight_request(account_id: int, time_zone: str, now: datetime, newest: date | None = None) -> dg.RunRequest:
    """The run over the days that Meta may still change, up to the account's yesterday.

    Args:
        account_id: Whose.
        time_zone: The account's, IANA.
        now: With a time zone.
        newest: The newest day held; where it lies further back, the platform stood still, and all since is asked for.
    """
    yesterday = account_today(now, time_zone) - timedelta(days=1)
    since = yesterday - timedelta(days=RESTATED_DAYS - 1)
    if newest is not None and newest < since:
        since = max(newest + timedelta(days=1), first_day(now.date()))
    ends = {"start": account_day_key(account_id, since), "end": account_day_key(account_id, yesterday)}
    return dg.RunRequest(
        run_key=f"{account_key(account_id)} until {yesterday}",
        tags=run_tags(account_id) | {f"dagster/asset_partition_range_{end}": key for end, key in ends.items()},
    )


@dataclass(frozen=True)
class Known:
    """What a tick knows of an account.

    Attributes:
        time_zone: IANA; UTC until the account's own is known.
        newest: The newest day of ads that is held.
    """

    time_zone: str = "UTC"
    newest: date | None = None


def known_accounts(instance: dg.DagsterInstance, platform: PlatformSource) -> dict[int, Known]:
    """Each account that is a partition."""
    with platform.opened() as opened:
        zones = {int(row["account_id"]): str(row["time_zone"] or "UTC") for row in account_overview(opened.warehouse)}
        newest = newest_days(opened.warehouse, "ad_daily")
    accounts = [account_of(key) for key in sorted(instance.get_dynamic_partitions(ACCOUNTS.name or ""))]
    return {account: Known(zones.get(account, "UTC"), newest.get(account)) for account in accounts}


@dg.schedule(
    job=daily_insights,
    cron_schedule="10 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every hour, for each account whose day has changed since: the last 28 days, all reports.",
)
def daily_window(
    context: dg.ScheduleEvaluationContext, platform: dg.ResourceParam[PlatformSource]
) -> Iterator[dg.RunRequest]:
    """A run for each account, once in its day; its key keeps later hours from asking again."""
    now = context.scheduled_execution_time.astimezone(UTC)
    for account_id, known in known_accounts(context.instance, platform).items():
        yield insight_request(account_id, known.time_zone, now, known.newest)


@dg.schedule(
    job=daily_objects,
    cron_schedule="5 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every hour, for each account whose day has changed since: its objects and change history.",
)
def daily_entities(
    context: dg.ScheduleEvaluationContext, platform: dg.ResourceParam[PlatformSource]
) -> Iterator[dg.RunRequest]:
    """A run for each account, once in its day."""
    now = context.scheduled_execution_time.astimezone(UTC)
    for account_id, known in known_accounts(context.instance, platform).items():
        yield dg.RunRequest(
            run_key=f"{account_key(account_id)} on {account_today(now, known.time_zone)}",
            partition_key=account_key(account_id),
            tags=run_tags(account_id),
        )


def full_pull_due(account_id: int, time_zone: str, now: datetime) -> str | None:
    """The ISO week whose pull in full is due for an account, such as `2026-W47`; None until its moment has come.

    Its moment is in the night to the account's Monday, a quarter of an hour between 01:00 and 06:00 that depends on its
    id: so that not all start at once. Afterwards the week stays due: a tick that was missed costs nothing.

    Args:
        account_id: Whose.
        time_zone: The account's, IANA.
        now: With a time zone.
    """
    here = now.astimezone(ZoneInfo(time_zone))
    year, week, weekday = here.isocalendar()
    quarter = account_id % FULL_SLOTS
    began = weekday > 1 or (here.hour, here.minute) >= (1 + quarter // 4, quarter % 4 * 15)
    return f"{year}-W{week:02d}" if began else None


@dg.schedule(
    job=daily_objects,
    cron_schedule="*/15 * * * *",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Once a week for each account, in its night to Monday: all of its objects, also those that have not "
    "changed as far as Meta can tell.",
)
def weekly_entities_full(
    context: dg.ScheduleEvaluationContext, platform: dg.ResourceParam[PlatformSource]
) -> Iterator[dg.RunRequest]:
    """A run for each account, once in its week."""
    now = context.scheduled_execution_time.astimezone(UTC)
    for account_id, known in known_accounts(context.instance, platform).items():
        week = full_pull_due(account_id, known.time_zone, now)
        if week is not None:
            yield dg.RunRequest(
                run_key=f"{account_key(account_id)} in full {week}",
                partition_key=account_key(account_id),
                tags=run_tags(account_id) | {"dagster/priority": FULL_PRIORITY, FULL_TAG: "true"},
            )
