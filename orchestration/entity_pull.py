"""Pulls an account's objects and change history into the raw tables.

The order and what is asked incrementally belongs here; how objects are listed is in `ingestion.entities`.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from uuid import UUID

from ingestion.entities import KINDS, EntityKind, fetch_by_id, list_activities, list_entities
from ingestion.graph import GraphClient
from orchestration.discovery import KnownAccount
from orchestration.platform import Platform
from warehouse.entities import newest_update, upsert_entities
from warehouse.ops.slices import ids_without_entity
from warehouse.provenance import Provenance

log = logging.getLogger(__name__)

# Reason: an update can carry a time that is older than the listing which missed it.
_OVERLAP = timedelta(hours=1)
_ACTIVITY_HISTORY = timedelta(days=90)


def pull_kind(
    platform: Platform,
    client: GraphClient,
    run_id: UUID,
    account: KnownAccount,
    kind: EntityKind,
    *,
    full: bool = False,
) -> None:
    """All objects of a kind; only what changed since the last pull where Meta can tell.

    Args:
        platform: Opened.
        client: Calls Meta.
        run_id: Of the pull.
        account: Whose objects.
        kind: Which objects.
        full: All of them in any case: some changes do not move an object's time of change.
    """
    provenance = _provenance(platform, client, run_id)
    is_incremental = kind.filter_prefix and not full
    newest = newest_update(platform.warehouse, kind.name, account.account_id) if is_incremental else None
    since = newest - _OVERLAP if newest else None
    for page in list_entities(client, kind, str(account.account_id), since):
        upsert_entities(platform.warehouse, kind.name, account.account_id, page, provenance)


def pull_activities(platform: Platform, client: GraphClient, run_id: UUID, account: KnownAccount) -> None:
    """The change history since the last pull, of 90 days at first."""
    provenance = _provenance(platform, client, run_id)
    newest = newest_update(platform.warehouse, "activities", account.account_id)
    since = newest - _OVERLAP if newest else provenance.pulled_at - _ACTIVITY_HISTORY
    for page in list_activities(client, str(account.account_id), since, provenance.pulled_at):
        upsert_entities(platform.warehouse, "activities", account.account_id, page, provenance)


def fill_gaps(platform: Platform, client: GraphClient, run_id: UUID, account: KnownAccount) -> None:
    """Fetches by id what insights name but no listing held (old deleted objects)."""
    provenance = _provenance(platform, client, run_id)
    for kind_name in ("campaigns", "adsets", "ads"):
        missing = ids_without_entity(platform.warehouse, kind_name, account.account_id)
        if not missing:
            continue
        log.info("%s: %d %s appear in insights only; asking for them by id", account.label, len(missing), kind_name)
        for page in fetch_by_id(client, KINDS[kind_name], str(account.account_id), [str(i) for i in missing]):
            upsert_entities(platform.warehouse, kind_name, account.account_id, page, provenance)


def _provenance(platform: Platform, client: GraphClient, run_id: UUID) -> Provenance:
    now = datetime.fromtimestamp(platform.clock.now(), UTC)
    return Provenance(run_id, "api", client.api_version, (), now)
