"""Housekeeping, once a day: forgets what is old, and keeps the planner informed.

What is forgotten after how many days belongs here; how rows are found and deleted does not (`warehouse.event_log`,
`warehouse.ops.purge`, `warehouse.ops.retention`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orchestration.errors import ConfigurationError
from orchestration.platform import Platform
from warehouse.event_log import Purged, purge_event_log
from warehouse.ops import alerts, analyze, apply_retention, report_deliveries
from warehouse.ops.notifications import forget_notifications
from warehouse.ops.purge import purge_ops
from warehouse.quality import reports_held
from warehouse.tables import PRESETS, InsightTable

log = logging.getLogger(__name__)

#: How long alerts are kept after their end: long enough for a year beside the year before.
ALERT_DAYS = 400


@dataclass(frozen=True)
class Housekeeping:
    """What was done.

    Attributes:
        raw_slices: Slices of insights that were forgotten.
        ops_rows: Rows of the platform's own history, by table.
        event_log: What left Dagster's database; None without one.
    """

    raw_slices: int
    ops_rows: dict[str, int]
    event_log: Purged | None


def keep_house(platform: Platform) -> Housekeeping:
    """Forgets what is older than the settings say. Done twice, the second time finds nothing.

    Raises:
        ConfigurationError: RAW_KEPT_DAYS would drop days that are pulled again and again.
        WarehouseError: A database failed; what was deleted before stays deleted.
    """
    settings = platform.settings
    now = datetime.now(UTC)
    tables = [platform.table(platform.report(name)) for name in _reports(platform)]
    slices = 0
    if settings.raw_kept_days is not None:
        slices = _forget_insights(platform, tables, settings.raw_kept_days, now)
    before = now - timedelta(days=settings.ops_kept_days)
    rows = purge_ops(platform.warehouse, before)
    rows["notification"] = forget_notifications(platform.warehouse, before)
    reports = [(client.id, report.name) for client in platform.clients.clients for report in client.reports]
    rows["report_delivery"] = report_deliveries.forget(platform.warehouse, before, reports)
    rows["alert"] = alerts.forget(platform.warehouse, now - timedelta(days=ALERT_DAYS))
    purged = None
    if settings.dagster_database_url is not None:
        url = settings.dagster_database_url.get_secret_value()
        purged = purge_event_log(url, now - timedelta(days=settings.dagster_runs_kept_days))
    analyze(platform.warehouse, tables)
    log.info("forgotten: %d slices; %s; in Dagster's event log: %s", slices, rows, purged)
    return Housekeeping(slices, rows, purged)


def _forget_insights(platform: Platform, tables: list[InsightTable], days: int, now: datetime) -> int:
    accounts = reports_held(platform.warehouse)
    longest = max((item.history_days for i in accounts for item in platform.clients.plan_for(i)), default=0)
    # Reason: a day that the plan asks for and that is not held is due; it would come back with the next pull.
    if days <= longest:
        raise ConfigurationError(
            f"RAW_KEPT_DAYS is {days}, but {longest} days of history are pulled: what is dropped would come back.",
            f"set RAW_KEPT_DAYS above {longest}, or ask for less history in clients.yml",
        )
    before = now.date() - timedelta(days=days)
    return sum(result.slices for result in apply_retention(platform.warehouse, tables, before))


def _reports(platform: Platform) -> list[str]:
    return [*PRESETS, *(report.name for report in platform.clients.custom_reports)]
