"""Connections: from the details that Metabase keeps to a real PostgreSQL, and why one cannot be had.

The tests' servers are reached through a socket directory, which is no host name that details could carry; so a host
name stands for a libpq URL (`Options.databases`). Database, user and password always come from the details.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.string import StrDumperVarchar

from tests.metabase.core.errors import server_error
from tests.metabase.options import ANY_HOST, Options

MASK = "**MetabasePass**"
SECRETS = frozenset(
    {
        "password",
        "pass",
        "tunnel-pass",
        "tunnel-private-key",
        "tunnel-private-key-passphrase",
        "ssl-key-value",
        "ssl-key-password-value",
        "access-token",
    }
)
"""The details that are never shown."""
_TIMEOUT_SECONDS = 5
_REQUIRED = ("host", "dbname", "user")


class Unreachable(Exception):
    """The details do not lead to a database.

    Attributes:
        fields: What is wrong, by detail; empty where PostgreSQL's sentence says it all.
    """

    def __init__(self, message: str, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = fields or {}

    def body(self) -> dict[str, Any]:
        """As the body of a 400."""
        return {"message": str(self)} | ({"errors": self.fields} if self.fields else {})


async def connect(options: Options, details: dict[str, Any]) -> psycopg.AsyncConnection[Any]:
    """A connection with these details.

    Raises:
        Unreachable: There is none to be had; the sentence is what Metabase would show.
    """
    for name in _REQUIRED:
        if not details.get(name):
            raise Unreachable(f"Detail {name} is missing.", {name: f"check your {name} settings"})
    if details.get("ssl") and not options.tls:
        raise Unreachable("The server does not support SSL.")
    user = str(details["user"])
    if options.passwords.get(user, details.get("password")) != details.get("password"):
        raise Unreachable(
            "Looks like the username or password is incorrect.",
            {"user": "check your username", "password": "check your password"},
        )
    parameters = _target(options, details) | {
        "dbname": str(details["dbname"]),
        "user": user,
        "password": details.get("password") or None,
        "connect_timeout": _TIMEOUT_SECONDS,
    }
    try:
        connection = await psycopg.AsyncConnection.connect("", autocommit=True, **parameters)
    except psycopg.OperationalError as error:
        raise _explained(error, details) from None
    # Reason: the JDBC driver sends texts as varchar, so that comparing one with a number fails there, and here too.
    connection.adapters.register_dumper(str, StrDumperVarchar)
    return connection


def _target(options: Options, details: dict[str, Any]) -> dict[str, Any]:
    host = str(details["host"])
    url = options.databases.get(host, options.databases.get(ANY_HOST))
    if url is None or host.endswith(".invalid"):
        return {"host": host, "port": int(details.get("port") or 5432), "sslmode": "disable"}
    parameters = dict(conninfo_to_dict(url))
    return {k: v for k, v in parameters.items() if k not in {"user", "password", "dbname"}}


def _explained(error: psycopg.OperationalError, details: dict[str, Any]) -> Unreachable:
    text = str(error).strip()
    if "does not exist" in text and "database" in text:
        return Unreachable(
            "Looks like the Database name is incorrect.", {"dbname": "check your database name settings"}
        )
    if "password" in text or "role" in text:
        return Unreachable(
            "Looks like the username or password is incorrect.",
            {"user": "check your username", "password": "check your password"},
        )
    if "resolve" in text or "translate host" in text:
        return Unreachable(
            "It looks like your Host is invalid. Please double-check it and try again.",
            {"host": "check your host settings"},
        )
    if "refused" in text or "timeout" in text or "No such file" in text:
        place = f"'{details['host']}:{details.get('port') or 5432}'"
        return Unreachable(f"Connection to {place} refused.", {"host": "check your host settings"})
    return Unreachable(text)


def masked(details: dict[str, Any]) -> dict[str, Any]:
    """Details as answers show them."""
    return {name: MASK if name in SECRETS and value else value for name, value in details.items()}


def unmasked(new: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """New details with the masks in them replaced by what is stored."""
    return {name: old.get(name) if value == MASK and name in SECRETS else value for name, value in new.items()}


def check_engine(engine: str) -> None:
    """Refuses what this stand-in does not speak; Metabase speaks more."""
    if engine != "postgres":
        raise server_error(f"the stand-in knows the engine postgres alone, not {engine!r}")
