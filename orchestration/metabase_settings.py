"""Settings of Metabase: where it is, how to come in, and how it reaches the warehouse.

What belongs here: checks of values and their mends. What does not: the fields themselves (`orchestration.settings`),
what is done with them (`orchestration.metabase`).
"""

from __future__ import annotations

from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import SecretStr

from warehouse.errors import InvalidUrl
from warehouse.isolation import AGENCY_ROLE
from warehouse.urls import DatabaseUrl

SSL_MODES = ("require", "verify-ca", "verify-full")
MENDS = {
    "METABASE_URL": "set the address where Metabase answers, such as https://metabase.example.com",
    "METABASE_API_KEY": "paste a key of the group Administrators on one line, or leave it empty",
    "METABASE_ADMIN_EMAIL": "set the administrator's address, such as admin@example.com",
    "METABASE_ADMIN_PASSWORD": "set the administrator's password, or leave it empty",
    "METABASE_WAREHOUSE_URL": f"set postgresql://{AGENCY_ROLE}@host:5432/database as Metabase's machine reaches it",
    "METABASE_SITE_NAME": "set what Metabase calls itself, such as Ads",
    "METABASE_TIME_ZONE": "set a time zone, such as Europe/Berlin",
}


def base_url(value: str) -> str:
    """The address of Metabase, without a slash at its end.

    Raises:
        ValueError: It is none, or it holds a password.
    """
    url = urlsplit(value)
    if url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment:
        raise ValueError("is no http:// or https:// address")
    if url.username or url.password:
        raise ValueError("holds a name or a password, which are settings of their own")
    _ = url.port  # Raises ValueError when it is no port.
    return value.rstrip("/")


def warehouse_url(value: SecretStr) -> SecretStr:
    """How Metabase reaches the warehouse.

    Raises:
        ValueError: It cannot be read, or leads to a socket, which Metabase does not speak to.
    """
    try:
        url = DatabaseUrl.parse(value.get_secret_value())
    except InvalidUrl as error:  # Its text never quotes the URL, which holds a password.
        raise ValueError(f"cannot be used: {error}") from None
    if not url.host or url.host.startswith(("/", "@")):
        raise ValueError("cannot be used: it names no host, and Metabase speaks to no socket")
    if not url.user or not url.database:
        raise ValueError("cannot be used: it must name a role and a database")
    if not url.password and url.user != AGENCY_ROLE:
        raise ValueError(f"cannot be used: only role {AGENCY_ROLE} gets its password from the platform")
    mode = url.options.get("sslmode")
    if mode is not None and mode not in SSL_MODES:
        raise ValueError(f"cannot be used: sslmode is one of {', '.join(SSL_MODES)}, or left out")
    return value


def time_zone(value: str) -> str:
    """A time zone.

    Raises:
        ValueError: There is none of that name.
    """
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"is {value!r}: no time zone") from None
    return value
