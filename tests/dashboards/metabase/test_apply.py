"""From an empty instance to a finished one, and again."""

from __future__ import annotations

import pytest

from tests.dashboards.metabase.conftest import Bench

pytestmark = pytest.mark.integration


def test_an_empty_instance_is_finished_in_one_run_and_the_second_writes_nothing(
    bench: Bench, unknown_keys: str
) -> None:
    bench.standin.options(unknown_keys=unknown_keys)
    first = bench.run()
    assert [note for note in first.notes if "another form" in note] == []
    print(first.requests, first.writes, first.seconds)
    print(bench.standin.log()["by_method"])
    second = bench.run()
    print(second)
    assert (second.changes, second.writes) == ((), 0)
