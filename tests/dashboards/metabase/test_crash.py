"""A run that is cut off at any of its requests, before or after it was carried out: the next ones end as it would."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dashboards.errors import MetabaseError
from dashboards.library import Library, load
from tests.dashboards.metabase.conftest import NOW, QUICK, Bench
from tests.dashboards.metabase.marts import Marts
from tests.dashboards.metabase.portrait import portrait
from tests.databases import Databases

pytestmark = [pytest.mark.integration, pytest.mark.slow]
SHARED = """\
version: 1
filters:
  date: {title: Days, type: date/all-options, column: dim_day.day, default: past30days}
  account:
    {title: Account, type: string/=, column: dim_account.account_name, choices: {column: dim_account.account_name}}
fragments: {}
context: []
formats: {spend: money}
titles: {}
"""
FIRST = """\
version: 1
title: First
about: What is first.
order: 1
filters: [date, account]
tabs:
  - key: a
    title: A
    rows:
      - heading: Spend
        cards:
          - key: spend
            title: Spend
            width: 12
            chart: table
            links: {account_name: {dashboard: second, tab: b, filters: {account: account_name}}}
            sql: |
              select account_name, currency, sum(spend) as spend from marts.mart_performance_daily__account
              where day in (select day from marts.dim_day where {{date}})
              [[and account_id in (select account_id from marts.dim_account where {{account}})]]
              group by account_name, currency
          - {text: Some words., width: 12}
"""
SECOND = """\
version: 1
title: Second
about: What is second.
order: 2
filters: [account]
tabs:
  - {key: a, title: A, rows: [{cards: [{text: Nothing., width: 24}]}]}
  - key: b
    title: B
    rows:
      - cards:
          - key: names
            title: Names
            width: 24
            chart: table
            links: {account_name: {dashboard: second, tab: a}}
            sql: select account_name from marts.dim_account where {{account}}
"""
PATIENCE = replace(QUICK, attempts=1)


@pytest.fixture(scope="module")
def marts(databases: Databases) -> Iterator[Marts]:
    """Few tables, since each run has them read anew."""
    with databases.fresh("plain", migrated=False) as url:
        made = Marts(url)
        made.fill("dim_day", "dim_account", "mart_performance_daily__account")
        yield made


@pytest.fixture
def small(tmp_path: Path) -> Library:
    folder = tmp_path / "definitions"
    folder.mkdir()
    for name, text in (("shared", SHARED), ("first", FIRST), ("second", SECOND)):
        (folder / f"{name}.yml").write_text(text)
    return load(folder)


@pytest.fixture
def bench_small(bench: Bench, small: Library) -> Bench:
    bench.wish = replace(bench.wish, library=small)
    return bench


def fresh(bench: Bench) -> None:
    bench.standin.reset()
    bench.standin.options(now=NOW)
    for kind, key in bench.objects.all():
        bench.objects.forget(kind, key)
    assert bench.credentials.key_file is not None
    bench.credentials.key_file.unlink(missing_ok=True)


@pytest.mark.parametrize("how", ["before", "after"])
def test_whenever_it_is_cut_off_it_ends_in_the_same_state(bench_small: Bench, how: str) -> None:
    bench = bench_small
    bench.run()
    number = bench.standin.log()["total"]
    expected = portrait(bench.admin())
    assert number > 40
    assert len(expected["cards"]) == 4
    for at in range(number):
        fresh(bench)
        lost = [{"do": "drop", "after": at}] if how == "after" else []
        bench.standin.faults(*lost, {"do": "stop", "after": at + len(lost), "times": None})
        with pytest.raises(MetabaseError):
            bench.run(patience=PATIENCE)
        bench.standin.faults()
        bench.run(patience=PATIENCE)
        assert portrait(bench.admin()) == expected, f"cut off {how} request {at + 1}"
        again = bench.run(patience=PATIENCE)
        assert (again.changes, again.writes) == ((), 0), f"cut off {how} request {at + 1}"
