"""Tags, columns and a clock that several test modules share."""

# ruff: noqa: DTZ001 - times in the report time zone carry none
from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

from dashboards.queries import Calendar, Column, Statement, Tag, expand

# The clock of Metabase's own tests.
CALENDAR = Calendar(date(2016, 6, 7), now=datetime(2016, 6, 7, 12))
DAY = Column("checkins", "date", "date", "public")
AT, AT_TZ = Column("orders", "at", "timestamp", "public"), Column("orders", "at", "timestamptz", "public")
NAME, PRICE = Column("venues", "name", "text", "public"), Column("venues", "price", "integer", "public")
OPEN = Column("venues", "open", "boolean", "public")


def variable(type_: Any, **more: Any) -> Tag:
    return Tag("x", type_, **more)


def filtered(widget: str, column: Column, **more: Any) -> Tag:
    return Tag("x", "dimension", column, widget, **more)


def run(sql: str, tag: Tag, *given_value: Any, calendar: Calendar = CALENDAR) -> Statement:
    return expand(sql, [tag], {"x": given_value[0]} if given_value else {}, calendar)


def readable(statement: Statement) -> tuple[str, list[Any]]:
    """As Metabase's tests write it: question marks for placeholders, no casts."""
    return re.sub(r"CAST\(%s AS \w+\)", "?", statement.sql).replace("%%", "%"), list(statement.params)
