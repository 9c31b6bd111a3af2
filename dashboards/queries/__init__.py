"""Metabase's native-query templates, expanded into SQL with bound parameters for PostgreSQL.

What belongs here: a pure library, so that the local site and e-mailed reports run the SQL that Metabase runs for the
same card and filters. What does not: databases, files, dashboards. Where it differs from Metabase, and why, is told in
docs/reference/template-tags.md.
"""

from dashboards.queries.calendar import Calendar, Weekday
from dashboards.queries.dates import Exclusion
from dashboards.queries.expand import Statement, expand
from dashboards.queries.periods import Period, previous_period, resolve
from dashboards.queries.tags import WIDGETS, Column, ColumnKind, Tag, TagType
from dashboards.queries.template import Appearance, TagUse, tags_in

__all__ = [
    "WIDGETS",
    "Appearance",
    "Calendar",
    "Column",
    "ColumnKind",
    "Exclusion",
    "Period",
    "Statement",
    "Tag",
    "TagType",
    "TagUse",
    "Weekday",
    "expand",
    "previous_period",
    "resolve",
    "tags_in",
]
