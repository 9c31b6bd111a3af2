"""Which days a pull of the current day asks for: no more than Meta can have changed, and nothing left out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.due import account_today
from orchestration.today import SHORTEST_AGE, current_days
from warehouse.ops.today import Activity

ZONES = ("Pacific/Kiritimati", "Asia/Kolkata", "Europe/Berlin", "America/New_York", "Pacific/Pago_Pago")
BERLIN = "Europe/Berlin"
NOON = datetime(2026, 11, 20, 11, 0, tzinfo=UTC)  # 12:00 in Berlin
TODAY, YESTERDAY = date(2026, 11, 20), date(2026, 11, 19)
BUSY = Activity(is_delivering=True, changed_at=NOON - timedelta(days=3))
IDLE = Activity(is_delivering=False, changed_at=NOON - timedelta(days=3))


def ago(**spans: float) -> datetime:
    return NOON - timedelta(**spans)


@pytest.mark.parametrize(
    ("activity", "pulled", "asked"),
    [
        (BUSY, {}, [(TODAY, TODAY)]),
        (BUSY, {TODAY: ago(minutes=15)}, [(TODAY, TODAY)]),
        (BUSY, {TODAY: ago(minutes=9)}, []),
        (IDLE, {}, []),
        (IDLE, {TODAY: ago(minutes=15)}, []),
        (Activity(False, None), {}, []),
        # Switched off since the last pull, or shortly before it: what was spent until then is still to come.
        (Activity(False, ago(minutes=5)), {TODAY: ago(minutes=15)}, [(TODAY, TODAY)]),
        (Activity(False, ago(minutes=40)), {TODAY: ago(minutes=15)}, [(TODAY, TODAY)]),
        (Activity(False, ago(hours=2)), {TODAY: ago(minutes=15)}, []),
        (Activity(False, ago(minutes=5)), {}, [(TODAY, TODAY)]),
        # Yesterday is asked for until a pull saw its end.
        (BUSY, {YESTERDAY: ago(hours=12, minutes=5), TODAY: ago(minutes=15)}, [(YESTERDAY, TODAY)]),
        (IDLE, {YESTERDAY: ago(hours=12, minutes=5)}, [(YESTERDAY, YESTERDAY)]),
        (IDLE, {YESTERDAY: ago(hours=11, minutes=44)}, []),
        (BUSY, {YESTERDAY: ago(hours=11, minutes=44), TODAY: ago(minutes=15)}, [(TODAY, TODAY)]),
    ],
)
def test_days_asked_for(activity, pulled, asked):
    assert current_days(activity, pulled, NOON, BERLIN) == asked


@given(
    st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 - hypothesis asks for naive ones
    st.sampled_from(ZONES),
    st.lists(st.integers(1, 40), min_size=2, max_size=120),
    st.booleans(),
)
def test_of_pulls_at_any_times_every_hour_of_delivery_is_seen_and_none_is_asked_in_vain(start, zone, pauses, busy):
    """Ticks late, early, skipped: after the last one each day's hours are as of at most a quarter of an hour ago."""
    now = start.replace(tzinfo=UTC)
    first_day = account_today(now, zone)
    pulled: dict[date, datetime] = {}
    activity = Activity(busy, None)
    for minutes in pauses:
        for since, until in current_days(activity, pulled, now, zone):
            for offset in range((until - since).days + 1):
                day = since + timedelta(days=offset)
                assert day not in pulled or now - pulled[day] >= SHORTEST_AGE
                assert day in (account_today(now, zone), account_today(now, zone) - timedelta(days=1))
                pulled[day] = now
        last = now
        now += timedelta(minutes=minutes)
    if not busy:
        assert not pulled
        return
    today = account_today(last, zone)
    assert last - pulled[today] < SHORTEST_AGE
    midnight = datetime(today.year, today.month, today.day, tzinfo=ZoneInfo(zone))
    settled = midnight + timedelta(minutes=15) + SHORTEST_AGE
    if today > first_day and last >= settled:
        assert pulled[today - timedelta(days=1)] >= midnight
