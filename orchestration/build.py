"""Builds the marts for the account days that changed since the last build.

Taking the scope and giving it back belongs here; running dbt is in `orchestration.transform`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import date

from orchestration.declaring import sync_declared
from orchestration.isolating import keep_clients_apart
from orchestration.logs import log_context
from orchestration.platform import Platform
from orchestration.transform import (
    TICK,
    TODAY,
    TransformError,
    TransformResult,
    dbt_environment,
    dismiss_dbt,
    project_version,
    run_dbt,
)
from warehouse.ops import Build, building
from warehouse.ops.slices import HOURS

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BuildSummary:
    """What a build did.

    Attributes:
        slices: Slices that were due.
        account_days: Account days replaced in the marts.
        result: dbt's; None if nothing was due.
        days: The days of these account days, oldest first.
        is_partial: Whether it built but the tables that hours of the current day touch.
        isolation_problem: Why clients' schemas are not up to date, with the mend; None where they are.
    """

    slices: int
    account_days: int
    result: TransformResult | None
    days: tuple[date, ...] = ()
    is_partial: bool = False
    isolation_problem: str | None = None


def build_marts(platform: Platform, *, full: bool = False, force: bool = False) -> BuildSummary:
    """Stores what `clients.yml` declares, then builds what is due in one dbt invocation; nothing due, nothing run.

    Where the last build ran the same dbt project, views and functions stand already, and the build leaves them out.
    Where nothing but hours of the current day is due, it leaves out every table that they do not touch as well.

    The clients' schemas follow: what a client lost is closed before; what it gained, and views that dbt dropped, are
    there after.

    Args:
        platform: Opened.
        full: Rebuild every table from all raw data.
        force: Run all of dbt even if nothing is due (e.g. a view was dropped by hand).

    Raises:
        TransformError: dbt failed; the same account days are due again at the next build.
        WarehouseError: The database failed, or another build is under way.
    """
    # Reason: an experiment written into clients.yml a minute ago is to be seen, without a pull.
    sync_declared(platform)
    problem = keep_clients_apart(platform)
    try:
        summary = _build(platform, full=full, force=force)
    except TransformError:
        # Reason: dbt may have dropped a table that it makes anew, and the clients' views with it.
        keep_clients_apart(platform)
        raise
    if summary.result is not None:
        problem = keep_clients_apart(platform)
    return replace(summary, isolation_problem=problem)


def _build(platform: Platform, *, full: bool, force: bool) -> BuildSummary:
    with building(platform.warehouse, project_version()) as build, log_context(build=build.build_id):
        whole = build.is_project_new or full or force
        if not (build.slice_count or whole):
            log.info("the marts hold everything that was pulled; nothing to build")
            return BuildSummary(0, 0, None)
        environment = dbt_environment(platform.warehouse.parameters, platform.settings.meta_ads_home)
        parts = [] if whole else _parts(build)
        if whole:
            dismiss_dbt()  # Reason: it would not write the manifest of a project that is new.
        extra = [*(["--full-refresh"] if full else []), *parts]
        result = run_dbt(environment, platform.display, extra=extra)
        log.info(
            "built %d account days: %d models, %d tests, %.1f s",
            build.account_days,
            result.models,
            result.tests,
            result.seconds,
        )
        return BuildSummary(build.slice_count, build.account_days, result, build.days, parts == [*TODAY])


def _parts(build: Build) -> list[str]:
    """Which part of an unchanged project has to run."""
    return [*TODAY] if build.reports == {HOURS} else [*TICK]
