"""What we made in a Metabase: numbers by our keys, digests of what was sent and seen (`ops.metabase_object`).

What belongs here: keeping that, and the lock under which one process at a time changes dashboards. What does not:
Metabase (`dashboards.metabase`).

A row is written before its object is made, so that one whose making was cut off is known as well. A secret is never
kept, only a salted digest that tells whether it is still the same.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from psycopg.rows import dict_row

from warehouse.connect import Warehouse
from warehouse.ops.locks import wait_for_lock
from warehouse.sqlvalues import jsonb

_READ = """
    SELECT kind, key, metabase_id, fingerprint, sent, seen, secret_salt, secret_digest
    FROM ops.metabase_object WHERE instance = %s
"""
_KEEP = """
    INSERT INTO ops.metabase_object AS known
        (instance, kind, key, metabase_id, fingerprint, sent, seen, secret_salt, secret_digest)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (instance, kind, key) DO UPDATE SET
        metabase_id = excluded.metabase_id,
        fingerprint = excluded.fingerprint,
        sent = excluded.sent,
        seen = excluded.seen,
        secret_salt = excluded.secret_salt,
        secret_digest = excluded.secret_digest,
        changed_at = clock_timestamp()
"""
_FORGET = "DELETE FROM ops.metabase_object WHERE instance = %s AND kind = %s AND key = %s"


@dataclass(frozen=True)
class ManagedObject:
    """Something that we made, or were about to make.

    Attributes:
        kind: What it is, e.g. `card`.
        key: Ours, unique among its kind.
        metabase_id: Its number; None while it is not known to exist.
        fingerprint: What Metabase tells of it that nobody can change, to notice that the number is another thing's now.
        sent: Digests of what was asked for, by key of the request.
        seen: Digests of what Metabase showed afterwards.
        secret_salt: Of the digest.
        secret_digest: Of the secret that was sent; None if none was, or it is not known to have arrived.
    """

    kind: str
    key: str
    metabase_id: int | None = None
    fingerprint: str | None = None
    sent: Mapping[str, str] = field(default_factory=dict)
    seen: Mapping[str, str] = field(default_factory=dict)
    secret_salt: str | None = None
    secret_digest: str | None = None

    def with_secret(self, secret: str | None) -> ManagedObject:
        """The same, with the digest of a secret; None forgets it."""
        if secret is None:
            return replace(self, secret_salt=None, secret_digest=None)
        salt = secrets.token_hex(16)
        return replace(self, secret_salt=salt, secret_digest=_digest(salt, secret))

    def has_secret(self, secret: str) -> bool:
        """Whether this secret was sent last."""
        if self.secret_salt is None or self.secret_digest is None:
            return False
        return hmac.compare_digest(self.secret_digest, _digest(self.secret_salt, secret))


def _digest(salt: str, secret: str) -> str:
    # Reason for scrypt: whoever reads this table shall not find a weak password by trying many.
    return hashlib.scrypt(secret.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1, dklen=32).hex()


class MetabaseObjects:
    """What we made in one Metabase.

    Args:
        warehouse: Migrated.
        instance: Which Metabase: its address.
    """

    def __init__(self, warehouse: Warehouse, instance: str) -> None:
        self._warehouse = warehouse
        self._instance = instance

    def all(self) -> dict[tuple[str, str], ManagedObject]:
        """Everything, by kind and key."""
        with self._warehouse.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
            rows = cursor.execute(_READ, [self._instance]).fetchall()
        return {(row["kind"], row["key"]): ManagedObject(**row) for row in rows}

    def keep(self, one: ManagedObject) -> None:
        """Writes one over what there is of it."""
        values = (one.metabase_id, one.fingerprint, jsonb(dict(one.sent)), jsonb(dict(one.seen)))
        with self._warehouse.connection() as connection:
            connection.execute(_KEEP, [self._instance, one.kind, one.key, *values, one.secret_salt, one.secret_digest])

    def forget(self, kind: str, key: str) -> None:
        """Drops one."""
        with self._warehouse.connection() as connection:
            connection.execute(_FORGET, [self._instance, kind, key])

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Waits until no other process changes this Metabase, then keeps others waiting."""
        session = wait_for_lock(self._warehouse, f"meta-ads dashboards of {self._instance}")
        try:
            yield
        finally:
            session.close()
