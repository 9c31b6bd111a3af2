"""When a report is due: in its time zone, through changes of the clocks, once, and for the right days."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.clients.cron import check_cron
from orchestration.clients.models import Client, EmailReport
from orchestration.errors import ConfigurationError
from orchestration.reports.due import ending, last_firing, newest_due, next_firing

ZONES = (
    "Europe/Berlin",
    "America/Los_Angeles",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Asia/Tokyo",
    "Pacific/Apia",
    "Africa/Casablanca",
)
SCHEDULES = ("0 7 * * mon", "30 2 * * *", "0 0 * * *", "15 1,2,3 * * *", "*/20 * * * *", "0 6 1 * *", "59 23 * * 0,6")
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(  # noqa: DTZ001 - hypothesis asks for naive ones
    lambda moment: moment.replace(tzinfo=UTC)
)
# Reason: what goes wrong does so around the changes of the clocks, which chance rarely meets.
CHANGES = st.sampled_from(
    [
        datetime(2026, 3, 29, 1, tzinfo=UTC),
        datetime(2026, 10, 25, 1, tzinfo=UTC),
        datetime(2026, 3, 8, 10, tzinfo=UTC),
        datetime(2026, 11, 1, 9, tzinfo=UTC),
        datetime(2026, 4, 4, 15, tzinfo=UTC),
    ]
).flatmap(lambda change: st.integers(-300, 300).map(lambda minutes: change + timedelta(minutes=minutes)))


def weekly(**changes: object) -> EmailReport:
    fields = {
        "name": "weekly",
        "recipients": ["a@b.de"],
        "schedule": "0 7 * * mon",
        "time_zone": "Europe/Berlin",
        "period": "last_week",
    }
    return EmailReport.model_validate(fields | changes)


def client(report: EmailReport) -> Client:
    return Client.model_validate({"id": "acme", "name": "Acme", "accounts": [{"id": 1}], "reports": [report]})


@settings(deadline=None)
@given(MOMENTS | CHANGES, st.sampled_from(ZONES), st.sampled_from(SCHEDULES))
def test_the_last_and_the_next_firing_lie_around_now_with_none_between(now: datetime, zone: str, schedule: str) -> None:
    report = weekly(schedule=schedule, time_zone=zone)
    last, following = last_firing(report, now), next_firing(report, now)
    assert last <= now < following
    since = now.astimezone(ZoneInfo(zone)) - timedelta(days=70 if schedule.startswith("0 6 1") else 15)
    firings = sorted(takewhile(lambda one: one < now + timedelta(days=1), CronSim(schedule, since)))
    assert last == max(one for one in firings if one <= now)
    assert all(one >= following for one in firings if one > now)


@settings(deadline=None)
@given(MOMENTS | CHANGES, st.sampled_from(ZONES), st.sampled_from(("yesterday", "last_week", "last_month")))
def test_a_late_look_asks_for_the_same_days(now: datetime, zone: str, period: str) -> None:
    report = weekly(schedule="0 7 * * *", time_zone=zone, period=period)
    due = newest_due(client(report), report, now)
    following = next_firing(report, now)
    late = newest_due(client(report), report, following - timedelta(seconds=1))
    assert late == due
    assert newest_due(client(report), report, following).at > due.at
    assert due.period.last < due.at.astimezone(ZoneInfo(zone)).date()


@settings(deadline=None)
@given(st.dates(date(2024, 1, 1), date(2029, 12, 31)), st.sampled_from(ZONES))
def test_a_daily_report_covers_each_day_once(first: date, zone: str) -> None:
    """Whatever the clocks do: twenty firings, twenty days without a gap."""
    report = weekly(schedule="30 2 * * *", time_zone=zone, period="yesterday")
    now = datetime(first.year, first.month, first.day, tzinfo=UTC)
    days = []
    for _ in range(20):
        now = next_firing(report, now)
        days.append(newest_due(client(report), report, now).period.last)
    assert days == [days[0] + timedelta(days=number) for number in range(20)]


def test_seven_in_the_morning_is_seven_in_summer_and_in_winter() -> None:
    report = weekly()
    summer, winter = datetime(2026, 10, 21, tzinfo=UTC), datetime(2026, 10, 28, tzinfo=UTC)
    assert newest_due(client(report), report, summer).at == datetime(2026, 10, 19, 5, tzinfo=UTC)
    assert newest_due(client(report), report, winter).at == datetime(2026, 10, 26, 6, tzinfo=UTC)


def test_an_hour_that_there_is_not_and_one_that_comes_twice() -> None:
    report = weekly(schedule="30 2 * * *")
    gap = next_firing(report, datetime(2026, 3, 28, 12, tzinfo=UTC))
    assert gap.isoformat() == "2026-03-29T03:00:00+02:00"
    twice = next_firing(report, datetime(2026, 10, 24, 12, tzinfo=UTC))
    assert twice.isoformat() == "2026-10-25T02:30:00+02:00"
    assert next_firing(report, twice).date() == date(2026, 10, 26)
    assert last_firing(report, datetime(2026, 10, 25, 1, 15, tzinfo=UTC)) == twice


def test_a_period_may_be_named_by_its_last_day() -> None:
    report, now = weekly(), datetime(2026, 11, 18, 12, tzinfo=UTC)
    assert ending(client(report), report, None, now).period.last == date(2026, 11, 15)
    due = ending(client(report), report, date(2026, 11, 8), now)
    assert (due.period.first, due.period.last) == (date(2026, 11, 2), date(2026, 11, 8))
    assert due.name == "acme/weekly"
    with pytest.raises(ConfigurationError, match="ends on 2026-11-11") as caught:
        ending(client(report), report, date(2026, 11, 11), now)
    assert "2026-11-08" in caught.value.mend
    with pytest.raises(ConfigurationError, match="not over in Europe/Berlin") as caught:
        ending(client(report), report, date(2026, 11, 22), now)
    assert "2026-11-15" in caught.value.mend


FIELDS = (
    st.sampled_from(["*", "0", "5,59", "*/7", "3-9/2", "5/15"]),
    st.sampled_from(["*", "0", "23", "*/5", "0-6,22"]),
    st.sampled_from(["*", "1", "31", "1,15", "*/9", "30"]),
    st.sampled_from(["*", "2", "feb", "jan-mar", "*/3", "feb,apr"]),
    st.sampled_from(["*", "0", "7", "mon", "mon-fri", "sun-tue", "*/2", "1-5/2"]),
)


@settings(deadline=None)
@given(st.tuples(*FIELDS).map(" ".join))
def test_every_schedule_that_is_accepted_fires(text: str) -> None:
    try:
        accepted = check_cron(text)
    except ValueError:
        return
    now = datetime(2026, 11, 23, tzinfo=UTC)
    report = weekly(schedule=accepted)
    assert last_firing(report, now) <= now < next_firing(report, now)
