"""SQL with template tags, taken apart: text, `{{tags}}` and `[[optional parts]]`.

As in Metabase, tags in SQL comments are text, and brackets that make no sense inside a quoted string are text too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(r"/\*|\*/|--|\n|\[\[|\]\]|\{\{(?!\{)|\}\}|'")


class QueryError(Exception):
    """A query that cannot run; `kind` is Metabase's error type."""

    def __init__(self, message: str, kind: str = "invalid-query") -> None:
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Param:
    """A tag."""

    name: str


@dataclass(frozen=True)
class Optional:
    """A part that is left out where one of its tags has no value."""

    parts: tuple[str | Param | Optional, ...]


Part = str | Param | Optional


_CLOSERS = {"[[": "]]", "{{": "}}"}
_COMMENTS = {"--": "\n", "/*": "*/"}
_UNMATCHED = "Invalid query: found '[[' or '{{' with no matching ']]' or '}}'"


def parse(sql: str) -> list[Part]:
    """The parts of a query.

    Raises:
        QueryError: Brackets without their partners, an empty tag, an optional part without a tag.
    """
    return _sequence(_tokens(sql), 0, "", quoted=False)[0]


def _sequence(tokens: list[str], at: int, closer: str, *, quoted: bool) -> tuple[list[Part], int]:
    """The parts up to the closing bracket, and where it goes on after that."""
    parts: list[Part] = []
    while at < len(tokens):
        token = tokens[at]
        if token == closer:
            return _joined(parts), at + 1
        if token in _COMMENTS and not closer and not quoted:
            end = next((n for n in range(at + 1, len(tokens)) if tokens[n] == _COMMENTS[token]), len(tokens) - 1)
            parts += tokens[at : end + 1]
            at = end + 1
            continue
        if token in _CLOSERS:
            try:
                inner, after = _sequence(tokens, at + 1, _CLOSERS[token], quoted=quoted)
                parts.append(_closed(_CLOSERS[token], inner))
                at = after
                continue
            except QueryError:
                # Reason: inside a quoted string brackets that make no sense are ordinary characters.
                if not quoted:
                    raise
        if token == "'":
            quoted = not quoted
        parts.append(token)
        at += 1
    if closer:
        raise QueryError(_UNMATCHED)
    return _joined(parts), at


def _tokens(sql: str) -> list[str]:
    tokens, at = [], 0
    for match in _TOKEN.finditer(sql):
        tokens += [sql[at : match.start()], match.group()]
        at = match.end()
    return [token for token in [*tokens, sql[at:]] if token]


def _closed(closer: str, parts: list[Part]) -> Part:
    if closer == "]]":
        if not any(isinstance(part, Param) for part in parts):
            raise QueryError("[[...]] clauses must contain at least one '{{...}}' clause.")
        return Optional(tuple(parts))
    if len(parts) > 1 or (parts and not isinstance(parts[0], str)):
        raise QueryError("Invalid '{{...}}' clause: expected a param name")
    name = parts[0].strip() if parts and isinstance(parts[0], str) else ""
    if not name:
        raise QueryError("'{{...}}' clauses cannot be empty.")
    return Param(name)


def _joined(parts: list[Part]) -> list[Part]:
    """Neighbouring texts as one."""
    joined: list[Part] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    return joined
