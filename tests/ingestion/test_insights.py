from __future__ import annotations

from collections import Counter
from datetime import date
from uuid import uuid4

import orjson
import pytest

from ingestion.errors import AccountUnavailable, NetworkError, ProtocolError, ReportFailed
from ingestion.insights import InsightsPull, PullOptions
from ingestion.report_run import Patience
from ingestion.reports import PRESETS, periods_ending, pieces
from ingestion.slices import SpoolLimit
from ingestion.state import MemoryJobStore
from tests.ingestion.fake_insights import FakeInsights
from tests.ingestion.fakes import ManualClock, answer, error, make_client

REPORT = PRESETS["ad_daily"]
SINCE, UNTIL = date(2026, 3, 1), date(2026, 3, 6)


def make_pull(meta, jobs=None, run_id=None, events=None, limit=None, **options):
    return InsightsPull(
        make_client(meta, attempts=3),
        jobs or MemoryJobStore(ManualClock()),
        run_id or uuid4(),
        "1",
        PullOptions(**options),
        limit or SpoolLimit(),
        listener=None if events is None else lambda event, piece, detail: events.append((event, dict(detail))),
    )


def collect(slices):
    found = {}
    for piece in slices:
        rows = sorted(orjson.loads(r)["ad_id"] for r in piece.rows)
        assert len(rows) == piece.row_count
        assert piece.day not in found, "a day must come once"
        found[piece.day] = rows
    return found


def expected(meta):
    ads = sorted(ad for ads in meta.ads.values() for ad in ads)
    return dict.fromkeys((date(2026, 3, d) for d in range(1, 7)), ads)


def test_one_job_for_the_whole_range_and_every_day_once():
    meta = FakeInsights()
    pull = make_pull(meta)
    assert collect(pull.slices(REPORT, SINCE, UNTIL)) == expected(meta)
    assert meta.posts == 1


@pytest.mark.parametrize("shuffled", [False, True])
def test_an_empty_middle_page_ends_nothing(shuffled):
    meta = FakeInsights(3, 3)
    meta.empty_middle_page, meta.shuffled = True, shuffled
    assert collect(make_pull(meta, page_size=7, largest_page=7).slices(REPORT, SINCE, UNTIL)) == expected(meta)


def test_days_without_rows_are_empty_slices():
    meta = FakeInsights()
    meta.rows = lambda wanted: []  # type: ignore[method-assign]
    assert collect(make_pull(meta).slices(REPORT, SINCE, UNTIL)) == {day: [] for day in expected(meta)}


def test_split_by_date_first_then_by_objects():
    meta, events = FakeInsights(4, 3), []
    meta.too_large = lambda p: (
        p["time_range"]["since"] != p["time_range"]["until"]
        or len([f for f in p["filtering"] if f["field"].endswith(".id")]) == 0
    )
    assert collect(make_pull(meta, events=events).slices(REPORT, SINCE, UNTIL)) == expected(meta)
    kinds = [detail["by"] for event, detail in events if event == "split"]
    assert kinds[0] == "date"
    assert "campaign" in kinds


def test_split_down_to_single_ads():
    meta, events = FakeInsights(2, 4), []

    def too_large(p):
        one_ad = [f for f in p["filtering"] if f["field"] == "ad.id" and len(f["value"]) == 1]
        return not one_ad

    meta.too_large = too_large
    assert collect(make_pull(meta, events=events).slices(REPORT, SINCE, SINCE)) == {SINCE: expected(meta)[SINCE]}
    kinds = Counter(detail["by"] for event, detail in events if event == "split")
    assert kinds["campaign"] == 1
    assert kinds["adset"] == 2
    assert kinds["ad"] == 2


def test_a_field_that_is_too_heavy_even_alone_is_missing_on_that_day_only():
    meta, events = FakeInsights(1, 1), []
    meta.too_large = lambda p: (
        "ad_name" in p["fields"]
        and (p["time_range"]["since"] == "2026-03-02" or p["time_range"]["since"] != p["time_range"]["until"])
    )
    slices = {
        s.day: (s.dropped_fields, [orjson.loads(r) for r in s.rows])
        for s in make_pull(meta, events=events).slices(REPORT, SINCE, date(2026, 3, 2))
    }
    assert slices[date(2026, 3, 2)][0] == ("ad_name",)
    assert "ad_name" not in slices[date(2026, 3, 2)][1][0]
    assert slices[date(2026, 3, 2)][1][0]["spend"] == "1.25"
    assert slices[SINCE][0] == ()
    assert slices[SINCE][1][0]["ad_name"] == "Ad 1000"


def test_a_report_that_cannot_be_had_says_so():
    meta = FakeInsights(1, 1)
    meta.too_large = lambda p: True
    with pytest.raises(ReportFailed, match=r"act_1 ad_daily 2026-03-0\d"):
        list(make_pull(meta).slices(REPORT, SINCE, UNTIL))


def test_a_refused_field_is_dropped_for_the_report():
    meta, events = FakeInsights(), []
    meta.on_post = lambda p: (
        error(100, None, "(#100) quality_ranking is not valid for fields param.")
        if "quality_ranking" in p["fields"]
        else None
    )
    pull = make_pull(meta, events=events)
    assert {s.dropped_fields for s in pull.slices(REPORT, SINCE, UNTIL)} == {("quality_ranking",)}
    assert ("field_dropped", {"field": "quality_ranking"}) in events


def test_an_essential_field_is_not_dropped():
    meta = FakeInsights()
    meta.on_post = lambda p: error(100, None, "(#100) spend is not valid for fields param.")
    with pytest.raises(ReportFailed, match="spend"):
        list(make_pull(meta).slices(REPORT, SINCE, UNTIL))


def test_days_that_meta_no_longer_keeps_are_not_emptied():
    meta = FakeInsights()
    meta.on_post = lambda p: error(3018, None, "beyond 37 months") if p["time_range"]["since"] < "2026-03-04" else None
    days = [s.day for s in make_pull(meta).slices(REPORT, SINCE, UNTIL)]
    assert sorted(days) == [date(2026, 3, 4), date(2026, 3, 5), date(2026, 3, 6)]


def test_resume_polls_the_remembered_run_and_pays_once():
    meta, jobs, run = FakeInsights(), MemoryJobStore(ManualClock()), uuid4()
    meta.on_page = lambda params: answer(b"", 500)
    with pytest.raises(Exception, match="without a usable body"):
        list(make_pull(meta, jobs, run).slices(REPORT, SINCE, UNTIL))
    meta.on_page = lambda params: None
    assert collect(make_pull(meta, jobs, run).slices(REPORT, SINCE, UNTIL)) == expected(meta)
    assert meta.posts == 1
    assert collect(make_pull(meta, jobs, uuid4()).slices(REPORT, SINCE, UNTIL)) == expected(meta)
    assert meta.posts == 2  # another pull is another job


def test_finished_ranges_are_skipped_after_a_restart():
    meta = FakeInsights()
    assert list(make_pull(meta).slices(REPORT, SINCE, UNTIL, done=list(expected(meta)))) == []
    assert meta.posts == 0


@pytest.mark.parametrize(
    "states",
    [
        [{"async_status": "Job Skipped", "async_percent_completion": 0}],
        [{"async_status": "Job Failed", "async_percent_completion": 0}],
        [{"async_status": "Job Failed", "async_percent_completion": 0, "error_code": -2, "error_subcode": 2490547}],
        [{"async_status": "Job Running", "async_percent_completion": 0}] * 10_000,
    ],
    ids=["skipped", "failed", "failed later", "stuck"],
)
def test_a_run_that_comes_to_nothing_is_asked_for_once_more(states):
    meta = FakeInsights()
    meta.on_poll = lambda run_id, run: (
        answer(states[run["polls"] - 1]) if run_id == "9001" and run["polls"] <= len(states) else None
    )
    pull = make_pull(meta, patience=Patience(stall_seconds=600))
    assert collect(pull.slices(REPORT, SINCE, UNTIL)) == expected(meta)
    assert meta.posts == 2


def test_running_at_100_percent_is_not_done_and_a_new_id_may_be_unknown():
    meta = FakeInsights()

    def poll(run_id, run):
        if run["polls"] == 1:
            return error(100, 33, "Unsupported get request")
        if run["polls"] == 2:
            return answer({"async_status": "Job Running", "async_percent_completion": 100})
        return None

    meta.on_poll = poll
    assert collect(make_pull(meta).slices(REPORT, SINCE, UNTIL)) == expected(meta)
    assert meta.posts == 1


def test_a_lost_run_id_is_replaced():
    meta = FakeInsights()
    meta.on_poll = lambda run_id, run: error(100, 33, "Unsupported get request") if run_id == "9001" else None
    assert collect(make_pull(meta).slices(REPORT, SINCE, UNTIL)) == expected(meta)
    assert meta.posts == 2


def test_a_broken_cursor_starts_the_listing_again():
    meta, seen = FakeInsights(3, 3), []

    def page(params):
        seen.append(params.get("after"))
        return error(2642, None, "Invalid cursors values") if len(seen) == 3 else None

    meta.on_page = page
    assert collect(make_pull(meta, page_size=10, largest_page=10).slices(REPORT, SINCE, UNTIL)) == expected(meta)
    assert seen.count(None) == 2


def test_pages_shrink_and_grow_back():
    meta, limits = FakeInsights(5, 5), []

    def page(params):
        limits.append(int(params["limit"]))
        return error(1, None, "Please reduce the amount of data you're asking for", 500) if limits[-1] > 12 else None

    meta.on_page = page
    assert collect(make_pull(meta, page_size=50, largest_page=50).slices(REPORT, SINCE, UNTIL)) == expected(meta)
    assert limits[:3] == [50, 25, 12]
    assert 24 in limits[3:]  # tried again


def test_one_forbidden_account_raises_the_type_that_stops_it():
    with pytest.raises(AccountUnavailable, match="act_1"):
        list(make_pull(lambda *a: error(200, None, "(#200) NOT grant ads_read", 403)).slices(REPORT, SINCE, UNTIL))


def test_a_row_outside_of_the_range_is_a_protocol_error():
    meta = FakeInsights()
    original = meta.rows
    meta.rows = lambda wanted: [r | {"date_start": "2025-01-01"} for r in original(wanted)]  # type: ignore[method-assign]
    with pytest.raises(ProtocolError, match="2025-01-01"):
        list(make_pull(meta).slices(REPORT, SINCE, UNTIL))


def test_network_down_keeps_the_run_for_a_restart():
    meta, jobs, run = FakeInsights(), MemoryJobStore(ManualClock()), uuid4()

    def down(params):
        raise NetworkError("connection reset")

    meta.on_page = down
    with pytest.raises(NetworkError):
        list(make_pull(meta, jobs, run).slices(REPORT, SINCE, UNTIL))
    meta.on_page = lambda params: None
    assert collect(make_pull(meta, jobs, run).slices(REPORT, SINCE, UNTIL)) == expected(meta)
    assert meta.posts == 1


def test_many_rows_go_to_files_and_come_back():
    meta = FakeInsights(3, 3)
    assert collect(make_pull(meta, limit=SpoolLimit(200), page_size=5).slices(REPORT, SINCE, UNTIL)) == expected(meta)


def test_cuts_depend_on_the_range_alone_and_cover_it():
    cut = pieces(REPORT, date(2025, 1, 1), date(2026, 1, 15))
    days = [d for p in cut for d in p.days]
    assert len(days) == len(set(days)) == 380
    assert cut[0].until == date(2026, 1, 15)
    assert len({p.fingerprint("v26.0") for p in cut}) == len(cut)


def test_february_is_not_asked_twice():
    assert len(periods_ending(date(2026, 2, 28))) == 2
    assert (date(2026, 1, 1), date(2026, 1, 31)) in periods_ending(date(2026, 1, 31))
    assert len(periods_ending(date(2026, 1, 30))) == 2
