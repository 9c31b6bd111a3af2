"""Bringing what `clients.yml` declares into the warehouse.

What belongs here: which rows, and saying what changed. What does not: reading the file (`orchestration.clients`), the
tables (`warehouse.ops`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from orchestration.platform import Platform
from warehouse.ops import Changes, sync_declarations

log = logging.getLogger(__name__)


def sync_declared(platform: Platform, accounts: Iterable[Mapping[str, Any]] = ()) -> Changes:
    """Stores accounts, experiments, custom metrics and exchange rates, all in one transaction.

    Args:
        platform: Opened.
        accounts: Rows of `ops.client_account` that are known better than from `clients.yml` (by Meta, by a file).
    """
    rows = {int(row["account_id"]): row for row in platform.clients.client_account_rows()}
    rows |= {int(row["account_id"]): dict(row) for row in accounts}
    declared = platform.clients.declarations
    changes = sync_declarations(
        platform.warehouse,
        rows.values(),
        declared.experiments,
        declared.arms,
        declared.custom_metrics,
        declared.exchange_rates,
    )
    if changes.experiments or changes.custom_metrics or changes.exchange_rates:
        log.info(
            "declarations changed: %d experiments, %d custom metrics, %d exchange rates",
            changes.experiments,
            changes.custom_metrics,
            changes.exchange_rates,
        )
    return changes
