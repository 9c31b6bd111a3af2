"""Declarations of tags that contradict themselves."""

from __future__ import annotations

from typing import Any

import pytest

from dashboards.errors import BadTag
from dashboards.queries import WIDGETS, Column, Tag

DAY, NAME, SPEND = Column("t", "day", "date"), Column("t", "name", "text"), Column("t", "spend", "number")


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"name": "a b", "type": "text"}, "letters, digits"),
        ({"name": "", "type": "text"}, "letters, digits"),
        ({"name": "x", "type": "snippet"}, "type `snippet` is not supported"),
        ({"name": "x", "type": "card"}, "`temporal-unit`"),
        ({"name": "x", "type": "text", "column": NAME}, "a text variable has no column"),
        ({"name": "x", "type": "number", "alias": "t.a"}, "has no column, widget or alias"),
        ({"name": "x", "type": "dimension", "widget": "string/="}, "needs a column"),
        ({"name": "x", "type": "dimension", "column": NAME}, "widget `None` is not supported"),
        ({"name": "x", "type": "dimension", "column": NAME, "widget": "string/like"}, "`string/contains`"),
        ({"name": "x", "type": "dimension", "column": NAME, "widget": "number/="}, "does not fit a column of kind"),
        ({"name": "x", "type": "dimension", "column": SPEND, "widget": "string/contains"}, "of kind `text`"),
        ({"name": "x", "type": "dimension", "column": DAY, "widget": "category"}, "does not fit"),
        ({"name": "x", "type": "dimension", "column": NAME, "widget": "date/range"}, "`timestamptz`"),
        ({"name": "x", "type": "dimension", "column": Column("t", "a", "json"), "widget": "id"}, "kind `json`"),  # type: ignore[arg-type]
        ({"name": "x", "type": "temporal-unit", "column": NAME}, "bind it to a date"),
        ({"name": "x", "type": "temporal-unit", "column": DAY, "widget": "date/range"}, "no widget"),
        ({"name": "x", "type": "dimension", "column": NAME, "widget": "id", "alias": "t.a; drop"}, "is no column"),
        ({"name": "x", "type": "dimension", "column": NAME, "widget": "id", "alias": ""}, "is no column"),
        ({"name": "x", "type": "dimension", "column": NAME, "widget": "id", "alias": "a.b.c.d"}, "is no column"),
        ({"name": "x", "type": "dimension", "column": NAME, "widget": "string/=", "case_sensitive": False}, "capitals"),
        ({"name": "x", "type": "boolean", "default": False}, "so that the default is true"),
        ({"name": "x", "type": "text", "default": []}, "empty list"),
        ({"name": "x", "type": "text", "default": [None]}, "empty list"),
    ],
)
def test_refused(declared: dict[str, Any], said: str) -> None:
    with pytest.raises(BadTag) as caught:
        Tag(**declared)
    assert said in str(caught.value)
    assert caught.value.tag == declared["name"]
    assert f"`{declared['name']}`" in str(caught.value)
    assert caught.value.mend


@pytest.mark.parametrize("alias", ["day", "p.day", '"P".day', 's."a ""b"" %".d'])
def test_an_alias_is_a_column_as_the_query_calls_it(alias: str) -> None:
    tag = Tag("x", "dimension", DAY, "date/range", alias=alias)
    assert tag.column_sql().sql == alias.replace("%", "%%")


def test_names_are_quoted() -> None:
    column = Column('a"b', "50%", "text", schema="Marts")
    assert Tag("x", "dimension", column, "id").column_sql().sql == '"Marts"."a""b"."50%%"'


def test_the_widgets_are_those_of_metabase_that_are_bound_to_a_column() -> None:
    assert len(WIDGETS) == 24
    for widget in ("date/all-options", "string/does-not-contain", "number/between", "boolean/=", "id", "category"):
        assert widget in WIDGETS
