"""Brackets: what Metabase reads, what is refused and where, and properties of every template."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dashboards.errors import BadTemplate
from dashboards.queries.brackets import Block, Part, Reference, Text
from dashboards.queries.template import Appearance, parse, render, tags_in

PIECES = st.sampled_from(
    [
        *["{{", "}}", "[[", "]]", "{{x}}", "[[ a {{y}} ]]", "'", '"', "--", "/*", "*/", "\n", "$$", "$a$", "E'", "\\"],
        *["x", "y", " ", "-", "*", "/", ";", "?", "%", "%s", "{", "[", "]", "}", "é"],
    ]
)
templates = st.lists(PIECES, max_size=14).map("".join)


def outline(sql: str) -> list[object]:
    """Texts as they are, tags as `<name>`, blocks as lists."""

    def of(part: Part) -> object:
        if isinstance(part, Text):
            return part.text
        return f"<{part.name}>" if isinstance(part, Reference) else [of(inner) for inner in part.parts]

    return [of(part) for part in parse(sql).parts]


# What Metabase's own tests expect of its parser, as far as the query would be one of PostgreSQL.
@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select * from foo where bar=1", ["select * from foo where bar=1"]),
        ("select * from foo where bar={{baz}}", ["select * from foo where bar=", "<baz>"]),
        ("a [[where bar = {{baz}} ]]", ["a ", ["where bar = ", "<baz>", " "]]),
        ("{{ a }} {{b }} {{\n\tc}}", ["<a>", " ", "<b>", " ", "<c>"]),
        ("[[and a = {{x}}]] [[and b = {{x}}]]", [["and a = ", "<x>"], " ", ["and b = ", "<x>"]]),
        ("in (f({{a}}, ',')::integer[])", ["in (f(", "<a>", ", ',')::integer[])"]),
        ("x [[ in (f({{a}})::integer[]) ]]", ["x ", [" in (f(", "<a>", ")::integer[]) "]]),
        ("SELECT array_dims(1 || '[0:1]={2,3}'::int[])", ["SELECT array_dims(1 || '[0:1]={2,3}'::int[])"]),
        ("SELECT -- {{foo}}", ["SELECT -- {{foo}}"]),
        ("SELECT -- {{foo}}\n{{bar}}", ["SELECT -- {{foo}}\n", "<bar>"]),
        ("SELECT /* \n --{{foo}} */ {{bar}}", ["SELECT /* \n --{{foo}} */ ", "<bar>"]),
        ("SELECT /* [[ */ {{bar}}", ["SELECT /* [[ */ ", "<bar>"]),
        ("-- it's\n{{x}}", ["-- it's\n", "<x>"]),
        ("select ']]' from t [[where x = {{foo}}]]", ["select ']]' from t ", ["where x = ", "<foo>"]]),
        ("select '}}' from t [[where x = {{foo}}]]", ["select '}}' from t ", ["where x = ", "<foo>"]]),
        ("concat('--',{{x}})", ["concat('--',", "<x>", ")"]),
        ("concat('/*',{{x}})", ["concat('/*',", "<x>", ")"]),
        ("'{{'", ["'{{'"]),
        ("'{{}}'", ["'{{}}'"]),
        ("'[['", ["'[['"]),
        ("'[[]]'", ["'[[]]'"]),
        ("'[[{{]]'", ["'[[{{]]'"]),
        ("a ~ '^[[:alpha:]]+$' and {{x}}", ["a ~ '^[[:alpha:]]+$' and ", "<x>"]),
        ("'it''s' || {{x}}", ["'it''s' || ", "<x>"]),
        ("E'it\\'s' || {{x}}", ["E'it\\'s' || ", "<x>"]),
        ("a[b[1]] = {{x}}", ["a[b[1]] = ", "<x>"]),
        ("[[ {{this}} -- and\n]] that", [[" ", "<this>", " -- and\n"], " that"]),
    ],
)
def test_metabases_expectations(sql: str, expected: list[object]) -> None:
    assert outline(sql) == expected


@pytest.mark.parametrize(
    ("sql", "place", "said"),
    [
        ("a [[where b = {{c}} ", (1, 3), "`[[` that is never closed"),
        ("a [[where b = {{c]]", (1, 15), "closed by `]]`"),
        ("a {{b}} {{c", (1, 9), "`{{` that is never closed"),
        ("a [[b {{c}}]] [[d", (1, 15), "never closed"),
        ("a\n  = {{b]]", (2, 5), "never closed"),
        ("a [[b = {{c}}}}", (1, 3), "never closed"),
        ("a {{ }}", (1, 3), "without a name"),
        ("a {{b {{c}} }}", (1, 3), "more than a name"),
        ("a {{b [[ {{c}} ]] }}", (1, 3), "more than a name"),
        ("a [[b]]", (1, 3), "without a tag"),
        ("select array[[1, 2], [3, 4]]", (1, 13), "without a tag"),
        ("a [[ [[b = {{c}}]] ]]", (1, 3), "without a tag"),
        ("a [[{{b}} [[and c = {{d}}]] ]]", (1, 11), "block inside another"),
        ("a }} b", (1, 3), "`}}` that belongs to no tag"),
        ("'{{x}}'", (1, 2), "stands in a string"),
        ("like '%{{x}}%'", (1, 8), "|| {{name}} ||"),
        ('select "{{x}}"', (1, 9), "quoted name"),
        ("$$ {{x}} $$", (1, 4), "stands in a string"),
        ("E'\\'{{x}}'", (1, 5), "stands in a string"),
        ("[[ -- {{x}}\n and {{y}} ]]", (1, 7), "stands in a comment"),
        ("/* /* */ {{x}} */", (1, 10), "stands in a comment"),
        ('select "a--b", {{x}}', (1, 16), "Metabase takes it for a comment"),
        ('select "it\'s" -- {{x}}', (1, 18), "stands in a comment"),
        ("[[ and {{x}} -- why]] and b", (1, 1), "begins or ends inside a comment"),
        ("[[ {{this}} /* and ]] */ that", (1, 1), "begins or ends inside a comment"),
        ("[[ and {{x}} = 'a]] b'", (1, 1), "begins or ends inside a string"),
        ("select a ? 'b', '?'", (1, 10), "takes for a placeholder"),
        ("col_{{x}}", (1, 5), "glued"),
        ("é{{x}}", (1, 2), "glued"),
        ("{{x}}and b", (1, 1), "glued"),
        ("1.{{x}}", (1, 3), "glued"),
        ("select 'a {{", (1, 8), "a string that does not end"),
        ("select {{x}} /* a", (1, 14), "a comment that does not end"),
        ("{{snippet: x}}", (1, 1), "snippets are not supported"),
        ("from {{#123-a-question}}", (1, 6), "other questions are not supported"),
        ('{{mb.time_grouping("a", "b")}}', (1, 1), "functions are not supported"),
        ("{{a-b}}", (1, 1), "letters, digits"),
        ("'{{snippet: a}}'", (1, 2), "snippets are not supported"),
        ("{{é}}", (1, 1), "letters, digits"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(sql: str, place: tuple[int, int], said: str) -> None:
    with pytest.raises(BadTemplate) as caught:
        parse(sql)
    assert (caught.value.line, caught.value.column) == place
    assert said in str(caught.value)
    assert str(caught.value).startswith(f"line {place[0]}, column {place[1]}: ")


def test_tags_and_where_they_stand() -> None:
    sql = "select {{grain}}\nfrom t\nwhere {{day}} [[and c = {{ campaign }}]]\n[[and d in (select {{day}})]]"
    found = {use.name: use for use in tags_in(sql)}
    assert list(found) == ["grain", "day", "campaign"]
    assert found["day"].appearances == (Appearance(3, 7, False), Appearance(4, 20, True))
    assert found["campaign"].appearances == (Appearance(3, 25, True),)
    assert [use.is_outside_blocks for use in found.values()] == [True, True, False]
    assert tags_in("select 1 -- {{x}}") == ()


@example("'[[{{x]] ]]'")
@example("[[{{x}}]]'")
@example("-[[-{{x}}]]")
@given(templates)
def test_a_template_is_printed_as_it_was_read_or_refused_with_a_place_in_it(sql: str) -> None:
    refused: BadTemplate | None = None
    try:
        parts = parse(sql).parts
    except BadTemplate as error:
        refused = error
    if refused is not None:
        lines = sql.split("\n")
        assert 1 <= refused.line <= len(lines)
        assert 1 <= refused.column <= len(lines[refused.line - 1]) + 1
        return
    assert render(parts) == sql
    assert not any(isinstance(inner, Block) for part in parts if isinstance(part, Block) for inner in part.parts)
    starts = [part.start for part in parts]
    assert all(sql.startswith(render([part]), start) for part, start in zip(parts, starts, strict=True))


@pytest.mark.parametrize("piece", ["'[[a] ", "[[", "'[[{{", "{{x}} ", "[[ {{x}} ]] ", "'[[:a:]]' ", "/* ", "$a", "''"])
def test_reading_takes_no_longer_than_the_text_is(piece: str) -> None:
    begun = time.perf_counter()
    with suppress(BadTemplate):
        parse(piece * 300)
    assert time.perf_counter() - begun < 5
