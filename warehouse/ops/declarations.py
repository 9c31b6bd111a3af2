"""Everything that people declare, stored in one transaction.

What belongs here: the order of the steps. What does not: the tables (each has its module).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from warehouse.connect import Warehouse
from warehouse.ops.clients import LOCK, SyncCounts, mirror_clients
from warehouse.ops.custom_metrics import mirror_custom_metrics
from warehouse.ops.exchange_rates import mirror_exchange_rates
from warehouse.ops.experiments import mirror_experiments

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class Changes:
    """What was different.

    Attributes:
        accounts: Accounts added, changed, removed, left alone.
        experiments: Experiments added, changed or removed.
        custom_metrics: The same of custom metrics, for each account.
        exchange_rates: The same of rates.
    """

    accounts: SyncCounts
    experiments: int
    custom_metrics: int
    exchange_rates: int


def sync_declarations(
    warehouse: Warehouse, accounts: Rows, experiments: Rows, arms: Rows, custom_metrics: Rows, exchange_rates: Rows
) -> Changes:
    """Makes the tables equal to what is declared; what did not change is not written, and builds nothing.

    Args:
        warehouse: Where to.
        accounts: As `sync_clients` takes them; accounts that are not among them stay as they are.
        experiments: All rows of `ops.experiment`; others vanish.
        arms: All rows of `ops.experiment_arm`; others vanish.
        custom_metrics: All rows of `ops.custom_metric`; others vanish.
        exchange_rates: All rows of `ops.exchange_rate`; others vanish.

    Raises:
        RowRejected: Two rows have one key, or one lacks a required column. Nothing is changed.
    """
    with warehouse.connection() as connection, connection.transaction():
        connection.execute(LOCK)
        return Changes(
            mirror_clients(connection, accounts),
            mirror_experiments(connection, experiments, arms),
            mirror_custom_metrics(connection, custom_metrics),
            # Reason: last, because which days a rate touches depends on the accounts' reporting currencies.
            mirror_exchange_rates(connection, exchange_rates),
        )
