"""The platform's own state, schema `ops`: runs, slices, jobs, API usage, clients and declarations, builds, retention.

What belongs here: reading and writing `ops` tables. What does not: insights (`warehouse.loader`), entities.
"""

from __future__ import annotations

from warehouse.ops.builds import Build, begin_build, building, due_slices, finish_build, newest_build
from warehouse.ops.clients import SyncCounts, sync_clients
from warehouse.ops.declarations import Changes, sync_declarations
from warehouse.ops.holds import HeldDay, held_days, hold_days
from warehouse.ops.jobs import ReportJob, ReportJobStore
from warehouse.ops.retention import RetentionResult, analyze, apply_retention
from warehouse.ops.runs import Run, running
from warehouse.ops.slices import SliceState, missing_days, slice_states, stale_days
from warehouse.ops.usage import UsageStore

__all__ = [
    "Build",
    "Changes",
    "HeldDay",
    "ReportJob",
    "ReportJobStore",
    "RetentionResult",
    "Run",
    "SliceState",
    "SyncCounts",
    "UsageStore",
    "analyze",
    "apply_retention",
    "begin_build",
    "building",
    "due_slices",
    "finish_build",
    "held_days",
    "hold_days",
    "missing_days",
    "newest_build",
    "running",
    "slice_states",
    "stale_days",
    "sync_clients",
    "sync_declarations",
]
