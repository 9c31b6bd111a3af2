"""What Dagster loads: `dagster definitions validate -m orchestration.definitions`, `meta-ads up`."""

from __future__ import annotations

from orchestration.privacy import switch_off_telemetry

switch_off_telemetry()  # Reason: before Dagster or dbt is imported.

from orchestration.defs.resources import set_up_logging  # noqa: E402

set_up_logging()  # Reason: before definitions are imported, of which Dagster warns.

import dagster as dg  # noqa: E402

from orchestration.defs.build import build_defs  # noqa: E402


@dg.definitions
def defs() -> dg.Definitions:
    """All definitions, wired to this installation."""
    return build_defs()
