"""Pages: names are text wherever they stand, addresses hold the state, policies leave no door open."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.answering import Answer, filters_of
from dashboards.errors import WrongValue
from dashboards.library import load
from dashboards.model import Filter
from dashboards.site.assets import Assets
from dashboards.site.pages import Shell, card_bodies, dashboard_page, words
from dashboards.site.policy import policy
from dashboards.site.urls import outside_address, query_of, values_of
from tests.dashboards.site.test_charts import reader

LIBRARY = load()
CAMPAIGNS = LIBRARY.dashboards["campaigns"]
FILTERS = filters_of(LIBRARY, CAMPAIGNS)
NAMES = (
    "campaign_name", "ad_set_name", "ad_name", "account_name", "bucket", "spend", "contribution", "currency",
)  # fmt: skip
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\u2028\"'&"


class Elements(HTMLParser):
    """Every element of a page, with what stands in scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self._in_script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._in_script = tag == "script"

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts.append(data)


def whole_page(*, built: bool = True) -> str:
    assets = Assets()
    shell = Shell("../", "index.html", assets.paths, built, "foot")
    answers = {}
    for placed in CAMPAIGNS.cards:
        names = [
            "campaign_name",
            "ad_set_name",
            "ad_name",
            "account_name",
            "bucket",
            "spend",
            "contribution",
            "currency",
        ]
        answers[placed.card.key] = Answer(
            tuple(names), ((EVIL, EVIL, EVIL, EVIL, EVIL, 5, 3, EVIL), (EVIL, "b", "c", "d", "e", 1, 2, "EUR"))
        )
    answers[LIBRARY.context[0].card.key] = Answer(error=EVIL)
    return dashboard_page(
        shell, reader(), CAMPAIGNS, card_bodies(reader(), CAMPAIGNS, answers), problem=EVIL, choices={"client": [EVIL]}
    )


def test_what_strangers_wrote_is_text_in_every_place() -> None:
    page = Elements(whole_page())
    kinds = {tag for tag, _ in page.found}
    assert "table" in kinds
    assert not kinds & {"iframe", "object", "style", "base"}
    assert not [one for tag, one in page.found if tag == "img"]
    for _, attributes in page.found:
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    scripts = [one for tag, one in page.found if tag == "script"]
    assert len(scripts) == whole_page().count("<script")
    assert all("src" in one or one.get("type") == "application/json" for one in scripts)
    for text in page.scripts:
        json.loads(text)
    assert any(EVIL in json.dumps(json.loads(text), ensure_ascii=False).replace('\\"', '"') for text in page.scripts)


def test_a_page_names_nothing_of_another_host() -> None:
    page = Elements(whole_page())
    for tag, attributes in page.found:
        for name in ("src", "href", "action", "data"):
            address = attributes.get(name) or ""
            assert not re.match(r"(https?:)?//", address), (tag, address)


def test_policies_allow_nothing_inline() -> None:
    for built in (True, False):
        told = policy(built=built, pictures=False)
        assert "unsafe" not in told
        assert "http" not in told
        assert "default-src 'none'" in told
    assert "https:" in policy(built=False, pictures=True)


def test_words_are_markdown_without_html() -> None:
    html = words("Some *words*, <b>bold</b>, [a](javascript:alert(1)), [b](https://a.example/)\n\n- one")
    assert "<em>words</em>" in html
    assert "<b>" not in html
    assert 'href="javascript' not in html
    assert '<a href="https://a.example/">' in html
    assert "<li>one</li>" in html


VALUES = st.dictionaries(
    st.sampled_from(["client", "account", "campaign"]),
    st.none() | st.lists(st.text(alphabet="aZ0 &=?#%+;|<>é漢\"'", min_size=1, max_size=20), min_size=1, max_size=3),
)


@given(VALUES)
def test_an_address_holds_the_filters_and_gives_them_back(values: dict[str, list[str] | None]) -> None:
    query = query_of(values, "ads")
    pairs = parse_qsl(query.removeprefix("?"), keep_blank_values=True)
    assert values_of(pairs, FILTERS) == values


def test_an_empty_value_is_none_and_an_absent_one_is_not_there() -> None:
    assert values_of([("date", ""), ("client", "")], FILTERS) == {"date": None, "client": None}
    assert values_of([("tab", "ads")], FILTERS) == {}


@pytest.mark.parametrize("query", [[("city", "x")], [("date", "today"), ("date", "yesterday")]])
def test_what_a_dashboard_does_not_know_is_refused(query: list[tuple[str, str]]) -> None:
    with pytest.raises(WrongValue):
        values_of(query, FILTERS)


@given(st.text(max_size=40))
def test_an_outside_address_is_of_the_web_or_none(text: str) -> None:
    found = outside_address(text)
    assert found is None or found.lower().startswith(("http://", "https://"))


def test_tab_is_no_name_of_a_filter() -> None:
    assert "tab" not in LIBRARY.shared.filters
    assert all(isinstance(one, Filter) for one in FILTERS.values())
