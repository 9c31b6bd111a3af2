"""From ended runs to causes.

What belongs here: which cause a failed run has, and what its text says. What does not: reading runs
(`orchestration.defs.run_events`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from orchestration.alerts.model import Cause, Kind, sample
from warehouse.ops.alerts import Success

#: Errors that concern every run alike, whatever job it belongs to: kind, and what is wrong.
_COMMON: dict[str, tuple[Kind, str]] = {
    "CredentialError": (Kind.TOKEN_REFUSED, "Meta refuses the access token"),
    "VersionRetired": (Kind.VERSION_RETIRED, "Meta no longer serves this API version"),
}
#: Checks of raw reports are told by the days that they hold back, reports by their row, and neither a second time by
#: its run.
_TOLD_OTHERWISE = frozenset({("raw_checks", "DagsterAssetCheckFailedError"), ("send_report", "ReportNotSent")})
_MEND = re.compile(r"\bMend:\s*", re.IGNORECASE)
_LONGEST = 1000


@dataclass(frozen=True)
class EndedRun:
    """A run that ended for good.

    Attributes:
        run_id: Dagster's.
        job: Its name, as people know it.
        subject: What it was about: a later success about the same ends its cause.
        succeeded: Whether it did.
        at: When it ended, UTC.
        account_id: The account that it worked on; None for several or none.
        step: The first of its steps that failed, where one did.
        error_kind: The type of its error; empty for a success.
        text: What its error says, with the mend.
        repeats: The runs that it repeated.
    """

    run_id: str
    job: str
    subject: str
    succeeded: bool
    at: datetime
    account_id: int | None = None
    step: str = ""
    error_kind: str = ""
    text: str = ""
    repeats: frozenset[str] = frozenset()


def happened(runs: Iterable[EndedRun]) -> Iterator[Cause | Success]:
    """What runs say, in their order."""
    for run in runs:
        if run.succeeded:
            yield Success(run.subject, run.repeats)
        elif (run.step, run.error_kind) not in _TOLD_OTHERWISE:
            yield cause_of(run)


def cause_of(run: EndedRun) -> Cause:
    """The cause of a failed run. Runs of a job that fail alike have the same one, whatever account they worked on."""
    message, mend = message_and_mend(run.text)
    error = run.error_kind or "Failure"
    kind, title = _COMMON.get(error, (Kind.RUN_FAILED, f"{run.job} fails"))
    key = f"{kind}:{run.job}:{error}" if kind == Kind.RUN_FAILED else str(kind)
    about = sample(run.account_id, run.run_id, message if kind == Kind.RUN_FAILED else "", run.at, run.job)
    return Cause(key, kind, "error", title, message, mend, samples={run.subject: about})


def message_and_mend(text: str) -> tuple[str, str]:
    """`What is wrong. Mend: do this.` as two texts; the second is empty where there is none."""
    found = list(_MEND.finditer(text))
    if not found:
        return _short(text), ""
    last = found[-1]
    return _short(text[: last.start()]), _short(text[last.end() :]).removesuffix(".")


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
