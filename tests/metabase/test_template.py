"""SQL taken apart into text, tags and optional parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.metabase.query.template import Optional, Param, Part, QueryError, parse


@pytest.mark.parametrize(
    ("sql", "parts"),
    [
        ("select 1", ["select 1"]),
        ("{{a}}", [Param("a")]),
        ("x = {{ a }} and y", ["x = ", Param("a"), " and y"]),
        ("1 [[and {{a}}]]", ["1 ", Optional(("and ", Param("a")))]),
        ("[[a {{a}} b {{b}}]]", [Optional(("a ", Param("a"), " b ", Param("b")))]),
        ("{{{a}}}", ["{", Param("a"), "}"]),
        ("a -- {{b}}\n{{c}}", ["a -- {{b}}\n", Param("c")]),
        ("a /* [[ {{b}} */ {{c}}", ["a /* [[ {{b}} */ ", Param("c")]),
        ("a -- {{b}}", ["a -- {{b}}"]),
        ("'-- {{b}}'", ["'-- ", Param("b"), "'"]),
        ("array[[1]]", None),
        ("'[[1]]'", ["'[[1]]'"]),
        ("'[[' || {{a}}", ["'[[' || ", Param("a")]),
        ("'{{' || {{a}}", ["'{{' || ", Param("a")]),
        ("a[1]]", ["a[1]]"]),
        ("{{}}", None),
        ("{{a", None),
        ("[[ {{a}}", None),
        ("[[no tag]]", None),
        ("{{a {{b}} }}", None),
    ],
)
def test_parts(sql: str, parts: list[Part] | None) -> None:
    if parts is None:
        with pytest.raises(QueryError):
            parse(sql)
    else:
        assert parse(sql) == parts


def _text(parts: list[Part] | tuple[Part, ...]) -> str:
    out = ""
    for part in parts:
        if isinstance(part, str):
            out += part
        else:
            out += "{{" + part.name + "}}" if isinstance(part, Param) else f"[[{_text(part.parts)}]]"
    return out


@given(st.text(alphabet="ab '[]{}-*/\n", max_size=40))
def test_whatever_is_parsed_is_the_same_text_again(sql: str) -> None:
    try:
        parts = parse(sql)
    except QueryError:
        return
    # Reason: names lose the space around them.
    assert "".join(_text(parts).split()) == "".join(sql.split())


@given(st.text(max_size=60).filter(lambda s: not set("[]{}") & set(s)))
def test_text_without_brackets_stays(sql: str) -> None:
    assert "".join(part for part in parse(sql) if isinstance(part, str)) == sql


@given(st.lists(st.sampled_from(["{{a}}", "[[x {{b}}]]", " and ", "'q'"]), max_size=8))
def test_well_formed_pieces_come_back_in_their_order(pieces: list[str]) -> None:
    assert _text(parse("".join(pieces))) == "".join(pieces)
