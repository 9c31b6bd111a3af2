"""Running dbt as a process of its own does, without starting one: the project, its environment, what it said."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dbt.cli.main import dbtRunner

from warehouse.connect import Warehouse

# Reason: tests.mutations runs these tests on a copy with a bug in it.
PROJECT = Path(os.environ.get("META_ADS_TEST_DBT_PROJECT") or Path(__file__).parents[2] / "dbt_project")


@dataclass
class Outcome:
    """What a dbt command did."""

    success: bool
    nodes: dict[str, str] = field(default_factory=dict)
    complaints: list[str] = field(default_factory=list)

    def of_kind(self, kind: str) -> dict[str, str]:
        return {name: status for name, status in self.nodes.items() if name.startswith(f"{kind}.")}


class Project:
    """The dbt project, pointed at a warehouse."""

    def __init__(self, warehouse: Warehouse, scratch: Path) -> None:
        self.warehouse = warehouse
        self.scratch = scratch

    def environment(self) -> dict[str, str]:
        parameters = self.warehouse.parameters
        names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "DBNAME"}
        return {
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            **{f"META_ADS_DBT_{name}": parameters[key] for key, name in names.items() if parameters.get(key)},
        }

    def run(self, *arguments: str) -> Outcome:
        """One dbt command; complaints are its warnings (deprecations among them) and errors."""
        complaints: list[str] = []

        def listen(event: Any) -> None:
            if event.info.level in ("warn", "error"):
                complaints.append(event.info.msg)

        result = dbtRunner(callbacks=[listen]).invoke(
            [
                *arguments,
                f"--project-dir={PROJECT}",
                f"--profiles-dir={PROJECT}",
                f"--target-path={self.scratch / 'target'}",
                f"--log-path={self.scratch / 'logs'}",
                "--quiet",
            ]
        )
        nodes = {node.node.unique_id: str(node.status) for node in getattr(result.result, "results", None) or []}
        if result.exception:
            complaints.append(str(result.exception))
        return Outcome(result.success, nodes, complaints)

    def rebuild(self, *scope: tuple[int, str], marts: Sequence[str] = ()) -> None:
        """Runs the models for these account days, as a build of the platform does; for some marts, what they need."""
        with self.warehouse.connection() as connection:
            connection.execute("TRUNCATE ops.build_scope")
            for account, day in scope:
                connection.execute("INSERT INTO ops.build_scope VALUES (%s, %s)", [account, day])
        tables = "config.materialized:incremental"
        outcome = self.run("run", "--select", *([f"+{mart},{tables}" for mart in marts] or [tables]))
        assert outcome.success, outcome.complaints

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.warehouse.connection() as connection:
            return connection.execute(statement.encode()).fetchall()
