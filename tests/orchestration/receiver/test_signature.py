"""Signatures over raw bytes and the handshake. Vectors are other people's, or made with other programs."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.receiver.signature import challenge_to_echo, is_signed

SECRET = "0123456789abcdef0123456789abcdef"
# As Meta writes it: non-ASCII, `/`, `<`, `%` and `@` escaped (fact sheet, webhooks).
BODY = (
    rb'{"object":"ad_account","entry":[{"id":"1","changes":[{"value":"M\u00fcsli \u003C50\u0025> a\/b \u0040home"}]}]}'
)
# printf '%s' "$BODY" | openssl dgst -sha256 -hmac $SECRET
BY_OPENSSL = "sha256=96914c424dca19664bba035526f4983a38e3b5cce759880edffca6efa5eca4e1"

# GitHub signs its webhooks in the same form, and publishes this example ("Validating webhook deliveries").
PUBLISHED = (
    "It's a Secret to Everybody",
    b"Hello, World!",
    "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
)


def signed(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_published_and_foreign_signatures_are_believed() -> None:
    secret, body, signature = PUBLISHED
    assert is_signed(body, [signature], secret)
    assert is_signed(BODY, [BY_OPENSSL], SECRET)


def test_openssl_agrees_today() -> None:
    done = subprocess.run(["openssl", "dgst", "-sha256", "-hmac", SECRET], input=BODY, capture_output=True, check=True)
    assert "sha256=" + done.stdout.decode().split()[-1] == BY_OPENSSL


def test_the_bytes_count_and_not_what_they_say() -> None:
    """Parsed and written again it is the same JSON, and not what Meta signed."""
    again = json.dumps(json.loads(BODY), separators=(",", ":"), ensure_ascii=False).encode()
    assert json.loads(again) == json.loads(BODY)
    assert not is_signed(again, [BY_OPENSSL], SECRET)


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_any_other_byte_is_refused(position: int, change: int) -> None:
    other = bytearray(BODY)
    other[position] ^= change
    assert not is_signed(bytes(other), [BY_OPENSSL], SECRET)


@given(st.binary(max_size=200), st.text(min_size=1, max_size=40))
def test_what_is_signed_is_believed_and_with_another_secret_it_is_not(body: bytes, secret: str) -> None:
    assert is_signed(body, [signed(body, secret)], secret)
    assert not is_signed(body, [signed(body, secret)], secret + "x")


@given(st.integers(0, len(BY_OPENSSL) - 1), st.characters())
def test_any_other_signature_is_refused(position: int, character: str) -> None:
    other = BY_OPENSSL[:position] + character + BY_OPENSSL[position + 1 :]
    assert is_signed(BODY, [other], SECRET) == (other == BY_OPENSSL)


@pytest.mark.parametrize(
    "signatures",
    [
        [],
        [""],
        ["sha256="],
        [BY_OPENSSL.removeprefix("sha256=")],
        [BY_OPENSSL.upper()],
        [BY_OPENSSL + "\n"],
        [" " + BY_OPENSSL],
        [BY_OPENSSL[:-1]],
        [BY_OPENSSL, BY_OPENSSL],
        ["sha256=" + "٠" * 64],
        ["sha1=" + hmac.new(SECRET.encode(), BODY, hashlib.sha1).hexdigest()],
        ["sha1=" + hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()],
    ],
)
def test_other_shapes_are_refused(signatures: list[str]) -> None:
    assert not is_signed(BODY, signatures, SECRET)


HANDSHAKE = {"hub.mode": "subscribe", "hub.verify_token": "wörd", "hub.challenge": "1158201444"}


def test_the_handshake_gives_the_challenge_back() -> None:
    assert challenge_to_echo(HANDSHAKE, "wörd") == "1158201444"


@pytest.mark.parametrize(
    "wrong",
    [
        {"hub.mode": "unsubscribe"},
        {"hub.mode": ""},
        {"hub.verify_token": "word"},
        {"hub.verify_token": ""},
        {"hub.challenge": ""},
        {"hub.challenge": "1" * 257},
    ],
)
def test_a_handshake_that_is_wrong_in_one_thing_is_refused(wrong: dict[str, str]) -> None:
    assert challenge_to_echo(HANDSHAKE | wrong, "wörd") is None


@pytest.mark.parametrize("missing", HANDSHAKE)
def test_a_handshake_that_lacks_something_is_refused(missing: str) -> None:
    assert challenge_to_echo({name: value for name, value in HANDSHAKE.items() if name != missing}, "wörd") is None
