"""Tells Dagster what a build did: its tables by day, its tests as checks.

What belongs here: which events a build leaves in the log, and how few. What does not: building. Ticks build the same
days over and over: a day of a table is told when it is built for the first time, and of the days built the newest each
time, so that its page says when it was last written. A check is told when it fails, and when it passes again.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from functools import cache
from pathlib import Path

import dagster as dg

from orchestration.transform import NodeResult

#: Most days of a table that a build tells: the first build of years would write for minutes. Backfilled from Dagster's
#: pages, days are told whatever their number.
MOST_DAYS = 40
#: Stands for all tables that hold days: what was told of it was told of them.
_WITNESS = dg.AssetKey(["marts", "fct_ad_day"])
_BUILT = "success"


@cache
def _keys(manifest: Path) -> dict[str, tuple[dg.AssetKey, str]]:
    """The asset and, for a test, the check of each node, by dbt's id."""
    nodes = json.loads(manifest.read_text(encoding="utf-8"))["nodes"]
    keys = {node_id: dg.AssetKey([node["schema"], node["name"]]) for node_id, node in nodes.items()}
    found = {}
    for node_id, node in nodes.items():
        table = node.get("attached_node") if node["resource_type"] == "test" else node_id
        if table in keys:
            found[node_id] = (keys[table], str(node["name"]))
    return found


def table_events(
    instance: dg.DagsterInstance,
    manifest: Path,
    results: Sequence[NodeResult],
    days: Collection[date],
    *,
    is_partial: bool,
) -> Iterator[dg.AssetMaterialization]:
    """A materialization for each table and day that is worth telling.

    Args:
        instance: Knows what was told before.
        manifest: dbt's.
        results: Of the build.
        days: Days that it built.
        is_partial: Whether it built but what hours of the current day touch; the other tables hold nothing of that day.
    """
    if not days:
        return
    told = set() if is_partial else instance.get_materialized_partitions(_WITNESS)
    new = [] if is_partial else [day for day in sorted(days) if day.isoformat() not in told][-MOST_DAYS:]
    chosen = sorted({*new, max(days)})
    keys = _keys(manifest)
    for result in results:
        if result.is_test or result.status != _BUILT or result.unique_id not in keys:
            continue
        key, _ = keys[result.unique_id]
        for day in chosen:
            yield dg.AssetMaterialization(
                key, partition=day.isoformat(), metadata={"seconds": result.seconds, "days_built": len(days)}
            )


def check_events(
    instance: dg.DagsterInstance, manifest: Path, results: Sequence[NodeResult]
) -> Iterator[dg.AssetCheckEvaluation]:
    """An evaluation for each test that did not pass, or that passes and did not when it was last told.

    Args:
        instance: Knows what was told before.
        manifest: dbt's.
        results: Of the build.
    """
    keys = _keys(manifest)
    tests = {}
    for result in results:
        if result.is_test and result.unique_id in keys:
            asset, name = keys[result.unique_id]
            tests[dg.AssetCheckKey(asset, name)] = result
    before = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(tests))
    for key, result in tests.items():
        passed = result.status == "pass"
        last = before.get(key)
        event = last.event.dagster_event if last and last.event else None
        if passed and event is not None and event.asset_check_evaluation_data.passed:
            continue
        is_error = result.status != "warn"
        yield dg.AssetCheckEvaluation(
            key.asset_key,
            key.name,
            passed=passed,
            severity=dg.AssetCheckSeverity.ERROR if is_error else dg.AssetCheckSeverity.WARN,
            description=None if passed else f"{result.failures} rows; see the test {key.name} in dbt_project.",
            metadata={"failed_rows": result.failures, "seconds": result.seconds},
        )
