"""What Dagster prints in the process of a run, in the form of our own lines.

What belongs here: Dagster's console. What does not: our own logging (`orchestration.logs`), and the processes of the
web server and the daemon, which load none of our code (`--log-format`, see `orchestration.instance`).

Dagster makes its console anew for every run, as a logger of its own beside the tree of loggers, and has no setting for
its form that holds for backfills too. It asks Python's logging which class a logger is to have: that is the seam.
"""

from __future__ import annotations

import logging

from orchestration.logs import HANDLER, ORIGIN, RedactingFilter, TextFormatter

_CONSOLE = "dagster"


class _Formatter(logging.Formatter):
    """The formatter of our own handler, whichever it is when a line is written."""

    def format(self, record: logging.LogRecord) -> str:
        """The lines of a record."""
        own = (handler.formatter for handler in logging.getLogger().handlers if handler.get_name() == HANDLER)
        return (next(own, None) or TextFormatter()).format(record)


def _is_not_ours(record: logging.LogRecord) -> bool:
    # Reason: Dagster hands our lines on to its console; they are written already.
    return not hasattr(record, ORIGIN)


class ConsoleLogger(logging.Logger):
    """A logger as any other, but that of Dagster's console, which writes like ours."""

    def addHandler(self, hdlr: logging.Handler) -> None:  # noqa: N802 - logging's name
        """Adds a handler; one of Dagster's console gets our form, our level and our redaction."""
        if self.name == _CONSOLE and logging.getLogger(_CONSOLE) is not self:
            hdlr.setFormatter(_Formatter())
            hdlr.addFilter(_is_not_ours)
            hdlr.addFilter(RedactingFilter())
            hdlr.setLevel(max(hdlr.level, logging.getLogger().level))
        super().addHandler(hdlr)


def take_over_console() -> None:
    """Has every console that Dagster makes from now on in this process write like our own log."""
    if logging.getLoggerClass() is logging.Logger:
        logging.setLoggerClass(ConsoleLogger)
