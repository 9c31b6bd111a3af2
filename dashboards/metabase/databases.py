"""A database in Metabase for each space: its connection, its sync, the numbers of its columns.

What belongs here: those. What does not: who may query it (`dashboards.metabase.fences`), making roles
(`warehouse.isolation`).
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from dashboards.errors import MetabaseRefused, MetabaseSyncFailed
from dashboards.metabase import canonical
from dashboards.metabase.client import Metabase
from dashboards.metabase.ledger import Found, Ledger
from dashboards.spaces import Space

KIND = "database"
_FIRST_SCAN_HOUR, _SCAN_HOURS = 1, 5


class Logins(Protocol):
    """Gives a space's role a password in the warehouse."""

    def give(self, space: Space, password: str) -> None:
        """Makes it the password of `space.connection.user`."""


@dataclass(frozen=True)
class Synced:
    """What Metabase knows of a space's schema.

    Attributes:
        fields: Columns by `table.column`, as Metabase describes them.
        tables: Names of tables.
    """

    fields: Mapping[str, Mapping[str, Any]]
    tables: frozenset[str]

    @property
    def numbers(self) -> dict[str, int]:
        """Metabase's numbers by `table.column`."""
        return {name: int(field["id"]) for name, field in self.fields.items()}


def database_body(space: Space, password: str | None) -> dict[str, Any]:
    """What to ask for; without a password where the one that is there stays."""
    connection = space.connection
    details: dict[str, Any] = {
        "host": connection.host,
        "port": connection.port,
        "dbname": connection.database,
        "user": connection.user,
        "schema-filters-type": "inclusion",
        "schema-filters-patterns": space.schema,
        "json-unfolding": False,
        "advanced-options": True,
        # Reason: without it Metabase draws the times of a sync itself, whatever is asked for.
        "let-user-control-scheduling": True,
    }
    if connection.ssl_mode:
        details |= {"ssl": True, "ssl-mode": connection.ssl_mode}
    if connection.root_certificate:
        details |= {"ssl-root-cert-options": "local", "ssl-root-cert-path": connection.root_certificate}
    if password is not None:
        details["password"] = password
    # Reason: spaces read their schemas at different times, so that fifty of them do not do it at once.
    spread = int.from_bytes(hashlib.sha256(space.key.encode()).digest()[:4], "big")
    minute, hour = spread % 60, _FIRST_SCAN_HOUR + spread // 60 % _SCAN_HOURS
    return {
        "name": database_name(space),
        "engine": "postgres",
        "details": details,
        "is_full_sync": True,
        "is_on_demand": False,
        "auto_run_queries": True,
        "schedules": {
            "metadata_sync": {"schedule_type": "hourly", "schedule_minute": minute},
            "cache_field_values": {"schedule_type": "daily", "schedule_minute": minute, "schedule_hour": hour},
        },
    }


def database_name(space: Space) -> str:
    """What people see when they choose where to ask."""
    return f"Meta Ads: {space.title}"


def settle_database(
    metabase: Metabase, ledger: Ledger, space: Space, logins: Logins | None, *, renew_password: bool = False
) -> int | None:
    """Makes or mends the database of a space.

    Args:
        metabase: An administrator's.
        ledger: What is known.
        space: Whose.
        logins: Gives roles their passwords, for connections that name none.
        renew_password: Draw a new one where the connection names none.

    Returns:
        Its number; None where it is not there and this is a plan.

    Raises:
        MetabaseRefused: Metabase cannot connect with these details.
    """
    if renew_password and space.connection.password is None:
        ledger.keep(ledger.of(KIND, space.key).with_secret(None))
    body = database_body(space, None)
    wanted = canonical.database(body, body) | {"password": "known"}
    found = _find(metabase, ledger, space, body)

    def write(present: Found | None) -> Found:
        needs_password = present is None or any(
            present.shows.get(key) != wanted[key] for key in ("details", "password")
        )
        password = _password(ledger, space, logins) if needs_password else None
        asked = database_body(space, password)
        try:
            if present is None:
                answer = metabase.post("database", asked | {"connection_source": "admin"})
            else:
                answer = metabase.put(f"database/{present.metabase_id}", asked)
        except MetabaseRefused as refused:
            mend = f"check host, port, role {space.connection.user} and TLS as Metabase's machine sees them"
            raise MetabaseRefused(f"the connection of space {space.key}", refused.status, refused.said, mend) from None
        if password is not None:
            known = replace(ledger.of(KIND, space.key), metabase_id=int(answer["id"]))
            ledger.keep(known.with_secret(password))
        return _looked_at(metabase, ledger, space, int(answer["id"]), body)

    settled = ledger.settle(KIND, space.key, database_name(space), wanted, found, write)
    return settled.metabase_id if settled else None


def _password(ledger: Ledger, space: Space, logins: Logins | None) -> str | None:
    if space.connection.password is not None:
        return space.connection.password
    if logins is None:
        return None
    drawn = secrets.token_urlsafe(32)
    # Reason: forgotten first, so that a run that is cut off between the two is followed by one that draws again.
    ledger.keep(ledger.of(KIND, space.key).with_secret(None))
    logins.give(space, drawn)
    return drawn


def _looked_at(metabase: Metabase, ledger: Ledger, space: Space, number: int, body: Mapping[str, Any]) -> Found:
    raw = metabase.get(f"database/{number}")
    known = ledger.of(KIND, space.key)
    given = space.connection.password
    is_known = known.secret_digest is not None if given is None else known.has_secret(given)
    shows = canonical.database(raw, body) | {"password": "known" if is_known else "unknown"}
    return Found(number, str(raw.get("created_at")), shows)


def _find(metabase: Metabase, ledger: Ledger, space: Space, body: Mapping[str, Any]) -> Found | None:
    listed = metabase.get("database")
    rows = listed.get("data", []) if isinstance(listed, dict) else listed
    known = ledger.of(KIND, space.key)
    for row in rows:
        if known.metabase_id == row["id"] and known.fingerprint in {None, str(row.get("created_at"))}:
            return _looked_at(metabase, ledger, space, row["id"], body)
    for row in rows:
        if row["name"] != body["name"] or ((KIND, space.key) not in ledger.known and row.get("is_sample")):
            continue
        found = _looked_at(metabase, ledger, space, row["id"], body)
        details = found.shows["details"]
        # Reason: a database by the same name may be somebody else's; ours has our role and our schema.
        if all(details.get(key) == body["details"][key] for key in ("user", "dbname", "schema-filters-patterns")):
            return found
    return None


def wait_for_sync(
    metabase: Metabase, space: Space, database_id: int, needed: Collection[str], tell: Callable[[str], None]
) -> Synced:
    """Waits until Metabase knows the columns that filters compare.

    Args:
        metabase: An administrator's.
        space: Whose.
        database_id: Of its database.
        needed: Columns, as `table.column`.
        tell: Called with what it waits for.

    Raises:
        MetabaseSyncFailed: It gave up, or a column did not appear in time.
    """
    deadline = time.monotonic() + metabase.patience.sync
    asked = False
    while True:
        status = metabase.get(f"database/{database_id}").get("initial_sync_status")
        if status != "incomplete":
            synced = look_at_sync(metabase, space, database_id)
            missing = sorted(set(needed) - synced.fields.keys())
            if status == "complete" and not missing:
                return synced
            if not asked:
                # Reason: it also begins one that was given up, and one that was there before the marts were.
                metabase.post(f"database/{database_id}/sync_schema", is_harmless=True)
                asked = True
            elif status == "aborted" or time.monotonic() > deadline:
                _give_up(space, missing)
        elif time.monotonic() > deadline:
            _give_up(space, [])
        tell(f"Metabase reads the tables of {space.title}")
        metabase.sleep(metabase.patience.poll)


def _give_up(space: Space, missing: list[str]) -> None:
    what = f"it does not know {', '.join(missing[:5])}" if missing else "it did not come to an end"
    raise MetabaseSyncFailed(
        f"Metabase did not read schema {space.schema} for space {space.key}: {what}",
        f"build the marts, let role {space.connection.user} read them, then run this again",
    )


def look_at_sync(metabase: Metabase, space: Space, database_id: int) -> Synced:
    """What Metabase knows of a space's schema now."""
    tables = [
        table
        for table in metabase.get(f"database/{database_id}/metadata", include_hidden="true").get("tables") or []
        if table.get("schema") == space.schema
    ]
    fields = {f"{table['name']}.{one['name']}": one for table in tables for one in table.get("fields") or []}
    return Synced(fields, frozenset(str(table["name"]) for table in tables))
