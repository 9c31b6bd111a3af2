"""Exchange rates and reporting currencies in `clients.yml`: what is refused, with its line, and what becomes rows."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.clients import ClientsFile, ClientsFileError, parse_clients

TODAY = date(2026, 11, 22)
RATES = """\
version: 1
clients: [{id: a, name: A, reporting_currency: EUR, accounts: [{id: 1}]}]
exchange_rates: rates.csv
"""
BAD_RATES = [
    ("", 1, "the columns are none", "write day,currency,target_currency,rate"),
    ("day,currency,rate\n", 1, "the columns are day, currency, rate", "write day,currency"),
    ("{head}2026-10-01,USD,EUR\n", 2, "there are 3 values, not 4", "write day,currency"),
    ("{head}2026-10-01,USD,EUR,0.9\n2026-10-32,USD,EUR,0.9\n", 3, "day '2026-10-32' is no day", "2026-10-01"),
    ("{head}2026-10-01,usd,EUR,0.9\n", 2, "currency 'usd' is no currency", "in capitals"),
    ("{head}2026-10-01,USD,EUX,0.9\n", 2, "target_currency 'EUX' is no currency", "in capitals"),
    ('{head}2026-10-01,USD,EUR,"0,9"\n', 2, "rate '0,9' is no number above 0", "with a point"),
    ("{head}2026-10-01,USD,EUR,-1\n", 2, "rate '-1' is no number above 0", "with a point"),
    ("{head}2026-10-01,USD,EUR,0.0\n", 2, "rate is 0", "how many EUR one USD was"),
    ("{head}\n2026-10-01,EUR,EUR,1\n", 3, "currency and target_currency are both EUR", "remove the row"),
    (
        "{head}2026-10-01,USD,EUR,1\n2026-10-01,USD,EUR,2\n",
        3,
        "USD in EUR on 2026-10-01 is already on line 2",
        "remove",
    ),
    ('{head}2026-10-01,USD,EUR,"1\n', 2, "this is no CSV", "write day,currency"),
]
HEAD = "day,currency,target_currency,rate\n"


def parse(text: str, folder: Path | None = None) -> ClientsFile:
    return parse_clients(text, (folder or Path()) / "clients.yml", TODAY)


@pytest.mark.parametrize(("content", "line", "what", "mend"), BAD_RATES)
def test_a_bad_rate_is_told_with_its_line_and_no_rate_is_used(
    tmp_path: Path, content: str, line: int, what: str, mend: str
) -> None:
    (tmp_path / "rates.csv").write_text(content.replace("{head}", HEAD))
    clients = parse(RATES, tmp_path)
    (warning,) = clients.warnings
    assert warning.startswith(f"{tmp_path / 'rates.csv'}:{line}:1: exchange rates: {what}")
    assert "no rate is used until this is mended" in warning
    assert mend in warning.partition("\n  -> ")[2]
    assert clients.declarations.exchange_rates == []


def test_a_file_of_rates_that_cannot_be_read(tmp_path: Path) -> None:
    assert "the file does not exist" in parse(RATES, tmp_path).warnings[0]
    (tmp_path / "rates.csv").write_bytes(b"day \xff\xfe")
    assert "cannot be read as UTF-8 text" in parse(RATES, tmp_path).warnings[0]


def test_rates_come_from_a_file_with_either_separator_or_from_the_list(tmp_path: Path) -> None:
    wanted = [{"target_currency": "EUR", "currency": "JPY", "day": date(2026, 10, 1), "rate": Decimal("0.00005")}]
    for content in (
        HEAD + "2026-10-01,JPY,EUR,0.00005\n",
        "\ufeffRate;Day;Currency;Target_Currency\r\n0.00005;2026-10-01;JPY;EUR\r\n",
    ):
        (tmp_path / "rates.csv").write_text(content, encoding="utf-8")
        clients = parse(RATES, tmp_path)
        assert clients.warnings == ()
        assert clients.declarations.exchange_rates == wanted
    row = "{day: 2026-10-01, currency: JPY, target_currency: EUR, rate: 0.00005}"
    assert parse(RATES.replace("rates.csv", f"[{row}]")).declarations.exchange_rates == wanted
    twice = parse(RATES.replace("rates.csv", f"\n  - {row}\n  - {row}"))
    assert twice.declarations.exchange_rates == []
    assert "clients.yml:5:1: exchange rates: JPY in EUR on 2026-10-01 is already on line 4" in twice.warnings[0]
    assert "this is no rate" in parse(RATES.replace("rates.csv", "[3]")).warnings[0]


def test_a_reporting_currency_without_rates_is_told() -> None:
    text = "version: 1\nclients: [{id: a, name: A, reporting_currency: %s, accounts: [{id: 1}]}]"
    (warning,) = parse(text % "EUR").warnings
    assert "client a: no exchange rate leads to EUR, so nothing is converted" in warning
    assert parse(text % "EUR").client_account_rows()[0]["reporting_currency"] == "EUR"
    with pytest.raises(ClientsFileError, match="'euro' is no currency"):
        parse(text % "euro")
