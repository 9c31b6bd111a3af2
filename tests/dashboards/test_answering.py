"""The schema of a client in place of the agency's: in code, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.library import load
from dashboards.queries.lexical import spans
from dashboards.spaces import in_schema


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("select * from marts.dim_day", "select * from client_a.dim_day"),
        ("select * from MARTS . dim_day", "select * from client_a . dim_day"),
        ('select * from "marts".dim_day', "select * from client_a.dim_day"),
        ('select * from "marts" . "dim_day"', 'select * from client_a . "dim_day"'),
        ("select 'marts.dim_day'", "select 'marts.dim_day'"),
        ("select E'it\\'s marts.dim_day'", "select E'it\\'s marts.dim_day'"),
        ("select $a$marts.dim_day$a$", "select $a$marts.dim_day$a$"),
        ("-- marts.dim_day\nselect 1", "-- marts.dim_day\nselect 1"),
        ("/* marts.x /* marts.y */ marts.z */ select 1", "/* marts.x /* marts.y */ marts.z */ select 1"),
        ('select "a marts.b" from marts.c', 'select "a marts.b" from client_a.c'),
        ("select smarts.a, marts_b.c, x.marts.d, marts", "select smarts.a, marts_b.c, x.marts.d, marts"),
        ('select x."marts".y', 'select x."marts".y'),
        ("from marts.a join marts.b", "from client_a.a join client_a.b"),
        ("[[and {{client}} in (select 1 from marts.x)]]", "[[and {{client}} in (select 1 from client_a.x)]]"),
    ],
)  # fmt: skip
def test_only_a_qualifier_is_replaced(sql: str, told: str) -> None:
    assert in_schema(sql, "client_a") == told


def test_a_name_that_needs_quotes_has_them() -> None:
    assert in_schema("from marts.a", 'Client "A"') == 'from "Client ""A""".a'
    assert in_schema("from marts.a", "client_\\1") == 'from "client_\\1".a'


def test_the_agency_asks_as_it_is_written() -> None:
    assert in_schema("from MARTS.a", "marts") == "from MARTS.a"


def test_no_card_reads_the_agency_for_a_client() -> None:
    library = load()
    cards = [*library.context, *(placed for one in library.dashboards.values() for placed in one.cards)]
    assert len(cards) > 10
    for placed in cards:
        replaced = in_schema(placed.sql, "client_a")
        assert "marts." not in replaced
        assert replaced.count("client_a.") == placed.sql.count("marts.")


@given(st.text(alphabet="marts.'\"$-/*\n ex{}[]", max_size=60))
def test_strings_and_comments_stay_as_they_are(sql: str) -> None:
    assert told_apart(in_schema(sql, "zzz")) == told_apart(sql)


def told_apart(sql: str) -> list[str]:
    """What is no code, but for quoted names."""
    return [sql[one.start : one.end] for one in spans(sql) if one.kind != "quoted name"]
