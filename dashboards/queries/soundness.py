"""Whether Metabase and PostgreSQL read a template alike.

What belongs here: the checks that compare Metabase's brackets with PostgreSQL's strings, names and comments. What does
not: finding either (`dashboards.queries.brackets`, `dashboards.queries.lexical`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from dashboards.queries.brackets import Block, Part, Reference, Text, error_at
from dashboards.queries.lexical import Span, spans

# Reason: `]]` is none of them, as it may end two subscripts of an array.
_STRAY = re.compile(r"\{\{|\}\}|\[\[|\?")
_GLUE = re.compile(r"[\w$.]")
_BESIDE = {
    "string": "write the value beside the string, e.g. `'%' || {{name}} || '%'`",
    "quoted name": "names cannot be values; write the name out",
    "comment": "take the tag out of the comment, or end the comment before it",
}


def check_blocks(sql: str, parts: Iterable[Part]) -> None:
    """Checks a template with all its blocks kept, and that no block cuts a string or a comment in two.

    Args:
        sql: The text the parts were read from, for places in messages.
        parts: The parts; blocks hold no blocks.

    Raises:
        BadTemplate: The two read it differently, or a value could not be bound.
    """
    flat: list[Text | Reference] = []
    edges: list[tuple[int, Block]] = []
    length = 0
    for part in parts:
        if isinstance(part, Block):
            edges.append((length, part))
        for one in part.parts if isinstance(part, Block) else (part,):
            assert not isinstance(one, Block)
            flat.append(one)
            length += _length(one)
        if isinstance(part, Block):
            edges.append((length, part))
    others = _checked(sql, flat)
    for at, block in edges:
        inside = next((span for span in others if span.start < at < span.end), None)
        if inside is not None:
            raise error_at(
                sql,
                block.start,
                f"an optional block that begins or ends inside a {inside.kind}",
                f"let the {inside.kind} begin and end on the same side of the bracket",
            )


def check(sql: str, kept: Sequence[Text | Reference]) -> None:
    """Checks what is left of a template once some of its blocks are dropped.

    Reason: two halves of a token, one on each side of a block, may meet.

    Raises:
        BadTemplate: As `check_blocks`.
    """
    _checked(sql, kept)


def _checked(sql: str, flat: Sequence[Text | Reference]) -> list[Span]:
    plain = "".join(part.text if isinstance(part, Text) else "?" for part in flat)
    others = list(spans(plain))
    at = 0
    for part in flat:
        for span in others:
            if span.is_open and at <= span.start < at + _length(part):
                raise error_at(sql, part.start + span.start - at, f"a {span.kind} that does not end", "close it")
        if isinstance(part, Reference):
            _check_reference(
                sql, part, next(_around(others, at), None), plain[max(at - 1, 0) : at] + plain[at + 1 : at + 2]
            )
        else:
            _check_text(sql, part, others, at)
        at += _length(part)
    return others


def _check_reference(sql: str, part: Reference, inside: Span | None, neighbours: str) -> None:
    if inside is not None:
        problem = f"{part.source} stands in a {inside.kind}, where no value can be bound"
        raise error_at(sql, part.start, problem, _BESIDE[inside.kind])
    if _GLUE.search(neighbours):
        raise error_at(
            sql,
            part.start,
            f"{part.source} is glued to its neighbour, so that it would be a piece of a name or number",
            "put a blank between them; names cannot be values",
        )


def _check_text(sql: str, part: Text, others: Sequence[Span], at: int) -> None:
    for stray in _STRAY.finditer(part.text):
        if next(_around(others, at + stray.start()), None) is not None:
            continue
        offset = part.start + stray.start()
        if stray[0] == "?":
            problem = "a question mark, which Metabase's driver takes for a placeholder"
            raise error_at(sql, offset, problem, "call the operator's function, e.g. `jsonb_exists`")
        raise error_at(
            sql,
            offset,
            f"`{stray[0]}` that belongs to no tag or block",
            "pair it; or, where a `--` or a quote inside a quoted name stands before it, rename that: "
            "Metabase takes it for a comment or string",
        )


def _around(others: Sequence[Span], at: int) -> Iterator[Span]:
    return (span for span in others if span.start <= at < span.end)


def _length(part: Text | Reference) -> int:
    return len(part.text) if isinstance(part, Text) else 1
