"""Values of parameters: lists, objects, flags, numbers, dates, in every encoding the API accepts.

Only generic parsing belongs here (section 2.1: lists as JSON or comma-separated, objects as JSON). What a parameter
means is decided by the modules that use it. Every function raises `GraphError` code 100 naming the parameter.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import orjson

from simulator.contract import Filter
from simulator.server.errors import invalid
from simulator.server.vocabulary import OPERATORS

Params = Mapping[str, Any]


_STRING = re.compile(r'"(?:[^"\\]|\\.)*"' + r"|'((?:[^'\\]|\\.)*)'")


def _json(text: str) -> Any:
    """Returns parsed JSON, or None. Strings in single quotes are accepted, as the API does and its users rely on."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return orjson.loads(_STRING.sub(_double_quoted, text))
    except orjson.JSONDecodeError:
        return None


def _double_quoted(match: re.Match[str]) -> str:
    return match[0] if match[1] is None else orjson.dumps(match[1].replace("\\'", "'")).decode()


def given(params: Params, name: str) -> bool:
    """Returns whether a parameter was given at all; an empty text is none."""
    value = params.get(name)
    return value is not None and value != ""


def as_list(params: Params, name: str) -> list[Any]:
    """Returns a list given as JSON, comma-separated or, in a JSON body, as a list; empty when absent."""
    value = params.get(name)
    if not given(params, name):
        return []
    if isinstance(value, list):
        return value
    if not isinstance(value, str):
        return [value]
    text = value.strip()
    if text[:1] in "[{":
        parsed = _json(text)
        if isinstance(parsed, dict) and text[0] == "{":
            return [parsed]
        if not isinstance(parsed, list):
            raise invalid(f"Param {name} must be an array.")
        return parsed
    return [piece.strip().strip("\"'") for piece in text.split(",") if piece.strip()]


def as_names(params: Params, name: str) -> tuple[str, ...]:
    """Returns a list of names without repetitions, in the order given."""
    values = as_list(params, name)
    for value in values:
        if not isinstance(value, str):
            raise invalid(f"Param {name} must be an array of strings.")
    return tuple(dict.fromkeys(v for v in values if v))


def as_object(params: Params, name: str) -> dict[str, Any] | None:
    """Returns a JSON object, or None when absent."""
    value = params.get(name)
    if not given(params, name):
        return None
    parsed = _json(value) if isinstance(value, str) else value
    if not isinstance(parsed, dict):
        raise invalid(f"Param {name} must be a JSON object.")
    return parsed


def as_bool(params: Params, name: str, default: bool = False) -> bool:
    """Returns a flag: `true`, `1` or JSON true."""
    value = params.get(name)
    if not given(params, name):
        return default
    if isinstance(value, bool):
        return value
    text = str(value).strip().lower()
    if text in {"true", "1"}:
        return True
    if text in {"false", "0"}:
        return False
    raise invalid(f"Param {name} must be a boolean.")


def as_int(params: Params, name: str, default: int | None = None, low: int | None = None) -> int | None:
    """Returns a whole number, at least `low`."""
    value = params.get(name)
    if not given(params, name):
        return default
    try:
        number = int(str(value).strip())
    except ValueError:
        raise invalid(f"Param {name} must be an integer.") from None
    if low is not None and number < low:
        raise invalid(f"Param {name} must be greater than or equal to {low}.")
    return number


def as_day(value: Any, name: str) -> date:
    """Returns a `YYYY-MM-DD` day; UNIX times are refused, as the API does since long."""
    try:
        return datetime.strptime(str(value).strip(), "%Y-%m-%d").date()  # noqa: DTZ007 - a day has no time zone
    except ValueError:
        raise invalid(f"Param {name} must be a date in the format YYYY-MM-DD.") from None


def as_range(value: Any, name: str) -> tuple[date, date]:
    """Returns both included ends of a `{"since": ..., "until": ...}`."""
    if not isinstance(value, dict) or "since" not in value or "until" not in value:
        raise invalid(f"Param {name} must be an object with since and until.")
    since, until = as_day(value["since"], f"{name}[since]"), as_day(value["until"], f"{name}[until]")
    if since > until:
        raise invalid(f"Param {name}: since must be earlier than or equal to until.")
    return since, until


def as_moment(params: Params, name: str) -> float | None:
    """Returns epoch seconds given as a number, a day (UTC midnight) or an ISO time; None when absent."""
    value = params.get(name)
    if not given(params, name):
        return None
    moment = epoch(value)
    if moment is None:
        raise invalid(f"Param {name} must be a timestamp.")
    return moment


def epoch(value: Any) -> float | None:
    """Returns epoch seconds of a number, an ISO time (`+0200` too) or a day; None if it is neither."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return float(value)
    text = str(value).strip()
    if text.isdigit() and len(text) > 4:
        return float(text)
    try:
        return datetime.fromisoformat(text if len(text) > 10 else f"{text}T00:00:00+00:00").timestamp()
    except (ValueError, OverflowError):
        return None


def as_filters(params: Params, name: str = "filtering") -> tuple[Filter, ...]:
    """Returns the conditions of `filtering`, shape and operator checked; the field is checked by the caller."""
    found = []
    for index, item in enumerate(as_list(params, name)):
        if not isinstance(item, dict) or not {"field", "operator"} <= item.keys():
            raise invalid(f"{name}[{index}] must be an object with field, operator and value.")
        operator = str(item["operator"]).upper()
        if operator not in OPERATORS:
            allowed = ", ".join(sorted(OPERATORS))
            raise invalid(f"{name}[{index}][operator] must be one of the following values: {allowed}")
        value = item.get("value")
        if operator in {"IN", "NOT_IN"} and not isinstance(value, list):
            value = [value]
        if operator in {"IN_RANGE", "NOT_IN_RANGE"} and not (isinstance(value, list) and len(value) == 2):
            raise invalid(f"{name}[{index}][value] must be an array of two values.")
        found.append(Filter(str(item["field"]), operator, value))
    return tuple(found)
