"""Sends one e-mail over SMTP, and says for certain whether it went out.

What belongs here: the conversation with the server, and typed errors of it. What does not: what is written
(`orchestration.alerts.render`), when (`orchestration.alerts.dispatch`).

    MailError                  nothing was delivered, unless the type says otherwise
    ├── MailUnavailable        the server cannot be reached, or asks to come again later: try again
    ├── MailRefused            the server will not have it: somebody must change something
    │   └── LoginRefused       user and password, or that there are any
    └── MailUnsure             the whole message was sent and the answer is missing: it may have been delivered

Sending again after `MailUnavailable` and `MailRefused` can make no duplicate: a server keeps nothing of a message
before its final dot (RFC 5321, 4.1.1.4). After `MailUnsure` it can.
"""

from __future__ import annotations

import re
import smtplib
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from typing import Literal

Tls = Literal["starttls", "implicit", "none"]
PORTS: Mapping[Tls, int] = {"starttls": 587, "implicit": 465, "none": 25}

_CHECK = "check SMTP_HOST, SMTP_PORT and SMTP_TLS"
_LINES = re.compile(rb"\r\n|\r|\n")


class MailError(Exception):
    """A message did not go out as it should.

    Attributes:
        message: What happened, without a secret in it.
        mend: What to do about it.
    """

    mend = "look at the mail server's log"

    def __init__(self, message: str, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend or self.mend


class MailUnavailable(MailError):
    """Nothing was delivered, and a later attempt may be."""

    mend = "it is tried again by itself; if it lasts, look at the mail server"


class MailRefused(MailError):
    """Nothing was delivered, and no later attempt will be until somebody changes something."""


class LoginRefused(MailRefused):
    """The server does not let this user in."""

    mend = "check SMTP_USER and SMTP_PASSWORD"


class MailUnsure(MailError):
    """The server had the whole message and did not answer: it may have been delivered.

    Attributes:
        hung_up: The connection broke, which makes it unlikely; otherwise the server was silent for too long.
    """

    mend = "look whether it arrived before sending it again"

    def __init__(self, message: str, *, hung_up: bool) -> None:
        super().__init__(message)
        self.hung_up = hung_up


@dataclass(frozen=True)
class SmtpServer:
    """Where mail is handed over.

    Attributes:
        host: Name or address.
        port: TCP port.
        tls: `starttls` and `implicit` encrypt, and check the server's certificate; `none` does neither.
        user: To log in with; None for a server that asks for none.
        password: Belongs to it.
        timeout_seconds: How long the server may take for each answer.
        verdict_seconds: How long it may take for the last one, in which it may look for viruses and spam.
    """

    host: str
    port: int
    tls: Tls = "starttls"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout_seconds: float = 15.0
    verdict_seconds: float = 30.0

    @property
    def where(self) -> str:
        """For messages."""
        return f"{self.host}:{self.port}"


def send(server: SmtpServer, message: EmailMessage, recipients: Sequence[str]) -> dict[str, str]:
    """Hands one message over, once.

    Args:
        server: To whom.
        message: Complete; its `From` is the sender.
        recipients: Plain addresses, ASCII.

    Returns:
        The recipients that the server refused while it took the message for the others, each with its reason; empty
        when everybody gets it.

    Raises:
        MailUnavailable: Not delivered to anybody; try again later.
        MailRefused: Not delivered to anybody, and it will not be.
        MailUnsure: Perhaps delivered.
    """
    data = _as_data(message)
    with _conversation(server) as smtp:
        refused = _envelope(server, smtp, message, recipients, len(data))
        _hand_over(server, smtp, data)
    return refused


@contextmanager
def _conversation(server: SmtpServer) -> Iterator[smtplib.SMTP]:
    """A connection that is encrypted and logged in; every error within it that is no `MailError` becomes one."""
    smtp: smtplib.SMTP | None = None
    try:
        smtp = _connect(server)
        yield smtp
    except MailError:
        raise
    except ssl.SSLCertVerificationError as error:
        raise MailRefused(
            f"The certificate of {server.where} is not trusted: {error.verify_message}.",
            "have SMTP_HOST name the server as its certificate does; for a CA of your own set SSL_CERT_FILE",
        ) from None
    except ssl.SSLError as error:
        raise MailRefused(f"{server.where} speaks no TLS there: {error.reason}.", _CHECK) from None
    except TimeoutError:
        raise MailUnavailable(f"{server.where} did not answer within {server.timeout_seconds:g} s.", _CHECK) from None
    except smtplib.SMTPServerDisconnected as error:
        # Reason: smtplib tells a silent server like one that hung up, but for the words.
        did = "did not answer in time" if "timed out" in str(error) else "closed the connection"
        raise MailUnavailable(f"{server.where} {did}.") from None
    except smtplib.SMTPResponseException as error:
        raise _refusal(server, "the conversation", error.smtp_code, error.smtp_error) from None
    except (smtplib.SMTPException, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise MailUnavailable(f"{server.where} cannot be reached: {reason}.", _CHECK) from None
    finally:
        if smtp is not None:
            # Reason: the message is delivered or not by now, whatever becomes of the goodbye.
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
            smtp.close()


def _connect(server: SmtpServer) -> smtplib.SMTP:
    timeout = server.timeout_seconds
    if server.tls == "implicit":
        context = ssl.create_default_context()
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=context)
    else:
        smtp = smtplib.SMTP(server.host, server.port, timeout=timeout)
    try:
        smtp.ehlo_or_helo_if_needed()
        if server.tls == "starttls":
            _encrypt(server, smtp)
        if server.user:
            _log_in(server, smtp)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _encrypt(server: SmtpServer, smtp: smtplib.SMTP) -> None:
    if not smtp.has_extn("starttls"):
        raise MailRefused(f"{server.where} offers no encryption (STARTTLS).", "set SMTP_TLS to what it offers")
    smtp.starttls(context=ssl.create_default_context())
    smtp.ehlo()


def _log_in(server: SmtpServer, smtp: smtplib.SMTP) -> None:
    try:
        smtp.login(server.user or "", server.password or "")
    except smtplib.SMTPAuthenticationError as error:
        if 400 <= error.smtp_code < 500:
            raise MailUnavailable(f"{server.where} cannot check the login now ({error.smtp_code}).") from None
        # Reason: some servers quote in their answer what they were sent.
        raise LoginRefused(f"{server.where} refuses the login of {server.user} ({error.smtp_code}).") from None
    except smtplib.SMTPNotSupportedError:
        raise LoginRefused(
            f"{server.where} offers no login.", "leave SMTP_USER and SMTP_PASSWORD empty, or check SMTP_TLS"
        ) from None


def _envelope(
    server: SmtpServer, smtp: smtplib.SMTP, message: EmailMessage, recipients: Sequence[str], size: int
) -> dict[str, str]:
    """Names sender and recipients; returns those that were refused."""
    sender = message["From"].addresses[0].addr_spec
    options = [f"size={size}"] if smtp.has_extn("size") else []
    code, reply = smtp.mail(sender, options)
    if code != 250:
        raise _refusal(server, f"mail from {sender}", code, reply)
    refused: dict[str, tuple[int, bytes]] = {}
    for recipient in recipients:
        code, reply = smtp.rcpt(recipient)
        if code not in (250, 251):
            refused[recipient] = (code, reply)
    if len(refused) == len(recipients):
        # Reason: one that may come later is worth another attempt, whatever was said of the others.
        code, reply = min(refused.values(), key=lambda one: not 400 <= one[0] < 500)
        raise _refusal(server, f"mail to {', '.join(recipients)}", code, reply)
    return {recipient: f"{code} {_text(reply)}" for recipient, (code, reply) in refused.items()}


def _hand_over(server: SmtpServer, smtp: smtplib.SMTP, data: bytes) -> None:
    """Sends the message itself. Only from its last byte on is there any doubt about it."""
    code, reply = smtp.docmd("DATA")
    if code != 354:
        raise _refusal(server, "the message", code, reply)
    smtp.send(data)
    try:
        if smtp.sock:
            smtp.sock.settimeout(server.verdict_seconds)
        code, reply = smtp.getreply()
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        raise MailUnsure(
            f"{server.where} took the message and did not say what became of it.", hung_up="timed out" not in str(error)
        ) from None
    if code != 250:
        raise _refusal(server, "the message", code, reply)


def _refusal(server: SmtpServer, what: str, code: int, reply: bytes | str) -> MailError:
    text = f"{server.where} refuses {what}: {code} {_text(reply)}"
    if 400 <= code < 500:
        return MailUnavailable(text)
    if code == 530:
        return LoginRefused(text, "set SMTP_USER and SMTP_PASSWORD, and SMTP_TLS to what the server asks for")
    return MailRefused(text, "check the addresses, and that the mail server relays for this machine or user")


def _text(reply: bytes | str) -> str:
    text = reply.decode("utf-8", errors="replace") if isinstance(reply, bytes) else reply
    return " ".join(text.split())


def _as_data(message: EmailMessage) -> bytes:
    """The message as it goes over the line: CRLF, leading dots doubled, the final dot (RFC 5321, 4.5.2)."""
    lines = _LINES.split(message.as_bytes(policy=SMTP_POLICY).rstrip(b"\r\n"))
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines) + b"\r\n.\r\n"
