"""Where in an SQL text PostgreSQL sees code, and where strings, quoted names and comments.

What belongs here: PostgreSQL's own lexical rules, as far as they tell those apart. What does not: Metabase's brackets
(`dashboards.queries.template`).

Reason: Metabase finds its brackets with simpler rules. Comparing both readings shows every place where a placeholder
would land in a string or a comment, in which no value can be bound.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["string", "quoted name", "comment"]

# Reason: a name may hold `$` and swallows a following quote's prefix, so names are consumed whole.
_INTERESTING = re.compile(
    r"""
    (?P<name>[A-Za-z_\u0080-\U0010ffff][\w$]*)
    | (?P<number>[0-9][\w.]*)
    | (?P<line>--[^\n\r]*)
    | (?P<block>/\*)
    | (?P<quote>')
    | (?P<quoted>")
    | (?P<dollar>\$(?:[A-Za-z_\u0080-\U0010ffff][A-Za-z_0-9\u0080-\U0010ffff]*)?\$)
    """,
    re.VERBOSE,
)
# Reason for the possessive `*+`: a doubled quote must not be taken back to end the string after all.
_PLAIN_END = re.compile(r"(?:[^']|'')*+'")
_ESCAPED_END = re.compile(r"(?:[^'\\]|''|\\.)*+'", re.DOTALL)
_QUOTED_END = re.compile(r'(?:[^"]|"")*+"')
_BLOCK_MARK = re.compile(r"/\*|\*/")


@dataclass(frozen=True, slots=True)
class Span:
    """A part of an SQL text that is not code.

    Attributes:
        start: Offset of its first character.
        end: Offset after its last; of a line comment, that of the line's end.
        kind: What it is.
        is_open: Whether the text ends within it, which PostgreSQL refuses.
    """

    start: int
    end: int
    kind: Kind
    is_open: bool = False


def spans(sql: str) -> Iterator[Span]:
    """Everything in `sql` that is not code, in order.

    Follows PostgreSQL's manual, "Lexical Structure", with `standard_conforming_strings` on: doubled quotes, backslashes
    in `E''` strings alone, dollar quotes, nested block comments.
    """
    at = 0
    escaped = False
    while match := _INTERESTING.search(sql, at):
        if escaped and match.start() != at:
            escaped = False
        start, at = match.start(), match.end()
        match match.lastgroup:
            case "name":
                escaped = match[0] in ("e", "E")
                continue
            case "number":
                pass
            case "line":
                yield Span(start, at, "comment")
            case "block":
                end = _block_end(sql, at)
                yield Span(start, end or len(sql), "comment", end is None)
                at = end or len(sql)
            case "quote":
                found = (_ESCAPED_END if escaped else _PLAIN_END).match(sql, at)
                at = found.end() if found else len(sql)
                yield Span(start, at, "string", found is None)
            case "quoted":
                found = _QUOTED_END.match(sql, at)
                at = found.end() if found else len(sql)
                yield Span(start, at, "quoted name", found is None)
            case _:
                end = sql.find(match[0], at)
                at = len(sql) if end < 0 else end + len(match[0])
                yield Span(start, at, "string", end < 0)
        escaped = False


def _block_end(sql: str, at: int) -> int | None:
    depth = 1
    for mark in _BLOCK_MARK.finditer(sql, at):
        depth += 1 if mark[0] == "/*" else -1
        if not depth:
            return mark.end()
    return None
