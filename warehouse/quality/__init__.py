"""Checks of raw data, with Great Expectations: what arrived is what was asked for, whole and possible.

What belongs here: the expectations of each report and of entities, running them inside the database, keeping
and showing what they found. What does not: mending data, marts (dbt tests them), deciding whether a failed
check stops anything (`orchestration`).

Great Expectations takes seconds to import, so only `warehouse.quality.engine` does, and that is imported when
a check runs.
"""

from __future__ import annotations

from warehouse.quality.checking import check
from warehouse.quality.model import ENTITIES, Outcome, QualityResult, Severity
from warehouse.quality.page import write_page
from warehouse.quality.store import latest, reports_held

__all__ = ["ENTITIES", "Outcome", "QualityResult", "Severity", "check", "latest", "reports_held", "write_page"]
