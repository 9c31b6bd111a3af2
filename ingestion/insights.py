"""Pulls a report for an account and a range of days, and yields complete slices.

The plan belongs here: what is asked at once, what is asked synchronously, how a request that is too large is split (by
date, then by objects, then by fields). The life of a single report run is in `ingestion.report_run`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import orjson

from ingestion.classify import blamed_fields
from ingestion.entities import list_ids
from ingestion.errors import InvalidField, RangeTooOld, ReportFailed, TerminalError, TooMuchData, TransientError
from ingestion.graph import GraphClient
from ingestion.paging import PageSize, read_pages
from ingestion.report_run import Listener, Patience, ReportRuns
from ingestion.reports import LEVEL_IDS, OPT_IN_BREAKDOWNS, Piece, Report, pieces
from ingestion.slices import Slice, Spool, SpoolLimit
from ingestion.state import JobStore

log = logging.getLogger(__name__)

# Reason: a report without these is no report; any other field may be missing.
ESSENTIAL = {"impressions", "spend", "account_id"}
_BELOW: dict[str | None, str] = {None: "campaign", "campaign": "adset", "adset": "ad"}
_DEPTH = {"account": 0, "campaign": 1, "adset": 2, "ad": 3}
RETENTION_MONTHS = 37


@dataclass(frozen=True)
class PullOptions:
    """How insights are pulled.

    Attributes:
        page_size: Rows asked for at first; grows to `largest_page`, shrinks when Meta finds it too heavy.
        largest_page: Most rows in a page.
        sync_rows: Ranges of which at most so many rows are expected are asked synchronously, in one call instead of
            three; 0 for never.
        patience: With report runs.
    """

    page_size: int = 500
    largest_page: int = 2000
    sync_rows: int = 500
    patience: Patience = field(default_factory=Patience)


@dataclass
class InsightsPull:
    """Pulls reports of one account.

    Attributes:
        client: Calls Meta.
        jobs: Remembers report runs.
        run_id: The pull; the same after a restart.
        account_id: Digits.
        options: How.
        limit: Memory shared by all spools of the process.
        rows_per_day: Rows a day that a report had before, by report name: decides what is asked synchronously.
        listener: Told what happens.
    """

    client: GraphClient
    jobs: JobStore
    run_id: UUID
    account_id: str
    options: PullOptions = field(default_factory=PullOptions)
    limit: SpoolLimit = field(default_factory=SpoolLimit)
    rows_per_day: Mapping[str, float] = field(default_factory=dict)
    listener: Listener | None = None

    def __post_init__(self) -> None:
        self._notify: Listener = self.listener or _ignore
        self._runs = ReportRuns(
            self.client, self.jobs, self.run_id, self.account_id, self.options.patience, self._notify
        )
        self._dropped: dict[str, set[str]] = {}  # by report: refused by Meta
        self._missing: set[str] = set()  # of the day in parts: too heavy for Meta even alone

    def slices(
        self, report: Report, since: date, until: date, done: Sequence[date] = (), attempt: int = 0
    ) -> Iterator[Slice]:
        """Yields every day of the range once, newest ranges first; days without rows as empty slices.

        Whoever takes a slice calls its `release` once it is written; several may be under way.

        Args:
            report: What.
            since: First day, the account's.
            until: Last day, included.
            done: Days that this pull has written before a restart; ranges that hold only such days are skipped.
            attempt: Counts deliberate repetitions within a pull; these are never answered from a remembered run.

        Raises:
            ReportFailed: Not even the smallest piece could be had.
            TerminalError: E.g. `AccountUnavailable`, `CredentialError`: stop this account, or everything.
        """
        finished = set(done)
        for piece in pieces(report, since, until):
            if not finished.issuperset(piece.days):
                yield from self._slices(replace(piece, attempt=attempt))

    def _slices(self, piece: Piece) -> Iterator[Slice]:
        try:
            spool = self._fetch(piece)
        except RangeTooOld as too_old:
            # Reason: days that Meta no longer keeps must not become empty slices, which would delete what we have.
            log.warning("act_%s %s: %s", self.account_id, piece.report.name, too_old)
            later = _clamped(piece, self.client.clock.now())
            if later is not None:
                yield from self._slices(later)
            return
        except TooMuchData as too_much:
            halves = piece.by_date()
            if halves:
                self._notify("split", piece, {"by": "date", "reason": too_much.message})
                for half in reversed(halves):
                    yield from self._slices(half)
                return
            spool = self._in_parts(piece)
        dropped = tuple(sorted(self._dropped.get(piece.report.name, set()) | self._missing))
        self._missing = set()
        pulled_at = datetime.fromtimestamp(self.client.clock.now(), UTC)
        for day in reversed(piece.days):
            yield Slice(
                int(self.account_id),
                piece.report.name,
                day,
                spool.rows(day),
                spool.count(day),
                pulled_at,
                self.client.api_version,
                piece.report.windows,
                dropped,
                release=partial(spool.forget, day),
            )

    def _fetch(self, piece: Piece) -> Spool:
        """All rows of a piece, without the fields that Meta refuses."""
        while True:
            current = replace(piece, report=piece.report.without(sorted(self._dropped.get(piece.report.name, ()))))
            spool = self._spool(current)
            size = PageSize(self.options.page_size, self.options.largest_page)
            try:
                if self._asked_synchronously(current):
                    try:
                        self._read_sync(current, spool, size)
                    except TooMuchData:
                        if current.report.period:
                            raise
                        spool.clear()
                        self._runs.read(current, spool, size)
                else:
                    self._runs.read(current, spool, size)
            except InvalidField as refused:
                self._drop(current, refused.field, refused.message)
            except RangeTooOld:
                raise
            except TransientError as persistent:
                # Reason: codes 1 and 2 that do not go away are often a request that is too heavy (fact sheet, 4.4).
                if persistent.code is None:
                    raise
                raise TooMuchData(persistent.message, code=persistent.code, account_id=self.account_id) from persistent
            except TerminalError as refused:
                # Reason: some refusals name the field only in the error's data.
                blamed = [name for name in blamed_fields(refused) if name in current.report.fields]
                if not blamed or refused.code != 100:
                    raise
                self._drop(current, blamed[0], refused.message)
            else:
                return spool

    def _asked_synchronously(self, piece: Piece) -> bool:
        report = piece.report
        if report.period:
            return True
        if self.options.sync_rows <= 0:
            return False
        if report.level == "account" and not report.breakdowns:
            return len(piece.days) <= self.options.sync_rows
        if OPT_IN_BREAKDOWNS & set(report.breakdowns):
            # Reason: of report runs with these Meta allows an account no more than ten in 24 hours (fact sheet,
            # breakdowns), and refuses the next as if the app's limit were reached. A year is more than ten ranges.
            return True
        expected = self.rows_per_day.get(report.name)
        return expected is not None and expected * len(piece.days) <= self.options.sync_rows

    def _read_sync(self, piece: Piece, spool: Spool, size: PageSize) -> None:
        path = f"act_{self.account_id}/insights"
        for rows in read_pages(self.client, path, piece.params(), self.account_id, size):
            spool.add(rows)

    def _drop(self, piece: Piece, name: str, reason: str) -> None:
        if name not in piece.report.fields or name in ESSENTIAL:
            raise ReportFailed(
                f"act_{self.account_id} {piece.report.name}: Meta refuses the field {name!r} ({reason}), "
                "and the report cannot do without it."
            )
        self._dropped.setdefault(piece.report.name, set()).add(name)
        log.warning(
            "act_%s %s: Meta refuses the field %s; it is left out (%s)",
            self.account_id,
            piece.report.name,
            name,
            reason,
        )
        self._notify("field_dropped", piece, {"field": name})

    def _spool(self, piece: Piece) -> Spool:
        day_field = "date_stop" if piece.report.period else "date_start"
        return Spool(piece.report.name, day_field, piece.since, piece.until, self.limit)

    # Splitting within one day -----------------------------------------------------------------------------------

    def _in_parts(self, piece: Piece) -> Spool:
        """One day that is too large: groups of objects, halved until they pass; then groups of fields."""
        merged = self._spool(piece)
        for rows in self._parts(piece):
            merged.add(rows)
        return merged

    def _parts(self, piece: Piece) -> Iterator[list[dict[str, Any]]]:
        for part in self._smaller(piece):
            try:
                spool = self._fetch(part)
            except TooMuchData:
                yield from self._parts(part)
            else:
                yield [orjson.loads(row) for day in part.days for row in spool.rows(day)]
                spool.clear()
                continue
        if not self._can_shrink(piece):
            yield self._by_fields(piece)

    def _can_shrink(self, piece: Piece) -> bool:
        level = piece.entities[0] if piece.entities else None
        many = piece.entities is not None and len(piece.entities[1]) > 1
        return many or (level != "ad" and _DEPTH[piece.report.level] > _DEPTH[level or "account"])

    def _smaller(self, piece: Piece) -> list[Piece]:
        """Two halves of the piece's objects, or the halves of what lies below its only object."""
        if not self._can_shrink(piece):
            return []
        if piece.entities and len(piece.entities[1]) > 1:
            level, ids = piece.entities
        else:
            parent = piece.entities[1][0] if piece.entities else f"act_{self.account_id}"
            level = _BELOW[piece.entities[0] if piece.entities else None]
            # Reason: ids come from the entity edges; listing them through insights with breakdowns takes an hour.
            ids = tuple(list_ids(self.client, parent, f"{level}s", self.account_id))
            self._notify("split", piece, {"by": level, "count": len(ids)})
        middle = (len(ids) + 1) // 2
        groups = [group for group in (ids[:middle], ids[middle:]) if group]
        return [replace(piece, entities=(level, group)) for group in groups]

    def _by_fields(self, piece: Piece) -> list[dict[str, Any]]:
        """The smallest piece: half of the fields at a time, joined again by the row's key."""
        report = piece.report
        keys = {"account_id", "date_start", "date_stop", *LEVEL_IDS[report.level]}
        free = [name for name in report.fields if name not in keys]
        fixed = tuple(name for name in report.fields if name in keys)
        if len(free) <= 1:
            if not free or free[0] in ESSENTIAL:
                raise ReportFailed(
                    f"act_{self.account_id} {report.name} {piece.since}: Meta cannot deliver it even for "
                    f"{piece.entities} and the fields {list(report.fields)}. Pull the day again later."
                )
            log.warning(
                "act_%s %s %s: the field %s is too heavy even alone and missing on this day",
                self.account_id,
                report.name,
                piece.since,
                free[0],
            )
            self._notify("field_dropped", piece, {"field": free[0]})
            self._missing.add(free[0])
            return []
        self._notify("split", piece, {"by": "fields", "count": len(free)})
        joined: dict[tuple[Any, ...], dict[str, Any]] = {}
        middle = len(free) // 2
        for group in (free[:middle], free[middle:]):
            part = replace(piece, report=replace(report, fields=(*fixed, *group)))
            try:
                spool = self._fetch(part)
                rows = [orjson.loads(row) for day in part.days for row in spool.rows(day)]
                spool.clear()
            except TooMuchData:
                rows = self._by_fields(part)
            for row in rows:
                joined.setdefault(tuple(row.get(name) for name in report.key), {}).update(row)
        return list(joined.values())


def _clamped(piece: Piece, now: float) -> Piece | None:
    """The piece without days that Meta no longer keeps, or None if none is left."""
    today = datetime.fromtimestamp(now, UTC).date()
    months = today.year * 12 + today.month - 1 - RETENTION_MONTHS
    oldest = date(months // 12, months % 12 + 1, min(today.day, 28))
    # Reason: where Meta's idea of the limit is later than ours, one day at a time is given up.
    oldest = max(oldest, piece.since + timedelta(days=1))
    return replace(piece, since=oldest) if oldest <= piece.until else None


def _ignore(event: str, piece: Piece, detail: Mapping[str, Any]) -> None:
    log.debug("%s %s %s-%s %s", event, piece.report.name, piece.since, piece.until, dict(detail))
