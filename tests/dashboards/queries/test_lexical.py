"""Which parts of a statement PostgreSQL takes for strings, names and comments."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.queries.lexical import Span, spans


def marked(sql: str) -> list[str]:
    return [sql[span.start : span.end] for span in spans(sql)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1", []),
        ("a 'b''c' d", ["'b''c'"]),
        ("a 'b\\' c", ["'b\\'"]),
        ("a E'b\\'c' d", ["'b\\'c'"]),
        ("a e'\\\\' 'd'", ["'\\\\'", "'d'"]),
        ("type'b\\' c", ["'b\\'"]),
        ("E 'b\\' c", ["'b\\'"]),
        ('a "b""c" d', ['"b""c"']),
        ("a $$b'c$$ 'd'", ["$$b'c$$", "'d'"]),
        ("a $x$b$$c$x$ d", ["$x$b$$c$x$"]),
        ("a$$ 'b'", ["'b'"]),
        ("$1 'b' $2", ["'b'"]),
        ("a -- b'c\nd 'e'", ["-- b'c", "'e'"]),
        ("a -- b\rc", ["-- b"]),
        ("a /* b /* c */ d */ e", ["/* b /* c */ d */"]),
        ("a '--' b", ["'--'"]),
        ("a - - b", []),
    ],
)
def test_what_is_not_code(sql: str, expected: list[str]) -> None:
    assert marked(sql) == expected


@pytest.mark.parametrize(
    ("sql", "kind"),
    [("a 'b", "string"), ("a 'b''", "string"), ("E'\\'", "string"), ('a "b', "quoted name"), ("$$ a $", "string")],
)
def test_what_does_not_end_is_open(sql: str, kind: str) -> None:
    last = list(spans(sql))[-1]
    assert (last.kind, last.is_open, last.end) == (kind, True, len(sql))


def test_an_open_comment_is_told() -> None:
    assert list(spans("a /* /* */")) == [Span(2, 10, "comment", is_open=True)]


@given(st.text("'\"$-/*\\eE\n a1_"))
def test_spans_are_in_order_and_apart(sql: str) -> None:
    found = list(spans(sql))
    edges = [edge for span in found for edge in (span.start, span.end)]
    assert edges == sorted(edges)
    assert all(span.start < span.end <= len(sql) for span in found)
    assert not any(span.is_open for span in found[:-1])
