"""Who is speaking: the signature of a delivery, and the handshake that sets a callback up.

What belongs here: the two checks, as pure functions. What does not: HTTP, storing.
Source: fact sheet, webhooks.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence

SIGNATURE_HEADER = "X-Hub-Signature-256"
_LONGEST_CHALLENGE = 256
_SIGNATURE = re.compile(r"sha256=([0-9a-f]{64})", re.ASCII)


def is_signed(body: bytes, signatures: Sequence[str], app_secret: str) -> bool:
    r"""Whether Meta signed these bytes.

    The bytes are those that came over the wire. Reason: Meta signs JSON with escapes of its own (`\u00e4`, `\/`),
    which parsing and writing again would not give back.

    Args:
        body: Raw, before parsing.
        signatures: Every value of the header `X-Hub-Signature-256`; anything but one well-formed value is refused. The
            older header with SHA-1 is not looked at.
        app_secret: Of the app.
    """
    if len(signatures) != 1:
        return False
    found = _SIGNATURE.fullmatch(signatures[0])
    if found is None:
        return False
    expected = hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(found[1], expected)


def challenge_to_echo(query: Mapping[str, str], verify_token: str) -> str | None:
    """What to answer to the request by which Meta verifies a callback; None if it is to be refused.

    Args:
        query: Parameters of the request: `hub.mode`, `hub.verify_token`, `hub.challenge`.
        verify_token: The one that was chosen when the callback was set up.
    """
    # Reason: compared first and in constant time, so that nothing can be learnt from how long a refusal takes.
    is_known = hmac.compare_digest(query.get("hub.verify_token", "").encode(), verify_token.encode())
    challenge = query.get("hub.challenge", "")
    if not is_known or query.get("hub.mode") != "subscribe" or not 0 < len(challenge) <= _LONGEST_CHALLENGE:
        return None
    return challenge
