"""Running cards: 202 whatever happens, and what template tags do to the SQL, on a real database."""

from __future__ import annotations

from typing import Any

import pytest

from tests.metabase.client import Metabase
from tests.metabase.conftest import ROLE, Fields

pytestmark = pytest.mark.integration


class Cards:
    """Makes cards of SQL with tags, and runs them."""

    def __init__(self, metabase: Metabase, database: int, fields: Fields) -> None:
        self.metabase, self.database, self.fields = metabase, database, fields

    def make(self, sql: str, **tags: dict[str, Any]) -> int:
        stage: dict[str, Any] = {"lib/type": "mbql.stage/native", "native": sql}
        if tags:
            stage["template-tags"] = {n: {"id": n, "name": n, "display-name": n} | t for n, t in tags.items()}
        query = {"lib/type": "mbql/query", "database": self.database, "stages": [stage]}
        body = {"name": "C", "display": "table", "visualization_settings": {}, "dataset_query": query}
        return int(self.metabase.post("card", body)["id"])

    def filter(self, column: str, widget: str, **more: Any) -> dict[str, Any]:
        number = self.fields["marts", "fct_ad_daily", column]["id"]
        return {"type": "dimension", "dimension": ["field", {}, number], "widget-type": widget} | more

    def run(self, card: int, *values: dict[str, Any]) -> Any:
        answer = self.metabase.ask("POST", f"card/{card}/query", {"parameters": list(values)})
        assert answer.status_code == 202, answer.text
        return answer.json()

    def count(self, column: str, widget: str, value: Any, kind: str | None = None, **more: Any) -> Any:
        """How many of the 153 rows a filter on a column leaves; the error's text where it fails."""
        sql = "select count(*) from marts.fct_ad_daily where {{it}}"
        card = self.make(sql, it=self.filter(column, widget, **more))
        result = self.run(card, {"id": "it", "value": value} | ({"type": kind} if kind else {}))
        return result["data"]["rows"][0][0] if result["status"] == "completed" else result["error"]


@pytest.fixture
def cards(ready: Metabase, connected: int, fields: Fields) -> Cards:
    return Cards(ready, connected, fields)


def test_a_completed_query_has_rows_columns_and_its_sql(cards: Cards) -> None:
    sql = "select day, spend, country, loaded_at, updated, ref, extra from marts.fct_ad_daily order by 1, 2 limit 1"
    result = cards.run(cards.make(sql))
    assert (result["status"], result["row_count"], result["database_id"]) == ("completed", 1, cards.database)
    assert result["data"]["rows"] == [
        [
            "2026-10-01T00:00:00Z",
            10.25,
            "DE",
            "2026-10-01T13:00:00Z",
            "2026-10-01T13:00:00Z",
            "00000000-0000-0000-0000-000000000001",
            '{"a": 1}',
        ]
    ]
    assert [c["base_type"] for c in result["data"]["cols"]][:3] == ["type/Date", "type/Decimal", "type/Text"]
    assert result["data"]["native_form"]["query"] == sql
    assert result["data"]["results_timezone"] == "UTC"


def test_a_failing_query_is_202_with_the_databases_sentence(cards: Cards) -> None:
    result = cards.run(cards.make("select nothing from marts.fct_ad_daily"))
    assert (result["status"], result["row_count"], result["data"]) == ("failed", 0, {"rows": [], "cols": []})
    assert result["error"].startswith('ERROR: column "nothing" does not exist\n')
    assert "Position: 8" in result["error"]
    assert cards.run(cards.make("delete from marts.fct_ad_daily"))["status"] == "failed"
    assert cards.run(cards.make("select * from hidden.secrets"))["error"].startswith("ERROR: permission denied")


def test_at_most_two_thousand_rows_come_back(cards: Cards) -> None:
    result = cards.run(cards.make("select generate_series(1, 3000)"))
    assert (result["status"], result["row_count"], result["data"]["rows_truncated"]) == ("completed", 2000, 2000)


def test_columns_of_one_name_are_told_apart(cards: Cards) -> None:
    result = cards.run(cards.make("select 1 as x, 2 as x"))
    assert [c["name"] for c in result["data"]["cols"]] == ["x", "x_2"]


DATES = [
    ("2026-11-20", 3),
    ("2026-11", 60),
    ("Q4-2026", 153),
    ("Q3-2026", 0),
    ("2026-10-01~2026-10-02", 6),
    ("~2026-10-02", 3),
    ("2026-11-19~", 3),
    ("today", 3),
    ("yesterday", 3),
    ("past30days", 90),
    ("past30days~", 93),
    ("past1weeks", 21),
    ("past1weeks~", 39),
    ("thisweek", 18),
    ("lastweek", 21),
    ("thismonth", 60),
    ("lastmonth", 93),
    ("thisyear", 153),
    ("past1months~", 153),
    ("past7days-from-1days", 21),
    ("next7days", 0),
    ("next7days~", 3),
    ("exclude-days-Mon-Tue", 111),
    ("exclude-months-Oct", 60),
]


@pytest.mark.parametrize(("value", "expected"), DATES)
@pytest.mark.parametrize("column", ["day", "updated", "loaded_at"])
def test_date_filters_on_days_and_moments(cards: Cards, column: str, value: str, expected: int) -> None:
    assert cards.count(column, "date/all-options", value) == expected


def test_the_week_begins_on_the_day_that_the_instance_says(cards: Cards) -> None:
    assert cards.count("day", "date/all-options", "thisweek") == 18  # from Sunday the 15th
    cards.metabase.put("setting/start-of-week", {"value": "monday"})
    assert cards.count("day", "date/all-options", "thisweek") == 15


def test_moments_are_cut_in_the_report_time_zone(cards: Cards) -> None:
    cards.metabase.put("setting/report-timezone", {"value": "Pacific/Kiritimati"})  # UTC+14
    assert cards.count("loaded_at", "date/all-options", "2026-10-01") == 0
    assert cards.count("loaded_at", "date/all-options", "2026-10-02") == 3
    assert cards.count("updated", "date/all-options", "2026-10-01") == 3


@pytest.mark.parametrize(
    ("column", "widget", "value", "expected"),
    [
        ("day", "date/single", "2026-11-20", 3),
        ("day", "date/range", "2026-11-19~2026-11-20", 6),
        ("day", "date/month-year", "2026-10", 93),
        ("day", "date/relative", "past7days", 21),
        ("country", "string/=", ["DE"], 51),
        ("country", "string/=", ["DE", "FR"], 102),
        ("country", "string/!=", ["DE"], 102),
        ("country", "string/contains", ["E"], 51),
        ("country", "string/does-not-contain", ["E"], 102),
        ("country", "string/starts-with", ["F"], 51),
        ("country", "string/ends-with", ["R", "E"], 102),
        ("country", "string/contains", ["e"], 0),
        ("country", "string/contains", ["%"], 0),
        ("country", "category", "DE", 51),
        ("country", "category", ["DE", "FR"], 102),
        ("country", "location/country", ["FR"], 51),
        ("campaign_id", "id", "2", 51),
        ("campaign_id", "id", [2, 3], 102),
        ("clicks", "number/=", ["2", "3"], 102),
        ("clicks", "number/=", [2], 51),
        ("clicks", "number/!=", [2], 102),
        ("clicks", "number/>=", [2], 102),
        ("clicks", "number/<=", ["2"], 102),
        ("spend", "number/between", [10, 20.5], 102),
        ("spend", "number/between", [None, 20], 51),
        ("spend", "number/between", [15, None], 102),
        ("is_final", "boolean/=", [True], 93),
    ],
)
def test_field_filters(cards: Cards, column: str, widget: str, value: Any, expected: int) -> None:
    assert cards.count(column, widget, value) == expected


def test_a_filter_can_be_told_to_ignore_case(cards: Cards) -> None:
    assert cards.count("country", "string/contains", ["e"], options={"case-sensitive": False}) == 51


def test_a_text_for_an_operator_must_be_a_list(cards: Cards) -> None:
    assert "Invalid values provided for operator" in cards.count("country", "string/=", "DE")
    assert "Invalid arity" in cards.count("spend", "number/between", [1])
    assert "invalid format" in cards.count("day", "date/all-options", "whenever")
    assert "For input string" in cards.count("clicks", "number/=", ["many"])


def test_a_field_filter_on_a_field_that_is_not_there_fails(cards: Cards) -> None:
    tag = cards.filter("day", "date/all-options") | {"dimension": ["field", {}, 9999]}
    result = cards.run(cards.make("select 1 where {{it}}", it=tag))
    assert result["status"] == "failed"
    assert "Can't find field with ID: 9999" in result["error"]


def test_a_filter_without_a_value_is_true_and_drops_its_optional_part(cards: Cards) -> None:
    tag = cards.filter("country", "string/=")
    card = cards.make("select count(*) from marts.fct_ad_daily where {{it}} [[and {{it}}]]", it=tag)
    result = cards.run(card)
    assert result["data"]["rows"] == [[153]]
    assert result["data"]["native_form"]["query"] == "select count(*) from marts.fct_ad_daily where 1 = 1"


def test_defaults_hold_unless_a_parameter_is_given_even_an_empty_one(cards: Cards) -> None:
    sql = "select count(*) from marts.fct_ad_daily where {{it}}"
    card = cards.make(sql, it=cards.filter("country", "string/=", default=["DE"]))
    assert cards.run(card)["data"]["rows"] == [[51]]
    assert cards.run(card, {"id": "it", "value": None})["data"]["rows"] == [[153]]
    assert cards.run(card, {"id": "it", "value": ["FR"]})["data"]["rows"] == [[51]]
    required = cards.make(sql, it=cards.filter("country", "string/=", default=["DE"], required=True))
    assert cards.run(required, {"id": "it", "value": None})["data"]["rows"] == [[51]]
    none = cards.make(sql, it=cards.filter("country", "string/=", required=True))
    assert "need to pick a value" in cards.run(none)["error"]


def test_variables(cards: Cards) -> None:
    sql = "select count(*) from marts.fct_ad_daily where clicks >= {{n}} [[and country = {{c}}]] [[and day = {{d}}]]"
    tags: dict[str, Any] = {"n": {"type": "number"}, "c": {"type": "text"}, "d": {"type": "date"}}
    card = cards.make(sql, **tags)
    assert 'missing required parameters: #{"n"}' in cards.run(card)["error"]
    assert cards.run(card, {"id": "n", "value": "2"})["data"]["rows"] == [[102]]
    two: list[dict[str, Any]] = [
        {"id": "n", "value": 1},
        {"id": "c", "value": "DE"},
        {"id": "d", "value": "2026-10-01"},
    ]
    assert cards.run(card, *two)["data"]["rows"] == [[1]]
    assert cards.run(card, {"id": "n", "value": "1, 2"})["status"] == "failed"
    listed = cards.make("select count(*) from marts.fct_ad_daily where clicks in ({{n}})", n={"type": "number"})
    assert cards.run(listed, {"id": "n", "value": "1,2"})["data"]["rows"] == [[102]]


def test_texts_are_texts_so_that_comparing_them_with_numbers_fails(cards: Cards) -> None:
    card = cards.make("select 1 from marts.fct_ad_daily where clicks = {{t}}", t={"type": "text"})
    assert "operator does not exist" in cards.run(card, {"id": "t", "value": "1"})["error"]


def test_values_are_bound_and_not_pasted(cards: Cards) -> None:
    card = cards.make("select {{t}}", t={"type": "text"})
    text = "'; drop table marts.fct_ad_daily; -- {{t}}"
    assert cards.run(card, {"id": "t", "value": text})["data"]["rows"] == [[text]]
    assert cards.run(cards.make("select '{{', '100%', '[[', 1 -- {{t}}"))["data"]["rows"] == [["{{", "100%", "[[", 1]]


def test_an_alias_stands_for_the_column(cards: Cards) -> None:
    tag = cards.filter("country", "string/=", alias="f.country")
    card = cards.make("select count(*) from marts.fct_ad_daily f where {{it}}", it=tag)
    assert cards.run(card, {"id": "it", "value": ["DE"]})["data"]["rows"] == [[51]]
    plain = cards.make("select count(*) from marts.fct_ad_daily f where {{it}}", it=cards.filter("country", "string/="))
    assert "invalid reference to FROM-clause" in cards.run(plain, {"id": "it", "value": ["DE"]})["error"]


def test_parameters_that_the_card_does_not_have_are_500_and_those_without_an_id_400(cards: Cards) -> None:
    card = cards.make("select 1 where {{it}}", it=cards.filter("country", "string/="))
    path, ask = f"card/{card}/query", cards.metabase.ask
    answer = ask("POST", path, {"parameters": [{"id": "other", "value": 1}]})
    assert answer.status_code == 500
    assert "does not have a template tag named" in answer.json()["message"]
    wrong = ask("POST", path, {"parameters": [{"id": "it", "type": "string/!=", "value": ["DE"]}]})
    assert (wrong.status_code, "must be one of" in wrong.json()["message"]) == (500, True)
    assert ask("POST", path, {"parameters": [{"value": 1}]}).status_code == 400
    assert ask("POST", path, {"parameter": []}).status_code == 400


def test_who_may_read_the_collection_runs_its_cards_without_data_permissions(cards: Cards) -> None:
    admin = cards.metabase
    card = cards.make("select 1")
    admin.put("permissions/graph", {"revision": 0, "groups": {"1": {str(cards.database): {"create-queries": "no"}}}})
    member = admin.member()
    assert member.status("POST", f"card/{card}/query", {}) == 202
    query = {"database": cards.database, "type": "native", "native": {"query": "select 1"}}
    assert member.status("POST", "dataset", query) == 403
    assert admin.post("dataset", query)["data"]["rows"] == [[1]]
    admin.put("collection/graph", {"revision": 0, "groups": {"1": {"root": "none"}}})
    assert member.status("POST", f"card/{card}/query", {}) == 403


def test_a_database_that_does_not_answer_fails_the_query(cards: Cards) -> None:
    card = cards.make("select 1")
    cards.metabase.options(passwords={ROLE: "rotated"})
    assert cards.run(card)["status"] == "failed"


def test_results_as_files(cards: Cards) -> None:
    card = cards.make("select 1 as a, 'x,y' as b where {{it}}", it=cards.filter("country", "string/="))
    assert cards.metabase.post(f"card/{card}/query/csv", {}) == 'a,b\n1,"x,y"\n'
    assert cards.metabase.post(f"card/{card}/query/json", {"parameters": []}) == [{"a": 1, "b": "x,y"}]
    assert cards.metabase.status("POST", f"card/{card}/query/json", {"parameters": [{"value": 1}]}) == 400
