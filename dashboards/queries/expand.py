"""From a template, its tags and their values to a statement.

What belongs here: the public entry, and what an empty value does to the query. What does not: how a value becomes SQL
(`values`, `fields`, `datefilters`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.errors import BadTag, MissingValue, WrongValue
from dashboards.queries import datefilters, fields
from dashboards.queries.brackets import Block, Part, Reference, Text, error_at, position
from dashboards.queries.calendar import Calendar
from dashboards.queries.fragments import Fragment, Parameter, joined, literal
from dashboards.queries.soundness import check
from dashboards.queries.tags import Tag
from dashboards.queries.template import parse
from dashboards.queries.values import chosen, variable

_ALWAYS = Fragment("1 = 1")


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement for psycopg: `cursor.execute(statement.sql, statement.params)`.

    Attributes:
        sql: Its text, with a `%s` for each parameter, and every other `%` doubled: it is to be executed with its
            parameters, also where there are none.
        params: Its parameters, in order.
    """

    sql: str
    params: tuple[Parameter, ...]


def expand(sql: str, tags: Iterable[Tag], values: Mapping[str, Any], calendar: Calendar) -> Statement:
    """The statement that Metabase would run for a native query and the values of its filters.

    Args:
        sql: The native query, as Metabase stores it.
        tags: The declarations of its tags; more than it uses are allowed.
        values: Values by tag. A tag that is absent has its default; None or an empty list stands for no value, although
            there is a default (unless the tag is required). Values only ever travel as parameters.
        calendar: What relative dates are counted from, and the report time zone. The session that runs the statement
            must be set to the same time zone, as Metabase sets its own.

    Raises:
        BadTemplate: The query cannot be read, or names a tag that is not declared.
        BadTag: A tag is declared twice.
        MissingValue: A required tag, or a variable outside optional blocks, has no value.
        WrongValue: A value is of another type, or is given to a tag that is not declared.
        UnknownDateForm: A value of a date filter is no date form.
    """
    declared: dict[str, Tag] = {}
    for tag in tags:
        if tag.name in declared:
            raise BadTag(tag.name, "it is declared twice", "drop one of the declarations")
        declared[tag.name] = tag
    template = parse(sql)
    for reference, _ in template.references():
        if reference.name not in declared:
            mend = "declare it, or correct its name"
            raise error_at(sql, reference.start, f"{reference.source} is not declared", mend)
    for name in values:
        if name not in declared:
            raise WrongValue("there is no such tag", "declare it, or correct its name", tag=name)
    # Reason: also of tags that the query does not use, as Metabase does: a required one that is empty stops the query.
    found = {name: _fragment(tag, values, calendar) for name, tag in declared.items()}

    kept: list[Text | Reference] = []
    for part in template.parts:
        if not isinstance(part, Block):
            kept.append(part)
        elif all(found[inner.name] is not None for inner in part.parts if isinstance(inner, Reference)):
            kept += [inner for inner in part.parts if not isinstance(inner, Block)]
    check(sql, kept)
    whole = joined((_rendered(sql, part, declared, found) for part in kept), "")
    return Statement(whole.sql.strip(), whole.params)


def _fragment(tag: Tag, values: Mapping[str, Any], calendar: Calendar) -> Fragment | None:
    """What stands for a tag; None where it is empty."""
    value = chosen(tag, values)
    if tag.type == "temporal-unit":
        return datefilters.grouping(tag, value, calendar)
    if value is None:
        return None
    return fields.condition(tag, value, calendar) if tag.type == "dimension" else variable(tag, value)


def _rendered(sql: str, part: Part, declared: Mapping[str, Tag], found: Mapping[str, Fragment | None]) -> Fragment:
    if isinstance(part, Text):
        return literal(part.text)
    assert isinstance(part, Reference)
    fragment = found[part.name]
    if fragment is not None:
        return fragment
    if declared[part.name].type == "dimension":
        return _ALWAYS
    line, column = position(sql, part.start)
    raise MissingValue(
        f"it has no value, and the query cannot run without (line {line}, column {column})",
        "give one, declare a default, or put the clause in an optional block `[[...]]`",
        tag=part.name,
    )
