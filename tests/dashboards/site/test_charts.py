"""Cards and answers become what the page shows: every chart compiles, and says the same as its table."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, get_args

import pytest
import vl_convert

from dashboards.answering import Answer, Space
from dashboards.formats import Formats
from dashboards.library import load
from dashboards.model import Card, Chart
from dashboards.site.cards import Reader, View, view_of
from warehouse.connect import Warehouse

LIBRARY = load()
FIRST = date(2026, 1, 1)
EVIL = "<script>alert(1)</script>"
DAYS = Answer(
    ("day", "spend", "roas", "currency", "is_mature"),
    tuple((FIRST + timedelta(n), Decimal(100 + n), Decimal(2) + n, "EUR", n < 6) for n in range(10)),
)
SEVERAL = Answer(
    ("day", "name", "spend", "currency"),
    tuple((FIRST + timedelta(n), name, Decimal(n + 1), "EUR") for n in range(5) for name in (EVIL, "b", None)),
)
NAMED = Answer(
    ("name", "spend", "roas", "conversions", "currency"),
    (
        (EVIL, Decimal(90), Decimal("1.5"), 4, "EUR"),
        ("b", Decimal(-30), Decimal(3), 9, "EUR"),
        (None, None, None, 0, "EUR"),
    ),
)


class Pages:
    def page(self, dashboard: str) -> str:
        return f"{dashboard}.html"


def reader(language: str = "en") -> Reader:
    space = Space("all", "All", "marts", Warehouse("postgresql://nobody@127.0.0.1:1/none"))
    return Reader(LIBRARY, space, Formats(LIBRARY.shared, language), Pages(), {"date": "past7days"})


def card(chart: str, **own: Any) -> Card:
    return Card.model_validate({"key": "one", "title": "One", "width": 12, "chart": chart, "sql": "select 1", **own})


def compiled(view: View) -> dict[str, Any]:
    """What Vega-Lite makes of a chart; it refuses what it does not know."""
    assert view.spec is not None
    json.dumps(view.spec, allow_nan=False)
    return vl_convert.vegalite_to_vega(view.spec | {"width": 500})


COMBO = {"spend": {"display": "bar"}, "roas": {"display": "line", "axis": "right"}}
CHARTS: list[tuple[str, dict[str, Any], Answer]] = [
    ("line", {"x": "day", "y": ["spend"]}, DAYS),
    ("line", {"x": "day", "y": ["spend", "roas"]}, DAYS),
    ("line", {"x": "day", "y": ["spend"], "series": "name"}, SEVERAL),
    ("area", {"x": "day", "y": ["spend"]}, DAYS),
    ("area", {"x": "day", "y": ["spend"], "series": "name", "stacked": True}, SEVERAL),
    ("bar", {"x": "day", "y": ["spend"]}, DAYS),
    ("bar", {"x": "day", "y": ["spend"], "series": "name"}, SEVERAL),
    ("bar", {"x": "day", "y": ["spend"], "series": "name", "stacked": True}, SEVERAL),
    ("bar", {"x": "name", "y": ["spend"]}, NAMED),
    ("combo", {"x": "day", "y": ["spend", "roas"], "measures": COMBO}, DAYS),
    ("combo", {"x": "name", "y": ["spend", "roas"], "measures": COMBO}, NAMED),
    ("row", {"x": "name", "y": ["spend"]}, NAMED),
    ("pie", {"x": "name", "y": ["spend"]}, NAMED),
    ("funnel", {"x": "name", "y": ["conversions"]}, NAMED),
    ("scatter", {"x": "spend", "y": ["roas"], "size": "conversions", "series": "name"}, NAMED),
    ("heatmap", {"x": "day", "y": ["spend"], "series": "name"}, SEVERAL),
]


@pytest.mark.parametrize("language", ["en", "de", "ja"])
@pytest.mark.parametrize(("chart", "own", "answer"), CHARTS)
def test_every_chart_compiles_and_has_words_and_a_table(
    chart: str, own: dict[str, Any], answer: Answer, language: str
) -> None:
    view = view_of(card(chart, **own), answer, reader(language))
    assert view.kind == "chart"
    assert compiled(view)["marks"]
    assert view.table is not None
    assert len(view.table.rows) == len(answer.rows)
    assert str(len(answer.rows)) in view.words


def test_every_kind_of_chart_is_among_these() -> None:
    assert {chart for chart, _, _ in CHARTS} | {"trend", "scalar", "table"} == set(get_args(Chart))


@pytest.mark.parametrize(("chart", "own", "answer"), CHARTS)
def test_a_name_never_becomes_a_part_of_an_expression(chart: str, own: dict[str, Any], answer: Answer) -> None:
    spec = view_of(card(chart, **own), answer, reader()).spec

    def expressions(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [str(part[name]) for name in ("expr", "labelExpr", "test", "calculate") if name in part]
            return own + [one for value in part.values() for one in expressions(value)]
        return [one for value in part for one in expressions(value)] if isinstance(part, list) else []

    for one in expressions(spec):
        assert EVIL not in one.replace(json.dumps(EVIL), "")


def test_one_row_and_nothing_but_nulls_are_no_trouble() -> None:
    for chart, own, answer in CHARTS:
        compiled(view_of(card(chart, **own), answer.limited(1), reader()))
        nothing = Answer(answer.columns, tuple(tuple(None for _ in row) for row in answer.rows))
        assert view_of(card(chart, **own), nothing, reader()).kind == "empty"


def test_a_measure_without_a_number_has_no_axis() -> None:
    rows = tuple((day, spend, None, currency, mature) for day, spend, _, currency, mature in DAYS.rows)
    view = view_of(card("combo", x="day", y=["spend", "roas"], measures=COMBO), Answer(DAYS.columns, rows), reader())
    assert [axis["scale"] for axis in compiled(view)["axes"] if axis.get("orient") == "right"] == []
    assert "Roas" not in json.dumps(view.spec)


def test_an_empty_answer_and_an_error_are_told() -> None:
    empty = view_of(card("line", x="day", y=["spend"], empty="Nothing yet."), Answer(DAYS.columns), reader())
    assert (empty.kind, empty.message) == ("empty", "Nothing yet.")
    wrong = view_of(card("line", x="day", y=["spend"]), Answer(error="too slow"), reader())
    assert (wrong.kind, wrong.message) == ("error", "too slow")


@pytest.mark.parametrize(
    ("good", "now", "verdict"),
    [
        ("more", 110, "good"),
        ("more", 90, "bad"),
        ("less", 90, "good"),
        ("less", 110, "bad"),
        ("neither", 110, "neither"),
    ],
)
def test_a_trend_compares_the_last_row_with_the_one_before(good: str, now: int, verdict: str) -> None:
    rows = ((FIRST + timedelta(9), Decimal(now), "EUR"), (FIRST, Decimal(100), "EUR"))
    answer = Answer(("day", "spend", "currency"), rows)
    shown = view_of(card("trend", x="day", y=["spend"], good=good), answer, reader()).number
    assert shown is not None
    assert (shown.exact, shown.before, shown.verdict) == (f"€{now}.00", "€100.00", verdict)
    assert shown.direction == ("up" if now > 100 else "down")


def test_a_trend_without_a_number_says_so() -> None:
    answer = Answer(("day", "spend"), ((FIRST, None), (FIRST + timedelta(1), None)))
    view = view_of(card("trend", x="day", y=["spend"], empty="Several currencies."), answer, reader())
    assert view.number is not None
    assert (view.number.text, view.number.change, view.message) == ("–", None, "Several currencies.")


def test_days_that_are_not_final_are_shaded_and_told() -> None:
    view = view_of(card("line", x="day", y=["spend"]), DAYS, reader())
    assert view.spec is not None
    assert view.spec["layer"][0]["mark"]["type"] == "rect"
    assert "not final" in view.note


def test_of_many_slices_the_smallest_are_put_together() -> None:
    many = Answer(("name", "spend", "currency"), tuple((f"n{n}", Decimal(n + 1), "EUR") for n in range(20)))
    spec = view_of(card("pie", x="name", y=["spend"]), many, reader()).spec
    assert spec is not None
    values = spec["data"]["values"]
    assert values[-1]["s"] == "13 others"
    assert sum(one["y"] for one in values) == sum(range(1, 21))


def test_steps_of_a_funnel_have_the_rate_of_the_step_before() -> None:
    steps = Answer(("step", "people"), (("seen", 1000), ("clicked", 100), ("bought", 25)))
    spec = view_of(card("funnel", x="step", y=["people"]), steps, reader()).spec
    assert spec is not None
    assert [one["label"] for one in spec["data"]["values"]] == [
        "1,000", "100 · 10.0% of the step before", "25 · 25.0% of the step before",
    ]  # fmt: skip
    assert spec["data"]["values"][2]["whole"] == "2.50%"


def test_a_table_has_bars_shades_links_and_an_order() -> None:
    links = {"name": {"dashboard": "campaigns", "tab": "ad_sets", "filters": {"campaign": "name"}}}
    one = card("table", columns=["name", "spend", "roas"], bars=["spend"], scales=[{"column": "roas"}], links=links)
    table = view_of(one, NAMED, reader()).table
    assert table is not None
    first, second, third = table.rows
    assert first[0].text == EVIL
    assert first[0].href == "campaigns.html?tab=ad_sets&date=past7days&campaign=%3Cscript%3Ealert%281%29%3C%2Fscript%3E"
    assert third[0].href is None
    assert (first[1].bar, second[1].bar, third[1].bar) == (100.0, 33.3, None)
    assert (first[2].shade, second[2].shade, third[2].shade) == (0, 6, None)
    assert (first[1].order, third[1].order) == ("90.0", "")
    assert [head.is_number for head in table.heads] == [False, True, True]


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,<script>", "file:///etc/passwd", "//host", " "]
)
def test_only_addresses_of_the_web_become_links_and_pictures(address: str) -> None:
    answer = Answer(("picture", "site"), ((address, address),))
    one = card("table", formats={"picture": "image", "site": "link"})
    row = view_of(one, answer, reader()).table.rows[0]  # type: ignore[union-attr]
    assert [(cell.href, cell.picture) for cell in row] == [(None, None), (None, None)]


def test_a_picture_of_another_host_is_asked_for_only_where_that_is_wanted() -> None:
    answer = Answer(("picture",), (("https://images.example/1.jpg",),))
    one = card("table", formats={"picture": "image"})
    usual = view_of(one, answer, reader()).table.rows[0][0]  # type: ignore[union-attr]
    assert (usual.picture, usual.href) == (None, "https://images.example/1.jpg")
    shown = view_of(one, answer, replace(reader(), pictures=True)).table.rows[0][0]  # type: ignore[union-attr]
    assert shown.picture == "https://images.example/1.jpg"


def test_one_row_of_the_context_is_facts() -> None:
    answer = Answer(("time_zone", "currency"), (("Europe/Berlin", "EUR"),))
    view = view_of(card("table"), answer, reader(), as_facts=True)
    assert view.facts == (("Time zone", "Europe/Berlin"), ("Currency", "EUR"))
