"""The parameter parser takes every encoding and answers anything else with code 100, never with a crash."""

from __future__ import annotations

from datetime import UTC, date, datetime

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.contract import Node
from simulator.server import paging
from simulator.server.dates import months_before, preset_range
from simulator.server.errors import GraphError
from simulator.server.graph import GraphRequest
from simulator.server.insights_params import parse
from simulator.server.params import as_filters, as_list, as_names
from simulator.server.selection import Field
from simulator.server.selection import parse as parse_fields
from simulator.server.vocabulary import BREAKDOWNS, DATE_PRESETS, INSIGHTS_FIELDS

NODE = Node("account", "1", "1", {"timezone_name": "America/Los_Angeles"})
NOW = datetime(2026, 11, 20, 6, tzinfo=UTC)
NAME = st.from_regex(r"[a-z_0-9]{1,12}", fullmatch=True)


def call(params):
    return parse(params, NODE, NODE.data, NOW, asynchronous=False, keep_old_reach=False)


@given(st.lists(NAME, max_size=6))
def test_lists_in_all_encodings(names):
    wanted = tuple(dict.fromkeys(names))
    for text in (orjson.dumps(names).decode(), ",".join(names), " , ".join(names), names):
        assert as_names({"x": text}, "x") == wanted


PARAMETERS = [
    "level", "fields", "date_preset", "time_range", "time_ranges", "time_increment", "breakdowns", "filtering", "sort",
    "action_breakdowns", "limit", "action_attribution_windows", "summary", "default_summary",
]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.text(max_size=8),
    lambda c: st.lists(c, max_size=3),
    max_leaves=6,
)
ANY = (
    st.text(max_size=30)
    | st.sampled_from(sorted(INSIGHTS_FIELDS | BREAKDOWNS | DATE_PRESETS))
    | JSON.map(lambda v: orjson.dumps(v).decode())
    | st.dictionaries(st.sampled_from(["since", "until", "field", "operator", "value"]), JSON).map(
        lambda v: orjson.dumps(v).decode()
    )
    | JSON
)


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(st.sampled_from(PARAMETERS), ANY, max_size=5))
def test_whatever_comes_is_a_query_or_a_graph_error(params):
    code = 0
    try:
        found = call(params)
    except GraphError as raised:
        code = raised.code
    else:
        assert found.limit >= 1
        assert all(since <= until for since, until in found.query.ranges)
        assert set(found.query.fields) <= INSIGHTS_FIELDS
    assert code in {0, 1, 100, 3018}


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='ab{},.()limtfeds_1 "[]', max_size=30))
def test_field_selections_never_crash(text):
    code = 2500
    try:
        parse_fields(text)
    except GraphError as raised:
        code = raised.code
    assert code in {100, 2500}


FIELDS = st.recursive(
    st.builds(Field, NAME),
    lambda inner: st.builds(
        Field,
        NAME,
        st.lists(inner, min_size=1, max_size=3, unique_by=lambda f: f.name).map(tuple),
        st.none() | st.integers(1, 99),
    ),
    max_leaves=8,
)


def text_of(field):
    limit = f".limit({field.limit})" if field.limit else ""
    inner = "{" + ",".join(map(text_of, field.inner)) + "}" if field.inner is not None else ""
    return field.name + limit + inner


@given(st.lists(FIELDS, min_size=1, max_size=4, unique_by=lambda f: f.name).map(tuple))
def test_field_selections_round_trip(fields):
    assert parse_fields(",".join(map(text_of, fields))) == fields


@given(st.binary(min_size=8, max_size=8), st.integers(0, 2**63), st.integers(0, 2**40))
def test_cursors_round_trip(digest, position, at):
    cursor = paging.Cursor(digest, position, at)
    assert paging.decode(cursor.encode(), digest) == cursor


@given(st.text(max_size=60))
def test_foreign_cursors_are_2642(text):
    with pytest.raises(GraphError, match="2642"):
        paging.decode(text, b"12345678")


def test_the_digest_ignores_what_varies_between_pages():
    def digest(**params):
        return paging.digest_of(GraphRequest("GET", "v26.0", ("1", "insights"), params, "", NOW))

    assert digest(level="ad", limit="5", after="x") == digest(level="ad", access_token="t")
    assert digest(level="ad") != digest(level="adset")


@given(st.sampled_from(sorted(DATE_PRESETS)), st.dates(date(2020, 1, 1), date(2030, 1, 1)))
def test_presets(name, today):
    since, until = preset_range(name, today)
    assert since <= until <= today
    if name.startswith("last_") and name[5:-1].isdigit():
        assert (until - since).days + 1 == int(name[5:-1])
        assert until < today
    if "week" in name:
        assert since.weekday() == (6 if "sun_" in name.removeprefix("this_").removeprefix("last_week_") else 0) or (
            "mon_sun" in name and since.weekday() == 0
        )


def test_days_are_the_accounts_days():
    # 06:00 UTC on the 20th is still the 19th in Los Angeles.
    assert call({"date_preset": "today"}).query.ranges == ((date(2026, 11, 19), date(2026, 11, 19)),)


def test_months_before_the_end_of_february():
    assert months_before(date(2026, 3, 31), 1) == date(2026, 2, 28)
    assert months_before(date(2026, 11, 20), 37) == date(2023, 10, 20)


def test_a_single_filter_object_is_a_list_of_one():
    found = as_filters({"filtering": '{"field":"ad.id","operator":"in","value":"1"}'})
    assert [(f.field, f.operator, f.value) for f in found] == [("ad.id", "IN", ["1"])]
    assert as_list({"x": 5}, "x") == [5]
