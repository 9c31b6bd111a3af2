"""From bytes to changes, and from changes to what is pulled."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.receiver.meaning import Meaning, Pull, meaning
from orchestration.receiver.notification import read_delivery
from warehouse.ops.notifications import Notification

ACCOUNT = 1010035716096012
BUDGET = {
    "subscription_id": 3333333333,
    "account_id": ACCOUNT,
    "object_id": 4444444444,
    "object_type": "adset",
    "field": "daily_budget",
    "current_value": "1500",
}


def delivery(*changes: dict[str, Any], entry_id: Any = str(ACCOUNT), time: Any = 1782862117) -> bytes:
    entry = {"id": entry_id, "time": time, "changes": list(changes)}
    return json.dumps({"object": "ad_account", "entry": [entry]}).encode()


def test_a_delivery_becomes_its_changes() -> None:
    one, two = read_delivery(
        delivery({"field": "subscriptions", "value": BUDGET}, {"field": "effective_status", "value": {"id": "7"}})
    )
    assert (one.object, one.account_id, one.field, one.state) == ("ad_account", ACCOUNT, "subscriptions", "new")
    assert one.event_time == datetime(2026, 6, 30, 23, 28, 37, tzinfo=UTC)
    assert one.payload == {"field": "subscriptions", "value": BUDGET}
    assert (two.field, two.body) == ("effective_status", None)
    assert one.digest != two.digest


def test_repetitions_have_one_digest_however_they_are_packed() -> None:
    status, budget = {"field": "effective_status", "value": {"a": 1, "b": 2}}, {"field": "subscriptions", "value": 1}
    both = {item.digest for item in read_delivery(delivery(status, budget, status))}
    alone = {item.digest for change in (budget, status) for item in read_delivery(delivery(change))}
    assert both == alone
    reordered = read_delivery(delivery({"value": {"b": 2, "a": 1}, "field": "effective_status"}))
    assert reordered[0].digest in both


def test_the_same_value_at_another_time_or_account_is_news() -> None:
    change = {"field": "effective_status", "value": {"effective_status": "ACTIVE"}}
    digests = {
        read_delivery(body)[0].digest
        for body in (delivery(change), delivery(change, time=1782862118), delivery(change, entry_id="5"))
    }
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("entry_id", "value", "account"),
    [
        ("act_12", {}, 12),
        (12, {}, 12),
        ("0", {"account_id": 12}, 12),
        (0, {"ad_account_id": "12"}, 12),
        ("0", {}, None),
        (None, None, None),
        (True, {}, None),
        ("1" * 30, {}, None),
        ("١٢", {}, None),
        ([1], {"account_id": {}}, None),
    ],
)
def test_the_account_is_the_entrys_or_the_one_in_the_value(entry_id: Any, value: Any, account: int | None) -> None:
    (found,) = read_delivery(delivery({"field": "creative_fatigue", "value": value}, entry_id=entry_id))
    assert (found.account_id, found.state) == (account, "new")


@pytest.mark.parametrize("time", [None, "x", True, 10**30, -(10**30), 1782862117000])
def test_a_time_that_is_none_is_left_out(time: Any) -> None:
    (found,) = read_delivery(delivery({"field": "effective_status", "value": {}}, time=time))
    assert (found.event_time, found.state) == (None, "new")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"{}",
        b'{"entry": []}',
        b'{"object": 1, "entry": 5}',
        b"[" * 5000,
        b'{"entry": [' + b"[" * 500 + b"]" * 500 + b"]}",
    ],
)
def test_what_cannot_be_read_is_kept_as_it_came(body: bytes) -> None:
    (found,) = read_delivery(body)
    assert (found.state, found.body, found.payload) == ("unknown", body, None)
    assert found.reason


def test_a_part_that_cannot_be_read_does_not_spoil_the_others() -> None:
    entries = [{"id": "1"}, 5, {"id": "2", "changes": [{"value": 1}, {"field": "effective_status", "value": "\ud83d"}]}]
    found = read_delivery(json.dumps({"object": "ad_account", "entry": entries}).encode())
    assert [item.state for item in found] == ["unknown", "unknown", "unknown", "new"]
    assert [item.payload for item in found[:3]] == [{"id": "1"}, 5, {"value": 1}]
    assert found[3].payload["value"] == "\ufffd"  # Half an emoji, which jsonb cannot hold.


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["object", "entry", "id", "time", "changes", "field", "value"]), inner, max_size=4
        )
    ),
    max_leaves=25,
)


@given(JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60))
def test_nothing_is_lost_and_nothing_is_raised(body: bytes) -> None:
    found = read_delivery(body)
    assert found
    for item in found:
        assert len(item.digest) == 32
        assert (item.state == "unknown") == bool(item.reason)
        assert item.state == "new" or item.body == body or item.payload is not None or b"null" in body


def notified(field: str | None, value: Any = None, account: int | None = ACCOUNT, topic: str = "ad_account") -> Meaning:
    payload = {"field": field, "value": value}
    now = datetime(2026, 11, 20, tzinfo=UTC)
    return meaning(Notification(1, now, topic, account, field, now, payload, None), {ACCOUNT})


@pytest.mark.parametrize(
    "field", ["effective_status", "with_issues_ad_objects", "in_process_ad_objects", "ads_async_creation_request"]
)
def test_objects_that_changed_are_pulled(field: str) -> None:
    assert notified(field, {"id": "1"}) == Meaning(Pull.OBJECTS)


@pytest.mark.parametrize(
    ("value", "pull"),
    [
        (BUDGET, Pull.OBJECTS),
        (BUDGET | {"field": "name"}, Pull.OBJECTS),
        (BUDGET | {"field": "bid_amount"}, Pull.OBJECTS),
        ({"object_id": 1, "object_type": "ad"}, Pull.OBJECTS),  # created
        (BUDGET | {"field": "today_spent"}, Pull.TODAY),
        (BUDGET | {"field": "website_purchase_roas"}, Pull.TODAY),
        (BUDGET | {"field": "cpa"}, Pull.TODAY),
        (BUDGET | {"event_type": "INSIGHTS_MILESTONE_REACHED"}, Pull.TODAY),
        ({"field": "x", "event_type": "OBJECT_UPDATED"}, Pull.OBJECTS),
        (None, Pull.OBJECTS),
        ([1], Pull.OBJECTS),
    ],
)
def test_a_subscription_speaks_of_objects_or_of_numbers(value: Any, pull: Pull) -> None:
    assert notified("subscriptions", value) == Meaning(pull)


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (notified("effective_status", account=None), "names no account"),
        (notified("effective_status", account=5), "act_5 is not an account"),
        (notified("feed", topic="page"), "page is not a topic"),
        (notified("ad_recommendations"), "recommendations are not pulled"),
        (notified("something_new"), "'something_new' is unknown"),
    ],
)
def test_what_is_ignored_has_a_reason(found: Meaning, word: str) -> None:
    assert found.pull is None
    assert word in found.reason
