"""Mail over real SMTP: what goes out, and what is said when it does not."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from orchestration.mail import LoginRefused, MailRefused, MailUnavailable, MailUnsure, SmtpServer, send
from tests.receivers import PASSWORD, USER, Certificates, Mailbox, mail_server, make_certificates

pytestmark = pytest.mark.integration

TO = ("ann@example.com", "bob@example.com")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def trusted(certificates: Certificates, monkeypatch: pytest.MonkeyPatch) -> Certificates:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.ca_file))
    return certificates


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mail_server() as opened:
        yield opened


def plain(box: Mailbox, **changes: object) -> SmtpServer:
    return replace(SmtpServer("localhost", box.port, "none", timeout_seconds=5), **changes)


def letter(text: str = "Hello.\n") -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = "Übersicht"
    mail["From"] = "Reports <reports@example.com>"
    mail["To"] = ", ".join(TO)
    mail.set_content(text)
    return mail


def test_a_message_arrives_as_it_was_written(box: Mailbox) -> None:
    text = ".\n..two dots\nünïcode 日本\n\n.end\n" + "x" * 2000 + "\n"
    assert send(plain(box), letter(text), TO) == {}
    (found,) = box.received
    assert found["Subject"] == "Übersicht"
    assert found.get_content().replace("\r\n", "\n") == text
    assert (box.envelopes[0].mail_from, tuple(box.envelopes[0].rcpt_tos)) == ("reports@example.com", TO)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_encrypted_and_logged_in(tls: str, trusted: Certificates) -> None:
    with mail_server(tls, trusted, login=True) as box:
        server = SmtpServer("localhost", box.port, tls, USER, PASSWORD, 5)
        assert send(server, letter(), TO) == {}
        assert (len(box.received), box.users) == (1, [USER])
        with pytest.raises(LoginRefused) as caught:
            send(replace(server, password="wrong-password"), letter(), TO)
        assert "SMTP_PASSWORD" in caught.value.mend
        assert "wrong-password" not in str(caught.value) + repr(server)
        assert PASSWORD not in repr(server)
        with pytest.raises(LoginRefused):
            send(replace(server, user=None, password=None), letter(), TO)
    assert len(box.received) == 1


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_a_certificate_that_nobody_vouches_for_is_refused(tls: str, certificates: Certificates) -> None:
    with mail_server(tls, certificates) as box, pytest.raises(MailRefused, match="not trusted"):
        send(SmtpServer("localhost", box.port, tls, timeout_seconds=5), letter(), TO)
    assert box.received == []


def test_a_certificate_of_another_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = make_certificates(tmp_path, "mail.example.com")
    monkeypatch.setenv("SSL_CERT_FILE", str(other.ca_file))
    with mail_server("implicit", other) as box, pytest.raises(MailRefused, match="not trusted") as caught:
        send(SmtpServer("localhost", box.port, "implicit", timeout_seconds=5), letter(), TO)
    assert "SMTP_HOST" in caught.value.mend


def test_tls_where_there_is_none(box: Mailbox) -> None:
    with pytest.raises(MailRefused, match="STARTTLS"):
        send(plain(box, tls="starttls"), letter(), TO)
    with pytest.raises(MailRefused, match="no TLS"):
        send(plain(box, tls="implicit"), letter(), TO)
    with pytest.raises(LoginRefused, match="no login"):
        send(plain(box, user=USER, password=PASSWORD), letter(), TO)
    assert box.received == []


def test_some_recipients_are_refused_and_the_others_get_it_once(box: Mailbox) -> None:
    box.refuse = {TO[0]: "550 no such user"}
    assert send(plain(box), letter(), TO) == {TO[0]: "550 no such user"}
    assert [envelope.rcpt_tos for envelope in box.envelopes] == [[TO[1]]]


@pytest.mark.parametrize(
    ("replies", "error"),
    [
        (("550 no such user", "551 not here"), MailRefused),
        (("450 greylisted", "550 no such user"), MailUnavailable),
    ],
)
def test_all_recipients_are_refused(box: Mailbox, replies: tuple[str, str], error: type[Exception]) -> None:
    box.refuse = dict(zip(TO, replies, strict=True))
    with pytest.raises(error, match=replies[0]):
        send(plain(box), letter(), TO)
    assert box.received == []


@pytest.mark.parametrize(("verdict", "error"), [("554 spam", MailRefused), ("451 try later", MailUnavailable)])
def test_the_message_is_refused(box: Mailbox, verdict: str, error: type[Exception]) -> None:
    box.verdict = verdict
    with pytest.raises(error, match=verdict):
        send(plain(box), letter(), TO)


@pytest.mark.parametrize("where", ["mail", "data"])
def test_a_server_that_hangs_up_before_the_end_has_delivered_nothing(box: Mailbox, where: str) -> None:
    box.hang_up, box.hang_up_times = where, 1
    with pytest.raises(MailUnavailable):
        send(plain(box), letter(), TO)
    assert send(plain(box), letter(), TO) == {}
    assert len(box.received) == 1


def test_a_server_that_hangs_up_after_the_end_may_have_delivered(box: Mailbox) -> None:
    box.hang_up = "end"
    with pytest.raises(MailUnsure) as caught:
        send(plain(box), letter(), TO)
    assert caught.value.hung_up


def test_a_server_that_never_says_what_became_of_it(box: Mailbox) -> None:
    box.silent_seconds = 3
    with pytest.raises(MailUnsure) as caught:
        send(plain(box, verdict_seconds=0.5), letter(), TO)
    assert not caught.value.hung_up


def test_nobody_listens_or_nobody_answers() -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        port = mute.getsockname()[1]
        with pytest.raises(MailUnavailable, match="cannot be reached"):
            send(SmtpServer("127.0.0.1", port, "none", timeout_seconds=1), letter(), TO)
        mute.listen()
        with pytest.raises(MailUnavailable, match="did not answer"):
            send(SmtpServer("127.0.0.1", port, "none", timeout_seconds=1), letter(), TO)
    with pytest.raises(MailUnavailable, match="cannot be reached") as caught:
        send(SmtpServer("no-such-host.invalid", 25, "none", timeout_seconds=1), letter(), TO)
    assert "SMTP_HOST" in caught.value.mend


def test_a_server_that_speaks_something_else() -> None:
    """A web server, say, because the port is wrong."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def answer() -> None:
            peer, _ = listening.accept()
            with peer:
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises((MailUnavailable, MailRefused)):
            send(SmtpServer("127.0.0.1", listening.getsockname()[1], "none", timeout_seconds=2), letter(), TO)
        thread.join()
