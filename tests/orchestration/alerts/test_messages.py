"""Words, and the two channels that carry them, over real SMTP and HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.alerts import render
from orchestration.alerts.channels import EmailChannel, LogChannel, WebhookChannel, channels
from orchestration.alerts.model import Account, Alert, Cause, Event, Message, Outcome, sample
from orchestration.alerts.render import Context
from orchestration.mail import SmtpServer
from orchestration.settings import load_settings
from tests.receivers import Hook, Mailbox, mail_server, web_hook

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TO = ("ann@example.com", "bob@example.com")


def message(title: str = "It broke", event: Event = Event.OPENED, count: int = 1, **changes: Any) -> Message:
    values = {"detail": "Here.", "mend": "glue it"} | changes
    found = [
        Alert(n, Cause(f"token_expires:{n}", "account_stale", "error", title, **values), NOW, NOW) for n in range(count)
    ]
    return Message(event, "account_stale", found, NOW, timedelta(hours=4))


class Shown(HTMLParser):
    """The text that a reader sees, and the tags that make it up."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.tags = "", set[str]()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [value or "" for name, value in attrs if name in ("src", "href", "background")]

    def handle_data(self, data: str) -> None:
        self.text += data


anything = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=80)


@given(anything, anything, anything)
def test_whatever_a_name_holds_is_shown_and_never_interpreted(title: str, detail: str, name: str) -> None:
    known = message(title, detail=detail, samples={"s": sample(1, "run-1")})
    context = Context({1: Account(1, name, "")}, "https://dagster.example.com")
    shown = Shown()
    shown.feed(render.html(known, context))
    assert " ".join(title.split()) in shown.text
    assert detail in shown.text
    assert name in shown.text
    assert shown.tags <= {"html", "head", "meta", "title", "body", "table", "tr", "td", "p", "b", "ul", "li", "a", "br"}
    assert shown.loads == ["https://dagster.example.com/runs/run-1"]
    payload = render.slack(known, context)
    for text in [payload["text"], *(b["text"]["text"] for b in payload["blocks"] if b["type"] == "section")]:
        assert set(re.findall(r"<[^>]*>?", text)) <= {"<https://dagster.example.com/runs/run-1|run>"}
    mail = render.email(known, context, "alerts@example.com", TO)
    assert mail["Subject"]
    assert not re.search(r"[\r\n]", str(mail["Subject"]))
    mail.as_bytes()


def test_a_line_break_in_a_name_adds_no_header() -> None:
    mail = render.email(message("a\r\nBcc: evil@example.com"), Context({}), "alerts@example.com", TO)
    assert mail["Bcc"] is None
    assert mail["Subject"] == "[Error] a Bcc: evil@example.com"


def test_the_limits_of_slack_are_kept() -> None:
    long = message(
        "t" * 500, detail="<" * 5000, count=80, samples={str(n): sample(n, text="x" * 500) for n in range(90)}
    )
    payload = render.slack(long, Context({}))
    assert len(payload["blocks"]) <= 50
    for block in payload["blocks"]:
        if block["type"] == "header":
            assert len(block["text"]["text"]) <= 150
        if block["type"] == "section":
            assert len(block["text"]["text"]) <= 3000
            assert not re.search(r"&(?!(amp|lt|gt);)", block["text"]["text"])


@pytest.mark.parametrize(
    ("event", "subject", "says"),
    [
        (Event.OPENED, "[Error] It broke", "No more about it for 4 hours, unless it gets worse or is over."),
        (Event.REMINDER, "[Still: Error] It broke", "Since 2026-11-20 12:00 UTC."),
        (Event.ALL_CLEAR, "[All clear] It broke", "All clear. Nothing is to be done."),
        (Event.EXPIRED, "[Closed] It broke", "nobody knows whether it is mended"),
        (Event.TEST, "[Test] It broke", "meta-ads alerts test"),
    ],
)
def test_each_message_says_what_it_is(event: Event, subject: str, says: str) -> None:
    told = message(event=event)
    assert render.subject(told) == subject
    for text in (render.plain(told, Context({})), render.html(told, Context({}))):
        assert says in text
        assert ("glue it" in text) == (event not in (Event.ALL_CLEAR, Event.EXPIRED))


def test_a_repeated_message_has_the_same_id_and_a_later_one_another() -> None:
    first, again = (render.email(message(), Context({}), "a@example.com", TO) for _ in range(2))
    clear = render.email(message(event=Event.ALL_CLEAR), Context({}), "a@example.com", TO)
    assert first["Message-ID"] == again["Message-ID"] != clear["Message-ID"]
    assert first["References"] == clear["References"]


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as opened:
        yield opened


@pytest.fixture
def hook() -> Iterator[Hook]:
    with web_hook() as opened:
        yield opened


def email(box: Mailbox, **changes: Any) -> EmailChannel:
    values = {"timeout_seconds": 5.0, "verdict_seconds": 0.5} | changes
    return EmailChannel(SmtpServer("localhost", box.port, "none", **values), "alerts@example.com", TO)


def webhook(hook: Hook) -> WebhookChannel:
    return WebhookChannel(hook.url, first_wait_seconds=0.01)


@pytest.mark.integration
def test_mail_that_some_do_not_get_is_delivered_and_says_so(box: Mailbox) -> None:
    box.refuse = {TO[1]: "550 no such user"}
    done = email(box).send(message(), Context({}))
    assert done.outcome is Outcome.DELIVERED
    assert "bob@example.com: 550 no such user" in done.problem
    assert box.received[0].get_content_type() == "multipart/alternative"


@pytest.mark.integration
def test_mail_without_an_answer(box: Mailbox) -> None:
    """A server that hung up is asked again; one that was only slow is not."""
    box.hang_up = "end"
    done = email(box).send(message(), Context({}))
    assert (done.outcome, done.is_down) == (Outcome.FAILED, True)
    box.hang_up, box.silent_seconds = None, 2
    assert email(box).send(message(), Context({})).outcome is Outcome.UNSURE


@pytest.mark.integration
@pytest.mark.parametrize(
    ("answers", "outcome", "attempts"),
    [
        ([], Outcome.DELIVERED, 1),
        ([503, 429], Outcome.DELIVERED, 3),
        ([500, 500, 500], Outcome.FAILED, 3),
        ([404], Outcome.FAILED, 1),
        ([302], Outcome.FAILED, 1),
        (["hang_up"], Outcome.FAILED, 1),  # it may have been read, so not at once again
    ],
)
def test_a_webhook_that_answers_this_and_that(
    hook: Hook, answers: list[int | str], outcome: Outcome, attempts: int
) -> None:
    hook.answers = list(answers)
    done = webhook(hook).send(message(), Context({}))
    assert (done.outcome, hook.attempts) == (outcome, attempts)
    assert len(hook.posts) == (outcome is Outcome.DELIVERED)
    assert set(hook.paths) == {"/services/T000/B000/XXXXsecretXXXX"}
    assert "secret" not in done.problem + done.mend + repr(webhook(hook))
    if outcome is Outcome.FAILED:
        assert done.mend


@pytest.mark.integration
def test_a_webhook_that_never_answers_is_not_posted_to_twice(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.alerts.channels._ANSWER_SECONDS", 0.3)
    hook.silent_seconds = 1
    done = webhook(hook).send(message(), Context({}))
    assert (done.outcome, hook.attempts) == (Outcome.UNSURE, 1)


@pytest.mark.integration
def test_a_webhook_that_nobody_serves() -> None:
    with web_hook() as hook:
        pass
    done = webhook(hook).send(message(), Context({}))
    assert (done.outcome, done.is_down) == (Outcome.FAILED, True)
    assert "cannot be reached" in done.problem


def test_settings_choose_the_channels() -> None:
    assert [type(one) for one in channels(load_settings(None))] == [LogChannel]
    both = load_settings(
        None,
        alert_email_to="a@example.com, b@example.com",
        smtp_host="smtp.example.com",
        smtp_user="me@example.com",
        smtp_password="hush",
        smtp_tls="implicit",
        alert_webhook_url="https://hooks.slack.com/services/T/B/x",
    )
    mail, hook = channels(both)
    assert isinstance(mail, EmailChannel)
    assert (mail.sender, mail.recipients) == ("me@example.com", ("a@example.com", "b@example.com"))
    assert (mail.server.port, mail.server.tls, hook.where) == (465, "implicit", "hooks.slack.com")
