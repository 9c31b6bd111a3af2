"""Passwords: hashing, and the complexity that an instance asks for."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string

_RULES = {
    "weak": {"total": 6},
    "normal": {"total": 6, "digit": 1},
    "strong": {"total": 8, "lower": 2, "upper": 2, "digit": 1, "special": 1},
}
_COMMON = frozenset({"password1", "passw0rd", "123456", "12345678", "qwerty123", "abc123", "letmein1", "welcome1"})
"""A few of the passwords that Metabase refuses for being common; it has a long list."""
COMPLEXITY_MESSAGE = "password is too common."


def complex_enough(password: str, complexity: str) -> bool:
    """Whether a password has the characters that the complexity asks for, and is not a common one."""
    counts = {
        "total": len(password),
        "digit": sum(c.isdigit() for c in password),
        "lower": sum(c in string.ascii_lowercase for c in password),
        "upper": sum(c in string.ascii_uppercase for c in password),
        "special": sum(not c.isalnum() for c in password),
    }
    enough = all(counts[kind] >= least for kind, least in _RULES[complexity].items())
    return enough and password.lower() not in _COMMON


def hashed(password: str) -> str:
    """A salted hash."""
    salt = secrets.token_hex(8)
    return f"{salt}${_digest(salt, password)}"


def matches(password: str, stored: str | None) -> bool:
    """Whether a password is the one that was hashed."""
    if not stored:
        return False
    salt, _, digest = stored.partition("$")
    return hmac.compare_digest(_digest(salt, password), digest)


def _digest(salt: str, password: str) -> str:
    return hashlib.sha256(f"{salt}{password}".encode()).hexdigest()
