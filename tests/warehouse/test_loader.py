"""Replacing slices, on every kind of server."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import uuid4

import orjson
import pytest

from tests.warehouse.rows import ACCOUNT, DAY, provenance, query, row, stored
from warehouse.connect import Warehouse
from warehouse.errors import SliceRejected, SlicesRejected
from warehouse.loader import replace_slice, replace_slices
from warehouse.ops import building
from warehouse.provenance import Provenance
from warehouse.tables import (
    ACCOUNT_DAILY,
    ACCOUNT_PERIOD,
    AD_DAILY,
    AD_DAILY_AGE_GENDER,
    AD_HOURLY,
    CAMPAIGN_PERIOD,
    PRESETS,
)

SLICE = "SELECT row_count, duplicate_count, build_id, run_id, source, attribution_windows FROM ops.slice"
REVISIONS = """
    SELECT row_count, impressions, clicks, inline_link_clicks, spend, action_totals, value_totals
    FROM raw.insight_revision ORDER BY pulled_at
"""


def test_typed_columns_payload_and_record(warehouse: Warehouse) -> None:
    origin = provenance()
    result = replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(1), row(2, spend="0.1")], origin)
    assert (result.row_count, result.duplicate_count, result.unchanged) == (2, 0, False)
    first, second = stored(warehouse)
    assert first[:-1] == (
        ACCOUNT,
        DAY,
        120210000000010001,
        120210000000020001,
        120210000000030001,
        "EUR",
        "7d_click_1d_view",
        4233,
        3608,
        96,
        61,
        Decimal("1.173226"),
        Decimal("76.53"),
    )
    assert first[-1] == orjson.loads(row(1))
    assert second[-2] == Decimal("0.1")
    assert query(warehouse, SLICE) == [(2, 0, None, origin.run_id, "api", ["1d_click", "7d_click"])]
    assert query(warehouse, REVISIONS) == [
        (
            2,
            8466,
            192,
            122,
            Decimal("76.63"),
            {
                "link_click": {"value": 122, "1d_click": 122, "7d_click": 122},
                "omni_purchase": {"value": 6, "1d_click": 4, "7d_click": 6},
            },
            {"omni_purchase": {"value": 429.4, "1d_click": 279.6, "7d_click": 429.4}},
        )
    ]


def test_rows_that_meta_withdrew_disappear_and_other_slices_stay(warehouse: Warehouse) -> None:
    yesterday = DAY - timedelta(days=1)
    replace_slice(warehouse, AD_DAILY, ACCOUNT, yesterday, [row(9, yesterday)], provenance())
    replace_slice(warehouse, AD_DAILY, ACCOUNT + 1, DAY, [row(9, account=ACCOUNT + 1)], provenance())
    replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(1), row(2), row(3)], provenance())
    replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(2, clicks="7")], provenance())
    assert stored(warehouse, columns="account_id, day, ad_id % 10, clicks") == [
        (ACCOUNT, yesterday, 9, 96),
        (ACCOUNT, DAY, 2, 7),
        (ACCOUNT + 1, DAY, 9, 96),
    ]
    assert [found[0] for found in query(warehouse, REVISIONS)] == [1, 1, 3, 1]


def test_an_empty_pull_empties_the_slice(warehouse: Warehouse) -> None:
    replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(1)], provenance())
    result = replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, iter(()), provenance())
    assert (result.row_count, result.unchanged) == (0, False)
    assert stored(warehouse) == []
    assert query(warehouse, SLICE)[0][:3] == (0, 0, None)
    assert query(warehouse, REVISIONS)[1] == (0, None, None, None, None, {}, {})
    assert replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [], provenance()).unchanged


def test_same_content_in_another_order_is_unchanged_and_keeps_its_build(warehouse: Warehouse) -> None:
    replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(1), row(2)], provenance())
    query(warehouse, "UPDATE ops.slice SET build_id = 7")
    before = stored(warehouse, columns="xmin")
    again = provenance()
    assert replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(2), row(1)], again).unchanged
    assert stored(warehouse, columns="xmin") == before
    assert query(warehouse, SLICE)[0][2:4] == (7, again.run_id)
    first, second = query(warehouse, REVISIONS)
    assert first == second
    assert not replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(2), row(1, clicks="97")], provenance()).unchanged
    assert query(warehouse, SLICE)[0][2] is None


def test_a_day_that_becomes_final_unchanged_is_built_again(warehouse: Warehouse) -> None:
    def pulled(days_after: int) -> Provenance:
        moment = datetime.combine(DAY + timedelta(days=days_after), time(12), UTC)
        return Provenance(uuid4(), "api", "v26.0", (), moment)

    def built() -> bool:
        return query(warehouse, "SELECT build_id IS NOT NULL FROM ops.slice") == [(True,)]

    replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(1)], pulled(5))
    with building(warehouse):
        pass
    assert replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(1)], pulled(6)).unchanged
    assert built()
    assert replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(1)], pulled(28)).unchanged
    assert not built()


def test_other_windows_are_another_content(warehouse: Warehouse) -> None:
    replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(1)], provenance())
    result = replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(1)], provenance(windows=()))
    assert not result.unchanged
    assert query(warehouse, REVISIONS)[1][5] == {"link_click": {"value": 61}, "omni_purchase": {"value": 3}}


def test_of_duplicate_keys_the_last_one_stays(warehouse: Warehouse) -> None:
    rows = [row(1, clicks="1"), row(2), row(1, clicks=3), row(1, ad_id="0120210000000030001", clicks="2")]
    result = replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, rows, provenance())
    assert (result.row_count, result.duplicate_count) == (2, 2)
    assert stored(warehouse, columns="clicks") == [(2,), (96,)]


def test_absent_is_null_and_absent_breakdowns_are_empty(warehouse: Warehouse) -> None:
    bare = {"reach": None, "impressions": None, "spend": None, "frequency": None, "account_currency": None}
    replace_slice(warehouse, AD_DAILY_AGE_GENDER, ACCOUNT, DAY, [row(1, age="18-24", **bare)], provenance())
    columns = "age, gender, impressions, reach, clicks, frequency, spend, account_currency"
    assert stored(warehouse, AD_DAILY_AGE_GENDER, columns) == [("18-24", "", None, None, 96, None, None, None)]
    assert query(warehouse, REVISIONS)[0][5:] == (None, None)


def test_bare_numbers_and_nulls_are_read(warehouse: Warehouse) -> None:
    bare = row(1, spend=2352.45, reach=10742, clicks=12.0, frequency=1, inline_link_clicks="1e2")
    null = row(2).replace(b'"4233"', b"null")
    replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [bare, null], provenance())
    assert stored(warehouse, columns="spend, reach, clicks, frequency, inline_link_clicks, impressions") == [
        (Decimal("2352.45"), 10742, 12, Decimal(1), 100, 4233),
        (Decimal("76.53"), 3608, 96, Decimal("1.173226"), 61, None),
    ]


@pytest.mark.parametrize("bad", [row(2, clicks="x"), row(2, account=99), b"{"])
def test_a_rejected_pull_leaves_what_was_stored(warehouse: Warehouse, bad: bytes) -> None:
    replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(1)], provenance())
    with pytest.raises(SliceRejected, match="row 2"):
        replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(3), bad], provenance())
    assert stored(warehouse, columns="ad_id % 10") == [(1,)]
    assert len(query(warehouse, REVISIONS)) == 1


def test_what_only_the_server_refuses_rejects_the_slice_too(warehouse: Warehouse) -> None:
    replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(1)], provenance())
    query(
        warehouse,
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'too much' USING ERRCODE = '22003'; END $$
        """,
    )
    query(warehouse, "CREATE TRIGGER t BEFORE INSERT ON raw.insights_ad_daily FOR EACH ROW EXECUTE FUNCTION refuse()")
    with pytest.raises(SliceRejected, match="the server refused it: too much"):
        replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(1), row(2)], provenance())
    assert len(stored(warehouse)) == 1


def test_every_report_takes_rows(warehouse: Warehouse) -> None:
    for table in PRESETS.values():
        changes = dict.fromkeys(table.breakdowns, "x")
        result = replace_slice(warehouse, table, ACCOUNT, DAY, [row(1, **changes)], provenance())
        assert result.row_count == 1
        assert len(stored(warehouse, table)) == 1


def test_hours_are_rows_of_their_own(warehouse: Warehouse) -> None:
    name = "hourly_stats_aggregated_by_advertiser_time_zone"
    rows = [row(1, **{name: f"{hour:02d}:00:00 - {hour:02d}:59:59"}) for hour in range(24)]
    assert replace_slice(warehouse, AD_HOURLY, ACCOUNT, DAY, rows, provenance()).row_count == 24


def test_a_period_is_filed_under_its_last_day(warehouse: Warehouse) -> None:
    week, month = (DAY - timedelta(days=6)).isoformat(), (DAY - timedelta(days=27)).isoformat()
    rows = [row(date_start=week), row(date_start=month), row(date_start=month, reach="9000")]
    result = replace_slice(warehouse, CAMPAIGN_PERIOD, ACCOUNT, DAY, rows, provenance())
    assert (result.row_count, result.duplicate_count) == (2, 1)
    assert stored(warehouse, CAMPAIGN_PERIOD, "date_start::text, reach") == [(month, 9000), (week, 3608)]
    with pytest.raises(SliceRejected, match="date_stop"):
        replace_slice(warehouse, ACCOUNT_PERIOD, ACCOUNT, DAY, [row(date_stop="2026-11-21")], provenance())
    with pytest.raises(SliceRejected, match="date_start"):
        replace_slice(warehouse, ACCOUNT_PERIOD, ACCOUNT, DAY, [row(date_start="soon")], provenance())


def test_odd_actions_do_not_fail_a_slice(warehouse: Warehouse) -> None:
    odd = [
        {"action_type": "a", "value": "x", "7d_click": 2, "action_target_id": "99"},
        {"value": "1"},
        {"action_type": "b"},
    ]
    rows = [row(1, actions=odd), row(2, actions={"a": 1}), row(3, actions=None)]
    replace_slice(warehouse, ACCOUNT_DAILY, ACCOUNT, DAY, rows[:1], provenance())
    replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, rows, provenance())
    assert query(warehouse, REVISIONS)[1][5] == {"a": {"7d_click": 2}, "b": {}}


def test_many_days_in_one_go(warehouse: Warehouse) -> None:
    days = [date(2026, 1, 15) + timedelta(days=10 * k) for k in range(12)]
    results = replace_slices(warehouse, AD_DAILY, ACCOUNT, ((day, [row(1, day)]) for day in days), provenance())
    assert [result.day for result in results] == days
    assert len(stored(warehouse)) == 12


def test_a_rejected_day_does_not_keep_the_others_out(warehouse: Warehouse) -> None:
    days = [DAY - timedelta(days=k) for k in range(3)]
    slices = [(days[0], [row(1, days[0])]), (days[1], [row(1, days[0])]), (days[2], [row(1, days[2])])]
    with pytest.raises(SlicesRejected) as caught:
        replace_slices(warehouse, AD_DAILY, ACCOUNT, slices, provenance())
    assert [rejection.day for rejection in caught.value.rejections] == [days[1]]
    assert [found[0] for found in stored(warehouse, columns="day")] == [days[2], days[0]]


def test_an_iterable_that_fails_leaves_the_slice(warehouse: Warehouse) -> None:
    def broken():
        yield row(1)
        raise RuntimeError("the network broke")

    replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, [row(1), row(2)], provenance())
    with pytest.raises(RuntimeError, match="network"):
        replace_slice(warehouse, AD_DAILY, ACCOUNT, DAY, broken(), provenance())
    assert len(stored(warehouse)) == 2
