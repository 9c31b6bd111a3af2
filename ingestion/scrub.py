"""Takes secrets out of texts before they can reach a log or an exception.

Only the pattern belongs here. Registering the values of secrets with the log handlers is the caller's work.
"""

from __future__ import annotations

import re

# Reason: the SDK puts token and proof into the query string of every call, POST included, and `requests` puts the
# whole URL into the text of its exceptions; `paging.next` carries the token, too.
_SECRET_PARAMETER = re.compile(
    r"(?i)\b(access_token|input_token|appsecret_proof|client_secret|fb_exchange_token|verify_token)(\"?\s*[=:]\s*\"?)[^&\s\"'<>)]+"
)
_BEARER = re.compile(r"(?i)\b(bearer|oauth)\s+[a-z0-9._|~+/-]{8,}=*")


def scrub(text: str) -> str:
    """Returns `text` with every access token, proof and secret parameter replaced by `***`."""
    return _BEARER.sub(r"\1 ***", _SECRET_PARAMETER.sub(r"\1\2***", text))
