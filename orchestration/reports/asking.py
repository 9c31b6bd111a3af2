"""Which reports are to be asked for now, and under which key, so that none is asked for twice.

What belongs here: the decision, from schedules and rows. What does not: Dagster (`orchestration.defs.reports`),
sending.

A report that was declared a moment ago, or whose schedule, time zone or period was changed, waits for its next firing:
nobody who writes `0 7 * * mon` on a Thursday wants Monday's report within the minute. One that was known when it fired
is asked for whenever the platform is back, but only for its newest period.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, Field, ValidationError

from orchestration.clients.models import ClientsFile, EmailReport
from orchestration.reports.deliver import FINAL
from orchestration.reports.due import Due, newest_due
from warehouse.ops.report_deliveries import Delivery

#: After this time a run that took a report up is asked again: it died, or is told that it is not needed.
_PRESUMED_DEAD = timedelta(minutes=10)
#: A request that nobody ever took up is made again after this time, under another key.
_SLOT = timedelta(minutes=30)


class Known(BaseModel):
    """Since when a report is known under a rule."""

    since: datetime
    rule: str


class Memory(BaseModel):
    """What is remembered between two looks: reports by `client/report`."""

    reports: dict[str, Known] = Field(default_factory=dict)

    @classmethod
    def parse(cls, text: str | None) -> Memory:
        """What was remembered; nothing where another release wrote it."""
        try:
            return cls.model_validate_json(text or "{}")
        except ValidationError:
            return cls()

    def learn(self, clients: ClientsFile, now: datetime) -> Memory:
        """The same with the reports that there are now."""
        found = {}
        for client in clients.clients:
            for report in client.reports:
                name, rule = f"{client.id}/{report.name}", _rule(report)
                known = self.reports.get(name)
                if report.enabled:
                    found[name] = known if known and known.rule == rule else Known(since=now, rule=rule)
        return Memory(reports=found)


@dataclass(frozen=True)
class Request:
    """A report that is to be sent now.

    Attributes:
        due: Which, and of which days.
        key: Equal for requests that would do the same.
    """

    due: Due
    key: str


def requests(
    clients: ClientsFile, rows: Iterable[Delivery], known: Mapping[str, Known], now: datetime
) -> Iterator[Request]:
    """The reports to ask for now.

    Args:
        clients: What is declared.
        rows: What became of them.
        known: From `Memory.learn`.
        now: With a time zone.
    """
    by_key = {row.key: row for row in rows}
    for client in clients.clients:
        for report in client.reports:
            name = f"{client.id}/{report.name}"
            if not report.enabled or name not in known:
                continue
            due = newest_due(client, report, now)
            row = by_key.get((client.id, report.name, due.period.first, due.period.last))
            at = _when(due, row)
            if at is not None and due.at >= known[name].since and now >= at:
                days = f"{due.period.first}..{due.period.last}"
                version = row.version if row else 0
                yield Request(due, f"{name} {days} v{version} {(now - at) // _SLOT}")


def _when(due: Due, row: Delivery | None) -> datetime | None:
    """From when on it is to be asked for; None if it is not."""
    if row is None:
        return due.at
    if row.state in FINAL:
        return None
    return row.retry_at or row.tried_at + _PRESUMED_DEAD


def _rule(report: EmailReport) -> str:
    return f"{report.schedule}|{report.time_zone}|{report.period}"
