"""Field filters: from a field and the values given for it to a condition in SQL with bound values.

The dialect is PostgreSQL's. Placeholders are `$1`, `$2` and so on; `Binder` numbers them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.metabase.core.state import Row
from tests.metabase.data.types import DATETIMES, NUMBERS, WITH_ZONE
from tests.metabase.query.dates import EXCLUDED, Point, Range, read
from tests.metabase.query.parameter_types import BINARY, DATES, OPERATORS, SINGLE_DATES, UNARY
from tests.metabase.query.template import QueryError

_COMPARISONS = {"number/<=": "<=", "number/>=": ">="}
_PATTERNS = {"contains": "%{}%", "does-not-contain": "%{}%", "starts-with": "{}%", "ends-with": "%{}"}
_SHORT_DAYS = {"Mon": 1, "Tue": 2, "Wed": 3, "Thu": 4, "Fri": 5, "Sat": 6, "Sun": 7}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SHORT_MONTHS = {name: number for number, name in enumerate(_MONTHS, 1)}
_PARTS = {"hours": "hour", "days": "isodow", "months": "month", "quarters": "quarter"}


@dataclass
class Binder:
    """The values of a query, in the order of their placeholders."""

    values: list[Any] = field(default_factory=list)

    def add(self, value: Any) -> str:
        """The placeholder of a value."""
        self.values.append(value)
        return f"${len(self.values)}"


@dataclass(frozen=True)
class Moment:
    """What relative dates count from, and how."""

    now: datetime
    first_weekday: str
    zone: str


@dataclass(frozen=True)
class Given:
    """A value (or several) given for a field filter, with the type it was given as."""

    type: str
    value: Any
    options: dict[str, Any] = field(default_factory=dict)


def condition(column: str, known: Row, given: Given, bind: Binder, moment: Moment) -> str:
    """The condition.

    Args:
        column: The column as it stands in the SQL.
        known: The field as sync knows it.

    Raises:
        QueryError: The values do not fit their type.
    """
    given = _converted(_bounded(given), known)
    if given.type in OPERATORS:
        return _operator(column, given, bind)
    if given.type in DATES:
        return _date(column, known, given, bind, moment)
    if isinstance(given.value, list):
        return f"{column} IN ({', '.join(bind.add(v) for v in given.value)})"
    return f"{column} = {bind.add(given.value)}"


def _bounded(given: Given) -> Given:
    """`number/between` with one end open is a comparison."""
    if given.type == "number/between" and isinstance(given.value, list) and len(given.value) == 2:
        low, high = given.value
        if low is None or high is None:
            return Given("number/<=" if low is None else "number/>=", [high if low is None else low], given.options)
    return given


def _converted(given: Given, known: Row) -> Given:
    """Texts given for a field of numbers become numbers."""
    wants_number = given.type == "number" or given.type.startswith("number/") or known["base_type"] in NUMBERS
    if not wants_number or given.type in DATES:
        return given
    value = [number(v) for v in given.value] if isinstance(given.value, list) else number(given.value)
    return Given(given.type, value, given.options)


def number(value: Any) -> Any:
    """A number from what was given; a text with commas is a list of them.

    Raises:
        QueryError: It is none.
    """
    if not isinstance(value, str):
        return value
    try:
        found = [float(part) if "." in part else int(part) for part in value.split(",")]
    except ValueError:
        raise QueryError(f'For input string: "{value}"', "invalid-parameter") from None
    return found[0] if len(found) == 1 else found


def _operator(column: str, given: Given, bind: Binder) -> str:
    values = given.value
    if not isinstance(values, list):
        # Reason: Metabase counts a text's characters here or refuses it, and either way the query fails.
        raise QueryError(f"Invalid values provided for operator: :{given.type}", "invalid-parameter")
    expected = 1 if given.type in UNARY else 2 if given.type in BINARY else None
    if (expected is not None and len(values) != expected) or not values:
        raise QueryError(
            f"Operations Invalid arity: expected {expected or 'some'} but received {len(values)}", "invalid-parameter"
        )
    if given.type in BINARY:
        return f"{column} BETWEEN {bind.add(values[0])} AND {bind.add(values[1])}"
    if given.type in UNARY:
        return f"{column} {_COMPARISONS[given.type]} {bind.add(values[0])}"
    return _variadic(column, given, values, bind)


def _variadic(column: str, given: Given, values: list[Any], bind: Binder) -> str:
    """Several values: any of them must fit, or none of them where the operator is a negation."""
    name = given.type.partition("/")[2]
    if name in {"=", "!="}:
        one: Callable[[Any], str] = lambda v: f"{column} {'=' if name == '=' else '<>'} {bind.add(v)}"  # noqa: E731
        negative = name == "!="
    else:
        like = "LIKE" if given.options.get("case-sensitive", True) else "ILIKE"
        negative = name == "does-not-contain"
        word = f"NOT {like}" if negative else like

        def one(value: Any) -> str:
            escaped = str(value).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            return f"{column} {word} {bind.add(_PATTERNS[name].format(escaped))}"

    parts = [f"({one(v)} OR {column} IS NULL)" if negative else one(v) for v in values]
    return parts[0] if len(parts) == 1 else f"({(' AND ' if negative else ' OR ').join(parts)})"


def _date(column: str, known: Row, given: Given, bind: Binder, moment: Moment) -> str:
    value = given.value
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else value
    if not isinstance(value, str):
        raise QueryError(f"Don't know how to parse date param '{value}' — invalid format", "invalid-parameter")
    if match := EXCLUDED.fullmatch(value):
        return _excluded(column, match[1], match[2].split("-"), bind)
    found = read(value, moment.now, moment.first_weekday)
    if known["base_type"] in DATETIMES:
        return _moments(column, found, known["base_type"] == WITH_ZONE, bind, moment.zone)
    if given.type in SINGLE_DATES and found.start is not None:
        return f"{column} = {bind.add(found.start)}"
    return _days(column, found, bind)


def _days(column: str, found: Range, bind: Binder) -> str:
    """On a column of days both ends count, but an open range leaves its one end out."""
    if found.start == found.end:
        return f"{column} = {bind.add(found.start)}"
    if found.start is None:
        return f"{column} < {bind.add(found.end)}"
    if found.end is None:
        return f"{column} > {bind.add(found.start)}"
    return f"{column} BETWEEN {bind.add(found.start)} AND {bind.add(found.end)}"


def _moments(column: str, found: Range, zoned: bool, bind: Binder, zone: str) -> str:
    """On a column of moments from the first one up to, not including, what follows the last."""
    step = {"second": timedelta(seconds=1), "hour": timedelta(hours=1), "minute": timedelta(minutes=1)}.get(
        found.unit, timedelta(days=1)
    )

    def bound(point: Point) -> str:
        moment = point if isinstance(point, datetime) else datetime(point.year, point.month, point.day)  # noqa: DTZ001
        return bind.add(moment.replace(tzinfo=ZoneInfo(zone)) if zoned else moment)

    parts = []
    if found.start is not None:
        start = found.start if found.end is not None else _plus(found.start, step)
        parts.append(f"{column} >= {bound(start)}")
    if found.end is not None:
        end = _plus(found.end, step) if found.start is not None else found.end
        parts.append(f"{column} < {bound(end)}")
    return " AND ".join(parts)


def _plus(point: Point, step: timedelta) -> Point:
    if isinstance(point, datetime):
        return point + step
    return date.fromordinal(point.toordinal() + 1)


def _excluded(column: str, unit: str, words: list[str], bind: Binder) -> str:
    table = {"days": _SHORT_DAYS, "months": _SHORT_MONTHS}.get(unit)
    numbers = [table.get(word) if table else int(word) if word.isdigit() else None for word in words]
    if any(number is None for number in numbers):
        raise QueryError(
            f'Don\'t know how to parse date string "exclude-{unit}-{"-".join(words)}"', "invalid-parameter"
        )
    part = f"CAST(extract({_PARTS[unit]} FROM {column}) AS integer)"
    parts = [f"({part} <> {bind.add(number)} OR {part} IS NULL)" for number in numbers]
    return parts[0] if len(parts) == 1 else f"({' AND '.join(parts)})"
