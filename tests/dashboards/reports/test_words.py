"""Catalogues: the same sentences in every language, with the same values in them."""

from __future__ import annotations

import pytest
from babel import Locale

from dashboards.library import Library
from dashboards.reports.sections import DEFAULT
from dashboards.reports.words import LANGUAGES, placeholders, words_of

ENGLISH = words_of("en")
LARGE = frozenset({"many"})
"""Categories of millions, which no report counts; they read like `other`."""


def forms(text: object) -> list[str]:
    return list(text.values()) if isinstance(text, dict) else [str(text)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything(language: str) -> None:
    words = words_of(language)
    assert words.sentences.keys() == ENGLISH.sentences.keys()
    for key, english in ENGLISH.sentences.items():
        told = words.sentences[key]
        assert isinstance(told, dict) == isinstance(english, dict), key
        expected = frozenset().union(*map(placeholders, forms(english)))
        assert all(placeholders(one) == expected for one in forms(told)), key
        assert all(one == one.strip() for one in forms(told)) or key.startswith(("list", "space")), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_that_count_have_every_plural_form(language: str) -> None:
    needed = (Locale.parse(language).plural_form.tags | {"other"}) - LARGE
    for key, told in words_of(language).sentences.items():
        if isinstance(told, dict):
            assert told.keys() == needed, key


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_what_a_report_shows_by_itself_is_translated(language: str, library: Library) -> None:
    titles = set()
    for section in DEFAULT:
        definition = library.dashboards[section.dashboard]
        titles.add(definition.dashboard.title)
        cards = {
            placed.card.key: placed.card for placed in definition.cards if placed.tab == section.tab or not section.tab
        }
        for key in section.cards:
            card = cards[key]
            titles |= {card.title, *card.titles.values()}
            columns = {*card.columns, *card.y, *([card.x] if card.x else [])} - set(card.titles) - {"currency"}
            titles |= {library.shared.titles.get(one, one.replace("_", " ").capitalize()) for one in columns}
    missing = {one for one in titles if one.strip()} - words_of(language).titles.keys()
    assert not missing


def test_plurals_and_braces_of_values() -> None:
    assert ENGLISH.count("more_alerts", 1, "1") == "1 more alert was raised."
    assert ENGLISH.count("more_alerts", 2, "2") == "2 more alerts were raised."
    assert words_of("fr").count("more_alerts", 0, "0") == "0 autre alerte a été levée."
    assert ENGLISH.quoted("{client} {0}") == "“{client} {0}”"
