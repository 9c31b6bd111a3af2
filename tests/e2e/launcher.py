"""The process of a run, as Dagster starts it: `python -m tests.e2e.launcher <job> <tags as JSON> [asset ...]`.

It hands out the steps and waits for them; who does them is what the definitions say. Its exit code tells the outcome.
"""

from __future__ import annotations

import json
import sys

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository


def main(job: str, tags: str, *assets: str) -> int:
    repository = ReconstructableRepository.for_module("orchestration.definitions", "defs", ".")
    with dg.DagsterInstance.get() as instance:
        result = dg.execute_job(
            repository.get_reconstructable_job(job),
            instance,
            tags=json.loads(tags),
            asset_selection=[dg.AssetKey(name.split("/")) for name in assets] or None,
        )
        return 0 if result.success else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
