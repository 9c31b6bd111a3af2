"""Why a report does not go out, each told to whoever asked for it.

What belongs here: errors with a mend. What does not: errors of mail (`orchestration.mail`).

    UserError
    ├── ReportWithheld   its data are not complete or not reconciled: later they may be
    ├── ReportNotSent    it could not be written, or the mail server had none of it
    ├── ReportBusy       another process works on it
    └── AlreadySent      its period went out before, or may have
"""

from __future__ import annotations

from orchestration.errors import UserError


class ReportWithheld(UserError):
    """Its data are not complete or not reconciled.

    Attributes:
        is_brief: Whether that passes within minutes by itself.
    """

    exit_code = 1

    def __init__(self, message: str, mend: str = "", *, is_brief: bool = False) -> None:
        super().__init__(message, mend)
        self.is_brief = is_brief


class ReportNotSent(UserError):
    """Nobody got it, and it may be sent again."""

    exit_code = 1


class ReportBusy(UserError):
    """Another process works on this report."""

    exit_code = 1


class AlreadySent(UserError):
    """Its period went out before, or may have."""

    exit_code = 1
