"""Meta's rows to the text that `COPY` reads, one encoder per insight table.

What belongs here: checking rows against their slice, extracting typed columns, escaping, dropping duplicate
keys, the content digest. What does not: talking to the database.

Most rows take a fast path: the values of all typed columns are joined as they are, and one regular
expression decides whether every value already is what `COPY` wants. Only rows that it does not match (bare
numbers, nulls, odd spellings, errors) are looked at value by value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from hashlib import blake2b
from operator import itemgetter
from typing import Any

import orjson

from warehouse import values
from warehouse.errors import SliceRejected
from warehouse.tables import Column, ColumnKind, InsightTable
from warehouse.values import NULL, BadValue

_LINES_PER_CHUNK = 256
_FAST: dict[ColumnKind, str] = {
    "date_start": "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "id": "[1-9][0-9]{0,17}",
    "breakdown": r"[^\\\t\n\r\x00]*",
    "text": r"(?:\\N|[^\\\t\n\r\x00]*)",
    "integer": r"(?:\\N|[0-9]{1,18})",
    "numeric": r"(?:\\N|[0-9]{1,30}(?:\.[0-9]{1,30})?)",
}
_SLOW: dict[ColumnKind, Callable[[Any], str]] = {
    "date_start": values.day,
    "id": values.identifier,
    "breakdown": values.breakdown,
    "text": values.text,
    "integer": values.integer,
    "numeric": values.numeric,
}


@dataclass(frozen=True)
class EncodedSlice:
    """A slice, ready for `COPY ... FROM STDIN` in text format.

    Attributes:
        chunks: The text, in pieces of some hundred lines, ordered by key.
        row_count: Lines.
        duplicate_count: Rows dropped because a later one had the same key.
        repaired_count: Rows in which characters that PostgreSQL cannot store (NUL, halves of surrogate pairs) were
            replaced by U+FFFD.
        digest: Hash of the content; the same for the same rows in any order.
    """

    chunks: tuple[bytes, ...]
    row_count: int
    duplicate_count: int
    repaired_count: int
    digest: bytes


class SliceEncoder:
    """Encodes slices of one table. Stateless between calls, safe for threads; get one from `encoder_for`."""

    def __init__(self, table: InsightTable) -> None:
        self._table = table
        self._columns = [column for column in table.columns if column.kind in _SLOW]
        self._names = [(column.name, _default(column)) for column in self._columns]
        self._key_length = len(table.primary_key) - 2
        pattern = r"\t".join(_FAST[column.kind] for column in self._columns)
        self._matches = re.compile(pattern).fullmatch
        self.column_names = tuple(column.name for column in table.columns)

    def encode(self, account_id: int, day: date, payloads: Iterable[bytes]) -> EncodedSlice:
        """Encodes a whole slice; it is held in memory, about as large as its payloads.

        Args:
            account_id: The account that every row must name.
            day: The account's day that every row must name (in `date_start`; of a period report in `date_stop`).
            payloads: Meta's rows, each a JSON object as UTF-8 bytes.

        Raises:
            SliceRejected: A row contradicts the slice, lacks an id of its level, or holds an impossible value.
        """
        lines: dict[tuple[str, ...], bytes] = {}
        received = repaired = 0
        head = f"{account_id}\t{day.isoformat()}\t"
        account_text, day_text = str(account_id), day.isoformat()
        names, key_length, matches = self._names, self._key_length, self._matches
        loads, join = orjson.loads, "\t".join
        day_key, other_day_key = ("date_stop", None) if self._table.period else ("date_start", "date_stop")

        for received, payload in enumerate(payloads, 1):
            try:
                has_backslash = b"\\" in payload
                try:
                    row = loads(payload)
                except orjson.JSONDecodeError:
                    payload = values.replace_unstorable(payload)  # noqa: PLW2901
                    row = loads(payload)
                    repaired += 1
                else:
                    if has_backslash and b"\\u0000" in payload:
                        clean = values.replace_unstorable(payload)
                        if clean != payload:
                            payload, row = clean, loads(clean)  # noqa: PLW2901
                            repaired += 1
                try:
                    get = row.get
                    fields = [get(name, default) for name, default in names]
                    line = join(fields)
                    fast = (
                        matches(line) is not None
                        and get("account_id") == account_text
                        and get(day_key) == day_text
                        and (other_day_key is None or get(other_day_key, day_text) == day_text)
                        # Reason: the two characters \N in a text column would read as NULL.
                        and not (has_backslash and b"\\\\N" in payload)
                    )
                except (TypeError, AttributeError):
                    fast = False
                if not fast:
                    fields = self._careful(row, account_id, day)
                    line = join(fields)
            except BadValue as bad:
                raise self._rejection(account_id, day, received, bad) from None
            except orjson.JSONDecodeError as error:
                shown = payload[:80].decode(errors="replace")
                broken = BadValue("payload", shown, f"is no JSON ({error})", "pull the slice again")
                raise self._rejection(account_id, day, received, broken) from None
            if has_backslash:
                payload = payload.replace(b"\\", b"\\\\")  # noqa: PLW2901
            # Reason: outside its strings JSON may hold these as whitespace, and inside they are always escaped.
            if b"\n" in payload or b"\t" in payload or b"\r" in payload:
                payload = payload.translate(values.BLANKS)  # noqa: PLW2901
            lines[tuple(fields[:key_length])] = b"%b%b\t%b\n" % (head.encode(), line.encode(), payload)
        return _finish(lines, received, repaired)

    def _careful(self, row: Any, account_id: int, day: date) -> list[str]:
        """The typed columns of any row, value by value, naming what is wrong with it."""
        if not isinstance(row, dict):
            raise BadValue("payload", row, "is no JSON object", "pull the slice again")
        values.check_account(row.get("account_id"), account_id)
        if self._table.period:
            values.check_day("date_stop", row.get("date_stop"), day)
        else:
            values.check_day("date_start", row.get("date_start"), day)
            if row.get("date_stop") is not None:
                values.check_day("date_stop", row["date_stop"], day)
        fields = []
        for column in self._columns:
            try:
                fields.append(_SLOW[column.kind](row.get(column.name)))
            except BadValue as bad:
                raise BadValue(column.name, bad.value, bad.reason, bad.mend) from None
        return fields

    def _rejection(self, account_id: int, day: date, number: int, bad: BadValue) -> SliceRejected:
        return SliceRejected(
            account_id=account_id,
            report=self._table.name,
            day=day,
            column=bad.column,
            value=bad.value,
            reason=bad.reason,
            mend=bad.mend,
            row_number=number,
        )


@lru_cache(maxsize=256)
def encoder_for(table: InsightTable) -> SliceEncoder:
    """The encoder of a table, made once per process."""
    return SliceEncoder(table)


def _default(column: Column) -> str | None:
    """What stands for an absent key; None sends the row to the careful path."""
    if column.kind == "breakdown":
        return ""
    return None if column.kind in {"id", "date_start"} else NULL


def _finish(lines: dict[tuple[str, ...], bytes], received: int, repaired: int) -> EncodedSlice:
    # Reason: ordered by key, the digest does not depend on Meta's order, and rows lie as queries read them.
    ordered = [line for _, line in sorted(lines.items(), key=itemgetter(0))]
    chunks = [b"".join(ordered[at : at + _LINES_PER_CHUNK]) for at in range(0, len(ordered), _LINES_PER_CHUNK)]
    digest = blake2b(digest_size=16)
    for chunk in chunks:
        digest.update(chunk)
    return EncodedSlice(tuple(chunks), len(ordered), received - len(ordered), repaired, digest.digest())
