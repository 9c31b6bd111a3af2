"""Which value a tag has, and what a value is to PostgreSQL.

What belongs here: values, defaults, required tags, explicit nulls, as Metabase's namespace
`query-processor.parameters.values` has them (about version 0.61), and the types of single values. What does not: the
conditions of field filters (`dashboards.queries.fields`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from dashboards.errors import MissingValue, UnknownDateForm, WrongValue, shown
from dashboards.queries.dates import read_moment
from dashboards.queries.fragments import Fragment, bound, joined
from dashboards.queries.tags import Tag

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_BOOLEANS = {"true": True, "false": False}


def chosen(tag: Tag, values: Mapping[str, Any]) -> Any:
    """The value that counts for a tag.

    A value counts; a key with None, or with an empty list, is an explicit null: there is no value although there may be
    a default, unless the tag is required. Without a key, the default counts.

    Args:
        tag: The tag.
        values: Values by the name of their tag.

    Returns:
        The value; None for none.

    Raises:
        MissingValue: The tag is required, and there is neither a value nor a default.
    """
    value = values.get(tag.name)
    if not _is_empty(value):
        return value
    if tag.name in values and not tag.required:
        return None
    if tag.required and tag.default is None:
        raise MissingValue("a value is required", "give one, or declare a default", tag=tag.name)
    return tag.default


def variable(tag: Tag, value: Any) -> Fragment:
    """The SQL of a variable (text, number, date, boolean) that has a value; a list is joined with commas.

    Raises:
        WrongValue: The value is of another type.
        UnknownDateForm: It is not a date.
    """
    if tag.type == "date":
        return bound(_moment_of(tag, value))
    if tag.type == "number":
        several = _several(value)
        parts = [part for one in several for part in (one.split(",") if isinstance(one, str) else [one])]
        return joined((bound(number(tag, part)) for part in parts), ", ")
    single = text if tag.type == "text" else boolean
    return joined((bound(single(tag, one)) for one in _several(value)), ", ")


def text(tag: Tag, value: Any) -> str:
    """A value as text."""
    if not isinstance(value, str):
        raise WrongValue("not a text", "write it in quotes", value=shown(value), tag=tag.name)
    try:
        value.encode()
    except UnicodeEncodeError:
        broken = True
    else:
        broken = "\x00" in value
    if broken:
        problem = "a text that PostgreSQL cannot hold (a NUL, or half of a character)"
        raise WrongValue(problem, "take that character out", value=shown(value), tag=tag.name)
    return value


def number(tag: Tag, value: Any) -> int | Decimal:
    """A value as a number: an integer, or a decimal of the precision that Metabase has (a double)."""
    found: int | Decimal | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        found = value
    elif isinstance(value, Decimal | float) or (isinstance(value, str) and _DECIMAL.fullmatch(value)):
        double = float(value)
        # Reason: Metabase reads a number with a point as a double, and writes that one's shortest spelling.
        found = Decimal(repr(double)) if math.isfinite(double) else None
    elif isinstance(value, str) and _INTEGER.fullmatch(value) and len(value) < 1000:
        found = int(value)
    if found is None:
        mend = "write digits, with a point for decimals and without blanks"
        raise WrongValue("not a number", mend, value=shown(value), tag=tag.name)
    return found


def boolean(tag: Tag, value: Any) -> bool:
    """A value as true or false."""
    found = _BOOLEANS.get(value) if isinstance(value, str) else value
    if not isinstance(found, bool):
        raise WrongValue("neither true nor false", "write true or false", value=shown(value), tag=tag.name)
    return found


def date_form(tag: Tag, value: Any) -> str:
    """A value of a date filter, as its form is written; dates and times of Python count as their ISO form."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str):
        problem, mend = "not a date form", "write one text, such as `past30days`"
        raise WrongValue(problem, mend, value=shown(value), tag=tag.name)
    return value


def _moment_of(tag: Tag, value: Any) -> date | datetime:
    try:
        return read_moment(date_form(tag, value))
    except UnknownDateForm as error:
        raise error.named(tag.name) from None


def _several(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, list | tuple) and all(one is None for one in value))
