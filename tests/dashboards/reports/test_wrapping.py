"""Lines of text parts."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from wcwidth import width

from dashboards.reports.wrapping import wrapped

TEXTS = st.text(alphabet="ab c-.(\u00a0「日本語」。、１é", max_size=120)


@settings(deadline=None)
@given(TEXTS, st.integers(8, 40))
def test_no_line_is_too_wide_and_nothing_is_lost(text: str, room: int) -> None:
    lines = wrapped(text, room, "* ", "  ")
    assert all(width(line) <= room for line in lines)
    assert "".join("".join(line[2:] for line in lines).split()) == "".join(text.split())


def test_words_stay_whole_in_japanese_and_marks_do_not_begin_a_line() -> None:
    text = "テスト「Short hook」では差が見られませんでした。Longに対するCTRです。"
    lines = wrapped(text, 24)
    assert any("CTR" in line for line in lines)
    assert not any(line[0] in "。、」）" for line in lines)
    assert not any(line[-1] in "「（" for line in lines)


def test_numbers_stay_with_their_units() -> None:
    assert wrapped("vient de «\u00a0A\u00a0» +144,35\u00a0€", 12) == ["vient de", "«\u00a0A\u00a0»", "+144,35\u00a0€"]


def test_latin_text_breaks_at_spaces() -> None:
    assert wrapped("one two three", 8, "* ", "  ") == ["* one", "  two", "  three"]
    assert wrapped("", 8) == []
    assert wrapped("abcdefghij", 4) == ["abcd", "efgh", "ij"]
