"""Types of parameters and template tags: what there is, how many values each takes, which may be given for which."""

from __future__ import annotations

RAW_TYPES = frozenset({"text", "number", "date", "boolean"})
TAG_TYPES = RAW_TYPES | {"dimension", "temporal-unit", "card", "snippet", "table"}
UNARY = frozenset({"number/<=", "number/>="})
BINARY = frozenset({"number/between"})
VARIADIC = frozenset(
    {
        "number/!=",
        "number/=",
        "string/!=",
        "string/=",
        "string/contains",
        "string/does-not-contain",
        "string/ends-with",
        "string/starts-with",
        "boolean/=",
    }
)
OPERATORS = UNARY | BINARY | VARIADIC
LOCATIONS = frozenset({"location/city", "location/state", "location/zip_code", "location/country"})
SINGLE_DATES = frozenset({"date", "date/single"})
DATE_RANGES = frozenset({"date/range", "date/month-year", "date/quarter-year", "date/relative"})
DATES = SINGLE_DATES | DATE_RANGES | {"date/all-options"}
PARAMETER_TYPES = OPERATORS | LOCATIONS | DATES | {"number", "text", "boolean", "id", "category", "temporal-unit"}
WIDGETS = PARAMETER_TYPES | {"none"}
_ANY = frozenset({"id", "category"})
_ALLOWED: dict[str, frozenset[str]] = {
    "number": _ANY | {"number", "number/=", "location/zip_code"},
    "text": _ANY | LOCATIONS | {"text", "string/="},
    "boolean": _ANY | {"boolean", "boolean/="},
    "date": _ANY | SINGLE_DATES | {"date/all-options"},
    "date/single": _ANY | SINGLE_DATES | {"date/all-options"},
    "category": RAW_TYPES | {"category"},
    "number/=": _ANY | {"number/=", "number", "location/zip_code"},
    "string/=": _ANY | LOCATIONS | {"string/=", "text"},
    "boolean/=": frozenset({"boolean", "boolean/="}),
    **{kind: frozenset({kind, "date/all-options"}) for kind in DATE_RANGES},
}


def allowed_for(given: str, widget: str) -> bool:
    """Whether a value of this type may be given for a tag (or a parameter) of that type."""
    return widget in _ALLOWED.get(given, {given})


def allowed(widget: str) -> list[str]:
    """The types that may be given for a tag of this type."""
    return sorted(kind for kind in PARAMETER_TYPES if allowed_for(kind, widget))
