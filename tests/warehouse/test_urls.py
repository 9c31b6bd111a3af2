"""URLs and passwords: what is read, and that no message ever shows a secret."""

from __future__ import annotations

import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.connect import Warehouse, connect
from warehouse.errors import DatabaseUnavailable, InvalidUrl, WarehouseError
from warehouse.urls import DatabaseUrl

SECRET = "s3cr3t-pass"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p@h:6543/d", {"user": "u", "password": "p", "host": "h", "port": "6543", "dbname": "d"}),
        ("postgresql://u@/d?host=/run/pg", {"user": "u", "host": "/run/pg", "dbname": "d"}),
        ("postgresql+psycopg://h/d?sslmode=require", {"host": "h", "dbname": "d", "sslmode": "require"}),
        (
            "postgres://u:a%40b%2Fc@[::1]/d",
            {"user": "u", "password": "a@b/c", "host": "::1", "dbname": "d"},
        ),
        ("postgresql:///d", {"dbname": "d"}),
        ("postgresql://u@/d?password=a+b&host=/a%20b", {"user": "u", "password": "a+b", "host": "/a b", "dbname": "d"}),
        ("postgresql://u@%2Frun%2Fpg/d", {"user": "u", "host": "/run/pg", "dbname": "d"}),
    ],
)
def test_urls_are_read(url: str, expected: dict[str, str]) -> None:
    parsed = DatabaseUrl.parse(url)
    assert parsed.libpq() == expected
    assert DatabaseUrl.parse(parsed.render(reveal=True)) == parsed


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://u:{SECRET}@h/d",
        f"host=h password={SECRET}",
        f"postgresql://u:{SECRET}@x@h/d",
        f"postgresql://u:{SECRET}/x@h/d",
        f"postgresql://u:#{SECRET}@h/d",
        f"postgresql://h:{SECRET}/d",
        f"postgresql://h:{SECRET}",
        "",
    ],
)
def test_unreadable_urls_are_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(InvalidUrl) as caught:
        Warehouse(url)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://u:{SECRET}@127.0.0.1:1/d",
        f"postgresql://u@127.0.0.1:1/d?password={SECRET}",
        f"postgresql://u:{SECRET}@no-such-host.invalid/d",
        f"postgresql://u:{SECRET}@/d?host=/nowhere",
        f"postgresql://u@127.0.0.1:1/d?sslpassword={SECRET}&nonsense={SECRET}",
        f"postgresql://u:{SECRET}@127.0.0.1:1/d?sslmode={SECRET}",
    ],
)
def test_passwords_appear_in_no_message(url: str) -> None:
    warehouse = connect(url)
    assert SECRET not in repr(warehouse)
    assert SECRET in warehouse.url
    with pytest.raises(WarehouseError) as caught, warehouse.connection():
        pass
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_server_that_is_not_there_is_transient() -> None:
    with (
        pytest.raises(DatabaseUnavailable, match="Cannot connect"),
        Warehouse("postgresql://u@127.0.0.1:1/d").connection(),
    ):
        pass


@given(password=st.text(min_size=8, max_size=30).filter(lambda text: "\x00" not in text and text.isprintable()))
def test_any_password_is_kept_and_hidden(password: str) -> None:
    url = DatabaseUrl("user", password, "db.example", 5432, "warehouse").render(reveal=True)
    parsed = DatabaseUrl.parse(url)
    assert parsed.password == password
    assert password not in repr(parsed)
    assert password not in parsed.redact(f"failed with {password} and {url}")
