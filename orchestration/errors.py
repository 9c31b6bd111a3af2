"""What a user can mend, told in one sentence each.

What belongs here: the root of every error that the command line prints without a traceback.
What does not: errors of the protocol (`ingestion`) and of the database (`warehouse`).

    UserError
    ├── ConfigurationError     a setting or clients.yml is wrong
    ├── UnknownAccountError    an account that clients.yml does not name
    └── ProcessError           a background process did not start or stop
"""

from __future__ import annotations


class UserError(Exception):
    """Something that the person at the keyboard can put right.

    Attributes:
        message: What is wrong and where, without a secret in it.
        mend: What to do about it; empty where the message says it all.
        exit_code: What the command line exits with.
    """

    exit_code = 2

    def __init__(self, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message}\n  -> {self.mend}" if self.mend else self.message


class ConfigurationError(UserError):
    """The environment, `.env` or `clients.yml` holds something that cannot be meant."""


class UnknownAccountError(UserError):
    """An ad account that `clients.yml` does not name."""


class ProcessError(UserError):
    """A background process of the platform did not start, or does not stop."""
