"""Settings of mail and alerts: what an address is, and which settings contradict each other.

What belongs here: checks of values, and the mail server that they name. What does not: the fields themselves
(`orchestration.settings`), sending (`orchestration.mail`).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretStr

from orchestration.mail import PORTS, SmtpServer

if TYPE_CHECKING:
    from orchestration.settings import Settings

# Reason: what mail servers take in practice; names with spaces or quotes are legal, and a typing mistake each time.
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9a-fA-F:]+")

MENDS = {
    "ALERT_EMAIL_TO": "set one address, or several with commas between them, or nothing for no e-mail",
    "ALERT_EMAIL_FROM": "set one plain address, such as alerts@example.com",
    "ALERT_WEBHOOK_URL": "copy the whole address of the incoming webhook, or leave it empty",
    "ALERT_QUIET_MINUTES": "set whole minutes between 5 and 10080, such as 240",
    "REPORT_EMAIL_FROM": "set one plain address, such as reports@example.com, or nothing for the sender of alerts",
    "REPORT_MAX_MEGABYTES": "set whole megabytes between 1 and 100, such as 10",
    "DAGSTER_WEB_URL": "set the address under which people open Dagster, such as https://dagster.example.com",
    "SITE_WEB_URL": "set the address under which clients open the site, such as https://ads.example.com",
    "SMTP_HOST": "set the mail server's name alone, such as smtp.example.com",
    "SMTP_PORT": "set its port: 587 for starttls, 465 for implicit, 25 for none; or nothing for the usual one",
    "SMTP_USER": "set the name to log in with, or nothing",
    "SMTP_PASSWORD": "set the password (of an app, where the provider asks for one), or nothing",
    "SMTP_TLS": "set starttls, implicit or none",
}


def addresses(value: object) -> object:
    """`a@b.c, d@e.f` as a tuple of addresses.

    Raises:
        ValueError: One of them is none.
    """
    if not isinstance(value, str):
        return value
    found = tuple(dict.fromkeys(part.strip() for part in value.split(",") if part.strip()))
    for one in found:
        address(one)
    return found


def address(value: str) -> str:
    """An address.

    Raises:
        ValueError: It is none.
    """
    if not _ADDRESS.fullmatch(value):
        raise ValueError(f"holds {value!r}: no plain e-mail address")
    return value


def host(value: str) -> str:
    """A host's name.

    Raises:
        ValueError: It is none.
    """
    if not _HOST.fullmatch(value):
        raise ValueError(f"is {value!r}: no name of a host")
    return value


def webhook(value: SecretStr) -> SecretStr:
    """The address of a webhook. Messages never quote it: who knows it may post.

    Raises:
        ValueError: It cannot be used.
    """
    url = urlsplit(value.get_secret_value())
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError("cannot be used: it is no http:// or https:// address")
    try:
        _ = url.port
    except ValueError:
        raise ValueError("cannot be used: its port is none") from None
    if url.scheme == "http" and url.hostname.endswith("slack.com"):
        raise ValueError("cannot be used: it would travel unencrypted")
    return value


def web_url(value: str) -> str:
    """The address of a page, without a slash at its end.

    Raises:
        ValueError: It is none.
    """
    url = urlsplit(value)
    if url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment:
        raise ValueError(f"is {value!r}: no http:// or https:// address of a page")
    return value.rstrip("/")


def contradictions(settings: Settings) -> Iterator[tuple[str, str]]:
    """What each setting alone does not tell: message and mend."""
    if settings.alert_email_to and not settings.smtp_host:
        yield "ALERT_EMAIL_TO is set, and SMTP_HOST is not.", "set SMTP_HOST, or leave ALERT_EMAIL_TO empty"
    if settings.alert_email_to and settings.smtp_host and sender(settings) is None:
        yield "ALERT_EMAIL_TO is set, and ALERT_EMAIL_FROM is not.", MENDS["ALERT_EMAIL_FROM"]
    if settings.smtp_password and not settings.smtp_user:
        yield "SMTP_PASSWORD is set, and SMTP_USER is not.", "set both, or neither"
    if settings.smtp_user and not settings.smtp_password:
        yield "SMTP_USER is set, and SMTP_PASSWORD is not.", "set both, or neither"
    if settings.smtp_user and settings.smtp_tls == "none" and not _is_here(settings.smtp_host or ""):
        yield "SMTP_TLS=none would send SMTP_PASSWORD unencrypted.", "set SMTP_TLS=starttls or implicit"


def sender(settings: Settings) -> str | None:
    """Who alerts are from: the address that is set, or the one that logs in, if it is an address."""
    if settings.alert_email_from:
        return settings.alert_email_from
    return settings.smtp_user if settings.smtp_user and _ADDRESS.fullmatch(settings.smtp_user) else None


def report_sender(settings: Settings) -> str | None:
    """Who reports are from: the address that is set for them, else the sender of alerts."""
    return settings.report_email_from or sender(settings)


def smtp_server(settings: Settings) -> SmtpServer | None:
    """The mail server of this installation; None where there is none."""
    if not settings.smtp_host:
        return None
    tls = settings.smtp_tls
    password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
    return SmtpServer(settings.smtp_host, settings.smtp_port or PORTS[tls], tls, settings.smtp_user, password)


def _is_here(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
