"""From a report that is due to its message: whose data, which order, and whether it may be written at all.

What belongs here: putting together what the writer needs, and looking before and after it at the data that it reads.
What does not: what a report says (`dashboards.reports`), sending it (`orchestration.reports.deliver`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

from dashboards.answering import Space
from dashboards.errors import FaultyDefinitions
from dashboards.library import Library, load
from dashboards.reports.model import Message, Order, Section
from dashboards.reports.readiness import Readiness, breakdowns_of, readiness
from orchestration.platform import Platform
from orchestration.reports.due import Due
from orchestration.reports.errors import ReportNotSent, ReportWithheld
from orchestration.site.spaces import find_spaces

Writer = Callable[[Order, Space, Library, datetime], Message]


@dataclass(frozen=True)
class Draft:
    """What a report will be made of.

    Attributes:
        order: What is asked for.
        space: Whose data: the client's own schema, so that nobody else's can get into it.
        library: The dashboards.
        ready: Whether its data may be shown.
    """

    order: Order
    space: Space
    library: Library
    ready: Readiness


def write_report(order: Order, space: Space, library: Library, now: datetime) -> Message:
    """The writer of this platform; tests have their own."""
    # Reason: it brings what draws charts and PDFs, and most commands write no report.
    from dashboards.reports.write import write as writer

    return writer(order, space, library, now)


def order_of(due: Due, site: str | None = None) -> Order:
    """What is asked of the writer.

    Args:
        due: The report and its period.
        site: Where people open the site; None where they do not.
    """
    client, report = due.client, due.report
    sections = tuple(Section(one.dashboard, tuple(one.cards), one.tab, one.title) for one in report.sections)
    return Order(
        report.name,
        report.title or f"{client.name}: {report.name}",
        client.name,
        due.period,
        accounts=tuple(map(str, client.account_ids(report.accounts))),
        sections=sections,
        custom_metrics=tuple(report.custom_metrics),
        words=report.words,
        language=report.language,
        zone=ZoneInfo(report.time_zone),
        attachments=tuple(report.attachments),
        link=f"{site.rstrip('/')}/{quote(client.id)}" if site else None,
    )


def draft_of(platform: Platform, due: Due) -> Draft:
    """Looks whether a report may be written.

    Raises:
        ReportWithheld: The client has no schema of its own.
        ReportNotSent: The dashboards cannot be read.
        WarehouseError: The database failed.
    """
    space = next(iter(find_spaces(platform.warehouse, platform.clients, [due.client.id])), None)
    if space is None or space.name != due.client.id:
        raise ReportWithheld(
            f"{due.client.name} has no schema of its own in the warehouse, and a report is made of nothing else.",
            "build the marts, which makes it: `meta-ads build`",
        )
    try:
        library = load()
    except FaultyDefinitions as error:
        raise ReportNotSent(f"The dashboards cannot be read: {error}", "see docs/reference/dashboards.md") from None
    space = replace(space, zone=ZoneInfo(due.report.time_zone))
    order = order_of(due, platform.settings.site_web_url)
    return Draft(order, space, library, _look(space, due, order, library))


def write(platform: Platform, due: Due, writer: Writer, now: datetime) -> Message:
    """Writes a report of data that are complete, reconciled, and the same from its first number to its last.

    Raises:
        ReportWithheld: They are not.
        ReportNotSent: See `draft_of`.
        WarehouseError: The database failed.
    """
    draft = draft_of(platform, due)
    if not draft.ready.is_ready:
        raise withheld(draft.ready)
    message = writer(draft.order, draft.space, draft.library, now)
    after = _look(draft.space, due, draft.order, draft.library)
    if not after.is_ready:
        raise withheld(after)
    if after.build != draft.ready.build:
        raise ReportWithheld("The marts were built while it was written.", "try again", is_brief=True)
    return message


def withheld(ready: Readiness) -> ReportWithheld:
    """Data that are not ready, as an error."""
    return ReportWithheld(ready.reason, ready.mend, is_brief=ready.is_building and not ready.gaps)


def _look(space: Space, due: Due, order: Order, library: Library) -> Readiness:
    accounts = [int(account) for account in order.accounts] or [account.id for account in due.client.accounts]
    return readiness(space, accounts, due.period, breakdowns_of(order.sections, library))
