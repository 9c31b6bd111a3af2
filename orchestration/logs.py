"""Logging: text lines for people, JSON lines for machines, secrets in neither.

What belongs here: set-up, the fields run, account and slice, and the last line of defence against leaks.
What does not: what is worth logging. Libraries log through `logging.getLogger(__name__)` and know nothing of this.
What Dagster prints in the process of a run is brought into the same form by `orchestration.dagster_logs`.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, ParamSpec, TextIO, TypeVar

from orchestration.redaction import Redactor, redactor

FIELDS = ("dagster_run", "run", "account", "report", "slice")
_P = ParamSpec("_P")
_R = TypeVar("_R")
_context: ContextVar[dict[str, str] | None] = ContextVar("log_context", default=None)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
#: Whose lines are cleaned as soon as they are made, before any handler of another library sees them.
OURS = frozenset({"ingestion", "orchestration", "warehouse"})
ORIGIN = "origin"  # of a line of ours, wherever it is handed on to
_DAGSTER = "dagster_meta"  # what Dagster attaches to each line that passes through it
_HIDDEN = frozenset({ORIGIN, _DAGSTER, "dagster_event", "dagster_event_batch_metadata"})
_OWN_HANDLERS = ("dagster", "dagster-webserver")
HANDLER = "meta-ads"
_LOUD = ("urllib3", "asyncio", "facebook_business", "alembic", "sqlfluff", "great_expectations")


@contextmanager
def log_context(**fields: object) -> Iterator[None]:
    """Adds fields (those of `FIELDS`) to every line logged inside.

    A thread begins without them: hand it `in_context(function)`.
    """
    merged = (_context.get() or {}) | {name: str(value) for name, value in fields.items() if value is not None}
    token = _context.set(merged)
    try:
        yield
    finally:
        _context.reset(token)


def in_context(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """The function, to be called in another thread with the fields of this one."""
    context = copy_context()

    def called(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        return context.run(function, *args, **kwargs)

    return called


class RedactingFilter(logging.Filter):
    """Rewrites each record in place: message, exception, stack and extra fields come out clean.

    It never drops a record. The exception is rendered here and `exc_info` cleared, so that no handler further on
    renders it anew. Attach it to every handler, also to those of other libraries.
    """

    def __init__(self, secrets: Redactor = redactor) -> None:
        super().__init__()
        self._redact = secrets.redact

    def filter(self, record: logging.LogRecord) -> bool:
        """Cleans the record and lets it pass."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):  # Placeholders and arguments do not match: log both.
            message = f"{record.msg} {record.args}"
        record.msg, record.args = self._redact(message), None
        if record.exc_info:
            record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
            record.exc_info = None
        if record.exc_text:
            record.exc_text = self._redact(record.exc_text)
        if record.stack_info:
            record.stack_info = self._redact(record.stack_info)
        for name, value in _extras(record).items():
            # Reason: a set or an object may hold a secret in its text as well.
            clean = value if isinstance(value, int | float | bool | None) else self._redact(str(value))
            setattr(record, name, clean)
        return True


def _extras(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD | _HIDDEN}


def _dagsters(record: logging.LogRecord) -> dict[str, Any]:
    """What Dagster says about a line that passed through it, else nothing."""
    meta = getattr(record, _DAGSTER, None)
    return dict(meta) if isinstance(meta, dict) else {}


class _Formatter(logging.Formatter):
    def _fields(self, record: logging.LogRecord) -> dict[str, Any]:
        meta = _dagsters(record)
        event = meta.get("dagster_event")
        told = {
            "dagster_run": meta.get("run_id"),
            "job": meta.get("job_name"),
            "step": meta.get("step_key"),
            "event": getattr(event, "event_type_value", None),
        }
        return {name: text for name, text in told.items() if text} | (_context.get() or {}) | _extras(record)

    def _message(self, record: logging.LogRecord) -> str:
        # Reason: Dagster puts job, run and step in front, which are fields here.
        return str(_dagsters(record).get("orig_message") or record.getMessage())

    def _time(self, record: logging.LogRecord) -> str:
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _error(self, record: logging.LogRecord) -> str:
        parts = [record.exc_text or (self.formatException(record.exc_info) if record.exc_info else "")]
        parts.append(record.stack_info or "")
        data = getattr(_dagsters(record).get("dagster_event"), "event_specific_data", None)
        parts.append(str(getattr(data, "error_display_string", None) or ""))
        return "\n".join(part for part in parts if part)


class TextFormatter(_Formatter):
    """`2026-11-22T14:00:01.123Z INFO  ingestion.jobs: submitted [account=act_1]`, the traceback below."""

    def format(self, record: logging.LogRecord) -> str:
        """The lines of a record, times in UTC."""
        fields = " ".join(f"{name}={value}" for name, value in self._fields(record).items())
        line = f"{self._time(record)} {record.levelname:<7} {record.name}: {self._message(record)}"
        line = f"{line} [{fields}]" if fields else line
        error = self._error(record)
        return redactor.redact(f"{line}\n{error}" if error else line)


class JsonFormatter(_Formatter):
    """One JSON object a line: time (UTC), level, logger, message, fields, and `error` with the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line = {
            "time": self._time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": redactor.redact(self._message(record)),
        }
        line |= {
            name: redactor.redact(value) if isinstance(value, str) else value
            for name, value in self._fields(record).items()
            if name not in line
        }
        error = self._error(record)
        if error:
            line["error"] = redactor.redact(error)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure_logging(
    level: str = "INFO", style: str = "text", secrets: Iterable[str] = (), stream: TextIO | None = None
) -> None:
    """Sets up the root logger, and clean tracebacks for exceptions that nobody catches. May be called again.

    Args:
        level: Name of the lowest level that is written.
        style: `text` or `json`.
        secrets: What must never be written, as `Settings.secrets()` gives it.
        stream: Where lines go; standard error when left out.
    """
    redactor.add(*secrets)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.set_name(HANDLER)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    handler.addFilter(RedactingFilter())
    root = logging.getLogger()
    for old in [old for old in root.handlers if old.get_name() == handler.get_name()]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in _LOUD:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in _OWN_HANDLERS:
        if logging.getLogger(name).handlers:
            logging.getLogger(name).propagate = False  # Reason: it writes its lines itself, in the form it was told.
    logging.setLogRecordFactory(_clean_record)
    logging.captureWarnings(True)
    sys.excepthook = _excepthook
    threading.excepthook = _thread_excepthook


_cleaner = RedactingFilter()


def _clean_record(*args: Any, **kwargs: Any) -> logging.LogRecord:
    """A record; one of ours is clean from the start: Dagster keeps such lines, and its handler takes no filter."""
    record = logging.LogRecord(*args, **kwargs)
    if str(record.name).partition(".")[0] in OURS:
        _cleaner.filter(record)
        setattr(record, ORIGIN, record.name)
    return record


def _excepthook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    # Reason: the message of a connection error is the URL, token included; Python's own hook would print it.
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    sys.stderr.write(redactor.redact("".join(traceback.format_exception(kind, error, trace))))


def _thread_excepthook(arguments: threading.ExceptHookArgs) -> None:
    error = arguments.exc_value
    if error is not None and not isinstance(error, SystemExit):
        _excepthook(arguments.exc_type, error, arguments.exc_traceback)
