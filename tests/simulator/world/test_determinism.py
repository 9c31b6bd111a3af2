"""The world is a function of its arguments: processes, page sizes and the order of reading change nothing."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.contract import World
from simulator.world import PRESETS, WorldSize, build_world

from .helpers import ANCHOR, NOON, days_back, everyone, make_query

_ROOT = Path(__file__).parents[3]
_SCRIPT = """
import hashlib
from tests.simulator.world.helpers import ANCHOR, NOON, make_query
from simulator.world import build_world
world = build_world(7, "small", ANCHOR)
digest = hashlib.sha256()
for account in world.accounts(NOON):
    result = world.insights(make_query(account.id, breakdowns=("age",)), NOON)
    digest.update(b"".join(result.page(0, len(result))))
    digest.update(repr([dict(node.data) for node in world.edge(account.id, "ads", NOON)]).encode())
print(digest.hexdigest())
"""


def test_the_implementation_fits_the_contract():
    world: World = build_world(1, "small", ANCHOR)
    assert len(world.accounts(NOON)) == 2


def test_two_processes_give_the_same_bytes():
    digests = {
        subprocess.run(
            [sys.executable, "-c", _SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=_ROOT,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1
    assert len(digests.pop().strip()) == 64


def test_another_seed_gives_other_numbers():
    def digest(seed: int) -> str:
        world = build_world(seed, "small", ANCHOR)
        result = world.insights(make_query(world.accounts(NOON)[0].id), NOON)
        return hashlib.sha256(b"".join(result.page(0, len(result)))).hexdigest()

    assert digest(1) == digest(1) != digest(2)


def test_account_ids_do_not_depend_on_the_anchor():
    early, late = build_world(7, "demo", ANCHOR), build_world(7, "demo", ANCHOR + timedelta(days=500))
    assert [node.id for node in early.accounts(NOON)] == [node.id for node in late.accounts(NOON)]
    assert len({node.id for node in early.accounts(NOON)}) == 5


FEW = ("ad_id", "impressions", "spend", "reach", "action_values")
SCATTERED = {
    "natural": {},
    "cells": {"breakdowns": ("age",)},
    "sorted": {"sort": ("spend", True), "time_increment": 7},
    "filtered": {"ranges": (*days_back(3), *days_back(5))},
}


@pytest.mark.parametrize("name", SCATTERED)
@pytest.mark.parametrize("shuffle", [False, True])
@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 10**6), size=st.integers(40, 700))
def test_pages_do_not_depend_on_size_or_order(name, shuffle, seed, size):
    world, account = WORLDS[shuffle]
    query = make_query(account, "ad", **{"ranges": days_back(12), "fields": FEW, **SCATTERED[name]})
    whole = world.insights(query, NOON)
    expected = list(whole.page(0, len(whole) + 10))
    assert len(expected) == len(whole)
    again = world.insights(query, NOON)
    offsets = list(range(0, len(again), size))
    random.Random(seed).shuffle(offsets)
    for offset in offsets:
        assert list(again.page(offset, size)) == expected[offset : offset + size]
    assert list(again.page(len(again), 10)) == []


def test_shuffling_changes_the_order_only():
    query = make_query(WORLDS[False][1], "ad", ranges=days_back(40))
    plain, mixed = (WORLDS[flag][0].insights(query, NOON) for flag in (False, True))
    first, second = list(plain.page(0, len(plain))), list(mixed.page(0, len(mixed)))
    assert first != second
    assert sorted(first) == sorted(second)


def test_a_result_keeps_what_it_was_asked_for(fresh):
    world = fresh()
    account = world.accounts(NOON)[0].id
    query = make_query(account, "ad", ranges=days_back(30), filters=everyone("ad"))
    result, twin = world.insights(query, NOON), fresh().insights(query, NOON)
    adset = orjson.loads(result.page(0, 1)[0])["adset_id"]
    world.update(adset, {"name": "renamed", "status": "PAUSED"}, NOON - timedelta(days=2))
    assert list(result.page(0, len(result))) == list(twin.page(0, len(twin)))


@pytest.mark.parametrize("text", ["accounts=20,ads=500,history=400", "small,shuffle=1", "demo", "ads=7,adsets=1"])
def test_sizes_are_read(text):
    size = WorldSize.parse(text)
    if text == "demo":
        assert size == PRESETS["demo"]
    if text.startswith("accounts=20"):
        assert (size.accounts, size.ads_per_account, size.history_days) == (20, 500, 400)
        world = build_world(1, size, ANCHOR)
        assert len(world.edge(world.accounts(NOON)[19].id, "ads", NOON + timedelta(days=9))) == 500


@pytest.mark.parametrize("text", ["huge", "ads=many", "wheels=4", "ads"])
def test_bad_sizes_say_what_is_wrong(text):
    with pytest.raises(ValueError, match="world size"):
        WorldSize.parse(text)


WORLDS = {
    flag: (world, world.accounts(NOON)[0].id)
    for flag in (False, True)
    for world in [build_world(7, WorldSize(shuffle=flag), ANCHOR)]
}
