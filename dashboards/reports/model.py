"""What is asked for, and what comes out.

What belongs here: the words that the writer of reports and its callers share. What does not: how one becomes the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, tzinfo
from typing import Literal

PeriodName = Literal["yesterday", "last_7_days", "last_28_days", "last_week", "last_month"]
Attachment = Literal["pdf", "xlsx", "csv"]
Language = Literal["en", "de", "fr", "es", "ja"]


@dataclass(frozen=True)
class Period:
    """Days, and as many days to compare them with.

    Attributes:
        first: First day, as the accounts count days.
        last: Last day, included.
        before_first: First day of the period that it is compared with.
        before_last: Last day of that period, included.
    """

    first: date
    last: date
    before_first: date
    before_last: date


@dataclass(frozen=True)
class Section:
    """A part of a report, made of a dashboard's cards.

    Attributes:
        dashboard: Key of the dashboard.
        cards: Keys of its cards, in this order; empty for all cards of the tab or the dashboard.
        tab: Key of a tab, where only its cards are wanted.
        title: Heading; the dashboard's title where there is none.
    """

    dashboard: str
    cards: tuple[str, ...] = ()
    tab: str | None = None
    title: str | None = None


@dataclass(frozen=True)
class Order:
    """A report that is to be written.

    Attributes:
        name: Of the report, within its client.
        title: What people call it.
        client: Name of the client, as people know it.
        period: Which days.
        accounts: Ids of the accounts that it is about; empty for all that the space holds.
        sections: What it shows below the summary.
        custom_metrics: Names of the client's own metrics in the summary.
        words: Greeting or note of whoever sends it, plain text.
        language: Of words, numbers and dates.
        zone: In which times are told.
        attachments: Which files come with it.
        link: Address of the site, for readers who want more; None without one.
    """

    name: str
    title: str
    client: str
    period: Period
    accounts: tuple[str, ...] = ()
    sections: tuple[Section, ...] = ()
    custom_metrics: tuple[str, ...] = ()
    words: str | None = None
    language: Language = "en"
    zone: tzinfo = UTC
    attachments: tuple[Attachment, ...] = ()
    link: str | None = None


@dataclass(frozen=True)
class Image:
    """A picture within the HTML part, which names it as `cid:<cid>`."""

    cid: str
    png: bytes
    alt: str


@dataclass(frozen=True)
class File:
    """An attachment."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Message:
    """A report, ready to be put into an e-mail.

    Attributes:
        subject: One line with the headline.
        text: The plain-text part.
        html: The HTML part.
        images: What the HTML part shows.
        files: Attachments.
        problems: Cards that had no answer, each in a line; they are told in the report as well.
    """

    subject: str
    text: str
    html: str
    images: tuple[Image, ...] = ()
    files: tuple[File, ...] = ()
    problems: tuple[str, ...] = field(default=())
