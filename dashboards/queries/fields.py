"""Field filters: the condition on its column that a value stands for.

What belongs here: which condition each widget makes, NULLs included, as Metabase's SQL driver makes them for PostgreSQL
(namespaces `driver.sql.parameters.substitution`, `driver.sql.query-processor`, `lib.filter.desugar`, about version
0.61). What does not: filters without a value (`dashboards.queries.expand`), dates (`dashboards.queries.datefilters`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dashboards.errors import WrongValue, shown
from dashboards.queries import datefilters
from dashboards.queries.calendar import Calendar
from dashboards.queries.fragments import Fragment, Parameter, bound, joined
from dashboards.queries.tags import DATE_WIDGETS, PATTERN_WIDGETS, PLAIN_WIDGETS, Tag
from dashboards.queries.values import boolean, number, text

_COMPARISONS = {"number/>=": ">=", "number/<=": "<="}


def condition(tag: Tag, value: Any, calendar: Calendar) -> Fragment:
    """The condition of a field filter that has a value.

    Args:
        tag: A field filter.
        value: Its value: a date form for the date widgets; a list for `string/*`, `number/*` and `boolean/=`; one value
            or a list for the others.
        calendar: What relative dates are counted from.

    Returns:
        The condition. As in Metabase, it stands in parentheses only for the operator widgets, so `NOT {{tag}}` is a
        trap for filters on timestamps.

    Raises:
        WrongValue: The value does not fit the widget, or the column.
        UnknownDateForm: It is not a date form.
    """
    assert tag.widget is not None
    if tag.widget in DATE_WIDGETS:
        return datefilters.condition(tag, value, calendar)
    if tag.widget in PLAIN_WIDGETS:
        return _plain(tag, value)
    several = _listed(tag, value)
    if tag.widget in PATTERN_WIDGETS:
        return _any_or_all(
            [_pattern(tag, text(tag, one)) for one in several], all_of=tag.widget == "string/does-not-contain"
        )
    if tag.widget == "number/between":
        return _between(tag, several)
    if tag.widget in _COMPARISONS:
        return _compared(tag, _COMPARISONS[tag.widget], _exactly(tag, several, 1)[0])
    differs = tag.widget.endswith("!=")
    return _any_or_all([(_differs if differs else _equals)(tag, one) for one in several], all_of=differs)


def _plain(tag: Tag, value: Any) -> Fragment:
    """`id`, `category` and places: equality, or IN for a list."""
    if isinstance(value, str) and tag.column is not None and tag.column.kind in ("integer", "number") and "," in value:
        value = value.split(",")
    if isinstance(value, list | tuple):
        return (tag.column_sql() + " IN (") + (joined((_bound(tag, one) for one in value), ", ") + ")")
    if value is False:
        raise WrongValue(
            "Metabase takes a bare false for no value", "write a list: [false]", value="False", tag=tag.name
        )
    return tag.column_sql() + " = " + _bound(tag, value)


def _equals(tag: Tag, value: Any) -> Fragment:
    if value is None:
        return tag.column_sql().wrapped("(", " IS NULL)")
    return _compared(tag, "=", value)


def _differs(tag: Tag, value: Any) -> Fragment:
    if value is None:
        return tag.column_sql().wrapped("(", " IS NOT NULL)")
    return _or_null(tag, _compared(tag, "<>", value))


def _compared(tag: Tag, operator: str, value: Any) -> Fragment:
    return (tag.column_sql() + f" {operator} " + _bound(tag, value)).wrapped("(", ")")


def _between(tag: Tag, several: Sequence[Any]) -> Fragment:
    least, most = _exactly(tag, several, 2)
    if most is None:
        return _compared(tag, ">=", least)
    if least is None:
        return _compared(tag, "<=", most)
    return tag.column_sql() + " BETWEEN " + _bound(tag, least) + " AND " + _bound(tag, most)


def _pattern(tag: Tag, value: str) -> Fragment:
    # Reason: Metabase escapes the wildcards of LIKE since 0.59; before, they were wildcards.
    literal = value.replace("\\", "\\\\").replace("_", "\\_").replace("%", "\\%")
    before = "" if tag.widget == "string/starts-with" else "%"
    after = "" if tag.widget == "string/ends-with" else "%"
    column, pattern = tag.column_sql(), f"{before}{literal}{after}"
    if not tag.case_sensitive:
        column, pattern = column.wrapped("LOWER(", ")"), pattern.lower()
    like = (column + " LIKE " + bound(pattern) + " ESCAPE '\\'").wrapped("(", ")")
    return _or_null(tag, like.wrapped("NOT ", "")) if tag.widget == "string/does-not-contain" else like


def _or_null(tag: Tag, condition_: Fragment) -> Fragment:
    """Rows without a value differ from every value, and contain none."""
    return (condition_ + " OR (" + tag.column_sql() + " IS NULL)").wrapped("(", ")")


def _any_or_all(conditions: Sequence[Fragment], *, all_of: bool) -> Fragment:
    if len(conditions) == 1:
        return conditions[0]
    return joined(conditions, " AND " if all_of else " OR ").wrapped("(", ")")


def _bound(tag: Tag, value: Any) -> Fragment:
    """A value of the column's kind."""
    assert tag.column is not None
    readers: dict[str, Callable[[Tag, Any], Parameter]] = {"text": text, "boolean": boolean}
    return bound(readers.get(tag.column.kind, number)(tag, value))


def _listed(tag: Tag, value: Any) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        mend = f"write a list, e.g. `[{shown(value)}]`"
        raise WrongValue(f"widget `{tag.widget}` takes a list", mend, value=shown(value), tag=tag.name)
    return value


def _exactly(tag: Tag, several: Sequence[Any], count: int) -> Sequence[Any]:
    if len(several) != count:
        many = "one number" if count == 1 else "two numbers"
        mend = "write a list of that many" + ("; null for an open end" if count == 2 else "")
        raise WrongValue(f"widget `{tag.widget}` takes {many}", mend, value=shown(list(several)), tag=tag.name)
    return several
