"""Real receivers for tests: a mail server and a web server, in threads of their own, which may be told to misbehave."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

USER, PASSWORD = "alerts", "sm3tp-s3cret"


@dataclass
class Certificates:
    """A certificate for `localhost`, and the file of the CA that made it."""

    server: ssl.SSLContext
    ca_file: Path


def make_certificates(folder: Path, host: str = "localhost") -> Certificates:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    return Certificates(context, folder / "ca.pem")


@dataclass
class Mailbox:
    """A mail server's inbox, and what it does with the next message.

    Attributes:
        refuse: Reply by recipient, e.g. `550 no such user`.
        verdict: Reply to the whole message in place of taking it.
        hang_up: Closes the connection: at `mail`, `data` (nothing of the message read) or `end` (all of it read).
        hang_up_times: How often.
    """

    received: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    users: list[str] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    verdict: str | None = None
    hang_up: str | None = None
    hang_up_times: int = 10**6
    silent_seconds: float = 0.0
    port: int = 0

    @property
    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for message in self.received]

    def _hangs_up(self, where: str, server: SMTP) -> bool:
        if self.hang_up != where or self.hang_up_times <= 0:
            return False
        self.hang_up_times -= 1
        server.transport.abort()
        return True

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's names
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if self._hangs_up("mail", server):
            return "421 bye"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: Any
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        if self._hangs_up("data", server):
            return "421 bye"
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self._hangs_up("end", server):
            return "421 bye"
        if self.silent_seconds:
            await asyncio.sleep(self.silent_seconds)
        if self.verdict:
            return self.verdict
        assert isinstance(envelope.content, bytes)
        self.received.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        self.envelopes.append(envelope)
        return "250 OK"

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        name, password = data.login.decode(), data.password.decode()
        self.users.append(name)
        return AuthResult(success=(name, password) == (USER, PASSWORD), handled=False)


@contextmanager
def mail_server(
    tls: str = "none", certificates: Certificates | None = None, *, login: bool = False
) -> Iterator[Mailbox]:
    """A mail server on a free port of this machine; `tls` as in SMTP_TLS."""
    box = Mailbox()
    options: dict[str, Any] = {"hostname": "localhost", "port": 0}
    if tls == "starttls":
        assert certificates is not None
        options |= {"tls_context": certificates.server, "require_starttls": True}
    if tls == "implicit":
        assert certificates is not None
        options["ssl_context"] = certificates.server
    if login:
        options |= {"authenticator": box.authenticate, "auth_required": True, "auth_require_tls": tls == "starttls"}
    controller = _Controller(box, **options)
    controller.start()
    assert controller.server is not None
    box.port = controller.server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        controller.stop()


class _Controller(Controller):
    """On any free port, which the stock controller would ask for under the number 0."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@dataclass
class Hook:
    """A web server that takes posts.

    Attributes:
        answers: Status codes of the next answers; 200 after them. `hang_up` closes the connection without one.
    """

    posts: list[dict[str, Any]] = field(default_factory=list)
    attempts: int = 0
    answers: list[int | str] = field(default_factory=list)
    silent_seconds: float = 0.0
    paths: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def web_hook() -> Iterator[Hook]:
    """A web server on a free port of this machine."""
    hook = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.attempts += 1
            hook.paths.append(self.path)
            if hook.silent_seconds:
                threading.Event().wait(hook.silent_seconds)
            answer = hook.answers.pop(0) if hook.answers else 200
            if answer == "hang_up":
                self.close_connection = True
                return
            assert isinstance(answer, int)
            if answer == 200:
                assert self.headers["Content-Type"].startswith("application/json")
                hook.posts.append(json.loads(body))
            self.send_response(answer)
            if answer == 302:
                self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(b"ok" if answer == 200 else b"no_service")

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    hook.url = f"http://127.0.0.1:{server.server_port}/services/T000/B000/XXXXsecretXXXX"
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
