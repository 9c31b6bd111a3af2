"""Python values as statement parameters.

What belongs here: JSON, and text of any origin. What does not: statements.
"""

from __future__ import annotations

from typing import Any

import orjson
from psycopg.types.json import Jsonb

from warehouse.values import replace_unstorable


def jsonb(value: Any) -> Jsonb:
    """Any JSON-like value as a jsonb parameter; characters that jsonb cannot hold become U+FFFD."""
    return Jsonb(value, dumps=_dumps)


def storable(text: str) -> str:
    """A text without what PostgreSQL cannot hold: NUL becomes U+FFFD, halves of surrogate pairs `?`."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()


def _dumps(value: Any) -> bytes:
    return replace_unstorable(orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS, default=str))
