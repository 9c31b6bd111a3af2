"""What is asked for and what Metabase shows of it have one form, whatever the version makes of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.metabase import canonical
from dashboards.metabase.identity import entity_id
from tests.metabase.query import mbql

NAMES = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5)
SETTINGS = st.recursive(
    SCALARS, lambda s: st.lists(s, max_size=3) | st.dictionaries(NAMES, s, max_size=3), max_leaves=8
)


@st.composite
def queries(draw: st.DrawFn) -> dict[str, Any]:
    tags: dict[str, Any] = {}
    for name in draw(st.lists(NAMES, unique=True, max_size=4)):
        tag: dict[str, Any] = {"id": f"id-{name}", "name": name, "display-name": name.title()}
        if draw(st.booleans()):
            tag |= {
                "type": "dimension",
                "dimension": ["field", {}, draw(st.integers(1, 99))],
                "widget-type": "string/=",
            }
        else:
            tag |= {"type": "text", "required": draw(st.booleans())}
        if draw(st.booleans()):
            tag["default"] = draw(st.just("day") | st.just(["a", "b"]))
        tags[name] = tag
    stage: dict[str, Any] = {"lib/type": "mbql.stage/native", "native": draw(st.text(max_size=20))}
    if tags:
        stage["template-tags"] = tags
    return {"lib/type": "mbql/query", "database": draw(st.integers(1, 9)), "stages": [stage]}


@given(queries(), st.sampled_from(["map", "list", "legacy"]))
def test_a_query_is_the_same_in_every_shape_in_which_it_comes_back(query: dict[str, Any], shape: str) -> None:
    kept = mbql.normalized(json.loads(json.dumps(query)))
    shown = mbql.legacy(kept) if shape == "legacy" else mbql.shown(kept, shape)
    assert canonical.query(shown) == canonical.query(query)


@given(queries(), st.data())
def test_another_query_has_another_form(query: dict[str, Any], data: st.DataObject) -> None:
    other = json.loads(json.dumps(query))
    stage = other["stages"][0]
    dimensions = [tag for tag in stage.get("template-tags", {}).values() if "dimension" in tag]
    if dimensions and data.draw(st.booleans()):
        data.draw(st.sampled_from(dimensions))["dimension"][2] += 1
    else:
        stage["native"] += " "
    assert canonical.query(other) != canonical.query(query)


@given(st.dictionaries(NAMES, SETTINGS, max_size=4), st.dictionaries(NAMES, st.none(), max_size=2))
def test_settings_that_are_not_set_do_not_count(settings: dict[str, Any], unset: dict[str, Any]) -> None:
    base = {"name": "x", "type": "question", "display": "table", "collection_id": 1}
    plain = canonical.card(base | {"visualization_settings": settings})
    more = canonical.card(base | {"visualization_settings": unset | settings})
    assert canonical.digests(plain) == canonical.digests(more)


def test_keys_of_columns_have_one_spelling() -> None:
    base = {"visualization_settings": {"column_settings": {'["name", "spend"]': {"decimals": 2}, "[odd": {"a": 1}}}}
    shown = canonical.card(base)["visualization_settings"]["column_settings"]
    assert shown == {'["name","spend"]': {"decimals": 2}, "[odd": {"a": 1}}


@pytest.mark.parametrize("key", ["agency/a/b", "client-ä/ü/ß", ""])
def test_entity_ids_are_nano_ids_and_stay(key: str) -> None:
    made = entity_id(key)
    assert len(made) == 21
    assert set(made) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
    assert made == entity_id(key)


def test_an_entity_id_never_changes_from_one_release_to_the_next() -> None:
    # A changed recipe would make every card of every installation anew, and leave the old ones behind.
    assert entity_id("agency/executive_overview/spend") == "_YVsOqN4yljwbF4J1vsdo"
