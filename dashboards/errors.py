"""Everything `dashboards` raises on purpose, in one tree.

What belongs here: exception classes whose text tells a person what is wrong, where, and how to mend it. What does not:
errors of the database (`warehouse.errors`).

    DashboardError
    ├── FaultyDefinitions    files of dashboards that cannot be used
    ├── Unanswerable         the SQL of a card asks for what the marts do not have
    ├── BadTemplate          the SQL of a card cannot be read as a template
    ├── BadTag               the declaration of a template tag contradicts itself
    └── BadValue             a value does not fit the tag it is given to
        ├── MissingValue     none is given, and the query cannot run without
        ├── WrongValue       it is of another type, or names something that does not exist
        └── UnknownDateForm  it is no date, period or exclusion that is known
    ReportFailed             a DashboardError: a report would be without what it is about
    MetabaseError            a DashboardError: Metabase and we cannot do what was asked
    ├── MetabaseUnreachable  it does not answer, or not in time
    ├── MetabaseUnsafe       it is of a version with a known hole
    ├── MetabaseNotSetUp     nobody set it up, or nobody told us how to come in
    ├── MetabaseKeyWrong     it does not know the key or the password
    ├── MetabaseKeyWeak      the key is not an administrator's
    ├── MetabaseRefused      it refused a request
    ├── MetabaseSyncFailed   a database did not show its tables in time
    └── MetabaseFenceOpen    permissions are not what they were set to
"""

from __future__ import annotations

from dashboards.checked_yaml import Problem

_SHOWN_LENGTH = 120


class DashboardError(Exception):
    """Root of everything `dashboards` raises on purpose.

    Attributes:
        message: What is wrong, and where.
        mend: What to do about it; empty where the message says it all.
    """

    def __init__(self, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message}. To mend: {self.mend}" if self.mend else self.message


class FaultyDefinitions(DashboardError):
    """Files of dashboards that cannot be used.

    Attributes:
        problems: Everything that is wrong, by file and line.
    """

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class Unanswerable(DashboardError):
    """The SQL of a card cannot be read, or asks for what the marts do not have."""


class BadTemplate(DashboardError):
    """The SQL of a card cannot be read as a template, or would mean something else in Metabase than it seems to.

    Attributes:
        line: Where, counted from 1.
        column: Where in the line, in characters, counted from 1.
    """

    def __init__(self, problem: str, mend: str = "", *, line: int, column: int) -> None:
        super().__init__(f"line {line}, column {column}: {problem}", mend)
        self.line = line
        self.column = column


class BadTag(DashboardError):
    """The declaration of a template tag contradicts itself, or asks for what is not supported.

    Attributes:
        tag: Name of the tag.
    """

    def __init__(self, tag: str, problem: str, mend: str = "") -> None:
        super().__init__(f"tag `{tag}`: {problem}", mend)
        self.tag = tag


class BadValue(DashboardError):
    """A value does not fit the tag it is given to.

    Attributes:
        problem: What is wrong with it.
        value: The value, as Python writes it, shortened; empty where there is none.
        tag: Name of the tag; None for a value that was given on its own.
    """

    def __init__(self, problem: str, mend: str = "", *, value: str = "", tag: str | None = None) -> None:
        where = f"tag `{tag}`" if tag is not None else ""
        what = f"value {value}" if value else ""
        place = ", ".join(filter(None, (where, what)))
        super().__init__(f"{place}: {problem}" if place else problem, mend)
        self.problem = problem
        self.value = value
        self.tag = tag

    def named(self, tag: str) -> BadValue:
        """The same error, telling which tag the value was given to."""
        return type(self)(self.problem, self.mend, value=self.value, tag=tag)


class MissingValue(BadValue):
    """A value is needed, and none is given."""


class WrongValue(BadValue):
    """A value is of another type than its tag, or names something that does not exist."""


class UnknownDateForm(BadValue):
    """A value is no date, period or exclusion that is known."""


class ReportFailed(DashboardError):
    """A report cannot be written: what it is about could not be asked, or its file could not be made."""


class MetabaseError(DashboardError):
    """Metabase and we cannot do what was asked."""


class MetabaseUnreachable(MetabaseError):
    """It does not answer, or not in time."""


class MetabaseUnsafe(MetabaseError):
    """It is of a version with a known hole."""


class MetabaseNotSetUp(MetabaseError):
    """Nobody set it up, or nobody told us how to come in."""


class MetabaseKeyWrong(MetabaseError):
    """It does not know the key or the password."""


class MetabaseKeyWeak(MetabaseError):
    """The key is not an administrator's."""


class MetabaseRefused(MetabaseError):
    """It refused a request.

    Attributes:
        status: Of HTTP.
        said: What Metabase answered, shortened.
    """

    def __init__(self, what: str, status: int, said: str, mend: str = "") -> None:
        super().__init__(f"Metabase refused {what} ({status}): {said or 'no reason given'}", mend)
        self.status = status
        self.said = said


class MetabaseSyncFailed(MetabaseError):
    """A database did not show its tables in time, or not at all."""


class MetabaseFenceOpen(MetabaseError):
    """Permissions are not what they were set to."""


def shown(value: object) -> str:
    """A value for a message: as Python writes it, shortened."""
    text = repr(value)
    return text if len(text) <= _SHOWN_LENGTH else text[:_SHOWN_LENGTH] + "…"
