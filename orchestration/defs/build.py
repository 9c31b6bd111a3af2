"""Puts the definitions together.

What belongs here: the list of what there is, and what a test may swap. What does not: any of it.
"""

from __future__ import annotations

from pathlib import Path

import dagster as dg

from orchestration.defs.accounts import new_accounts
from orchestration.defs.checks import raw_checks
from orchestration.defs.maintenance import maintenance, nightly_maintenance
from orchestration.defs.marts import build_due, manifest_path, mart_assets
from orchestration.defs.raw import RETRY, raw_assets
from orchestration.defs.resources import EnvironmentPlatform, PlatformSource
from orchestration.defs.schedules import (
    daily_entities,
    daily_insights,
    daily_objects,
    daily_window,
    marts_when_due,
    weekly_entities_full,
)


def build_defs(
    platform: PlatformSource | None = None, manifest: Path | None = None, retry: dg.RetryPolicy = RETRY
) -> dg.Definitions:
    """All definitions.

    Args:
        platform: Where the platform comes from; the environment by default.
        manifest: dbt's; made from the project by default.
        retry: Of the steps that ask Meta.

    Raises:
        TransformError: The dbt project cannot be read.
    """
    return dg.Definitions(
        assets=[*raw_assets(retry), mart_assets(manifest or manifest_path())],
        asset_checks=[raw_checks],
        jobs=[daily_objects, daily_insights, build_due, maintenance],
        schedules=[daily_entities, daily_window, marts_when_due, weekly_entities_full, nightly_maintenance],
        sensors=[new_accounts],
        resources={"platform": dg.ResourceDefinition.hardcoded_resource(platform or EnvironmentPlatform())},
        # Reason: a process for each step would import everything again for every one of them.
        executor=dg.in_process_executor,
    )
