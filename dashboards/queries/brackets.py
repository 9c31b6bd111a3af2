"""How Metabase finds `{{tags}}` and `[[optional blocks]]` in a query.

What belongs here: its tokens and its rules about strings and comments, followed to the letter. What does not: whether
the result makes sense to PostgreSQL (`dashboards.queries.template`).

The rules, as its source has them (library namespaces `lib.parse` and `lib.parameters.parse`, about version 0.61):

- Tokens are found one kind after the other over the whole text, comment marks first; of three braces the last two open.
- Outside of blocks, brackets in `--` and `/* */` comments are text. Inside a block there are no comments.
- A single quote begins and ends a string, whatever stands around it. In a string, brackets that make no sense are text;
  those that do make sense count.
- A block must hold a tag. A tag holds a name and blanks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from dashboards.errors import BadTemplate

_DEEPEST = 30
_NAME = re.compile(r"\s*([A-Za-z0-9_.]+)\s*", re.ASCII)
_KINDS = {
    "block comment": re.compile(r"/\*"),
    "end of block comment": re.compile(r"\*/"),
    "line comment": re.compile("--"),
    "newline": re.compile("\n"),
    "[[": re.compile(r"\[\["),
    "]]": re.compile(r"\]\]"),
    "{{": re.compile(r"\{\{(?!\{)"),
    "}}": re.compile(r"\}\}"),
    "quote": re.compile("'"),
}


@dataclass(frozen=True, slots=True)
class Text:
    """SQL as it stands.

    Attributes:
        text: The SQL.
        start: Offset of its first character in the template.
    """

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Reference:
    """A tag.

    Attributes:
        name: Its name, without blanks.
        source: How it is written, braces included.
        start: Offset of its first brace.
    """

    name: str
    source: str
    start: int


@dataclass(frozen=True, slots=True)
class Block:
    """An optional block.

    Attributes:
        parts: What it holds.
        start: Offset of its first bracket.
    """

    parts: tuple[Part, ...]
    start: int


Part = Text | Reference | Block


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class _Frame:
    """What stands around a sequence of tokens."""

    in_block: bool = False
    in_tag: bool = False
    in_string: bool = False
    comment: str = ""


@dataclass(frozen=True, slots=True)
class _Read:
    parts: tuple[Part, ...]
    next: int
    closed_by: str


class _Senseless(Exception):
    """Brackets that make no sense; inside a string they are text."""

    def __init__(self, offset: int, problem: str, mend: str) -> None:
        super().__init__(problem)
        self.offset = offset
        self.problem = problem
        self.mend = mend


def read(sql: str) -> tuple[Part, ...]:
    """The parts of a template as Metabase sees them; adjacent text is one part.

    Raises:
        BadTemplate: Brackets that make no sense, or a tag that is no name.
    """
    reader = _Reader(sql)
    try:
        return _joined(reader.sequence(0, _Frame(), 0).parts)
    except _Senseless as error:
        raise error_at(sql, error.offset, error.problem, error.mend) from None


def position(sql: str, offset: int) -> tuple[int, int]:
    """Line and column of an offset, both counted from 1."""
    line = sql.count("\n", 0, offset) + 1
    return line, offset - sql.rfind("\n", 0, offset)


def error_at(sql: str, offset: int, problem: str, mend: str = "") -> BadTemplate:
    """The error that tells what is wrong at an offset."""
    line, column = position(sql, offset)
    return BadTemplate(problem, mend, line=line, column=column)


class _Reader:
    def __init__(self, sql: str) -> None:
        self._sql = sql
        self._tokens = _tokens(sql)
        # Reason: brackets in a string are tried as brackets, then read again as text; without memory that doubles the
        # work with each of them.
        self._known: dict[tuple[int, _Frame], _Read | _Senseless] = {}

    def sequence(self, at: int, frame: _Frame, depth: int) -> _Read:
        """Reads tokens until the frame is closed."""
        parts: list[Part] = []
        in_string = frame.in_string
        opened = self._tokens[at - 1] if at else None
        while at < len(self._tokens):
            token = self._tokens[at]
            at += 1
            if self._closes(token, frame):
                if frame.comment:
                    parts.append(Text(token.text, token.start))
                return _Read(tuple(parts), at, token.kind)
            if token.kind in ("[[", "{{") and not frame.comment:
                inner = _Frame(frame.in_block or token.kind == "[[", frame.in_tag or token.kind == "{{", in_string)
                try:
                    part, at = self._bracket(token, at, inner, depth)
                except _Senseless:
                    if not in_string:
                        raise
                    part = Text(token.text, token.start)
                parts.append(part)
            elif token.kind in ("line comment", "block comment") and not (
                frame.comment or frame.in_block or frame.in_tag or in_string
            ):
                comment = self.sequence(at, _Frame(comment=token.kind), depth)
                parts += [Text(token.text, token.start), *comment.parts]
                at = comment.next
            else:
                in_string ^= token.kind == "quote"
                parts.append(Text(token.text, token.start))
        if opened is not None and not frame.comment:
            closer = "]]" if opened.kind == "[[" else "}}"
            raise _Senseless(opened.start, f"`{opened.text}` that is never closed", f"add the `{closer}`")
        return _Read(tuple(parts), at, "")

    @staticmethod
    def _closes(token: _Token, frame: _Frame) -> bool:
        if frame.comment:
            return token.kind == ("newline" if frame.comment == "line comment" else "end of block comment")
        return (token.kind == "]]" and frame.in_block) or (token.kind == "}}" and frame.in_tag)

    def _bracket(self, opened: _Token, at: int, frame: _Frame, depth: int) -> tuple[Part, int]:
        if depth >= _DEEPEST:
            raise error_at(self._sql, opened.start, "too many brackets inside each other", "close those before")
        found = self._known.get((at, frame))
        if found is None:
            try:
                found = self.sequence(at, frame, depth + 1)
            except _Senseless as error:
                found = error
            self._known[at, frame] = found
        if isinstance(found, _Senseless):
            raise found.with_traceback(None)
        part = self._tag(opened, found) if opened.kind == "{{" else self._block(opened, found)
        return part, found.next

    def _tag(self, opened: _Token, found: _Read) -> Reference:
        inner = "".join(part.text for part in found.parts if isinstance(part, Text))
        if not all(isinstance(part, Text) for part in found.parts):
            raise _Senseless(opened.start, "`{{` that holds more than a name", "close it with `}}` after the name")
        if not inner.strip():
            raise _Senseless(opened.start, "`{{}}` without a name", "write the name of a tag between the braces")
        if found.closed_by == "]]":  # Reason: Metabase takes it for a tag; nobody who writes it means that.
            raise error_at(self._sql, opened.start, "`{{` that is closed by `]]`", "close it with `}}`")
        name = _NAME.fullmatch(inner)
        source = "{{" + inner + "}}"
        if name is None:
            self._refuse(source, inner.strip(), opened.start)
        return Reference(name[1], source, opened.start)

    def _block(self, opened: _Token, found: _Read) -> Block:
        if found.closed_by != "]]":
            raise _Senseless(opened.start, "`[[` that is closed by `}}`", "close it with `]]`")
        if not any(isinstance(part, Reference) for part in found.parts):
            raise _Senseless(
                opened.start,
                "an optional block without a tag of its own",
                "put a `{{tag}}` in it, or write a blank between the brackets of an array of arrays: `[ [`",
            )
        return Block(_joined(found.parts), opened.start)

    def _refuse(self, source: str, inner: str, offset: int) -> NoReturn:
        if inner.startswith("snippet:"):
            problem, mend = "snippets are not supported", "write the snippet's SQL out"
        elif inner.startswith("#"):
            problem, mend = "references to other questions are not supported", "select from a mart"
        elif "(" in inner:
            problem, mend = "functions are not supported", "declare a tag and write its name alone"
        else:
            problem = "the name of a tag consists of letters, digits, `_` and `.`"
            mend = "rename the tag"
        raise error_at(self._sql, offset, f"{source}: {problem}", mend)


def _tokens(sql: str) -> list[_Token]:
    pieces = [_Token("text", sql, 0)]
    for kind, pattern in _KINDS.items():
        cut: list[_Token] = []
        for piece in pieces:
            if piece.kind != "text":
                cut.append(piece)
                continue
            at = 0
            for found in pattern.finditer(piece.text):
                cut.append(_Token("text", piece.text[at : found.start()], piece.start + at))
                cut.append(_Token(kind, found[0], piece.start + found.start()))
                at = found.end()
            cut.append(_Token("text", piece.text[at:], piece.start + at))
        pieces = [piece for piece in cut if piece.text]
    return pieces


def _joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    joined: list[Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, Text) and isinstance(last, Text):
            joined[-1] = Text(last.text + part.text, last.start)
        else:
            joined.append(part)
    return tuple(joined)
