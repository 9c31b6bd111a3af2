"""Puts the definitions together.

What belongs here: the list of what there is, and what a test may swap. What does not: any of it.
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from orchestration.defs.accounts import new_accounts
from orchestration.defs.alerts import Alerting, EnvironmentAlerting, alerts
from orchestration.defs.checks import raw_checks
from orchestration.defs.executors import chosen_executor
from orchestration.defs.freshness import account_checks
from orchestration.defs.maintenance import maintenance, nightly_maintenance
from orchestration.defs.marts import build_due, manifest_path, mart_assets
from orchestration.defs.notifications import notifications
from orchestration.defs.raw import RETRY, raw_assets
from orchestration.defs.reports import EnvironmentReporting, Reporting, due_reports, email_report, email_reports
from orchestration.defs.resources import EnvironmentPlatform, PlatformSource
from orchestration.defs.schedules import (
    daily_entities,
    daily_insights,
    daily_objects,
    daily_window,
    weekly_entities_full,
)
from orchestration.defs.tick import every_quarter_hour, tick
from orchestration.settings import environment_settings


def build_defs(
    platform: PlatformSource | None = None,
    manifest: Path | None = None,
    retry: dg.RetryPolicy = RETRY,
    executor: dg.ExecutorDefinition | None = None,
    alerting: Alerting | None = None,
    reporting: Reporting | None = None,
) -> dg.Definitions:
    """All definitions.

    Args:
        platform: Where the platform comes from; the environment by default.
        manifest: dbt's; made from the project by default.
        retry: Of the steps that ask Meta.
        executor: Of all jobs; the one that the settings name by default.
        alerting: How alerts are told; as the environment says by default.
        reporting: Who writes reports, and by which clock they are due; the platform's own by default.

    Raises:
        TransformError: The dbt project cannot be read.
        ConfigurationError: A setting is wrong.
    """
    return dg.Definitions(
        assets=[*raw_assets(retry), mart_assets(manifest or manifest_path()), email_reports],
        asset_checks=[raw_checks, account_checks],
        jobs=[tick, daily_objects, daily_insights, build_due, maintenance, email_report],
        schedules=[every_quarter_hour, daily_entities, daily_window, weekly_entities_full, nightly_maintenance],
        sensors=[new_accounts, notifications, alerts, due_reports],
        resources={
            "platform": dg.ResourceDefinition.hardcoded_resource(platform or EnvironmentPlatform()),
            "alerting": dg.ResourceDefinition.hardcoded_resource(alerting or EnvironmentAlerting()),
            "reporting": dg.ResourceDefinition.hardcoded_resource(reporting or EnvironmentReporting()),
            "in_memory": dg.mem_io_manager,
        },
        executor=executor or chosen_executor(environment_settings()),
    )
