"""Finding the header row of an export and what its columns are.

What belongs here: comparing headers, cutting the currency out of them, choosing the language. What does not: the
headers themselves (`languages.py`) and the cells below them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from babel.numbers import list_currencies

from ingestion.exports.fields import FIELDS, METRICS
from ingestion.exports.languages import HEADERS, RATIO_PREFIXES
from ingestion.exports.model import Cell

_CURRENCY_SUFFIX = re.compile(r"\s*[(\[]\s*([^()\[\]]{1,4})\s*[)\]]\s*$")
_SYMBOLS = {"€": "EUR", "£": "GBP", "R$": "BRL", "zł": "PLN", "₺": "TRY", "₹": "INR"}
"""Signs that belong to one currency. `$` and `¥` do not."""
_COUNT_PREFIX = re.compile(r"^\s*(#|no\.?|number)\s+of\s+", re.IGNORECASE)


@dataclass(frozen=True)
class Column:
    """A column of the file.

    Attributes:
        index: Position, the first is 0.
        header: The header as written; a second column of the same header gets ` (2)`.
        field: Known meaning (a name of `fields.FIELDS`), or None.
        currency: ISO code in the header, or None.
        repeated: True if an earlier column already has this field, so that this one is only kept as text.
    """

    index: int
    header: str
    field: str | None
    currency: str | None
    repeated: bool = False


def fold(text: str) -> str:
    """Return what of a header is compared: letters and digits, without case, accents, spaces and punctuation."""
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold().replace("ı", "i"))
    return "".join(c for c in plain if c.isalnum())


@lru_cache(maxsize=1)
def _index() -> dict[str, tuple[str, tuple[str, ...]]]:
    found: dict[str, tuple[str, list[str]]] = {}
    for language, fields in HEADERS.items():
        for field, headers in fields.items():
            for header in headers:
                known = found.setdefault(fold(header), (field, []))
                if known[0] != field:
                    raise AssertionError(f"header {header!r} ({language}) means both {known[0]} and {field}")
                known[1].append(language)
    return {key: (field, tuple(languages)) for key, (field, languages) in found.items()}


@lru_cache(maxsize=1)
def _ratio_prefixes() -> tuple[str, ...]:
    return tuple(fold(prefix) for prefix in RATIO_PREFIXES)


@lru_cache(maxsize=1)
def currencies() -> frozenset[str]:
    """Return all ISO 4217 codes, past and present, as babel knows them."""
    return frozenset(list_currencies())


def _split_currency(header: str) -> tuple[str, str | None, bool]:
    """Return the header without its unit, the currency in it, and whether there was a unit of money."""
    match = _CURRENCY_SUFFIX.search(header)
    if match is None:
        return header, None, False
    unit = match.group(1)
    rest = header[: match.start()]
    if unit.upper() in currencies() and unit.isupper():
        return rest, unit, True
    if unit in _SYMBOLS:
        return rest, _SYMBOLS[unit], True
    return (rest, None, True) if unit in {"$", "¥", "%"} else (header, None, False)


def field_of(header: str) -> tuple[str | None, str | None, tuple[str, ...]]:
    """Return the field of a header, the currency in it and the languages in which it is known."""
    text = _COUNT_PREFIX.sub("", unicodedata.normalize("NFKC", header).strip().lstrip("\ufeff"))
    hit = _index().get(fold(text))
    if hit is not None:
        _, currency, _ = _split_currency(text)  # Reason: "(€)" leaves nothing to compare, so the whole header matches.
        return hit[0], currency, hit[1]
    rest, currency, _ = _split_currency(text)
    hit = _index().get(fold(rest))
    if hit is not None:
        return hit[0], currency, hit[1]
    if fold(rest).startswith(_ratio_prefixes()):
        return "ratio", currency, ()
    return None, currency, ()


def score(cells: Sequence[Cell]) -> int:
    """Return how many different known columns a row names; a row of data names next to none."""
    texts = [cell for cell in cells if isinstance(cell, str) and cell.strip()]
    return len({field for field, _, _ in map(field_of, texts) if field not in (None, "ratio", "context")})


def match_columns(cells: Sequence[Cell], extra: Mapping[str, str]) -> tuple[list[Column], str]:
    """Return the columns of a header row and the language that most of them are known in.

    Args:
        cells: The header row, already cut at its last non-empty cell.
        extra: Headers that the user named: header -> field.
    """
    named = {fold(header): field for header, field in extra.items()}
    columns: list[Column] = []
    votes: Counter[str] = Counter()
    seen_fields: set[str] = set()
    seen_headers: Counter[str] = Counter()
    for index, cell in enumerate(cells):
        header = "" if cell is None else str(cell).strip().lstrip("\ufeff")
        field, currency, languages = field_of(header) if header else (None, None, ())
        field = named.get(fold(header), field)
        votes.update(languages)
        seen_headers[header] += 1
        if seen_headers[header] > 1:
            header = f"{header} ({seen_headers[header]})"
        once = field not in {None, "ratio", "context", "unsupported_breakdown"}
        columns.append(Column(index, header, field, currency, once and field in seen_fields))
        if once and field is not None:
            seen_fields.add(field)
    language = max(HEADERS, key=lambda code: (votes[code], code == "en"))
    return columns, language


def metric_of_text(text: str) -> str | None:
    """Return the metric that a text such as a result type ("Website purchases") names, or None."""
    field = field_of(text)[0]
    return field if field in METRICS else None


def unknown_fields(extra: Mapping[str, str]) -> list[str]:
    """Return the field names in a user's `columns` that do not exist."""
    return sorted(set(extra.values()) - FIELDS)
