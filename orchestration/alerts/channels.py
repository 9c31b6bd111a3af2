"""Where messages go: e-mail, a webhook, or the log where there is neither.

What belongs here: handing one message over, and what became of it. What does not: its words
(`orchestration.alerts.render`), whether it is due (`orchestration.alerts.policy`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import requests
from tenacity import RetryError, Retrying, retry_if_result, stop_after_attempt, wait_exponential
from urllib3.exceptions import MaxRetryError, NewConnectionError

from orchestration.alerts import render
from orchestration.alerts.model import Cause, Event, Message, Outcome, owner_of
from orchestration.alerts.render import EMAIL, Context
from orchestration.mail import LoginRefused, MailError, MailUnavailable, MailUnsure, SmtpServer, send
from orchestration.mail_settings import report_sender, sender, smtp_server
from orchestration.redaction import redactor
from orchestration.settings import Settings

log = logging.getLogger(__name__)

WEBHOOK = "webhook"
LOG = "log"
_CONNECT_SECONDS, _ANSWER_SECONDS = 5.0, 10.0
_ATTEMPTS, _FIRST_WAIT_SECONDS = 3, 1.0
_PASSING = frozenset({429, 500, 502, 503, 504})
_QUOTED = 200


@dataclass(frozen=True)
class Handover:
    """What became of a message.

    Attributes:
        outcome: Whether it is to be sent again.
        problem: What was wrong, or odd; empty where nothing was.
        mend: What to do about it.
        is_down: Whether other messages would fare no better now.
    """

    outcome: Outcome
    problem: str = ""
    mend: str = ""
    is_down: bool = False


class Channel(Protocol):
    """A way to tell somebody."""

    @property
    def name(self) -> str:
        """Names it in `ops.alert_delivery`."""

    @property
    def where(self) -> str:
        """Where it leads, without a secret."""

    def wants(self, event: Event, cause: Cause) -> bool:
        """Whether such messages about such causes go there at all."""

    def send(self, message: Message, context: Context) -> Handover:
        """Hands one message over. Failures are told, not raised."""


def channels(settings: Settings) -> list[Channel]:
    """The channels of this installation; the log where there is none."""
    found: list[Channel] = []
    server, origin = smtp_server(settings), sender(settings)
    if server and origin and settings.alert_email_to:
        found.append(EmailChannel(server, origin, settings.alert_email_to))
    if settings.alert_webhook_url:
        found.append(WebhookChannel(settings.alert_webhook_url.get_secret_value()))
    return found or [LogChannel()]


def owner_channels(settings: Settings, owners: Iterable[str]) -> list[Channel]:
    """E-mail to each of those who are in charge of something alone; none where no mail can be sent."""
    server, origin = smtp_server(settings), sender(settings) or report_sender(settings)
    if not (server and origin):
        return []
    return [EmailChannel(server, origin, (one,), f"{EMAIL} to {one}", one) for one in sorted(set(owners))]


@dataclass(frozen=True)
class EmailChannel:
    """E-mail to a list of people, one message for all.

    With an owner it gets what that owner alone is in charge of; without, all that nobody is in charge of alone.
    """

    server: SmtpServer
    sender: str
    recipients: tuple[str, ...]
    name: str = EMAIL
    owner: str | None = None

    @property
    def where(self) -> str:
        """The recipients."""
        return ", ".join(self.recipients)

    def wants(self, event: Event, cause: Cause) -> bool:  # noqa: ARG002 - part of the protocol
        """See the class."""
        return owner_of(cause) == self.owner

    def send(self, message: Message, context: Context) -> Handover:
        """See `Channel.send`. A message that reached some is delivered: the others' reasons are the problem."""
        mail = render.email(message, context, self.sender, self.recipients)
        try:
            refused = send(self.server, mail, self.recipients)
        except MailUnsure as problem:
            # Reason: a server that hung up hardly delivered, and a repetition has the same id; a slow one may deliver
            # each of them, once a minute.
            outcome = Outcome.FAILED if problem.hung_up else Outcome.UNSURE
            return Handover(outcome, redactor.redact(problem.message), problem.mend, is_down=True)
        except MailError as problem:
            is_down = isinstance(problem, MailUnavailable | LoginRefused)
            return Handover(Outcome.FAILED, redactor.redact(problem.message), problem.mend, is_down)
        listing = "; ".join(f"{one}: {reason}" for one, reason in refused.items())
        text = f"{self.server.where} refused some: {listing}" if refused else ""
        return Handover(Outcome.DELIVERED, redactor.redact(text), "check ALERT_EMAIL_TO" if refused else "")


@dataclass(frozen=True)
class WebhookChannel:
    """A webhook that takes Slack's format."""

    url: str
    name: str = WEBHOOK
    first_wait_seconds: float = _FIRST_WAIT_SECONDS

    @property
    def where(self) -> str:
        """The host alone: the path is the secret."""
        return urlsplit(self.url).hostname or ""

    def __repr__(self) -> str:
        return f"WebhookChannel({self.where!r})"

    def wants(self, event: Event, cause: Cause) -> bool:  # noqa: ARG002 - part of the protocol
        """Everything."""
        return True

    def send(self, message: Message, context: Context) -> Handover:
        """See `Channel.send`. What certainly was not taken is tried again at once, twice."""
        payload = render.slack(message, context)
        attempts = Retrying(
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_exponential(self.first_wait_seconds, max=5),
            retry=retry_if_result(lambda one: one.outcome is Outcome.FAILED and not one.mend),
        )
        try:
            return attempts(self._post, payload)
        except RetryError as error:
            last: Handover = error.last_attempt.result()
            mend = "it is tried again by itself; if it lasts, look at the webhook"
            return Handover(last.outcome, last.problem, mend, is_down=True)

    def _post(self, payload: dict[str, object]) -> Handover:
        try:
            # Reason: a redirect would turn the post into a get, or carry it to somebody else.
            answer = requests.post(
                self.url, json=payload, timeout=(_CONNECT_SECONDS, _ANSWER_SECONDS), allow_redirects=False
            )
        except requests.ConnectTimeout:
            return Handover(Outcome.FAILED, f"{self.where} did not answer within {_CONNECT_SECONDS:g} s.")
        except requests.ReadTimeout:
            return Handover(
                Outcome.UNSURE,
                f"{self.where} took the message and did not answer within {_ANSWER_SECONDS:g} s.",
                "look whether it arrived",
                is_down=True,
            )
        except requests.exceptions.SSLError:
            return Handover(
                Outcome.FAILED, f"The certificate of {self.where} is not trusted.", "check ALERT_WEBHOOK_URL"
            )
        except requests.ConnectionError as error:
            if _never_connected(error):
                return Handover(Outcome.FAILED, f"{self.where} cannot be reached.")
            mend = "it is tried again by itself; if it lasts, look at the webhook"
            return Handover(Outcome.FAILED, f"{self.where} closed the connection.", mend, is_down=True)
        except requests.RequestException as error:
            return Handover(Outcome.FAILED, f"{self.where}: {type(error).__name__}.", "check ALERT_WEBHOOK_URL")
        return self._judged(answer)

    def _judged(self, answer: requests.Response) -> Handover:
        if answer.ok and not answer.is_redirect:
            return Handover(Outcome.DELIVERED)
        said = redactor.redact(" ".join(answer.text.split())[:_QUOTED])
        text = f"{self.where} answered {answer.status_code}{f': {said}' if said else ''}"
        if answer.status_code in _PASSING:
            return Handover(Outcome.FAILED, text)
        return Handover(Outcome.FAILED, text, "create the webhook anew and set ALERT_WEBHOOK_URL to its whole address")


@dataclass(frozen=True)
class LogChannel:
    """The log, for installations that named nobody: each cause once, no reminders."""

    name: str = LOG

    @property
    def where(self) -> str:
        """For messages."""
        return "the log"

    def wants(self, event: Event, cause: Cause) -> bool:
        """All but reminders, since a log is not read because something is written there, and what an owner is told."""
        return event is not Event.REMINDER and owner_of(cause) is None

    def send(self, message: Message, context: Context) -> Handover:
        """See `Channel.send`."""
        said = redactor.redact(render.plain(message, context).strip())
        log.warning("Nobody is told, since neither ALERT_EMAIL_TO nor ALERT_WEBHOOK_URL is set. %s", said)
        return Handover(Outcome.DELIVERED)


def _never_connected(error: requests.ConnectionError) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
