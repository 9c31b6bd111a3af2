"""Schedules of sync and scans, between the form of requests and Quartz's cron."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from tests.metabase.core.errors import server_error
from tests.metabase.core.schema import Body
from tests.metabase.core.state import Row

_DAYS = {day: number for number, day in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"), 1)}
_FRAMES = {"first": "#1", "last": "L"}


class Schedule(Body):
    """When something happens."""

    schedule_type: Literal["hourly", "daily", "weekly", "monthly"]
    schedule_minute: Annotated[int, Field(ge=0, le=59)] | None = None
    schedule_hour: Annotated[int, Field(ge=0, le=23)] | None = None
    schedule_day: Literal["sun", "mon", "tue", "wed", "thu", "fri", "sat"] | None = None
    schedule_frame: Literal["first", "mid", "last"] | None = None


class Schedules(Body):
    """The two schedules of a database."""

    metadata_sync: Schedule | None = None
    cache_field_values: Schedule | None = None


def _cron(schedule: Schedule) -> str:
    minute, hour = schedule.schedule_minute or 0, schedule.schedule_hour or 0
    day, frame = _DAYS.get(schedule.schedule_day or "", 2), schedule.schedule_frame
    return {
        "hourly": f"0 {minute} * * * ? *",
        "daily": f"0 {minute} {hour} * * ? *",
        "weekly": f"0 {minute} {hour} ? * {day} *",
        "monthly": f"0 {minute} {hour} 15 * ? *"
        if frame == "mid"
        else f"0 {minute} {hour} ? * {day}{_FRAMES.get(frame or 'first', '#1')} *",
    }[schedule.schedule_type]


def _schedule(cron: str | None) -> dict[str, Any] | None:
    if cron is None:
        return None
    _, minute, hour, month_day, _, week_day, _ = cron.split()
    shown: dict[str, Any] = {
        "schedule_minute": int(minute),
        "schedule_hour": None if hour == "*" else int(hour),
        "schedule_day": next((d for d, n in _DAYS.items() if week_day.startswith(str(n))), None),
        "schedule_frame": "mid" if month_day == "15" else None,
    }
    if "#1" in week_day or "L" in week_day:
        shown["schedule_frame"] = "first" if "#1" in week_day else "last"
    monthly = shown["schedule_frame"] is not None
    weekly = shown["schedule_day"] is not None
    kind = "hourly" if hour == "*" else "monthly" if monthly else "weekly" if weekly else "daily"
    return {"schedule_type": kind} | shown


def cron_strings(database: Row, schedules: Schedules | None, number: int) -> dict[str, str | None]:
    """The schedule columns of a database.

    Without `let-user-control-scheduling` in the details Metabase draws the times itself, whatever the request says;
    here they are drawn from the database's number.

    Raises:
        ApiError: 500, the options do not go together.
    """
    metadata = database.get("metadata_sync_schedule")
    values = database.get("cache_field_values_schedule")
    if not database["details"].get("let-user-control-scheduling"):
        return {
            "metadata_sync_schedule": f"0 {number * 7 % 60} * * * ? *",
            "cache_field_values_schedule": f"0 0 {number * 5 % 24} * * ? *",
        }
    if schedules is not None and schedules.metadata_sync is not None:
        metadata = _cron(schedules.metadata_sync)
    if schedules is not None and "cache_field_values" in schedules.model_fields_set:
        values = _cron(schedules.cache_field_values) if schedules.cache_field_values else None
    if not database["is_full_sync"]:
        values = None
    elif database["is_on_demand"]:
        raise server_error("Illegal options combination.")
    elif metadata is None or values is None:
        raise server_error("Assert failed: (every? some? [cache_field_values_schedule metadata_sync_schedule])")
    return {"metadata_sync_schedule": metadata, "cache_field_values_schedule": values}


def expanded(database: Row) -> dict[str, Any]:
    """The schedules as answers show them."""
    return {
        "metadata_sync": _schedule(database["metadata_sync_schedule"]),
        "cache_field_values": _schedule(database["cache_field_values_schedule"]),
    }
