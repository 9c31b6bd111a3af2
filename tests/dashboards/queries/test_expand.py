"""Statements: what becomes of variables, defaults and blocks, and what no value can do."""

# ruff: noqa: DTZ001 - times in the report time zone carry none
from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.errors import BadTag, BadTemplate, DashboardError, MissingValue, UnknownDateForm, WrongValue
from dashboards.queries import Statement, Tag, expand
from dashboards.queries.lexical import spans
from tests.dashboards.queries.samples import (
    AT,
    AT_TZ,
    CALENDAR,
    DAY,
    NAME,
    OPEN,
    PRICE,
    filtered,
    readable,
    run,
    variable,
)
from tests.dashboards.queries.test_template import templates


@pytest.mark.parametrize(
    ("tag", "value", "sql", "params"),
    [
        (variable("text"), "Steller's Jay", "a = CAST(%s AS text)", ["Steller's Jay"]),
        (variable("text"), "", "a = CAST(%s AS text)", [""]),
        (variable("text"), ["a", "b"], "a = CAST(%s AS text), CAST(%s AS text)", ["a", "b"]),
        (variable("number"), 5, "a = CAST(%s AS integer)", [5]),
        (variable("number"), "100", "a = CAST(%s AS integer)", [100]),
        (variable("number"), "-7", "a = CAST(%s AS integer)", [-7]),
        (variable("number"), "9223372036854775808", "a = CAST(%s AS numeric)", [9223372036854775808]),
        (variable("number"), 2**31, "a = CAST(%s AS bigint)", [2**31]),
        (variable("number"), "1.5", "a = CAST(%s AS numeric)", [Decimal("1.5")]),
        (variable("number"), "1.0", "a = CAST(%s AS numeric)", [Decimal("1.0")]),
        (variable("number"), 0.1, "a = CAST(%s AS numeric)", [Decimal("0.1")]),
        (variable("number"), "0.12345678901234567890", "a = CAST(%s AS numeric)", [Decimal("0.12345678901234568")]),
        (variable("number"), "1,2.5", "a = CAST(%s AS integer), CAST(%s AS numeric)", [1, Decimal("2.5")]),
        (variable("number"), ["20"], "a = CAST(%s AS integer)", [20]),
        (variable("number"), ["20", 40], "a = CAST(%s AS integer), CAST(%s AS integer)", [20, 40]),
        (variable("boolean"), False, "a = CAST(%s AS boolean)", [False]),
        (variable("boolean"), "true", "a = CAST(%s AS boolean)", [True]),
        (variable("date"), "2016-07-19", "a = CAST(%s AS date)", [date(2016, 7, 19)]),
        (variable("date"), date(2016, 7, 19), "a = CAST(%s AS date)", [date(2016, 7, 19)]),
        (variable("date"), "2016-07-19T10:30", "a = CAST(%s AS timestamp)", [datetime(2016, 7, 19, 10, 30)]),
    ],
)
def test_variables(tag: Tag, value: Any, sql: str, params: list[Any]) -> None:
    statement = run("a = {{x}}", tag, value)
    assert statement == Statement(sql, tuple(params))
    assert [type(one) for one in statement.params] == [type(one) for one in params]


V = '"public"."venues"."name"'
NOTHING = [None, [], [None], ()]


@pytest.mark.parametrize("nothing", NOTHING)
def test_explicit_null_is_no_value_although_there_is_a_default(nothing: Any) -> None:
    text, day = variable("text", default="a"), filtered("date/range", DAY, default="past7days")
    assert run("a [[{{x}}]]", text) == Statement("a CAST(%s AS text)", ("a",))
    assert run("a [[{{x}}]]", text, nothing) == Statement("a", ())
    assert "BETWEEN" in run("{{x}}", day).sql
    assert run("{{x}}", day, nothing) == Statement("1 = 1", ())
    assert run("a [[and {{x}}]]", day, nothing) == Statement("a", ())
    with pytest.raises(MissingValue, match=r"tag `x`: it has no value.*line 1, column 3"):
        run("a {{x}}", text, nothing)


@pytest.mark.parametrize("nothing", NOTHING)
def test_of_a_required_tag_null_means_the_default(nothing: Any) -> None:
    with_default = filtered("string/=", NAME, default=["a"], required=True)
    assert run("{{x}}", with_default, nothing) == run("{{x}}", with_default) == run("{{x}}", with_default, ["a"])
    without = filtered("string/=", NAME, required=True)
    for sql in ("{{x}}", "a [[{{x}}]]", "a query that does not use it"):
        with pytest.raises(MissingValue, match="a value is required"):
            run(sql, without, nothing)
        with pytest.raises(MissingValue, match="tag `x`"):
            run(sql, without)


def test_a_block_is_kept_when_all_its_tags_have_a_value() -> None:
    tags = [Tag("a", "text"), Tag("b", "number"), Tag("c", "dimension", NAME, "string/=")]
    sql = "select 1 [[, {{a}} || {{b}}]] [[ where {{c}} and {{a}} = '50%']];\n"

    def of(**values: Any) -> tuple[str, list[Any]]:
        return readable(expand(sql, tags, values, CALENDAR))

    assert of() == ("select 1  ;", [])
    assert of(a="A") == ("select 1  ;", [])
    assert of(a="A", b=2) == ("select 1 , ? || ? ;", ["A", 2])
    assert of(a="A", c=["C"]) == (f"select 1   where ({V} = ?) and ? = '50%';", ["C", "A"])
    assert of(a="A", b=2, c=["C"])[1] == ["A", 2, "C", "A"]


@pytest.mark.parametrize(
    ("tag", "value", "error", "said"),
    [
        (variable("text"), 5, WrongValue, "tag `x`, value 5: not a text"),
        (variable("text"), ["a", None], WrongValue, "not a text"),
        (variable("text"), "a\x00", WrongValue, "cannot hold"),
        (variable("text"), "\ud800", WrongValue, "cannot hold"),
        (variable("number"), "abc", WrongValue, "value 'abc': not a number"),
        (variable("number"), "1; drop table x", WrongValue, "not a number"),
        (variable("number"), "1, 2", WrongValue, "value ' 2': not a number"),
        (variable("number"), "", WrongValue, "not a number"),
        (variable("number"), "1e5", WrongValue, "not a number"),
        (variable("number"), "1.0e999", WrongValue, "not a number"),
        (variable("number"), float("nan"), WrongValue, "not a number"),
        (variable("number"), True, WrongValue, "not a number"),
        (variable("number"), "9" * 5000, WrongValue, "9…: not a number"),
        (variable("number"), [[1]], WrongValue, "not a number"),
        (variable("boolean"), "yes", WrongValue, "neither true nor false"),
        (variable("boolean"), 1, WrongValue, "neither true nor false"),
        (variable("date"), "past7days", UnknownDateForm, "tag `x`, value 'past7days': neither a day nor a time"),
        (variable("date"), "2026-02-30", UnknownDateForm, "no such day"),
        (variable("date"), ["2026-02-03"], WrongValue, "not a date form"),
        (filtered("string/=", NAME), "a", WrongValue, r"takes a list. To mend: write a list, e.g. `\['a'\]`"),
        (filtered("string/=", NAME), [5], WrongValue, "not a text"),
        (filtered("string/=", PRICE), ["5,6"], WrongValue, "not a number"),
        (filtered("string/contains", NAME), [None, "a"], WrongValue, "not a text"),
        (filtered("number/>=", PRICE), [1, 2], WrongValue, "takes one number"),
        (filtered("number/between", PRICE), [1], WrongValue, "takes two numbers"),
        (filtered("boolean/=", OPEN), [1], WrongValue, "neither true nor false"),
        (filtered("category", OPEN), False, WrongValue, r"\[false\]"),
        (filtered("category", NAME), ["a", None], WrongValue, "not a text"),
        (filtered("date/range", DAY), "last 7 days", UnknownDateForm, "tag `x`, value 'last 7 days': not a date form"),
        (filtered("date/single", DAY), "past7days", UnknownDateForm, "neither a day nor a time"),
        (filtered("date/range", DAY), 20260105, WrongValue, "not a date form"),
        (filtered("date/range", AT), "9999-12-31", UnknownDateForm, "no such day"),
        (Tag("x", "temporal-unit", DAY), "fortnight", WrongValue, "`week`"),
        (Tag("x", "temporal-unit", DAY), "day-of-week", WrongValue, "not a unit"),
        (Tag("x", "temporal-unit", DAY), ["day"], WrongValue, "not a unit"),
    ],
)
def test_values_that_do_not_fit(tag: Tag, value: Any, error: type[DashboardError], said: str) -> None:
    with pytest.raises(error, match=said) as caught:
        run("{{x}}", tag, value)
    assert caught.value.mend


def test_tags_that_are_not_declared_or_declared_twice() -> None:
    tag = variable("text")
    with pytest.raises(BadTemplate, match=r"line 2, column 5: \{\{y\}\} is not declared"):
        expand("a\n[[, {{y}}]]", [tag], {}, CALENDAR)
    with pytest.raises(WrongValue, match="tag `z`: there is no such tag"):
        expand("a", [tag], {"z": None}, CALENDAR)
    with pytest.raises(BadTag, match="declared twice"):
        expand("a", [tag, tag], {}, CALENDAR)


def test_a_dropped_block_must_not_make_a_comment_of_what_stands_beside_it() -> None:
    tags = [Tag("a", "number"), Tag("b", "number")]
    sql = "select 5 -[[ {{a}}]]- {{b}}"
    assert expand(sql, tags, {"a": 1, "b": 1}, CALENDAR).params == (1, 1)
    with pytest.raises(BadTemplate, match="stands in a comment"):
        expand(sql, tags, {"b": 1}, CALENDAR)


EVERY = [
    variable("text"),
    variable("number"),
    variable("date"),
    variable("boolean"),
    *(filtered(widget, NAME) for widget in ("string/=", "string/!=", "string/contains", "string/ends-with", "id")),
    *(filtered(widget, PRICE) for widget in ("number/=", "number/between", "category")),
    filtered("boolean/=", OPEN),
    *(filtered("date/all-options", column) for column in (DAY, AT, AT_TZ)),
    Tag("x", "temporal-unit", AT),
]
WORDS = re.compile(
    "select|where|a|like|s|CAST|AS|text|integer|bigint|numeric|boolean|date|timestamp|timestamptz|AND|OR|NOT|IS|NULL|IN"
    "|BETWEEN|LIKE|ESCAPE|extract|from|date_trunc|INTERVAL|public|checkins|orders|venues|at|name|price|open|dow|hour"
    r"|[-,%()=<>+.1]|'(?:50%%|\\|minute|hour|day|week|month|quarter|year|-?1 day)'"
)
anything = st.one_of(
    st.text(),
    st.lists(st.text(), max_size=3),
    st.none(),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.lists(st.one_of(st.integers(), st.booleans(), st.none()), max_size=3),
    st.sampled_from(
        ["past7days~", "~2026-01-05", "exclude-hours-1", "exclude-days-Sun", "week", "1.5,2", "2026-01-05"]
    ),
)


@given(st.sampled_from(EVERY), anything)
def test_any_value_becomes_parameters_or_an_error(tag: Tag, value: Any) -> None:
    refused: DashboardError | None = None
    try:
        statement = run("select {{x}} [[, {{x}}]] where a like '50%' -- %s", tag, value)
    except DashboardError as error:
        refused = error
    if refused is not None:
        assert "tag `x`" in str(refused)
        return
    assert len(re.findall("%%|(%s)", statement.sql)) - 2 == len(statement.params)
    tokens = re.findall(r"'[^']*'|\w+|[^\w\s\"]", statement.sql)
    assert [token for token in tokens if not WORDS.fullmatch(token)] == []


texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))


@given(texts, texts)
def test_a_text_never_changes_the_statement(one: str, other: str) -> None:
    tags = [Tag("x", "text"), Tag("y", "dimension", NAME, "string/contains", case_sensitive=False)]
    sql = "select {{x}} [[where {{y}}]]"
    first, second = (expand(sql, tags, {"x": text, "y": [text]}, CALENDAR) for text in (one, other))
    assert first.sql == second.sql
    assert first.params[0] == one


@given(templates, st.booleans())
def test_what_is_expanded_has_no_brackets_left_in_its_code(sql: str, filled: bool) -> None:
    tags = [Tag("x", "dimension", NAME, "string/="), Tag("y", "dimension", NAME, "string/=")]
    values = {"x": ["{{y}}"], "y": ["[["]} if filled else {}
    try:
        statement = expand(sql, tags, values, CALENDAR)
    except BadTemplate:
        return
    plain = statement.sql.replace("CAST(%s AS text)", "?").replace("%%", "%")
    code = plain
    for span in reversed(list(spans(plain))):
        assert not span.is_open
        code = code[: span.start] + code[span.end :]
    assert not re.search(r"\{\{|\}\}|\[\[", code)
    assert code.count("?") == len(statement.params)
