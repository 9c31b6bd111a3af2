"""A card's SQL for another schema: qualifiers are replaced, and nothing else that looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.spaces import in_schema, tables_of


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select * from marts.dim_day", "select * from client_acme.dim_day"),
        ("select * from MARTS . dim_day", "select * from client_acme . dim_day"),
        ('select * from "marts"."dim_day"', 'select * from client_acme."dim_day"'),
        ("select marts.dim_day.day from marts.dim_day", "select client_acme.dim_day.day from client_acme.dim_day"),
        ("select 'marts.dim_day' from marts.x", "select 'marts.dim_day' from client_acme.x"),
        ("select 1 -- from marts.x\nfrom marts.y", "select 1 -- from marts.x\nfrom client_acme.y"),
        ("select /* marts.x */ $$marts.x$$ from marts.y", "select /* marts.x */ $$marts.x$$ from client_acme.y"),
        ('select "marts.x" from marts.y', 'select "marts.x" from client_acme.y'),
        ("select a.marts.b, smarts.c, marts2.d, my_marts.e", "select a.marts.b, smarts.c, marts2.d, my_marts.e"),
        ('select a . "marts".b', 'select a . "marts".b'),
        (
            "where {{marts.x}} [[and a in (select b from marts.y)]]",
            "where {{marts.x}} [[and a in (select b from client_acme.y)]]",
        ),
        ("select marts from marts", "select marts from marts"),
    ],
)
def test_qualifiers_of_tables_alone_are_replaced(sql: str, expected: str) -> None:
    assert in_schema(sql, "client_acme") == expected
    assert in_schema(sql, "marts") == sql


def test_a_schema_that_needs_quotes_gets_them() -> None:
    assert in_schema("select * from marts.x", 'Odd"one') == 'select * from "Odd""one".x'


def test_tables_are_told_in_order_and_once() -> None:
    sql = (
        "select * from marts.b join marts.a on true join marts.b on true -- marts.c\nwhere 'marts.d' <> marts.\"E e\".f"
    )
    assert tables_of(sql) == ("b", "a", "E e")


MARKS = ("marts.", "'", '"', "--", "\n", "/*", "*/", "x", " ", ".", "{{", "}}", "[[", "]]", "$$", "e'", "\\")
PIECES = st.lists(st.sampled_from(MARKS), max_size=25)


@given(PIECES)
def test_nothing_but_the_name_changes(pieces: list[str]) -> None:
    sql = "".join(pieces)
    assert in_schema(sql, "other_").replace("other_", "marts") == sql


@given(PIECES)
def test_what_was_replaced_is_not_replaced_again(pieces: list[str]) -> None:
    once = in_schema("".join(pieces), "client_x")
    assert tables_of(once) == ()
