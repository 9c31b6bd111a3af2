"""Each kind of chart in Metabase's words, and dashboards on the grid."""

from __future__ import annotations

from typing import Any

import pytest

from dashboards.library import PlacedCard, load
from dashboards.metabase.boards import Board, board_body
from dashboards.metabase.cards import SHARED_KEY, card_body, wanted_card
from dashboards.metabase.charts import chart_of
from dashboards.metabase.links import Place
from dashboards.model import GRID, Card, Shared
from dashboards.spaces import Connection, Space

LIBRARY = load()
SHARED = Shared(version=1, filters={}, fragments={}, context=[], formats={"spend": "money"}, titles={"cpa": "CPA"})
SPACE = Space("agency", "Agency", "marts", Connection("db", 5432, "ads", "mb_agency"), is_client=False)


def settings(chart: str, columns: list[str], currency: str | None = None, **keys: Any) -> tuple[str, dict[str, Any]]:
    card = Card(key="k", title="T", width=12, chart=chart, sql="select 1", **keys)  # type: ignore[arg-type]
    made = chart_of(card, SHARED, columns, currency)
    shown = {key: value for key, value in made.settings.items() if key != "column_settings"}
    return made.display, shown


def test_axes() -> None:
    display, shown = settings("line", ["day", "spend"], x="day", y=["spend"])
    assert display == "line"
    assert shown["graph.dimensions"] == ["day"]
    assert shown["graph.metrics"] == ["spend"]
    assert shown["series_settings"] == {"spend": {"title": "Spend"}}
    _, shown = settings("area", ["day", "name", "spend"], x="day", y=["spend"], series="name", stacked=True)
    assert shown["graph.dimensions"] == ["day", "name"]
    assert shown["stackable.stack_type"] == "stacked"
    assert "series_settings" not in shown


def test_a_combination_says_how_each_measure_is_drawn() -> None:
    measures = {"spend": {"display": "bar"}, "cpa": {"axis": "right", "title": "Cost"}}
    _, shown = settings("combo", ["day", "spend", "cpa"], x="day", y=["spend", "cpa"], measures=measures)
    assert shown["series_settings"] == {
        "spend": {"title": "Spend", "display": "bar", "axis": "left"},
        "cpa": {"title": "Cost", "display": "line", "axis": "right"},
    }


@pytest.mark.parametrize(
    ("chart", "keys", "display", "expected"),
    [
        ("scalar", {"y": ["spend"]}, "scalar", {"scalar.field": "spend"}),
        ("pie", {"x": "day", "y": ["spend"]}, "pie", {"pie.dimension": "day", "pie.metric": "spend"}),
        ("funnel", {"x": "day", "y": ["spend"]}, "funnel", {"funnel.dimension": "day", "funnel.metric": "spend"}),
        ("scatter", {"x": "day", "y": ["spend"], "size": "cpa"}, "scatter", {"scatter.bubble": "cpa"}),
        ("row", {"x": "day", "y": ["spend"]}, "row", {"graph.metrics": ["spend"]}),
        ("trend", {"x": "day", "y": ["spend"], "good": "less"}, "smartscalar", {"scalar.field": "spend"}),
    ],
)  # fmt: skip
def test_kinds(chart: str, keys: dict[str, Any], display: str, expected: dict[str, Any]) -> None:
    made, shown = settings(chart, ["day", "spend", "cpa"], **keys)
    assert made == display
    assert expected.items() <= shown.items()


def test_a_trend_compares_with_the_row_before() -> None:
    _, shown = settings("trend", ["day", "spend"], x="day", y=["spend"])
    assert shown["scalar.comparisons"] == [{"id": "before", "type": "previousValue"}]
    assert shown["scalar.switch_positive_negative"] is False
    _, shown = settings("trend", ["day", "cpa"], x="day", y=["cpa"], good="less")
    assert shown["scalar.switch_positive_negative"] is True


def test_columns_of_a_table() -> None:
    card = Card(
        key="k", title="T", width=24, chart="table", sql="select 1", columns=["name", "spend"], bars=["spend"],
        scales=[{"column": "spend", "good": "low"}], formats={"image": "image"}, titles={"name": "Who"},
    )  # fmt: skip
    shown = chart_of(card, SHARED, ["spend", "name", "image"], "EUR").settings
    assert [(one["name"], one["enabled"]) for one in shown["table.columns"]] == [
        ("name", True),
        ("spend", True),
        ("image", False),
    ]
    assert shown["column_settings"] == {
        '["name","spend"]': {
            "column_title": "Spend",
            "number_style": "currency",
            "currency": "EUR",
            "currency_style": "symbol",
            "decimals": 2,
            "show_mini_bar": True,
        },
        '["name","name"]': {"column_title": "Who"},
        '["name","image"]': {"column_title": "Image", "view_as": "image"},
    }
    assert shown["table.column_formatting"][0]["colors"][0] == "#84BB4C"
    plain = chart_of(card, SHARED, ["spend", "name", "image"], None).settings["column_settings"]
    assert plain['["name","spend"]']["number_style"] == "decimal"


def test_a_heatmap_is_a_table_of_three_columns_turned_round() -> None:
    sql = "select a, b, c, d from marts.x -- end"
    card = Card(key="k", title="T", width=24, chart="heatmap", sql=sql, x="b", y=["c"], series="a")
    chart = chart_of(card, SHARED, ["a", "b", "c", "d"], None)
    assert chart.display == "table"
    assert chart.settings["table.pivot_column"] == "b"
    assert chart.settings["table.cell_column"] == "c"
    wanted = wanted_card(SPACE, "x", PlacedCard(card, card.sql, None, ()), ["a", "b", "c", "d"])
    body = card_body(wanted, SPACE, SHARED, {}, database_id=1, collection_id=1)
    assert body["dataset_query"]["stages"][0]["native"] == (
        'select "a", "b", "c"\nfrom (\n    select a, b, c, d from marts.x -- end\n) as answer'
    )
    assert chart_of(card, SHARED, ["a", "b", "c"], None).only == ()


def boards() -> list[Board]:
    made = []
    for key, definition in LIBRARY.dashboards.items():
        context = [wanted_card(SPACE, SHARED_KEY, one, ()) for one in LIBRARY.context]
        own = [wanted_card(SPACE, key, one, ()) for one in definition.cards]
        made.append(Board(f"agency/{key}", definition, {one.placed.card.key: one for one in (*context, *own)}))
    return made


def body_of(board: Board, present: dict[str, Any] | None = None) -> dict[str, Any]:
    numbers = {one.key: number for number, one in enumerate(board.cards.values(), 1)}
    places = {one.definition.key: Place(90 + number, {}) for number, one in enumerate(boards())}
    return board_body(board, LIBRARY, numbers, places, present, 5)


@pytest.mark.parametrize("board", boards(), ids=lambda board: board.key)
def test_nothing_overlaps_or_leaves_the_grid_and_every_page_begins_with_the_context(board: Board) -> None:
    body = body_of(board)
    tabs = [tab["id"] for tab in body["tabs"]] or [None]
    context = {one.placed.card.key for one in board.cards.values() if f"/{SHARED_KEY}/" in one.key}
    for tab in tabs:
        cells: set[tuple[int, int]] = set()
        cards = [one for one in body["dashcards"] if one["dashboard_tab_id"] == tab]
        for one in cards:
            own = {
                (row, column)
                for row in range(one["row"], one["row"] + one["size_y"])
                for column in range(one["col"], one["col"] + one["size_x"])
            }
            assert not own & cells
            assert one["col"] + one["size_x"] <= GRID
            cells |= own
        first = next(one for one in cards if (one["row"], one["col"]) == (0, 0))
        key = list(board.cards)[first["card_id"] - 1]
        assert key in context
    assert len({one["id"] for one in body["dashcards"]}) == len(body["dashcards"])
    for one in body["dashcards"]:
        assert all(mapping["card_id"] == one["card_id"] for mapping in one["parameter_mappings"])


@pytest.mark.parametrize("board", boards(), ids=lambda board: board.key)
def test_what_is_there_keeps_its_number_when_it_moves(board: Board) -> None:
    body = body_of(board)
    tabs = [{"id": 70 + number, "name": tab["name"]} for number, tab in enumerate(body["tabs"])]
    numbers = {tab["id"]: made["id"] for tab, made in zip(body["tabs"], tabs, strict=True)}
    cards = [
        one | {"id": 1000 + n, "dashboard_tab_id": numbers.get(one["dashboard_tab_id"]), "row": one["row"] + 7}
        for n, one in enumerate(body["dashcards"])
    ]
    again = body_of(board, {"tabs": tabs, "dashcards": cards})
    assert again["tabs"] == tabs
    assert sorted(one["id"] for one in again["dashcards"] if one["card_id"]) == sorted(
        one["id"] for one in cards if one["card_id"]
    )


def test_a_click_takes_filters_along_and_the_value_that_was_clicked() -> None:
    overview = next(board for board in boards() if board.definition.key == "executive_overview")
    movers = list(overview.cards).index("movers") + 1
    dashcard = next(one for one in body_of(overview)["dashcards"] if one["card_id"] == movers)
    click = dashcard["visualization_settings"]["column_settings"]['["name","campaign_name"]']["click_behavior"]
    assert click["linkType"] == "dashboard"
    assert click["parameterMapping"]["campaign"] == {
        "id": "campaign",
        "source": {"type": "column", "id": "campaign_name", "name": "campaign_name"},
        "target": {"type": "parameter", "id": "campaign"},
    }
    assert click["parameterMapping"]["date"]["source"] == {"type": "parameter", "id": "date", "name": "Days"}
