"""Whole files."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.exports import combine, read_export

HEAD = ["Campaign name", "Day", "Amount spent (USD)", "Impressions", "Reach", "Link clicks", "Purchases"]


def row(name: str = "A", day: str = "2019-08-01", *numbers: Any) -> list[Any]:
    return [name, day, *(numbers or ("12.5", "1000", "900", "30", "2"))]


def test_a_campaign_file_becomes_ad_rows(write: Any, rows: Any) -> None:
    export = read_export(write([HEAD, row(), row("B"), row("A", "2019-08-02")]))
    assert (export.level, export.report, export.currency, export.row_count) == ("campaign", "ad_daily", "USD", 3)
    assert [day.day for day in export.days] == [date(2019, 8, 1), date(2019, 8, 2)]
    assert export.days[0].payloads == export.days[0].payloads
    first = rows(export)[0]
    assert first["spend"] == "12.5"
    assert first["impressions"] == "1000"
    assert first["inline_link_clicks"] == "30"
    assert {"action_type": "omni_purchase", "value": "2"} in first["actions"]
    assert first["ad_name"] == "(all ads of A)"
    assert first["adset_name"] == "(all ad sets of A)"
    assert first["_derived_ids"] == ["account_id", "campaign_id", "adset_id", "ad_id"]
    assert first["_source"] == "export"
    assert first["date_start"] == first["date_stop"] == "2019-08-01"
    assert export.account_derived
    assert export.account_name == "Imported USD"
    assert len(export.entities["campaigns"]) == len(export.entities["ads"]) == 2
    assert export.entities["ads"][0]["campaign_id"] == first["campaign_id"]


def test_the_published_kind_of_file(write: Any, rows: Any) -> None:
    text = (
        "Campaign Name;Date;Spend [USD];Impressions;Reach;Website Clicks;Searches;View Content;Add to Cart;Purchase\r\n"
        "X;1.08.2019;2280;82702;56930;7016;2290;2159;1819;618\r\n"
        "X;5.08.2019;1835;\r\n"
        "X;13.08.2019;10;20;15;;;;;\r\n"
    )
    export = read_export(write(text))
    assert [(r.line, r.text) for r in export.rejected] == [(3, "X | 5.08.2019 | 1835 | ")]
    assert "4 cells" in export.rejected[0].reason
    assert "Impressions" in export.rejected[0].reason
    assert [r["spend"] for r in rows(export)] == ["2280", "10"]
    assert "actions" not in rows(export)[1]


def test_ad_level_with_ids_and_all_columns(write: Any, rows: Any) -> None:
    head = ["Account ID", "Account name", "Campaign name", "Campaign ID", "Ad set name", "Ad set ID", "Ad name",
            "Ad ID", "Reporting starts", "Reporting ends", "Amount spent (EUR)", "Impressions", "Frequency",
            "ThruPlays", "Video average play time", "Purchases conversion value", "Results", "Result indicator",
            "Purchase ROAS (return on ad spend)", "Mystery", "Attribution setting"]  # fmt: skip
    line = ["555", "Shop", "=SUM(A1)", "120", "S", "121", "T", "122", "2026-11-01", "2026-11-01", "0.99", "10", "1.25",
            "4", "0:00:05", "214.70", "3", "actions:offsite_conversion.fb_pixel_purchase", "9", "?",
            "7-day click"]  # fmt: skip
    export = read_export(write([head, line]), time_zone="Europe/Berlin")
    assert (export.account_id, export.account_derived, export.account_name) == (555, False, "Shop")
    (only,) = rows(export)
    assert only["campaign_name"] == "=SUM(A1)"
    assert (only["ad_id"], only["_derived_ids"]) == ("122", [])
    assert only["action_values"][0] == {"action_type": "omni_purchase", "value": "214.7"}
    assert only["video_avg_time_watched_actions"] == [{"action_type": "video_view", "value": "5"}]
    assert only["actions"] == [{"action_type": "offsite_conversion.fb_pixel_purchase", "value": "3"}]
    assert only["_columns"] == {"Purchase ROAS (return on ad spend)": "9", "Mystery": "?"}
    assert any("Mystery" in text and "ROAS" not in text for text in export.warnings)


@pytest.mark.parametrize(
    ("kind", "expected"), [("Website purchases", "offsite_conversion.fb_pixel_purchase"), ("??", None)]
)
def test_results_by_type(write: Any, rows: Any, kind: str, expected: str | None) -> None:
    export = read_export(write([[*HEAD[:4], "Results", "Result type"], row("A", "2019-08-01", "1", "2", "3", kind)]))
    found = [entry["action_type"] for entry in rows(export)[0].get("actions", [])]
    assert found == ([expected] if expected else [])


LANGUAGES = {
    "de": (["Kampagnenname", "Tag", "Ausgegebener Betrag (EUR)", "Impressionen", "Link-Klicks"], ";", "1.234,50"),
    "fr": (
        ["Nom de la campagne", "Jour", "Montant dépensé (EUR)", "Impressions", "Clics sur un lien"],
        ";",
        "1\u202f234,50",
    ),
    "es": (
        ["Nombre de la campaña", "Día", "Importe gastado (MXN)", "Impresiones", "Clics en el enlace"],
        ",",
        "1,234.50",
    ),
    "pt": (["Nome da campanha", "Dia", "Valor usado (BRL)", "Impressões", "Cliques no link"], ";", "1.234,50"),
    "it": (["Nome della campagna", "Giorno", "Importo speso (EUR)", "Impression", "Clic sul link"], ";", "1.234,50"),
    "nl": (["Campagnenaam", "Dag", "Besteed bedrag (EUR)", "Weergaven", "Klikken op links"], ",", "1234.50"),
    "ja": (["キャンペーン名", "日", "消化金額 (JPY)", "インプレッション", "リンクのクリック"], ",", "1,234.50"),
    "pl": (["Nazwa kampanii", "Dzień", "Wydana kwota (PLN)", "Wyświetlenia", "Kliknięcia linku"], ";", "1 234,50"),
    "tr": (["Kampanya Adı", "Gün", "Harcanan Tutar (TRY)", "Gösterim", "Bağlantı Tıklamaları"], ";", "1.234,50"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_languages(write: Any, rows: Any, language: str) -> None:
    head, sep, spend = LANGUAGES[language]
    export = read_export(write([head, ["Ä1", "2026-11-01", spend, "5000", "7"]], sep=sep))
    assert export.language == language
    assert (rows(export)[0]["spend"], rows(export)[0]["inline_link_clicks"]) == ("1234.5", "7")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]),
    sep=st.sampled_from([",", ";", "\t", "|"]),
    name=st.text(
        st.characters(min_codepoint=32, max_codepoint=255, exclude_categories=("Cc", "Zs", "Cs")),
        min_size=1,
        max_size=9,
    ),
    breaks=st.booleans(),
)
def test_encodings_separators_and_quotes(
    write: Any, rows: Any, encoding: str, sep: str, name: str, breaks: bool
) -> None:
    full = f'x{name}"{sep}' + ("\n2" if breaks else "")
    try:
        path = write([HEAD, row(full), row("B", "x")], sep=sep, encoding=encoding)
    except UnicodeEncodeError:
        return
    export = read_export(path)
    assert export.rejected[0].line == (4 if breaks else 3)
    if encoding != "cp1252":
        assert (
            rows(export)[0]["campaign_name"].replace("\r", "")
            == __import__("unicodedata").normalize("NFC", full).strip()
        )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    spend=st.lists(st.decimals(min_value=0, max_value=99999, places=2), min_size=1, max_size=6),
    style=st.sampled_from([(",", "."), (".", ","), ("\u00a0", ","), ("'", ".")]),
    sep=st.sampled_from([",", ";", "\t"]),
)
def test_money_is_exact_in_every_format(
    write: Any, rows: Any, spend: list[Decimal], style: tuple[str, str], sep: str
) -> None:
    texts = [f"{s:,.2f}".replace(",", "\0").replace(".", style[1]).replace("\0", style[0]) for s in spend]
    table = [HEAD, *(row(f"c{i}", "2019-08-01", text, "1000", "1", "1", "1") for i, text in enumerate(texts))]
    assert [Decimal(r["spend"]) for r in rows(read_export(write(table, sep=sep)))] == spend


def test_windows_japanese(write: Any, rows: Any) -> None:
    head, sep, spend = LANGUAGES["ja"]
    export = read_export(write([head, ["名前", "2026-11-01", spend, "5000", "7"]], sep=sep, encoding="cp932"))
    assert rows(export)[0]["campaign_name"] == "名前"
    assert any("932" in text for text in export.warnings)


def test_doubtful_numbers_are_settled_by_counts_and_options(write: Any, rows: Any) -> None:
    table = [HEAD, row("A", "2019-08-01", "1.234", "5.000", "3.001", "1", "")]
    assert rows(read_export(write(table, sep=";")))[0]["spend"] == "1234"
    table = [HEAD, row("A", "2019-08-01", "1.234", "5000", "3001", "1", "")]
    assert rows(read_export(write(table)))[0]["spend"] == "1.234"
    assert rows(read_export(write(table), decimal=","))[0]["spend"] == "1234"


def test_totals_are_dropped_and_counted(write: Any, rows: Any) -> None:
    table = [HEAD, row("", ""), row("Total"), row("Results from 2 campaigns"), row("A", ""), row("A"), ["", "", "", ""]]
    export = read_export(write(table))
    assert (export.dropped_totals, export.row_count, export.rejected) == (4, 1, [])
    named = read_export(write([["Campaign ID", *HEAD], ["7", *row("Total")]]))
    assert rows(named)[0]["campaign_name"] == "Total"


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        (("5", "", "", "", ""), "Impressions.* is empty although money was spent"),
        (("", "9", "", "", ""), "is empty although there are impressions"),
        (("abc", "9", "", "", ""), "not a number"),
        (("-1", "9", "", "", ""), "below zero"),
        (("1", "9.5", "", "", ""), "not a whole number"),
        (("1", "9", "1", "1"), "6 cells"),
        (("1", "9", "1", "1", "1", "1"), "8 cells"),
    ],
)
def test_broken_rows_are_reported(write: Any, numbers: tuple[str, ...], reason: str) -> None:
    export = read_export(write([HEAD, row("ok"), row("A", "2019-08-01", *numbers), row("B", "2019-02-31")]))
    assert [r.line for r in export.rejected] == [3, 4]
    assert __import__("re").search(reason, export.rejected[0].reason), export.rejected[0].reason
    assert export.row_count == 1


def test_no_delivery_is_left_out_and_absent_is_not_zero(write: Any, rows: Any) -> None:
    export = read_export(
        write([HEAD, row("A", "2019-08-01", "0", "", "", "", ""), row("B", "2019-08-01", "0", "0", "", "", "")])
    )
    assert (export.row_count, export.rejected) == (1, [])
    assert "reach" not in rows(export)[0]
    assert any("without any delivery" in text for text in export.warnings)


def test_same_names_are_added_up_without_reach(write: Any, rows: Any) -> None:
    export = read_export(write([HEAD, row(), row()]))
    (only,) = rows(export)
    assert (only["spend"], only["impressions"], only["_merged_rows"]) == ("25", "2000", 2)
    assert "reach" not in only
    assert {"action_type": "purchase", "value": "4"} in only["actions"]
    assert any("'A'" in text and "added up" in text for text in export.warnings)


def test_rows_with_ids(write: Any, rows: Any) -> None:
    head = ["Campaign ID", *HEAD]
    export = read_export(write([head, ["7", *row()], ["7", *row()], ["8", *row()]]))
    assert export.row_count == 2
    with pytest.raises(Exception, match="2 different rows"):
        read_export(write([head, ["7", *row()], ["7", *row("A", "2019-08-01", "1", "1", "1", "1", "1")]]))
    rounded = read_export(write([head, ["1.2E+17", *row()]]))
    assert "campaign_id" in rows(rounded)[0]["_derived_ids"]
    assert any("damaged" in text for text in rounded.warnings)


@pytest.mark.parametrize(
    ("extra", "cells", "report", "expected"),
    [
        (["Age", "Gender"], ["18-24", "Women"], "ad_daily__age_gender", {"age": "18-24", "gender": "female"}),
        (["Age"], ["65+"], "ad_daily__age_gender", {"age": "65+"}),
        (["Country"], ["Germany"], "ad_daily__country", {"country": "DE"}),
        (["Country"], ["us"], "ad_daily__country", {"country": "US"}),
        (["Platform", "Placement", "Device platform"], ["Audience Network", "Feed", "Mobile app"],
         "ad_daily__placement",
         {"publisher_platform": "audience_network", "platform_position": "feed", "impression_device": "mobile_app"}),
    ],
)  # fmt: skip
def test_breakdowns(
    write: Any, rows: Any, extra: list[str], cells: list[str], report: str, expected: dict[str, str]
) -> None:
    export = read_export(write([[*HEAD, *extra], [*row(), *cells], [*row(), *["" for _ in cells]]]))
    assert (export.report, export.dropped_totals, export.row_count) == (report, 1, 1)
    assert expected.items() <= rows(export)[0].items()
    assert any("do not give totals" in text for text in export.warnings)


def test_xlsx(sheet: Any, rows: Any) -> None:
    table = [
        HEAD,
        ["A", datetime(2019, 8, 1), 76.53, 1000, 900.0, None, None],  # noqa: DTZ001
        ["B", date(2019, 8, 1), 1, 2],
        [None, None, 5],
    ]
    export = read_export(sheet(**{"Formatted Report": table, "Raw Data Report": table}))
    assert [r["spend"] for r in rows(export)] == ["76.53", "1"]
    assert export.dropped_totals == 1
    assert any("Formatted Report" in text for text in export.warnings)
    ids = read_export(sheet(Data=[["Campaign ID", *HEAD], [120210000000010001, *row()], [77, *row("C")]]))
    assert [r["campaign_id"] == "77" for r in rows(ids)] == [False, True]


def test_two_files_of_one_account_make_whole_days(write: Any) -> None:
    first = read_export(write([HEAD, row("A"), row("B")], "one.csv"))
    second = read_export(
        write([HEAD, row("B", "2019-08-01", "1", "1", "1", "1", "1"), row("B", "2019-08-02")], "two.csv")
    )
    days = list(combine([first, second]))
    assert [(d.day.day, len(d.payloads), d.repeated) for d in days] == [(1, 2, 1), (2, 1, 0)]
    assert json.loads(days[0].payloads[1])["spend"] == "1"
    assert days[0].files == ("one.csv", "two.csv")


def test_columns_option_names_an_unknown_header(write: Any, rows: Any) -> None:
    head = ["Kampagnenname", "Berichtsstart", "Berichtsende", "Ausgegebener Betrag (EUR)", "Impressionen"]
    path = write([head, ["A", "01.08.2026", "01.08.2026", "5", "10"]], sep=";")
    named = {"Berichtsstart": "reporting_starts", "Berichtsende": "reporting_ends"}
    assert rows(read_export(path, columns=named))[0]["date_start"] == "2026-08-01"


def test_account_and_currency_options(write: Any, rows: Any) -> None:
    bare = [[*HEAD[:2], "Amount spent", *HEAD[3:]], row()]
    export = read_export(write(bare), account_id=99, currency="eur")
    assert (rows(export)[0]["account_id"], export.currency, export.account_derived) == ("99", "EUR", False)
    named = read_export(write(bare), account_name="Client", currency="EUR")
    assert named.account_id == read_export(write(bare), account_name=" Client", currency="EUR").account_id < 0


def test_large_file_is_spooled(write: Any) -> None:
    table = [HEAD, *(row(f"campaign {i % 500}", f"2019-08-{i // 500 + 1:02d}") for i in range(15_000))]
    export = read_export(write(table))
    assert export.row_count == 15_000
    assert len(export.days[-1].payloads) == 500
