"""What a report says, in the reader's language.

What belongs here: reading the catalogues (`catalogues/<language>.yml`), plurals, sentences with values put in. What
does not: which sentence is said (`dashboards.reports.sentences`), numbers and dates (`dashboards.formats`).

A catalogue has two parts. `sentences` are our own, by key, the same keys in every language; one that counts has a form
for each plural category of CLDR that the language has. `titles` are translations of English titles and words of
dashboards; a title without one stays English, so that a card of your own needs no translator.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import get_args

from babel import Locale
from ruamel.yaml import YAML

from dashboards.reports.model import Language

LANGUAGES: tuple[Language, ...] = get_args(Language)
_FOLDER = Path(__file__).with_name("catalogues")


@dataclass(frozen=True)
class Words:
    """A language's catalogue.

    Attributes:
        language: Of the words.
        sentences: By key: a text, or a text for each plural category.
        titles: Translations of English titles.
    """

    language: str
    sentences: Mapping[str, str | Mapping[str, str]]
    titles: Mapping[str, str]

    def say(self, key: str, **values: str) -> str:
        """A sentence with values put in; braces within a value stay as they are."""
        text = self.sentences[key]
        assert isinstance(text, str), f"{key} counts: use `count`"
        return text.format_map(values)

    def count(self, key: str, number: int, written: str, **values: str) -> str:
        """A sentence about so many.

        Args:
            key: Of a sentence with plural forms.
            number: How many.
            written: The number as the reader's language writes it, put in as `{count}`.
            values: What else is put in.
        """
        forms = self.sentences[key]
        assert not isinstance(forms, str), f"{key} does not count: use `say`"
        form = forms.get(Locale.parse(self.language).plural_form(number)) or forms["other"]
        return form.format_map({**values, "count": written})

    def quoted(self, name: str) -> str:
        """A name between the language's quotation marks."""
        return self.say("quoted", name=name)


@lru_cache(maxsize=len(LANGUAGES))
def words_of(language: str) -> Words:
    """The catalogue of a language."""
    found = YAML(typ="safe").load((_FOLDER / f"{language}.yml").read_text(encoding="utf-8"))
    return Words(language, found["sentences"], found.get("titles") or {})


def placeholders(text: str) -> frozenset[str]:
    """The names of the values that a sentence takes."""
    return frozenset(name for _, name, _, _ in Formatter().parse(text) if name)
