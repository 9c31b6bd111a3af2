"""What schemas and roles of clients are called.

What belongs here: names. What does not: making anything of that name.
"""

from __future__ import annotations

import hashlib
import re

MARTS = "marts"
"""The schema that clients see a part of."""

VIEW_OWNER = "meta_ads_views"
"""Owns the views of all clients, reads the marts, never logs in."""

AGENCY_ROLE = "mb_agency"
"""The login that reads all marts."""

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_RESERVED = {AGENCY_ROLE.removeprefix("mb_")}
_LONGEST = 40


def schema_name(client_id: str) -> str:
    """The schema of a client, e.g. `client_acme_eu` of `acme-eu`."""
    return f"client_{_body(client_id)}"


def role_name(client_id: str) -> str:
    """The login of a client, e.g. `mb_acme_eu` of `acme-eu`."""
    return f"mb_{_body(client_id)}"


def _body(client_id: str) -> str:
    """An id of `clients.yml` with `_` for `-`; of any other text, what can be read of it and a digest."""
    if _SLUG.fullmatch(client_id) and client_id not in _RESERVED:
        return client_id.replace("-", "_")
    # Reason for the digest: "A&B" and "a b" look alike, and two clients must never share a schema.
    readable = re.sub(r"[^a-z0-9]+", "_", client_id.lower()).strip("_")[:_LONGEST]
    digest = hashlib.sha256(client_id.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{readable}_{digest}" if readable else digest
