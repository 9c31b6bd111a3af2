"""Catalogues: the same sentences in every language, with the same values in them."""

from __future__ import annotations

import pytest
from babel import Locale

from dashboards.library import Library
from dashboards.reports.sections import DEFAULT
from dashboards.reports.words import LANGUAGES, placeholders, words_of

ENGLISH = words_of("en")
FOR_CLIENTS = ("executive_overview", "budget", "campaigns", "creative", "audience", "funnel", "ab_tests")
"""Dashboards; the others are read by whoever runs the platform."""
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
@pytest.mark.parametrize("dashboard", FOR_CLIENTS)
def test_whatever_a_client_is_sent_has_its_titles_in_the_language(
    language: str, dashboard: str, library: Library
) -> None:
    definition = library.dashboards[dashboard]
    titles = {definition.dashboard.title}
    for card in (placed.card for placed in definition.cards):
        titles |= {card.title, card.empty, *card.titles.values()}
        columns = {*card.columns, *card.y, *([card.x] if card.x else [])} - set(card.titles)
        titles |= {library.shared.titles.get(one, one.replace("_", " ").capitalize()) for one in columns}
    missing = {one for one in titles if one.strip()} - words_of(language).titles.keys()
    assert not missing


def test_a_report_that_names_nothing_is_for_clients() -> None:
    assert {section.dashboard for section in DEFAULT} <= {*FOR_CLIENTS}


def test_plurals_and_braces_of_values() -> None:
    assert ENGLISH.count("more_alerts", 1, "1") == "1 more alert was raised."
    assert ENGLISH.count("more_alerts", 2, "2") == "2 more alerts were raised."
    assert words_of("fr").count("more_alerts", 0, "0") == "0 autre alerte a été levée."
    assert ENGLISH.quoted("{client} {0}") == "“{client} {0}”"
