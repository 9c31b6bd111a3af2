"""Takes secrets out of text.

What belongs here: registered secrets in every spelling, and shapes that are secret whatever their value.
What does not: logging (`orchestration.logs`), which is only one of the places that print.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

MARK = "***"  # Reason: redacting twice must change nothing, so no shape below may stop inside it.
SHORTEST = 4
"""Shorter secrets are not searched for: they would blot out ordinary text. Their shapes are still caught."""

_NAMES = (
    r"(?:access_token|appsecret_proof|app_secret|client_secret|fb_exchange_token|input_token|verify_token|META_ACCESS_TOKEN"
    r"|META_APP_SECRET|passw(?:or)?d|PGPASSWORD)"
)
# Reason: requests' own errors quote the whole URL, and the SDK puts token and proof into every URL, POST included.
_SHAPES = (
    # `access_token=x`, `access_token%3Dx`, `"access_token": "x"`, `{'access_token': 'x'}`
    re.compile(rf"({_NAMES}(?:\\*[\"'])?\s*(?:=|%3D|%253D|:)\s*)((?:\\*[\"'])?)[^\s&\"'\\,;)}}\]>]+", re.IGNORECASE),
    re.compile(r"(authorization(?:\\*[\"'])?\s*[:=]\s*)((?:\\*[\"'])?)(?:[a-z]+\s+)?[^\s\"'\\,;)}\]]+", re.IGNORECASE),
    re.compile(r"(\bbearer\s+)()[A-Za-z0-9._~+/|=-]{8,}", re.IGNORECASE),
    # The password of a URL: everything up to the last @ before the path.
    re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s:/@]*:)()[^\s/\"']+(?=@)", re.IGNORECASE),
    # A Meta token wherever it stands.
    re.compile(r"()()\bEAA[A-Za-z0-9]{20,}"),
)


class Redactor:
    """Replaces secrets by a mark. Safe to use from several threads."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: frozenset[str] = frozenset()
        self._known: re.Pattern[str] | None = None
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Makes secrets known, in the spellings that URLs, JSON and `repr` give them."""
        long_enough = {secret for secret in secrets if len(secret) >= SHORTEST}
        if long_enough <= self._secrets:
            return
        self._secrets |= long_enough
        spellings = {form for secret in self._secrets for form in _spellings(secret) if len(form) >= SHORTEST}
        # Reason: longest first, or a secret that begins with another would leave its tail behind.
        ordered = sorted(spellings, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, ordered))) if ordered else None

    def redact(self, text: str) -> str:
        """The text without any known secret, nor anything that looks like one."""
        known = self._known
        if known:
            text = known.sub(MARK, text)
        for shape in _SHAPES:
            text = shape.sub(rf"\1\2{MARK}", text)
        return text


def _spellings(secret: str) -> set[str]:
    plain = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), quote(quote(secret, safe=""))}
    plain |= {form.replace("%", "%25") for form in plain if "%" in form}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), form) for form in plain}
    quoted = {form(text)[1:-1] for text in plain for form in (repr, json.dumps)}
    return plain | lower | quoted | {json.dumps(secret, ensure_ascii=False)[1:-1]}


redactor = Redactor()
"""The process's own; `orchestration.logs.configure_logging` tells it the settings' secrets."""
