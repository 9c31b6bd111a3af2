"""How numbers of a day change with its age: they grow, they freeze, some are corrected or withdrawn."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.world import WorldSize, build_world

from .helpers import ANCHOR, WINDOWS, days_back, make_query, read, totals

START = datetime(2026, 11, 20, tzinfo=UTC)
STEADY = WorldSize(withdrawn_share=0.0, corrected_share=0.0)


def action_numbers(rows):
    return {
        (row["ad_id"], row["date_start"], field, action["action_type"], window): float(action[window])
        for row in rows
        for field in ("actions", "action_values")
        for action in row.get(field, ())
        for window in ("value", *WINDOWS)
        if window in action
    }


def test_numbers_only_grow_without_corrections():
    world = build_world(3, STEADY, ANCHOR)
    node = world.accounts(START)[1].id
    query = make_query(node, "ad", ranges=((ANCHOR, ANCHOR),))
    before, plain = {}, {}
    for hours in (6, 9, 12.2, 18, 23, 30, 31, 48, 72, 24 * 6, 24 * 7.5, 24 * 12, 24 * 20, 24 * 28.5, 24 * 40):
        rows = read(world, query, START + timedelta(hours=hours))
        now = action_numbers(rows)
        numbers = {
            (row["ad_id"], name): float(row.get(name, 0))
            for row in rows
            for name in ("impressions", "clicks", "spend", "inline_link_clicks")
        }
        assert all(now.get(key, -1) >= value for key, value in before.items())
        assert all(numbers.get(key, -1) >= value for key, value in plain.items())
        before, plain = now, numbers
    assert before


def test_a_day_stands_still_after_28_days(demo):
    for account in demo.accounts(START):
        zone = ZoneInfo(account.data["timezone_name"])
        frozen = datetime(2026, 11, 20, tzinfo=zone) + timedelta(days=28)
        query = make_query(account.id, "ad", ranges=((ANCHOR, ANCHOR),), filters=())
        at_freeze = read(demo, make_query(account.id, "account", ranges=((ANCHOR, ANCHOR),)), frozen)
        for later in (1, 13, 300):
            rows = read(
                demo, make_query(account.id, "account", ranges=((ANCHOR, ANCHOR),)), frozen + timedelta(days=later)
            )
            assert rows == at_freeze
        assert totals(read(demo, query, frozen + timedelta(days=2)))


def test_conversions_arrive_late(demo, account):
    def purchases(age, window):
        at = datetime(2026, 11, 21, 12, tzinfo=UTC) + timedelta(days=age)
        found = totals(read(demo, make_query(account, "account", ranges=days_back(14, ANCHOR)), at))[()]
        return found[f"actions:omni_purchase:{window}"]

    assert (
        purchases(-13, "28d_click") < purchases(0, "28d_click") < purchases(7, "28d_click") < purchases(28, "28d_click")
    )
    assert purchases(28, "1d_click") < purchases(28, "7d_click") < purchases(28, "28d_click")


def test_windows_are_nested_in_every_row_and_cell(demo, account):
    at = START + timedelta(hours=15)
    for changes in ({}, {"breakdowns": ("age", "gender")}, {"action_breakdowns": ("action_type", "action_device")}):
        rows = read(demo, make_query(account, "ad", ranges=days_back(30), **changes), at)
        seen = 0
        for row in rows:
            for action in [*row.get("actions", ()), *row.get("action_values", ())]:
                numbers = [float(action.get(window, 0)) for window in ("1d_click", "7d_click", "28d_click")]
                assert numbers == sorted(numbers)
                seen += 1
        assert seen


def test_windows_that_meta_no_longer_returns_are_absent(demo, account):
    rows = read(demo, make_query(account, "ad", windows=("7d_view", "28d_view", "1d_click")), START)
    keys = {key for row in rows for action in row.get("actions", ()) for key in action}
    assert keys == {"action_type", "value", "1d_click"}


def test_some_rows_are_withdrawn_and_counted_in_truth():
    size = WorldSize(withdrawn_share=0.05, corrected_share=0.0)
    world = build_world(5, size, ANCHOR)
    for account in world.accounts(START)[:2]:
        days = days_back(40, ANCHOR - timedelta(days=40))
        query = make_query(account.id, "ad", ranges=days)
        missing = 0
        expected = sum(
            count
            for day, count in world.truth(account.id)["withdrawn"].items()
            if days[0][0] <= date.fromisoformat(day) <= days[0][1]
        )
        late = {(row["ad_id"], row["date_start"]) for row in read(world, query, START + timedelta(days=300))}
        for offset in range(40):
            day = days[0][0] + timedelta(days=offset)
            evening = datetime.combine(day, time(23), ZoneInfo(account.data["timezone_name"])) + timedelta(days=1)
            early = read(world, make_query(account.id, "ad", ranges=((day, day),)), evening)
            missing += len({(row["ad_id"], row["date_start"]) for row in early} - late)
        assert missing
        assert abs(missing - expected) <= 2  # rows of a handful of impressions may be on either side


def test_corrections_lower_delivery_a_little():
    world = build_world(5, WorldSize(withdrawn_share=0.0, corrected_share=0.5), ANCHOR)
    node = world.accounts(START)[0].id
    query = make_query(node, "ad", ranges=((ANCHOR, ANCHOR),))
    early = {row["ad_id"]: int(row["impressions"]) for row in read(world, query, START + timedelta(hours=25))}
    late = {row["ad_id"]: int(row["impressions"]) for row in read(world, query, START + timedelta(days=5))}
    lowered = [ad for ad in early if late[ad] < early[ad]]
    assert 0 < len(lowered) < len(early)
    assert all(0.95 * early[ad] - 1 <= late[ad] <= early[ad] for ad in early)


def test_the_future_has_no_rows_and_today_has_a_part(demo, account):
    zone = ZoneInfo("Europe/Berlin")
    query = make_query(account, "account", ranges=((ANCHOR, ANCHOR + timedelta(days=3)),))
    assert read(demo, query, datetime(2026, 11, 19, 23, 50, tzinfo=zone)) == []
    spent = [
        float(read(demo, query, datetime(2026, 11, 20, hour, tzinfo=zone))[0]["spend"]) for hour in (3, 10, 16, 20, 23)
    ]
    assert spent == sorted(spent)
    assert spent[0] < 0.3 * spent[-1]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 60 * 24 * 60))
def test_numbers_refresh_every_quarter_of_an_hour(minute):
    at = START + timedelta(minutes=minute)
    quarter = at.replace(minute=at.minute // 15 * 15, second=0)
    query = make_query(SMALL_ACCOUNT, "ad", ranges=days_back(3))
    assert read(SMALL, query, at) == read(SMALL, query, quarter)


SMALL = build_world(11, "small", ANCHOR)
SMALL_ACCOUNT = SMALL.accounts(START)[0].id
