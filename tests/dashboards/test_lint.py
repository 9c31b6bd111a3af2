"""Mistakes in dashboards' files: each is told with file and line, and costs the other dashboards nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboards.answers import Catalog
from dashboards.errors import FaultyDefinitions
from dashboards.library import load
from dashboards.lint import lint

CATALOG = Catalog(
    {
        "dim_day": {"day": "date"},
        "mart_sales": {"account_id": "bigint", "day": "date", "shop": "text", "spend": "numeric", "currency": "text"},
    }
)
SHARED = """\
version: 1
filters:
  date: {title: Days, type: date/all-options, column: dim_day.day, default: past30days}
  shop: {title: Shop, type: string/=, column: mart_sales.shop}
  grain: {title: By, type: text, default: day, choices: {values: [day, week]}}
fragments:
  days: "days as (select min(day) as first_day from marts.dim_day where {{date}})"
  with_days: "with ${days}"
context: []
formats: {spend: money}
titles: {}
"""
GOOD = """\
version: 1
title: Sales
about: What was sold.
order: 1
filters: [date, shop]
tabs:
  - key: all
    title: All
    rows:
      - cards:
          - key: spend
            title: Spend
            width: 12
            chart: line
            x: day
            y: [spend]
            sql: |
              ${with_days}
              select day, currency, sum(spend) as spend
              from marts.mart_sales
              where day >= (select first_day from days) [[and {{shop}}]]
              group by day, currency
          - {text: Some *words*., width: 12}
"""


def problems(folder: Path, text: str, shared: str = SHARED) -> list[str]:
    """What is told about a dashboard, `line: text` each."""
    (folder / "shared.yml").write_text(shared)
    (folder / "sales.yml").write_text(text)
    return [f"{one.line}: {one.what}" for one in lint(load(folder), CATALOG)]


def test_a_good_dashboard_has_no_problems_and_its_fragments_are_put_in(tmp_path: Path) -> None:
    assert problems(tmp_path, GOOD) == []
    (placed,) = load(tmp_path).dashboards["sales"].cards
    assert placed.sql.startswith("with days as (select min(day)")
    assert placed.tab == "all"


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        ("order: 1", "order: first", "4: order is 'first'"),
        ("filters: [date, shop]", "filters: [date, shop, city]", "5: there is no filter `city`"),
        ("filters: [date, shop]", "filters: [date, shop, grain]", "5: no card uses the filter `grain`"),
        (
            "filters: [date, shop]",
            "filters: [date]",
            "17: card `spend` uses {{shop}}, which the dash",
        ),
        ("chart: line", "chart: lines", "14: tabs[0].rows[0].cards[0].chart is 'lines'"),
        ("x: day", "x: days", "15: card `spend`: its SQL returns no column days"),
        ("            x: day\n", "", "14: card `spend`: a line needs `x`"),
        ("x: day", "ex: day", "15: tabs[0].rows[0].cards[0]: unknown key `ex`"),
        ("y: [spend]", "y: [spend, sales]", "16: card `spend`: its SQL returns no column sales"),
        ("y: [spend]", "y: [spend, spend]\n            series: currency", "17: card `spend`: with `series`"),
        ("{{shop}}", "{{shops}}", "17: card `spend`: {{shops}} is no filter"),
        ("[[and {{shop}}]]", "[[and {{shop}}", "17: card `spend`: line 4"),
        ("marts.mart_sales", "raw.insights_ad_daily", "17: card `spend`: it reads raw.insights_ad_daily"),
        ("marts.mart_sales", "mart_sales", "17: card `spend`: it reads (no schema).mart_sales"),
        ("marts.mart_sales", "marts.mart_sale", "17: card `spend`: there is no mart mart_sale"),
        ("sum(spend)", "sum(spent)", "17: card `spend`: Column 'spent' could not be resolved"),
        ("select day,", "select day from from", "17: card `spend`: no valid SQL near"),
        ("${with_days}", "${with_day}", "18: there is no fragment ${with_day}"),
        ("day, currency, sum", "day, sum", "17: card `spend`: spend is money, and no column says in which currency"),
        ("width: 12}", "width: 13}", "10: the cards of this row are 25 columns wide, and the grid has 24"),
        ("width: 12}", "width: 25}", "23: tabs[0].rows[0].cards[1].width is 25"),
        (
            "sql: |",
            "links: {day: {dashboard: sale}}\n            sql: |",
            "17: card `spend`, link of day: there is no dashboard `sale`",
        ),
        (
            "sql: |",
            "links: {day: {dashboard: sales, filters: {city: day, date: dai}}}\n            sql: |",
            "17: card `spend`, link of day: `sales` has no filter `city`",
        ),
        ("sql: |", "links: {day: {}}\n            sql: |", "17: card `spend`, link of day: it has both or neither"),
        ("title: Sales", "title: [Sales", "3: expected"),
    ],
)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, wrong: str, right: str, told: str) -> None:
    assert wrong in GOOD
    found = problems(tmp_path, GOOD.replace(wrong, right, 1))
    assert any(one.startswith(told) for one in found), found


def test_a_broken_file_costs_the_others_nothing(tmp_path: Path) -> None:
    (tmp_path / "other.yml").write_text(GOOD.replace("order: 1", "order: 2"))
    found = problems(tmp_path, "version: 1\n")
    assert all(one.startswith("1: `") for one in found)
    assert list(load(tmp_path).dashboards) == ["other"]


def test_keys_are_there_once(tmp_path: Path) -> None:
    again = '{key: spend, title: Again, width: 12, chart: table, sql: "select shop from marts.mart_sales"}'
    twice = GOOD.replace("{text: Some *words*., width: 12}", again)
    assert problems(tmp_path, twice) == ["23: there is a card `spend` already"]


@pytest.mark.parametrize(
    ("wrong", "right", "told"),
    [
        (
            "column: mart_sales.shop",
            "column: mart_sales.shops",
            "4: filter `shop`: there is no column",
        ),
        ("type: string/=, column: mart_sales.shop", "type: string/=", "4: filter `shop` is of type string/="),
        ("type: text, default", "type: text, column: mart_sales.shop, default", "5: filter `grain` is of type text"),
        ("type: string/=, column: mart_sales.shop", "type: date/single, column: mart_sales.shop", "4: tag `shop`"),
    ],
)
def test_a_filter_that_fits_no_column_is_told(tmp_path: Path, wrong: str, right: str, told: str) -> None:
    assert wrong in SHARED
    found = problems(tmp_path, GOOD, SHARED.replace(wrong, right, 1))
    assert any(one.startswith(told) for one in found), found


@pytest.mark.parametrize(
    ("shared", "told"),
    [
        (SHARED.replace("(select min(day)", "(${with_days} select min(day)"), "shared.yml:7:9: fragment `days` needs"),
        (SHARED.replace("version: 1\n", ""), "`version` is missing"),
        (None, "shared.yml:1:1: cannot be read: No such file"),
    ],
)
def test_without_what_all_share_nothing_can_be_read(tmp_path: Path, shared: str | None, told: str) -> None:
    if shared is not None:
        (tmp_path / "shared.yml").write_text(shared)
    with pytest.raises(FaultyDefinitions) as faulty:
        load(tmp_path)
    assert told in str(faulty.value)
