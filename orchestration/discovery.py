"""Which ad accounts there are, and whose they are.

Putting together what Meta shows and what `clients.yml` declares belongs here; pulling does not.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ingestion.entities import discover_accounts, read_account
from ingestion.errors import AccountUnavailable, ObjectNotFound
from ingestion.graph import GraphClient
from orchestration.clients import Conversion
from orchestration.declaring import sync_declared
from orchestration.errors import UnknownAccountError
from orchestration.names import slug
from orchestration.platform import Platform
from warehouse.entities import upsert_entities
from warehouse.provenance import Provenance

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KnownAccount:
    """An account to work on.

    Attributes:
        account_id: Digits as a number.
        name: As the user or Meta calls it.
        currency: ISO code.
        time_zone: IANA name; the account's days are days there.
        client_id: Slug of the owner.
        client_name: Owner.
        problem: Why it cannot be read, or None.
        data: What Meta says.
    """

    account_id: int
    name: str
    currency: str
    time_zone: str
    client_id: str
    client_name: str
    problem: str | None = None
    data: dict[str, Any] | None = None

    @property
    def label(self) -> str:
        """For messages."""
        return f"{self.name} (act_{self.account_id})"


def wanted_ids(platform: Platform, visible: Set[int]) -> set[int]:
    """The accounts to work on: those of `clients.yml`, or without any the visible ones."""
    # Reason: what came from files alone is unknown to Meta.
    declared = {account.id for _, account in platform.clients.accounts() if not account.is_imported}
    return declared or set(visible)


def accounts_to_work_on(platform: Platform) -> set[int]:
    """The accounts of `clients.yml`, or without one all that the token sees.

    Raises:
        ConfigurationError: There is no token.
        IngestionError: Meta refuses, or cannot be reached.
    """
    client = platform.graph_client()
    try:
        return wanted_ids(platform, {int(account["account_id"]) for account in discover_accounts(client)})
    finally:
        client.close()


def known_accounts(
    platform: Platform, client: GraphClient, run_id: UUID, only: Sequence[int] = ()
) -> list[KnownAccount]:
    """All accounts to work on, stored in `raw.accounts` and `ops.client_account`.

    With a `clients.yml` these are its accounts; without one, all that the token sees, each owned by its business.

    Args:
        platform: Opened.
        client: Calls Meta.
        run_id: Of the pull.
        only: Account ids to restrict to.

    Raises:
        UnknownAccountError: `only` names an account that is neither declared nor visible.
        CredentialError: The token is refused.
    """
    visible = {int(account["account_id"]): account for account in discover_accounts(client)}
    declared = {a.id: (owner, a) for owner, a in platform.clients.accounts() if not a.is_imported}
    wanted = wanted_ids(platform, visible.keys())
    if only:
        unknown = sorted(set(only) - set(declared) - set(visible))
        if unknown:
            listing = ", ".join(f"act_{i}" for i in sorted(wanted)) or "none"
            raise UnknownAccountError(
                f"act_{unknown[0]} is neither in clients.yml nor visible to the token.", f"known accounts: {listing}"
            )
        wanted = set(only)
    accounts = [_account(client, i, visible.get(i), declared.get(i)) for i in sorted(wanted)]
    _store(platform, run_id, accounts)
    return accounts


def _account(client: GraphClient, account_id: int, data: dict[str, Any] | None, declared: Any) -> KnownAccount:
    owner, account = declared or (None, None)
    problem = None
    if data is None:
        # Reason: a declared account may be readable although no listing shows it.
        try:
            data = read_account(client, str(account_id))
        except (AccountUnavailable, ObjectNotFound) as refused:
            problem = str(refused)
            data = {}
    time_zone = str(data.get("timezone_name") or "UTC")
    try:
        ZoneInfo(time_zone)
    except (ZoneInfoNotFoundError, ValueError):
        problem = f"act_{account_id}: the time zone {time_zone!r} is unknown on this machine. Update tzdata."
        time_zone = "UTC"
    business = data.get("business") or {}
    business_name = str(business.get("name") or "Unassigned")
    return KnownAccount(
        account_id,
        (account and account.name) or str(data.get("name") or f"act_{account_id}"),
        str(data.get("currency") or ""),
        time_zone,
        owner.id if owner else slug(business_name) or "unassigned",
        owner.name if owner else business_name,
        problem,
        data,
    )


def _store(platform: Platform, run_id: UUID, accounts: Sequence[KnownAccount]) -> None:
    now = datetime.fromtimestamp(platform.clock.now(), UTC)
    provenance = Provenance(run_id, "api", platform.settings.meta_api_version, (), now)
    for account in accounts:
        if account.data:
            upsert_entities(platform.warehouse, "accounts", account.account_id, [account.data], provenance)
    sync_declared(platform, [owned_by(platform, a.account_id, a.name, a.client_id, a.client_name) for a in accounts])


def owned_by(platform: Platform, account_id: int, name: str, client_id: str, client_name: str) -> dict[str, Any]:
    """What `clients.yml` declares about an account, or the defaults for one that it does not name."""
    for row in platform.clients.client_account_rows():
        if row["account_id"] == account_id:
            return row | {"account_name": row["account_name"] or name}
    default = Conversion()
    return {
        "account_id": account_id,
        "client_id": client_id,
        "client_name": client_name,
        "account_name": name,
        "conversion_action": default.action,
        "value_action": default.value_action,
        "conversion_window": default.window_key,
        "goals": {},
        "reporting_currency": None,
    }
