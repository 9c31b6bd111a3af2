"""No secret gets out: properties of the redactor, and every road through logging."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from orchestration.logs import RedactingFilter, configure_logging, log_context
from orchestration.redaction import MARK, SHORTEST, Redactor, redactor

SECRET = "EAAshh|4711"
secrets = st.text(st.characters(exclude_characters="*", exclude_categories=["Cs"]), min_size=6, max_size=40)
tokens = st.text("abcdefghijkXYZ0123456789_|.-", min_size=8, max_size=60)


@given(st.lists(secrets, min_size=1, max_size=4), st.text(), st.text())
def test_no_registered_secret_is_left_in_any_spelling(hidden: list[str], before: str, after: str) -> None:
    clean = Redactor(hidden)
    for secret in hidden:
        forms = [secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1], repr(secret)[1:-1]]
        for form in forms:
            text = clean.redact(f"{before} {form} {after}")
            assert not any(other in text for other in hidden)
            assert MARK in text


@given(
    tokens, st.sampled_from(["access_token", "appsecret_proof", "client_secret", "fb_exchange_token", "input_token"])
)
def test_secrets_nobody_registered_are_known_by_their_shape(token: str, name: str) -> None:
    clean = Redactor().redact
    texts = [
        f"https://graph.facebook.com/v26.0/me?{urlencode({name: token, 'fields': 'id'})}",
        quote(f"https://graph.facebook.com/v26.0/me?{name}={token}&limit=5", safe=""),
        json.dumps({name: token, "after": "x"}),
        json.dumps(json.dumps({name: token})),
        repr({name: token}),
        f"{name}: {token}",
        f"Authorization: Bearer {token}",
        f"{{'Authorization': 'OAuth {token}'}}",
        f"authorization={token}",
        f"postgresql://reader:{token}@db:5432/ads",
        f"connection failed: password={token} host=db",
        f"GET /webhook?hub.mode=subscribe&hub.verify_token={token}&hub.challenge=1",
    ]
    for text in texts:
        assert token not in clean(text).replace(MARK, "")
    assert "fields=id" in clean(texts[0])
    assert "reader" in clean(texts[9])
    assert "@db:5432/ads" in clean(texts[9])


@given(st.text())
def test_redacting_twice_changes_nothing(text: str) -> None:
    for given_text in (text, f"access_token={text}", f"hub.verify_token={text}&", f"Authorization: {text}"):
        once = Redactor().redact(given_text)
        assert Redactor().redact(once) == once


@pytest.mark.parametrize("text", ["12 rows of act_1 on 2026-11-22", "http://127.0.0.1:8080/v26.0/me", "spend: 12.50"])
def test_ordinary_text_stays(text: str) -> None:
    assert Redactor(["x" * (SHORTEST - 1)]).redact(text) == text


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def _arguments(log: logging.Logger) -> None:
    log.warning("asked %s with %r", SECRET, {"access_token": SECRET})


def _extra(log: logging.Logger) -> None:
    log.warning("asked", extra={"slice": SECRET, "headers": {"a": [SECRET]}, "rows": 3})


def _stack(log: logging.Logger) -> None:
    log.warning("EAAshh|4711", stack_info=True)


def _exception(log: logging.Logger) -> None:
    def fail() -> None:
        try:
            int(SECRET)
        except ValueError as error:
            raise RuntimeError({"proof": SECRET}) from error

    try:
        fail()
    except RuntimeError:
        log.exception("failed")


def _connection_error(log: logging.Logger) -> None:
    try:
        requests.get("http://127.0.0.1:9/v26.0/me", params={"access_token": "EAAnever|registered"}, timeout=1)
    except requests.ConnectionError:
        log.exception("failed")


@pytest.mark.parametrize("style", ["text", "json"])
@pytest.mark.parametrize("write", [_arguments, _extra, _stack, _exception, _connection_error])
def test_no_record_leaks(style: str, write: Callable[[logging.Logger], None], stream: io.StringIO) -> None:
    configure_logging("DEBUG", style, [SECRET], stream)
    with log_context(run=SECRET):
        write(logging.getLogger("some.library"))
    output = stream.getvalue()
    for spelling in (SECRET, quote(SECRET), "EAAnever", quote("EAAnever|registered")):
        assert spelling not in output
    assert MARK in output


def test_other_handlers_get_clean_records_too(stream: io.StringIO) -> None:
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter(Redactor([SECRET])))
    log = logging.getLogger("other.library")
    log.addHandler(handler)
    log.propagate = False
    try:
        _exception(log)
    finally:
        log.removeHandler(handler)
        log.propagate = True
    assert SECRET not in stream.getvalue()
    assert "RuntimeError" in stream.getvalue()


def test_arguments_that_do_not_fit_their_message_are_logged_clean() -> None:
    record = logging.LogRecord("some.library", logging.INFO, "x.py", 1, "asked %d", (SECRET,), None)
    RedactingFilter(Redactor([SECRET])).filter(record)
    assert record.getMessage() == f"asked %d ('{MARK}',)"


def test_json_lines_have_their_fields(stream: io.StringIO) -> None:
    configure_logging("INFO", "json", stream=stream)
    log = logging.getLogger("ingestion.jobs")
    with log_context(run="r1", account=7), log_context(slice="ad_daily 2026-11-01"):
        log.info("read %d rows", 3, extra={"rows": 3})
    log.info("two\nlines")
    log.debug("not written")
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first["run"] == "r1"
    assert first["account"] == "7"
    assert first["slice"] == "ad_daily 2026-11-01"
    assert first["rows"] == 3
    assert first["message"] == "read 3 rows"
    assert first["level"] == "INFO"
    assert first["time"].endswith("Z")
    assert "run" not in second
    assert second["message"] == "two\nlines"


def test_text_lines_are_readable_and_set_up_twice_is_set_up_once(stream: io.StringIO) -> None:
    configure_logging("INFO", "text", stream=io.StringIO())
    configure_logging("INFO", "text", stream=stream)
    with log_context(account="act_1"):
        logging.getLogger("ingestion.jobs").warning("slow")
    assert stream.getvalue().endswith("WARNING ingestion.jobs: slow [account=act_1]\n")
    assert stream.getvalue().count("\n") == 1


@pytest.mark.parametrize(
    "where", ["raise error", "import threading; t = threading.Thread(target=f); t.start(); t.join()"]
)
def test_an_uncaught_exception_is_printed_clean(where: str) -> None:
    program = (
        "from orchestration.logs import configure_logging\n"
        f"configure_logging(secrets=[{SECRET!r}])\n"
        f"error = RuntimeError('https://graph.facebook.com/me?access_token=EAAother1 {SECRET}')\n"
        f"def f(): raise error\n{where}\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=30)
    assert "RuntimeError" in done.stderr
    # The traceback shows the source line; the program's own text is not in a file, so only the message could leak.
    assert "EAA" not in done.stderr


def test_a_secret_that_is_added_later_is_known_from_then_on() -> None:
    fresh = Redactor()
    assert fresh.redact("swordfish") == "swordfish"
    fresh.add("swordfish", "sword")
    assert fresh.redact("swordfish sword") == f"{MARK} {MARK}"
    assert isinstance(redactor, Redactor)
