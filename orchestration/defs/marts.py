"""The dbt models as assets, and the one dbt invocation of a tick.

What belongs here: keys, groups and partitions of models, and which account days a build takes in. What does not: how
dbt is called without Dagster (`orchestration.transform`), what is due (`warehouse.ops.builds`).

The partitions of marts are days, of all accounts: the days that a build replaces. A build started by a person builds
the chosen days again; the one of a tick takes what is due, whatever day that is.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliResource, dbt_assets

from orchestration.build import build_marts
from orchestration.declaring import sync_declared
from orchestration.defs.partitions import DAY_DIMENSION, DAYS
from orchestration.defs.resources import PlatformSource
from orchestration.defs.telling import check_events, table_events
from orchestration.errors import UserError
from orchestration.isolating import keep_clients_apart
from orchestration.logs import log_context
from orchestration.settings import environment_settings
from orchestration.transform import (
    PROJECT,
    TransformError,
    dbt_environment,
    dismiss_dbt,
    parse_project,
    project_version,
)
from orchestration.workers import DBT_QUEUE, QUEUE_TAG
from warehouse.errors import WarehouseError
from warehouse.ops import building

DBT_POOL = "dbt"  # one build at a time: two would write the same tables
MARTS = "marts"


class Translator(DagsterDbtTranslator):
    """Keys equal table names: `<schema>/<table>`; groups are folders, owners are those of the model."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Schema and name."""
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The layer, and within the marts the subject: `marts_budget`."""
        layer, *folders = dbt_resource_props["fqn"][1:-1] or [dbt_resource_props["resource_type"]]
        return f"marts_{folders[0]}" if layer == MARTS and folders else str(layer)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str]:
        """The team that the model names."""
        owner = (dbt_resource_props.get("config") or {}).get("meta", {}).get("owner", "data-engineering")
        return [f"team:{owner}"]

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        """Columns with their types and words, from the project; the table as people write it; the file of the model.

        Reason: the manifest is made without a database, and would name the profile's default.
        """
        table = f"{dbt_resource_props['schema']}.{dbt_resource_props['name']}"
        file = f"{PROJECT.name}/{dbt_resource_props['original_file_path']}"
        return {**super().get_metadata(dbt_resource_props), "dagster/table_name": table, "file": file}

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The model's own words. Its SQL is in its file, and would be sent with every page that lists assets."""
        return str(dbt_resource_props.get("description") or dbt_resource_props["name"])

    def get_partition_mapping(
        self,
        dbt_resource_props: Mapping[str, Any],  # noqa: ARG002 - Dagster's signature
        dbt_parent_resource_props: Mapping[str, Any],
    ) -> dg.PartitionMapping | None:
        """A day of a mart comes from that day of every account's reports, and from all objects as they are."""
        is_source = dbt_parent_resource_props["resource_type"] == "source"
        is_report = dbt_parent_resource_props["name"].startswith("insights_")
        if not is_source or dbt_parent_resource_props["schema"] != "raw":
            return None
        return dg.MultiToSingleDimensionPartitionMapping(DAY_DIMENSION) if is_report else dg.AllPartitionMapping()


@cache
def manifest_path() -> Path:
    """Dbt's manifest of this project, made when the project has changed since: a run must not wait for it.

    Raises:
        TransformError: The project cannot be read.
    """
    return parse_project(environment_settings().meta_ads_home / "dbt" / project_version()[:16])


def mart_assets(manifest: Path) -> dg.AssetsDefinition:
    """All models and snapshots, with their data tests as checks."""

    @dbt_assets(
        manifest=manifest,
        name="marts",
        exclude="resource_type:unit_test",
        partitions_def=DAYS,
        backfill_policy=dg.BackfillPolicy.single_run(),
        dagster_dbt_translator=Translator(DagsterDbtTranslatorSettings(enable_asset_checks=True)),
        pool=DBT_POOL,
        op_tags={QUEUE_TAG: DBT_QUEUE},
    )
    def marts(context: dg.AssetExecutionContext, platform: dg.ResourceParam[PlatformSource]) -> Iterator[Any]:
        """Builds the chosen days again, for every account; all models chosen, also whatever else is due."""
        keys = context.partition_key_range
        days = (date.fromisoformat(keys.start), date.fromisoformat(keys.end))
        whole = not context.is_subset
        with platform.opened() as opened:
            sync_declared(opened)
            keep_clients_apart(opened)  # Reason: an account that a client lost is closed to it before.
            version = project_version() if whole else None
            try:
                with building(opened.warehouse, version, days=days, take_due=whole):
                    os.environ.update(dbt_environment(opened.warehouse.parameters, opened.settings.meta_ads_home))
                    dbt = DbtCliResource(
                        project_dir=str(PROJECT),
                        profiles_dir=str(PROJECT),
                        # Reason: the environment's own, whatever PATH the web server was started with.
                        dbt_executable=str(Path(sys.executable).with_name("dbt")),
                    )
                    arguments = ["build", "--exclude-resource-type", "unit_test"]
                    yield from dbt.cli(arguments, context=context).stream()
            finally:
                keep_clients_apart(opened)

    return marts


@dg.op(pool=DBT_POOL, tags={QUEUE_TAG: DBT_QUEUE}, ins={"after": dg.In(dg.Nothing)})
def build_what_is_due(
    context: dg.OpExecutionContext, platform: dg.ResourceParam[PlatformSource]
) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation | dg.Output[None]]:
    """One dbt invocation for every account day that changed; nothing changed, nothing run."""
    manifest = manifest_path()
    with log_context(dagster_run=context.run_id), platform.opened() as opened:
        try:
            summary = build_marts(opened)
        except TransformError as problem:
            # Reason: what is yielded before a step fails is kept; which test failed is what people look for.
            yield from check_events(context.instance, manifest, problem.result.nodes if problem.result else ())
            raise _failure(problem) from None
        except UserError as problem:
            raise _failure(problem) from None
        except WarehouseError as problem:
            raise dg.Failure(str(problem)) from problem
        finally:
            dismiss_dbt()
    result = summary.result
    if result:
        yield from table_events(context.instance, manifest, result.nodes, summary.days, is_partial=summary.is_partial)
        yield from check_events(context.instance, manifest, result.nodes)
    yield dg.Output(
        None,
        metadata={
            "slices": summary.slices,
            "account_days": summary.account_days,
            "models": result.models if result else 0,
            "tests": result.tests if result else 0,
            "dbt_seconds": result.seconds if result else 0.0,
            "sql_seconds": sum(node.seconds for node in result.nodes) if result else 0.0,
            "odd_numbers": list(result.warnings) if result else [],
        },
    )


def _failure(problem: UserError) -> dg.Failure:
    mend = f" Mend: {problem.mend}." if problem.mend else ""
    return dg.Failure(f"{problem.message}{mend}")


@dg.job(description="Builds the marts for every account day that changed, in one dbt invocation.")
def build_due() -> None:
    """What a tick does last, on its own."""
    build_what_is_due()
