"""Several suites at once, each a process with its own copy of the project and its own database.

What belongs here: handing out mutants. What does not: judging them (`suite`).
"""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack
from multiprocessing.queues import Queue
from pathlib import Path

import psycopg

from tests.databases import Databases
from tests.mutations.mutant import Mutant
from tests.mutations.plant import copy_project, planted
from tests.mutations.suite import Suite, Verdict
from warehouse.urls import DatabaseUrl

_suite: Suite
_copy: Path


def judge_all(
    mutants: list[Mutant], project: Path, *, workers: int, with_pytest: bool
) -> Iterator[tuple[Mutant, Verdict, float]]:
    """Each mutant with its verdict and the seconds that it took, in the order in which they are done."""
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="meta-ads-mutations-")))
        url = DatabaseUrl.parse(stack.enter_context(Databases(stack).fresh("plain")))
        # Reason: dbt keeps state in the process and the environment, so that each database has a process of its own.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, context) as one:
            one.submit(_build_template, url, project, scratch / "template").result()
        places: Queue[int] = context.Queue()
        for place in range(workers):
            places.put(place)
        pool = stack.enter_context(ProcessPoolExecutor(workers, context, _open, (places, url, project, scratch)))
        waiting = {pool.submit(_judge, mutant, with_pytest): mutant for mutant in mutants}
        for done in as_completed(waiting):
            verdict, seconds = done.result()
            yield waiting[done], verdict, seconds


def _build_template(url: DatabaseUrl, project: Path, folder: Path) -> None:
    Suite(url, copy_project(project, folder / "dbt_project"), folder).build_template()


def _open(places: Queue[int], url: DatabaseUrl, project: Path, scratch: Path) -> None:
    global _suite, _copy  # noqa: PLW0603 - a process of the pool keeps nothing else between two tasks
    place = places.get()
    folder = scratch / str(place)
    _copy = copy_project(project, folder / "dbt_project")
    _suite = Suite(url.with_database(f"{url.database}_{place}"), _copy, folder)
    _suite.open(str(url.database))


def _judge(mutant: Mutant, with_pytest: bool) -> tuple[Verdict, float]:
    started = time.monotonic()
    try:
        with planted(_copy, mutant):
            verdict = _suite.judge(mutant, with_pytest=with_pytest)
    except psycopg.Error as error:  # Reason: hours of the others' verdicts are not thrown away for one.
        verdict = Verdict(None, f"not judged: {error}")
    return verdict, time.monotonic() - started
