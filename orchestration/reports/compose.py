"""A written report as an e-mail.

What belongs here: headers, parts, what is left out of a message that would be too large. What does not: what the report
says (`dashboards.reports`), sending (`orchestration.mail`).

    multipart/mixed
    ├── multipart/alternative
    │   ├── text/plain
    │   └── multipart/related
    │       ├── text/html
    │       └── its images, by Content-ID
    └── attachments

One message goes to all recipients, with all of them in `To`: recipients of a report know each other and can reply to
all, and one message has one verdict of the server, so that whether it was sent has one answer. With a message each, a
connection that breaks would leave half of them sent; with Bcc nobody would know who else reads it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from dashboards.reports.model import File, Language, Message
from orchestration.clients.models import Client, EmailReport

_LEFT_OUT: dict[Language, str] = {
    "en": "Not attached, because the message would have been too large: {names}.",
    "de": "Nicht angehängt, weil die Nachricht zu groß geworden wäre: {names}.",
    "fr": "Non joint, car le message aurait été trop volumineux : {names}.",
    "es": "No se adjunta porque el mensaje habría sido demasiado grande: {names}.",
    "ja": "メッセージが大きくなりすぎるため、次のファイルは添付していません: {names}。",
}
_PARAGRAPH = '<p style="margin:16px;font-family:Arial,Helvetica,sans-serif;font-size:13px;color:#555555">{text}</p>'


@dataclass(frozen=True)
class Letter:
    """An e-mail, ready to be handed over.

    Attributes:
        mail: The message.
        recipients: To whom.
        left_out: Names of attachments that it would have been too large with.
        problems: Cards that had no answer.
        digest: SHA-256 of the message as it is handed over.
    """

    mail: EmailMessage
    recipients: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def message_id(self) -> str:
        """Its id."""
        return str(self.mail["Message-ID"])

    @property
    def digest(self) -> str:
        """See the class."""
        return hashlib.sha256(self.mail.as_bytes(policy=SMTP)).hexdigest()


@dataclass(frozen=True)
class Envelope:
    """Whom a message is from and to.

    Attributes:
        sender: Plain address.
        recipients: Plain addresses.
        reply_to: Who answers questions; None for the sender.
        message_id: From `message_id`.
        date: With a time zone.
        most_bytes: How large the message may be, as it goes over the line.
    """

    sender: str
    recipients: tuple[str, ...]
    reply_to: str | None
    message_id: str
    date: datetime
    most_bytes: int


def message_id(client_id: str, report: str, first: str, last: str, sender: str, copy: int = 0) -> str:
    """The id of a report's message: the same for the same period, so that a doubled message is known for what it is.

    Args:
        client_id: Of `clients.yml`.
        report: Its name there.
        first: First day, ISO.
        last: Last day, ISO.
        sender: Whose domain it is made with.
        copy: How often somebody asked for it to be sent again; each time is another message.
    """
    what = "\n".join((client_id, report, first, last, str(copy)))
    return f"<report.{hashlib.sha256(what.encode()).hexdigest()[:32]}@{sender.rpartition('@')[2]}>"


def compose(client: Client, report: EmailReport, message: Message, envelope: Envelope) -> Letter:
    """Puts a written report into an e-mail.

    Args:
        client: Whose.
        report: Which.
        message: What it says.
        envelope: From and to whom.

    Returns:
        The e-mail; the largest attachments are left out of one that would be too large, and it says so.
    """
    files = list(message.files)
    left_out: list[str] = []
    while True:
        mail = _mail(client, report, message, envelope, files, left_out)
        if not files or len(mail.as_bytes(policy=SMTP)) <= envelope.most_bytes:
            return Letter(mail, envelope.recipients, tuple(left_out), message.problems)
        largest = max(files, key=lambda file: len(file.content))
        files.remove(largest)
        left_out.append(largest.name)


def _mail(
    client: Client,
    report: EmailReport,
    message: Message,
    envelope: Envelope,
    files: Sequence[File],
    left_out: Sequence[str],
) -> EmailMessage:
    # Reason: not every server takes eight bits.
    mail = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    domain = envelope.sender.rpartition("@")[2]
    mail["Subject"] = _one_line(message.subject)
    mail["From"] = Address(_one_line(report.title or client.name), addr_spec=envelope.sender)
    mail["To"] = ", ".join(envelope.recipients)
    if envelope.reply_to:
        mail["Reply-To"] = envelope.reply_to
    mail["Date"] = format_datetime(envelope.date)
    mail["Message-ID"] = envelope.message_id
    # Reason: mail programs sort by it, and no vacation reply answers a list (RFC 3834, 2).
    mail["List-Id"] = f"<{report.name}.{client.id}.reports.{domain}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail["Content-Language"] = report.language
    text, html = _with_note(message, report.language, left_out)
    mail.set_content(text)
    # Reason: a line of HTML may be longer than the 998 characters that a server must take (RFC 5321, 4.5.3.1.6).
    mail.add_alternative(html, subtype="html", cte="quoted-printable")
    related = mail.get_body(("html",))
    assert isinstance(related, EmailMessage)
    for image in message.images:
        related.add_related(
            image.png, "image", "png", cid=f"<{image.cid}>", disposition="inline", filename=f"{_safe(image.cid)}.png"
        )
    for file in files:
        main, _, sub = file.media_type.partition("/")
        mail.add_attachment(file.content, main, sub or "octet-stream", filename=_one_line(file.name))
    return mail


def _with_note(message: Message, language: Language, left_out: Sequence[str]) -> tuple[str, str]:
    """Both parts, with a sentence about what was left out."""
    if not left_out:
        return message.text, message.html
    note = _LEFT_OUT[language].format(names=", ".join(left_out))
    paragraph = _PARAGRAPH.format(text=escape(note))
    before, end, after = message.html.rpartition("</body>")
    html = f"{before}{paragraph}{end}{after}" if end else message.html + paragraph
    return f"{message.text.rstrip()}\n\n{note}\n", html


def _one_line(text: str) -> str:
    """A header in one line: whatever a campaign is called, it makes no further header."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def _safe(name: str) -> str:
    return "".join(one if one.isalnum() else "-" for one in name)
