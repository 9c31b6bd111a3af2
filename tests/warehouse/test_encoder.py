"""The COPY encoder: what it accepts, what it refuses, and that everything comes back as it went in."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.databases import Databases
from tests.warehouse.rows import ACCOUNT, DAY, provenance, row
from warehouse.connect import Warehouse
from warehouse.encoder import encoder_for
from warehouse.errors import SliceRejected
from warehouse.loader import replace_slice
from warehouse.query import stored_payloads
from warehouse.tables import AD_DAILY, AD_DAILY_AGE_GENDER, AD_DAILY_COUNTRY

ENCODER = encoder_for(AD_DAILY)
CHARACTERS = '\\\t\n\r\x00\x01\x1f"/N.u0{}[],: äé€\ud800\udfff😀'
TRICKY = st.sampled_from([*CHARACTERS, "\\N", "\\.", "\\u0000", "\\\\u0000"])
TEXTS = st.lists(st.one_of(TRICKY, st.text(st.characters(codec=None), max_size=4)), max_size=12).map("".join)
VALUES = st.recursive(
    st.one_of(TEXTS, st.booleans(), st.none(), st.integers(-(2**53), 2**53)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("changes", "column", "reason"),
    [
        ({"account_id": "99"}, "account_id", "the slice is account"),
        ({"account_id": None}, "account_id", "the slice is account"),
        ({"date_start": "2026-11-19"}, "date_start", "the slice is of"),
        ({"date_start": None}, "date_start", "the slice is of"),
        ({"date_stop": "2026-11-21"}, "date_stop", "the slice is of"),
        ({"ad_id": None}, "ad_id", "is absent"),
        ({"adset_id": "x1"}, "adset_id", "is no object id"),
        ({"ad_id": "9223372036854775808"}, "ad_id", "is no object id"),
        ({"impressions": "9223372036854775808"}, "impressions", "too large"),
        ({"clicks": "1.5"}, "clicks", "no whole number"),
        ({"clicks": True}, "clicks", "no whole number"),
        ({"clicks": "١٢"}, "clicks", "no whole number"),
        ({"spend": "12,50"}, "spend", "is no number"),
        ({"spend": ""}, "spend", "is no number"),
        ({"spend": "NaN"}, "spend", "is no number"),
        ({"spend": [1]}, "spend", "is no number"),
    ],
)
def test_a_row_that_contradicts_its_slice_is_named(changes: dict[str, object], column: str, reason: str) -> None:
    with pytest.raises(SliceRejected, match=reason) as caught:
        ENCODER.encode(ACCOUNT, DAY, [row(1), row(2, **changes)])
    error = caught.value
    assert (error.account_id, error.report, error.day, error.column) == (ACCOUNT, "ad_daily", DAY, column)
    assert error.row_number == 2
    assert "To mend:" in str(error)


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"[]", b'"x"', b"\xff", b"null", b'{"account_id":NaN}', b"\xef\xbb\xbf{}"]
)
def test_what_is_no_json_object_is_named(payload: bytes) -> None:
    with pytest.raises(SliceRejected, match="is no JSON"):
        ENCODER.encode(ACCOUNT, DAY, [payload])


def test_long_values_are_shortened_in_messages() -> None:
    with pytest.raises(SliceRejected) as caught:
        ENCODER.encode(ACCOUNT, DAY, [row(1, spend="9" * 5000)])
    assert len(str(caught.value)) < 600


def test_digest_depends_on_content_and_not_on_order() -> None:
    rows = [row(ad) for ad in range(600)]
    digest = ENCODER.encode(ACCOUNT, DAY, rows).digest
    random.Random(1).shuffle(rows)
    assert ENCODER.encode(ACCOUNT, DAY, rows).digest == digest
    assert ENCODER.encode(ACCOUNT, DAY, rows[1:]).digest != digest
    assert ENCODER.encode(ACCOUNT, DAY, [*rows[1:], row(700)]).digest != digest


def test_nul_and_halves_of_surrogates_are_replaced_and_counted() -> None:
    rows = [
        row(1).replace(b"Video", b"a\\u0000\\u0000b"),
        row(2).replace(b"Video", b"a\\ud800b"),
        row(3).replace(b"Video", b"\\ud83d\\ude00"),
        row(4).replace(b"Video", b"\\\\u0000"),
    ]
    encoded = ENCODER.encode(ACCOUNT, DAY, rows)
    assert encoded.repaired_count == 2
    text = b"".join(encoded.chunks)
    assert b"a\\\\ufffd\\\\ufffdb" in text
    assert b"a\\\\ufffdb" in text


def test_fast_and_careful_path_agree() -> None:
    """The same row with one bare number takes the careful path, and must give the same line."""
    fast = ENCODER.encode(ACCOUNT, DAY, [row(1)]).chunks[0].rsplit(b"\t", 1)[0]
    careful = ENCODER.encode(ACCOUNT, DAY, [row(1, impressions=4233, spend=76.53)]).chunks[0].rsplit(b"\t", 1)[0]
    assert fast == careful


@pytest.fixture(scope="module")
def module_warehouse(databases: Databases):
    with databases.fresh("plain") as url, Warehouse(url) as opened:
        yield opened


def _dumped(value: Any) -> bytes:
    """JSON with everything but ASCII escaped, as Meta sends it; halves of surrogate pairs survive."""
    import json

    return json.dumps(value).encode()


def _storable(value: Any) -> Any:
    """What must come back: NUL and halves of surrogate pairs replaced, the rest untouched."""
    if isinstance(value, str):
        paired = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return paired.replace("\x00", "\ufffd")
    if isinstance(value, list):
        return [_storable(item) for item in value]
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return value


@pytest.mark.integration
@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(extra=st.dictionaries(TEXTS, VALUES, max_size=4), name=TEXTS, indented=st.booleans())
def test_any_payload_comes_back_equal(
    module_warehouse: Warehouse, extra: dict[str, Any], name: str, *, indented: bool
) -> None:
    data = orjson.loads(row(1)) | {"extra": extra, "ad_name": name}
    payload = _dumped(data)
    if indented:
        payload = payload.replace(b', "ad_name"', b',\r\n\t"ad_name"')
    replace_slice(module_warehouse, AD_DAILY, ACCOUNT, DAY, [payload], provenance())
    (back,) = stored_payloads(module_warehouse, AD_DAILY, ACCOUNT, DAY)
    assert orjson.loads(back) == _storable(data)


@pytest.mark.integration
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(age=st.one_of(st.none(), TEXTS), gender=st.one_of(st.none(), TEXTS), currency=st.one_of(st.none(), TEXTS))
def test_any_text_column_comes_back_equal(
    module_warehouse: Warehouse, age: str | None, gender: str | None, currency: str | None
) -> None:
    data = orjson.loads(row(1)) | {"age": age, "gender": gender, "account_currency": currency}
    replace_slice(module_warehouse, AD_DAILY_AGE_GENDER, ACCOUNT, DAY, [_dumped(data)], provenance())
    with module_warehouse.connection() as connection:
        found = connection.execute(
            "SELECT age, gender, account_currency FROM raw.insights_ad_daily__age_gender"
        ).fetchall()
    assert found == [(_storable(age) or "", _storable(gender) or "", _storable(currency))]


@pytest.mark.integration
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(countries=st.lists(TEXTS, max_size=30), day=st.integers(0, 60).map(lambda back: DAY - timedelta(days=back)))
def test_keys_are_unique_whatever_they_contain(module_warehouse: Warehouse, countries: list[str], day: Any) -> None:
    rows = [_dumped(orjson.loads(row(1, day)) | {"country": country}) for country in countries]
    result = replace_slice(module_warehouse, AD_DAILY_COUNTRY, ACCOUNT, day, rows, provenance())
    assert result.row_count == len({_storable(country) for country in countries})
    assert result.row_count + result.duplicate_count == len(countries)
