"""Which addresses Meta can be told to call."""

from __future__ import annotations

import pytest

from orchestration.errors import UserError
from orchestration.subscribing import check_callback


@pytest.mark.parametrize("url", ["https://ads.example.com/webhook", "http://127.0.0.1:3001/webhook"])
def test_https_or_this_machine(url: str) -> None:
    check_callback(url)


@pytest.mark.parametrize(
    "url", ["", "ads.example.com/webhook", "http://ads.example.com/webhook", "https://", "ftp://x"]
)
def test_other_addresses_are_refused_with_an_example(url: str) -> None:
    with pytest.raises(UserError) as refused:
        check_callback(url)
    assert "https://ads.example.com/webhook" in refused.value.mend
