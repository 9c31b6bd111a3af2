"""How runs ended, read from Dagster's own records.

What belongs here: which runs count (the last attempt of a retried one), what each was about, and its error. What does
not: what follows from it (`orchestration.alerts.failures`).
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from orchestration.alerts.failures import EndedRun
from orchestration.defs.partitions import ACCOUNT_DIMENSION, account_of
from orchestration.redaction import redactor

ACCOUNT_TAG, REPORT_TAG = "meta-ads/account", "meta-ads/report"
LOOK_BACK = timedelta(days=1)
#: Reason: records become visible in the order of their commits, which is not quite that of their ids.
OVERLAP = timedelta(minutes=2)
PAGE = 200
_RANGE_TAGS = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")
_SHOWN_ASSETS = 3
_WRAPPERS = ("Dagster", "RetryRequested")


@dataclass
class Position:
    """How far the records were read.

    Attributes:
        after: Everything up to this record was read.
        seen: Later records that were read already.
    """

    after: int | None = None
    seen: list[int] = field(default_factory=list)


def ended_runs(instance: dg.DagsterInstance, position: Position, now: datetime) -> tuple[list[EndedRun], Position]:
    """The runs that ended since a position, in order, and the position after them.

    A first reading begins a day back. A run that Dagster tries again by itself does not count; nor does a cancelled
    one, which neither failed nor succeeded.

    Args:
        instance: Dagster's.
        position: From the last reading.
        now: Real time, with a time zone.
    """
    records = [
        record
        for kind in (dg.DagsterEventType.RUN_FAILURE, dg.DagsterEventType.RUN_SUCCESS)
        for record in _records(instance, kind, position, now)
    ]
    records.sort(key=lambda record: record.storage_id)
    fresh = [record for record in records if record.storage_id not in set(position.seen)]
    runs = _runs(instance, [record.run_id for record in fresh])
    ended = []
    for record in fresh:
        run = runs.get(record.run_id)
        at = datetime.fromtimestamp(record.timestamp, UTC)
        if run is None:
            continue  # Reason: somebody deleted it.
        is_failure = record.event_type == dg.DagsterEventType.RUN_FAILURE
        if is_failure and _is_undecided(instance, run, now - at):
            records = [one for one in records if one.storage_id < record.storage_id]
            break
        if is_failure and run.tags.get("dagster/will_retry") == "true":
            continue
        ended.append(_ended(instance, run, record, at) if is_failure else _succeeded(run, at))
    return ended, _after(records, position, now)


def has_succeeded(instance: dg.DagsterInstance, job: str, since: datetime) -> bool:
    """Whether a run of a job has succeeded since a moment."""
    wanted = dg.RunsFilter(job_name=job, statuses=[dg.DagsterRunStatus.SUCCESS], updated_after=since)
    return bool(instance.get_run_ids(wanted, limit=1))


def _records(
    instance: dg.DagsterInstance, kind: dg.DagsterEventType, position: Position, now: datetime
) -> list[dg.EventLogRecord]:
    first = position.after is None
    wanted = dg.RunStatusChangeRecordsFilter(
        kind,  # type: ignore[arg-type]
        after_storage_id=position.after,
        after_timestamp=(now - LOOK_BACK).timestamp() if first else None,
    )
    found: list[dg.EventLogRecord] = []
    cursor = None
    while True:
        page = instance.fetch_run_status_changes(wanted, limit=PAGE, cursor=cursor, ascending=True)
        found += page.records
        cursor = page.cursor
        if not page.has_more:
            return found


def _runs(instance: dg.DagsterInstance, run_ids: Sequence[str]) -> dict[str, dg.DagsterRun]:
    found: dict[str, dg.DagsterRun] = {}
    for start in range(0, len(run_ids), PAGE):
        wanted = dg.RunsFilter(run_ids=list(run_ids[start : start + PAGE]))
        found |= {run.run_id: run for run in instance.get_runs(wanted)}
    return found


def _is_undecided(instance: dg.DagsterInstance, run: dg.DagsterRun, age: timedelta) -> bool:
    """Whether Dagster has not said yet if it will try again: it says so just after the failure itself."""
    return instance.run_retries_enabled and "dagster/will_retry" not in run.tags and age < OVERLAP


def _after(records: Sequence[dg.EventLogRecord], position: Position, now: datetime) -> Position:
    settled = (now - OVERLAP).timestamp()
    old = [record.storage_id for record in records if record.timestamp < settled]
    after = max(old, default=position.after)
    if after is None:
        if not records:
            return position  # Reason: nothing was ever read, so the next look reaches back again.
        after = min(record.storage_id for record in records) - 1
    return Position(after, sorted(record.storage_id for record in records if record.storage_id > after))


def _succeeded(run: dg.DagsterRun, at: datetime) -> EndedRun:
    repeats = frozenset(one for one in (run.parent_run_id, run.root_run_id) if one)
    return EndedRun(run.run_id, _job(run), _subject(run), True, at, _account(run), repeats=repeats)


def _ended(instance: dg.DagsterInstance, run: dg.DagsterRun, record: dg.EventLogRecord, at: datetime) -> EndedRun:
    event = record.event_log_entry.dagster_event
    step, kind, text = _error(event, _step_failures(instance, run.run_id, event))
    return EndedRun(run.run_id, _job(run), _subject(run), False, at, _account(run), step, kind, redactor.redact(text))


def _step_failures(
    instance: dg.DagsterInstance, run_id: str, event: dg.DagsterEvent | None
) -> Iterator[dg.DagsterEvent]:
    """Failures of steps: the first as Dagster noted it, else all from the log."""
    # Reason: the event of a run whose process was lost has no data.
    first = getattr(event.event_specific_data, "first_step_failure_event", None) if event else None
    if first is not None:
        yield first
        return
    for entry in instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE):
        if entry.dagster_event:
            yield entry.dagster_event


def _error(event: dg.DagsterEvent | None, steps: Iterable[dg.DagsterEvent]) -> tuple[str, str, str]:
    """Step, type and text of the error that made a run fail."""
    for step in steps:
        data = step.step_failure_data
        told, error = data.user_failure_data, _unwrapped(data.error)
        if told is not None:
            noted = told.metadata.get("error_kind")
            cause = error.cause if error else None
            kind = str(noted.value) if noted else (cause.cls_name if cause and cause.cls_name else "Failure")
            return step.step_key or "", kind, told.description or ""
        if error is not None:
            return step.step_key or "", error.cls_name or "Failure", _without_type(error.message)
    reason = event.message if event and event.message else "The run failed without a word."
    return "", "RunLost", reason


def _unwrapped(error: Any) -> Any:
    """The error that other code raised, out of those in which Dagster wraps it."""
    while error is not None and error.cause is not None and (error.cls_name or "").startswith(_WRAPPERS):
        error = error.cause
    return error


def _without_type(message: str) -> str:
    """The message without the type before it."""
    return message.strip().partition(": ")[2] or message.strip()


def _job(run: dg.DagsterRun) -> str:
    """What people call it: a run of chosen assets has no job of its own."""
    if not run.job_name.startswith("__"):
        return run.job_name
    chosen = sorted(key.to_user_string() for key in run.asset_selection or ())
    more = f" and {len(chosen) - _SHOWN_ASSETS} more" if len(chosen) > _SHOWN_ASSETS else ""
    return f"materialising {', '.join(chosen[:_SHOWN_ASSETS]) or 'assets'}{more}"


def _subject(run: dg.DagsterRun) -> str:
    """What a run was about.

    A job's next run for the same account makes good for its last; chosen assets are about their very partitions.
    """
    if not run.job_name.startswith("__"):
        return "|".join(part for part in (run.job_name, _whose(run)) if part)
    chosen = ",".join(sorted(key.to_user_string() for key in run.asset_selection or ()))
    digest = hashlib.sha256(chosen.encode()).hexdigest()[:8]
    partitions = [run.tags[name] for name in ("dagster/partition", *_RANGE_TAGS) if name in run.tags]
    return "|".join([f"assets {digest}", *partitions])


def _whose(run: dg.DagsterRun) -> str:
    """The account, or the report, that a job works on."""
    return run.tags.get(ACCOUNT_TAG) or run.tags.get(REPORT_TAG) or _account_key(run)


def _account(run: dg.DagsterRun) -> int | None:
    key = run.tags.get(ACCOUNT_TAG) or _account_key(run)
    digits = key.removeprefix("act_")
    return account_of(key) if digits.isdecimal() else None


def _account_key(run: dg.DagsterRun) -> str:
    """The account of a run's partitions, where they are of one alone."""
    named = run.tags.get(f"dagster/partition/{ACCOUNT_DIMENSION}")
    if named:
        return named
    keys = {run.tags[name] for name in ("dagster/partition", *_RANGE_TAGS) if name in run.tags}
    accounts = {part for key in keys for part in key.split("|") if part.startswith("act_")}
    return accounts.pop() if len(accounts) == 1 else ""
