"""Expanded statements on a real PostgreSQL: each widget selects the rows it should, and values arrive as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dashboards.errors import BadTemplate
from dashboards.queries import Calendar, Column, Tag, expand
from dashboards.queries.tags import WIDGETS
from tests.databases import Databases

pytestmark = pytest.mark.integration

BERLIN = ZoneInfo("Europe/Berlin")
# A Wednesday, weeks begin on Monday.
CALENDAR = Calendar.at(datetime(2026, 3, 4, 11, 30, tzinfo=UTC), BERLIN, "monday")
KINDS = {
    "name": "text",
    "n": "integer",
    "amount": "number",
    "open": "boolean",
    "day": "date",
    "at": "timestamp",
    "at_tz": "timestamptz",
}
# Of `at_tz`, the offset is Berlin's; the last row holds nothing but its id.
ROWS = """
    (1, 'Alpha',       10, 0.5,  true,  '2026-03-03', '2026-03-03 23:59:59.5', '2026-03-03 23:59:59.5+01'),
    (2, 'alphabet',    20, 1,    false, '2026-03-04', '2026-03-04 00:00',      '2026-03-04 00:00+01'),
    (3, '50% off',     30, 1.5,  true,  '2026-02-28', '2026-02-28 10:30:30',   '2026-02-28 10:30:30+01'),
    (4, '50 per_cent', 40, 2,    false, '2026-02-01', '2026-02-01 00:00',      '2026-02-01 00:00+01'),
    (5, 'it''s {{x}}', 50, 2.5,  true,  '2025-12-31', '2025-12-31 12:00',      '2025-12-31 12:00+01'),
    (6, '',            60, 3,    NULL,  '2026-03-05', '2026-03-05 09:00',      '2026-03-05 09:00+01'),
    (7, NULL,          NULL, NULL, NULL, NULL, NULL, NULL)
"""
ALL = {1, 2, 3, 4, 5, 6, 7}
DATES = ("day", "at", "at_tz")

# widget, columns, value, ids
SELECTED: list[tuple[str, tuple[str, ...], Any, set[int]]] = [
    ("string/=", ("name",), ["Alpha"], {1}),
    ("string/=", ("name",), ["Alpha", "it's {{x}}", ""], {1, 5, 6}),
    ("string/=", ("name",), ["Alpha", None], {1, 7}),
    ("string/=", ("n", "amount"), ["30", "1.5"], {3}),
    ("string/!=", ("name",), ["Alpha"], ALL - {1}),
    ("string/!=", ("name",), ["Alpha", ""], ALL - {1, 6}),
    ("string/!=", ("name",), [None, "Alpha"], ALL - {1, 7}),
    ("string/contains", ("name",), ["alpha"], {2}),
    ("string/contains", ("name",), ["0%"], {3}),
    ("string/contains", ("name",), ["r_c", "\\"], {4}),
    ("string/does-not-contain", ("name",), ["0%", "lpha"], {4, 5, 6, 7}),
    ("string/starts-with", ("name",), ["50"], {3, 4}),
    ("string/ends-with", ("name",), ["t", "f"], {2, 3, 4}),
    ("number/=", ("n",), [10, "20"], {1, 2}),
    ("number/=", ("amount",), [0.5, 3], {1, 6}),
    ("number/!=", ("n",), [10], ALL - {1}),
    ("number/>=", ("n",), [50], {5, 6}),
    ("number/>=", ("amount",), ["2.5"], {5, 6}),
    ("number/<=", ("n",), ["20"], {1, 2}),
    ("number/between", ("n",), [20, 40], {2, 3, 4}),
    ("number/between", ("n",), [None, 20], {1, 2}),
    ("number/between", ("amount",), ["2.5", None], {5, 6}),
    ("boolean/=", ("open",), [True], {1, 3, 5}),
    ("boolean/=", ("open",), [True, False], {1, 2, 3, 4, 5}),
    ("id", ("n",), "10", {1}),
    ("id", ("n",), [10, 20, 99], {1, 2}),
    ("category", ("name",), "Alpha", {1}),
    ("category", ("open",), [False], {2, 4}),
    ("location/city", ("name",), ["Alpha"], {1}),
    ("location/state", ("name",), ["Alpha"], {1}),
    ("location/zip_code", ("n",), ["10"], {1}),
    ("location/country", ("name",), ["Alpha"], {1}),
    ("date/single", DATES, "2026-03-03", {1}),
    ("date/single", ("at", "at_tz"), "2026-02-28T10:30", {3}),
    ("date/single", ("at", "at_tz"), "yesterday", {1}),
    ("date/range", DATES, "2026-02-28~2026-03-03", {1, 3}),
    ("date/range", DATES, "2026-03-03~", {2, 6}),
    ("date/range", DATES, "~2026-02-28", {4, 5}),
    ("date/range", ("at", "at_tz"), "2026-02-28T10:31~2026-03-04T00:00", {1, 2}),
    ("date/range", ("at", "at_tz"), "2026-02-28T10:30~", {1, 2, 6}),
    ("date/range", ("at", "at_tz"), "~2026-02-28T10:31", {3, 4, 5}),
    ("date/month-year", DATES, "2026-02", {3, 4}),
    ("date/quarter-year", DATES, "Q4-2025", {5}),
    ("date/relative", DATES, "today", {2}),
    ("date/relative", DATES, "past7days", {1, 3}),
    ("date/relative", DATES, "past7days~", {1, 2, 3}),
    ("date/relative", DATES, "thisweek", {1, 2, 6}),
    ("date/relative", DATES, "past1weeks", {3}),
    ("date/relative", DATES, "past1months-from-2months", {5}),
    ("date/relative", DATES, "next1days", {6}),
    ("date/relative", ("at", "at_tz"), "past12hours", {2}),
    ("date/all-options", DATES, "thisyear", ALL - {5, 7}),
    ("date/all-options", DATES, "exclude-days-Tue-Wed", {3, 4, 6, 7}),
    ("date/all-options", DATES, "exclude-days-Sun", ALL - {4}),
    ("date/all-options", DATES, "exclude-months-Mar-Dec", {3, 4, 7}),
    ("date/all-options", DATES, "exclude-quarters-1", {5, 7}),
    ("date/all-options", ("at", "at_tz"), "exclude-hours-0-23", {3, 5, 6, 7}),
]
CASES = [(widget, column, value, ids) for widget, columns, value, ids in SELECTED for column in columns]


@pytest.fixture(scope="module")
def connection(databases: Databases) -> Iterator[psycopg.Connection[Any]]:
    with databases.fresh("plain", migrated=False) as url, psycopg.connect(url, autocommit=True) as opened:
        opened.execute("SET TIME ZONE 'Europe/Berlin'")
        opened.execute("CREATE SCHEMA marts")
        opened.execute(
            "CREATE TABLE marts.t (id integer, name text, n bigint, amount numeric, open boolean, day date, "
            "at timestamp, at_tz timestamptz)"
        )
        opened.execute(f"INSERT INTO marts.t VALUES {ROWS}".encode())
        yield opened


def column_of(name: str) -> Column:
    return Column("t", name, KINDS[name], "marts")  # type: ignore[arg-type]


def query(
    connection: psycopg.Connection[Any], sql: str, *tags: Tag, calendar: Calendar = CALENDAR, **values: Any
) -> list[tuple[Any, ...]]:
    statement = expand(sql, tags, values, calendar)
    return connection.execute(statement.sql.encode(), statement.params).fetchall()


@pytest.mark.parametrize(("widget", "column", "value", "ids"), CASES, ids=lambda one: str(one)[:40])
def test_each_widget_selects_its_rows(
    connection: psycopg.Connection[Any], widget: str, column: str, value: Any, ids: set[int]
) -> None:
    tag = Tag("x", "dimension", column_of(column), widget)
    assert {row[0] for row in query(connection, "select id from marts.t where {{x}}", tag, x=value)} == ids
    optional = "select id from marts.t [[where {{x}}]]"
    assert {row[0] for row in query(connection, optional, tag, x=value)} == ids
    for sql in (optional, "select id from marts.t where {{x}}"):
        assert {row[0] for row in query(connection, sql, tag)} == ALL
    aliased = Tag("x", "dimension", column_of(column), widget, alias=f"u.{column}")
    with_alias = "with u as (select * from marts.t) select id from u where id > 0 and {{x}}"
    assert {row[0] for row in query(connection, with_alias, aliased, x=value)} == ids


def test_no_widget_is_forgotten() -> None:
    assert {widget for widget, *_ in SELECTED} == WIDGETS


@pytest.mark.parametrize(
    ("widget", "value", "ids"),
    [
        ("string/contains", ["ALPHA"], {1, 2}),
        ("string/starts-with", ["ALPHA"], {1, 2}),
        ("string/ends-with", ["OFF"], {3}),
        ("string/does-not-contain", ["ALPHA"], {3, 4, 5, 6, 7}),
    ],
)
def test_patterns_that_ignore_capitals(
    connection: psycopg.Connection[Any], widget: str, value: list[str], ids: set[int]
) -> None:
    tag = Tag("x", "dimension", column_of("name"), widget, case_sensitive=False)
    assert {row[0] for row in query(connection, "select id from marts.t where {{x}}", tag, x=value)} == ids


VARIABLES = [Tag("t", "text"), Tag("n", "number"), Tag("m", "number"), Tag("d", "date"), Tag("b", "boolean")]


@pytest.mark.parametrize(
    ("sql", "values", "expected"),
    [
        ("select {{t}}", {"t": "50% of 'it' {{n}}"}, "50% of 'it' {{n}}"),
        ("select {{t}} is null", {"t": ""}, False),
        ("select concat('--', {{t}}, '%s %')", {"t": "a"}, "--a%s %"),
        ("select 7 % 4 + {{n}}", {"n": 1}, 4),
        ("select {{n}} * {{m}}", {"n": 300, "m": 300}, 90000),
        ("select {{n}} / {{m}}", {"n": 7, "m": 2}, 3),
        ("select {{n}} / {{m}}", {"n": "7.0", "m": 2}, Decimal("3.5")),
        ("select -{{n}}", {"n": -5}, 5),
        ("select 30 in ({{n}})", {"n": "10,20,30"}, True),
        ("select 'b' in ({{t}})", {"t": ["a", "b"]}, True),
        ("select id from marts.t order by id limit {{n}} offset {{m}}", {"n": 1, "m": 2}, 3),
        ("select id from marts.t order by id desc fetch first {{n}} rows only", {"n": 1}, 7),
        ("select {{d}} + 1", {"d": "2026-02-28"}, date(2026, 3, 1)),
        ("select date_trunc({{t}}, {{d}})::date", {"t": "month", "d": "2026-02-28"}, date(2026, 2, 1)),
        ("select now() - interval '1 day' * {{n}} < now()", {"n": 1}, True),
        ("select {{b}} and true", {"b": True}, True),
        ("select count(*) from marts.t [[where open = {{b}}]] -- {{n}}", {}, 7),
        ("select pg_typeof({{n}})::text", {"n": 2**40}, "bigint"),
        ("select pg_typeof({{n}})::text", {"n": "0.5"}, "numeric"),
        ("select pg_typeof({{t}})::text", {"t": "1"}, "text"),
        ("select pg_typeof({{d}})::text", {"d": "2026-01-05T10:00"}, "timestamp without time zone"),
    ],
)
def test_variables_are_typed_as_in_metabase(
    connection: psycopg.Connection[Any], sql: str, values: Mapping[str, Any], expected: Any
) -> None:
    assert query(connection, sql, *VARIABLES, **values)[0][0] == expected


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("select 1 from marts.t where n = {{t}}", psycopg.errors.UndefinedFunction),
        (
            "select date_trunc({{t}}, day), count(*) from marts.t group by date_trunc({{t}}, day)",
            psycopg.errors.GroupingError,
        ),
    ],
)
def test_what_fails_in_metabase_fails_here(
    connection: psycopg.Connection[Any], sql: str, error: type[psycopg.Error]
) -> None:
    with pytest.raises(error):
        query(connection, sql, Tag("t", "text"), t="month")


@pytest.mark.parametrize("column", DATES)
@pytest.mark.parametrize(
    ("unit", "start_of_week", "first"),
    [
        ("day", "monday", (4, 3)),
        ("week", "monday", (2, 3)),
        ("week", "sunday", (1, 3)),
        ("week", "tuesday", (3, 3)),
        ("week", "thursday", (26, 2)),
        ("month", "monday", (1, 3)),
        ("quarter", "monday", (1, 1)),
        ("year", "monday", (1, 1)),
    ],
)
def test_time_groupings(
    connection: psycopg.Connection[Any], column: str, unit: str, start_of_week: Any, first: tuple[int, int]
) -> None:
    tag = Tag("grain", "temporal-unit", column_of(column))
    calendar = Calendar(CALENDAR.today, start_of_week)
    sql = "select {{grain}} as d, min(id) from marts.t where id = 2 group by {{grain}}"
    found = query(connection, sql, tag, calendar=calendar, grain=unit)[0][0]
    assert (found.day, found.month, found.year) == (*first, 2026)
    assert isinstance(found, datetime) is (column != "day")
    bare = query(connection, sql, tag, calendar=calendar)[0][0]
    assert (bare.day, bare.month) == (4, 3)


texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))
slow_fixture = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@slow_fixture
@given(texts, texts)
def test_any_text_arrives_as_it_is(connection: psycopg.Connection[Any], one: str, other: str) -> None:
    contains = Tag("c", "dimension", Column("h", "v", "text"), "string/contains")
    sql = "with h as (select {{t}} as v) select v, v = {{t}} from h where {{c}}"
    assert query(connection, sql, Tag("t", "text"), contains, t=f"{one}{other}{one}", c=[other]) == [
        (f"{one}{other}{one}", True)
    ]


PIECES = st.lists(
    st.sampled_from(
        [
            (", {{t}}", ["T"]),
            ("[[, {{t}} ]]", ["T"]),
            ("[[, {{n}}, 'it''s' ]]", [5, "it's"]),
            ("[[, {{e}} ]]", []),
            (", 'a''b'", ["a'b"]),
            (", E'\\''", ["'"]),
            (", $$'$$", ["'"]),
            (", '{{'", ["{{"]),
            (", '[[:a:]]'", ["[[:a:]]"]),
            (", '--'", ["--"]),
            (', 1 as "it\'s"', [1]),
            (', 1 as "--"', [1]),
            ("/* {{t}} ' */", []),
            ("-- ' {{t}}\n", []),
            ("-- [[ {{t}}\n", []),
            ("/* /* ' */ */", []),
        ]
    ),
    max_size=8,
)


@slow_fixture
@given(PIECES)
def test_postgres_sees_a_template_as_we_do(
    connection: psycopg.Connection[Any], pieces: list[tuple[str, list[Any]]]
) -> None:
    sql = "select 0 " + " ".join(piece for piece, _ in pieces)
    tags = [Tag("t", "text"), Tag("n", "number"), Tag("e", "text")]
    try:
        row = query(connection, sql, *tags, t="T", n=5)[0]
    except BadTemplate:
        return  # Reason: Metabase and PostgreSQL disagree about a quote or a comment; nothing was run.
    assert list(row) == [0, *(value for _, values in pieces for value in values)]
