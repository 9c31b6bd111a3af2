"""Telemetry of dependencies, switched off before any of them is imported.

What belongs here: environment variables by which a dependency is told not to phone home.
What does not: our own settings. This module imports nothing but `os`, so that it can run first.

Two things have no variable. The crash reporter of facebook-business is off because `ingestion` builds its own
session and never calls `FacebookAdsApi.init(crash_log=True)`. `dbt --version` asks the package index for the
newest release: the platform never runs it.
"""

from __future__ import annotations

import os
from collections.abc import MutableMapping

SWITCHES = {
    # The convention of consoledonottrack.com, which dbt reads too.
    "DO_NOT_TRACK": "1",
    # dbt: anonymous usage events. `DBT_ENGINE_` is the new prefix of the same option; either alone would do.
    "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    "DBT_ENGINE_SEND_ANONYMOUS_USAGE_STATS": "false",
    # Dagster: the upload thread of the web server and the daemon stops when this is set to anything.
    "DAGSTER_DISABLE_TELEMETRY": "yes",
    # Great Expectations: read where a context's own `analytics_enabled` is unset.
    "GX_ANALYTICS_ENABLED": "false",
}


def switch_off_telemetry(environment: MutableMapping[str, str] | None = None) -> None:
    """Overrules what the environment says: a number of this platform's users is nobody's business.

    Child processes inherit it. Call it before importing dbt, Dagster or Great Expectations.

    Args:
        environment: The mapping to change; the process's own when left out.
    """
    (os.environ if environment is None else environment).update(SWITCHES)
