"""Database URLs: reading them, and keeping their passwords out of every message.

What belongs here: parsing and redaction. What does not: connecting.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote, urlencode

from warehouse.errors import InvalidUrl

_SHAPE = "postgresql://user:password@host:5432/database or postgresql://user@/database?host=/socket/directory"
_SCHEME = re.compile(r"(postgres(?:ql)?)(?:\+\w+)?://")
_SECRET_PARAMETERS = {"password", "sslpassword", "passfile", "oauth_client_secret"}


@dataclass(frozen=True, repr=False)
class DatabaseUrl:
    """The parts of a PostgreSQL URL.

    Attributes:
        user: Role, or None for the operating system's user name.
        password: Decoded password, or None.
        host: Host name, address or socket directory; None for libpq's default.
        port: Port, or None for 5432.
        database: Database name, or None for the role's name.
        options: Further libpq parameters, e.g. `sslmode`.
    """

    user: str | None
    password: str | None
    host: str | None
    port: int | None
    database: str | None
    options: dict[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, url: str) -> DatabaseUrl:
        """Reads a URL.

        Raises:
            InvalidUrl: It is no PostgreSQL URL, or its password holds a character that must be percent-encoded.
                The message quotes nothing of it.
        """
        scheme = _SCHEME.match(url)
        if scheme is None:
            raise InvalidUrl(f"The warehouse URL must look like {_SHAPE}.")
        rest, _, query = url[scheme.end() :].partition("?")
        authority, _, path = rest.partition("/")
        # Reason: an unencoded @ or / in a password would make part of the password look like the host or the
        # database, and then surface in libpq's messages.
        if authority.count("@") > 1 or "@" in path or "#" in rest:
            raise InvalidUrl(
                "The warehouse URL holds a reserved character in its user or password; "
                "write @ as %40, / as %2F, : as %3A, ? as %3F, # as %23."
            )
        credentials, at, location = authority.rpartition("@")
        if not at:
            credentials, location = "", authority
        user, colon, password = credentials.partition(":")
        host, port = _split_location(location)
        options = _parameters(query)
        return cls(
            user=options.pop("user", None) or unquote(user) or None,
            password=options.pop("password", None) or (unquote(password) if colon and password else None),
            host=options.pop("host", None) or unquote(host) or None,
            port=_port(options.pop("port", None) or port),
            database=options.pop("dbname", None) or unquote(path) or None,
            options=options,
        )

    def with_database(self, database: str) -> DatabaseUrl:
        """The same server, another database."""
        return DatabaseUrl(self.user, self.password, self.host, self.port, database, dict(self.options))

    def libpq(self) -> dict[str, str]:
        """Keyword parameters for `psycopg.connect`, the password among them."""
        parts = {
            "user": self.user,
            "password": self.password,
            "host": self.host,
            "port": None if self.port is None else str(self.port),
            "dbname": self.database,
        }
        return {**{key: value for key, value in parts.items() if value}, **self.options}

    def render(self, *, reveal: bool = False) -> str:
        """The URL as text, without its secrets (wherever they appear) unless `reveal`."""
        text = self._render(reveal=reveal)
        return text if reveal else self.redact(text)

    def _render(self, *, reveal: bool) -> str:
        options = {
            key: value if reveal or key not in _SECRET_PARAMETERS else "***" for key, value in self.options.items()
        }
        authority = quote(self.user, safe="") if self.user else ""
        if self.password is not None:
            authority += ":" + (quote(self.password, safe="") if reveal else "***")
        if authority:
            authority += "@"
        if self.host and ("/" in self.host or self.host.startswith("@")):
            options = {"host": self.host, **options}
            if self.port is not None:
                options["port"] = str(self.port)
        elif self.host:
            authority += f"[{self.host}]" if ":" in self.host else self.host
            if self.port is not None:
                authority += f":{self.port}"
        query = "?" + urlencode(options, safe="/*", quote_via=quote) if options else ""
        return f"postgresql://{authority}/{quote(self.database or '', safe='')}{query}"

    def redact(self, message: str) -> str:
        """The message with every appearance of a secret of this URL replaced by `***`."""
        secrets = [self.password, *(value for key, value in self.options.items() if key in _SECRET_PARAMETERS)]
        forms = {form for secret in secrets if secret for form in (secret, quote(secret, safe=""))}
        for form in sorted(forms, key=len, reverse=True):
            message = message.replace(form, "***")
        return message

    def __repr__(self) -> str:
        return f"DatabaseUrl({self.render()!r})"

    __str__ = __repr__


def _parameters(query: str) -> dict[str, str]:
    # Reason: libpq takes + literally, where the web's decoding makes a space of it.
    pairs = (part.partition("=") for part in query.split("&") if part)
    return {unquote(key): unquote(value) for key, _, value in pairs}


def _split_location(location: str) -> tuple[str, str]:
    if location.startswith("["):
        host, _, port = location[1:].partition("]")
        return host, port.removeprefix(":")
    host, _, port = location.partition(":")
    return host, port


def _port(text: str | None) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        # Reason: not quoted, because "host:pass" mistakes put the password where the port is expected.
        raise InvalidUrl(f"The port in the warehouse URL is not a number from 1 to 65535; expected {_SHAPE}.")
    return int(text)
