"""A report as an e-mail: parts, headers, size, and what foreign names cannot do to it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.reports.model import File, Message, Order, Period
from orchestration.reports.compose import Envelope, Letter, compose, message_id
from tests.orchestration.reports.sample import client, png, written

NOW = datetime(2026, 11, 16, 6, 0, tzinfo=UTC)
WEEK = Period(date(2026, 11, 9), date(2026, 11, 15), date(2026, 11, 2), date(2026, 11, 8))
ID = message_id("client-1", "weekly", "2026-11-09", "2026-11-15", "reports@example.com")
ENVELOPE = Envelope(
    "reports@example.com", ("ann@example.com", "bob@example.com"), "owner@example.com", ID, NOW, 10 * 1024**2
)
ANY: Any = None


def message(**changes: object) -> Message:
    order = Order("weekly", "Acme weekly", "Client 1", WEEK, attachments=("pdf", "xlsx"))
    return replace(written(order, ANY, ANY, NOW), **changes)  # type: ignore[arg-type]


def letter(said: Message | None = None, envelope: Envelope = ENVELOPE, **report: object) -> Letter:
    owner = client(**report)
    return compose(owner, owner.reports[0], said or message(), envelope)


def arrived(sent: Letter) -> EmailMessage:
    """As a mail program reads it."""
    return message_from_bytes(sent.mail.as_bytes(policy=policy.SMTP), policy=policy.default)  # type: ignore[arg-type]


def test_the_parts_are_nested_as_mail_programs_want_them() -> None:
    mail = arrived(letter())
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "multipart/related",
        "text/html",
        "image/png",
        "application/pdf",
        "application/xlsx",
    ]
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content().replace("\r\n", "\n") == message().text
    assert html.get_content().strip() == message().html
    (image,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert (image["Content-ID"], image.get_content_disposition()) == ("<spend>", "inline")
    assert image.get_content() == png()
    assert [part.get_filename() for part in mail.iter_attachments()] == ["weekly.pdf", "weekly.xlsx"]
    assert [part.get_content() for part in mail.iter_attachments()] == [b"\x00\x01" * 200] * 2


def test_headers() -> None:
    mail = arrived(letter())
    assert mail["Subject"] == message().subject
    assert mail["From"] == "Acme weekly <reports@example.com>"
    assert [one.addr_spec for one in mail["To"].addresses] == ["ann@example.com", "bob@example.com"]
    assert mail["Reply-To"] == "owner@example.com"
    assert mail["Date"].datetime == NOW
    assert mail["List-Id"] == "<weekly.client-1.reports.example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Bcc"] is None
    assert arrived(letter(envelope=replace(ENVELOPE, reply_to=None)))["Reply-To"] is None


def test_nothing_on_the_line_is_long_or_has_eight_bits() -> None:
    """In subject and name, too: not every server takes SMTPUTF8 or 8BITMIME."""
    data = letter(title="Wöchentlich für Kōbō & Söhne, " + "sehr " * 14 + "!").mail.as_bytes(policy=policy.SMTP)
    assert data.isascii()
    assert max(map(len, data.split(b"\r\n"))) <= 998


def test_the_id_belongs_to_the_period() -> None:
    assert letter().message_id == ID
    same = message_id("client-1", "weekly", "2026-11-09", "2026-11-15", "reports@example.com")
    others = [
        message_id("client-2", "weekly", "2026-11-09", "2026-11-15", "reports@example.com"),
        message_id("client-1", "weekl", "2026-11-09", "2026-11-15", "reports@example.com"),
        message_id("client-1", "weekly", "2026-11-02", "2026-11-15", "reports@example.com"),
        message_id("client-1", "weekly", "2026-11-09", "2026-11-16", "reports@example.com"),
        message_id("client-1", "weekly", "2026-11-09", "2026-11-15", "reports@example.com", copy=1),
    ]
    assert same == ID
    assert len({ID, *others}) == 6
    assert ID.endswith("@example.com>")


def test_the_digest_is_of_what_is_handed_over() -> None:
    assert letter().digest != letter(message(text="other\n")).digest
    assert len(letter().digest) == 64


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "too large"), ("de", "zu groß"), ("fr", "trop volumineux"), ("es", "demasiado grande"), ("ja", "添付")],
)
def test_the_largest_attachments_are_left_out_with_a_sentence(language: str, words: str) -> None:
    files = (
        File("small.csv", "text/csv", b"a" * 1000),
        File("huge <b>.xlsx", "application/xlsx", b"b" * 300_000),
        File("large.pdf", "application/pdf", b"c" * 200_000),
    )
    sent = letter(message(files=files), replace(ENVELOPE, most_bytes=250_000), language=language)
    assert sent.left_out == ("huge <b>.xlsx", "large.pdf")
    assert len(sent.mail.as_bytes(policy=policy.SMTP)) <= 250_000
    mail = arrived(sent)
    assert [part.get_filename() for part in mail.iter_attachments()] == ["small.csv"]
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert words in text.get_content()
    assert "huge <b>.xlsx, large.pdf" in text.get_content()
    assert "huge &lt;b&gt;.xlsx" in html.get_content()
    assert html.get_content().strip().endswith("</body></html>")


def test_a_message_without_attachments_is_sent_whatever_its_size() -> None:
    sent = letter(message(files=()), replace(ENVELOPE, most_bytes=10))
    assert sent.left_out == ()
    assert arrived(sent)["Subject"] == message().subject


@settings(deadline=None)
@given(st.text(max_size=80), st.text(max_size=40))
def test_no_name_makes_a_header(subject: str, title: str) -> None:
    """Whatever a campaign or client is called."""
    named = f"x{title}"[:40]
    owner = client()
    report = owner.reports[0].model_copy(update={"title": named + "\r\nBcc: eve@example.com"})
    sent = compose(owner, report, message(subject=subject + "\r\nBcc: eve@example.com"), ENVELOPE)
    mail = arrived(sent)
    assert mail["Bcc"] is None
    assert [one.addr_spec for one in mail["To"].addresses] == list(ENVELOPE.recipients)
    assert mail["From"].addresses[0].addr_spec == "reports@example.com"
    assert len(mail.get_all("Subject") or []) == 1


def test_a_file_of_any_name_arrives() -> None:
    files = (File("Übersicht 広告.pdf", "application/pdf", b"x"), File("no type", "", b"y"))
    mail = arrived(letter(message(files=files)))
    assert [part.get_filename() for part in mail.iter_attachments()] == ["Übersicht 広告.pdf", "no type"]
