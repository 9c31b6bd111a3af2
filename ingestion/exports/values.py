"""Breakdown cells to the API's values.

What belongs here: age, gender, country, platform, placement and device of one cell. What does not: which report they
make (`layout.py`). A value that is not known is kept as it stands, in lower case with underscores for placements.
"""

from __future__ import annotations

import re
from functools import lru_cache

from babel import Locale

from ingestion.exports.headers import fold

_GENDERS = {
    "female": ("female", "women", "woman", "weiblich", "frauen", "femme", "femmes", "femenino", "mujer", "mujeres",
               "feminino", "mulheres", "femmina", "donna", "donne", "vrouw", "vrouwen", "女性", "kobiety", "kadın"),
    "male": ("male", "men", "man", "männlich", "männer", "homme", "hommes", "masculino", "hombre", "hombres",
             "homens", "maschio", "uomo", "uomini", "mannen", "男性", "mężczyźni", "erkek"),
    "unknown": ("unknown", "unbekannt", "inconnu", "desconocido", "desconhecido", "sconosciuto", "onbekend", "不明",
                "nieznane", "bilinmiyor", "uncategorized"),
}  # fmt: skip
_BY_WORD = {fold(word): gender for gender, words in _GENDERS.items() for word in words}
_ALL = frozenset(
    fold(word) for word in ("All", "Alle", "Tous", "Todos", "Todas", "Tutti", "すべて", "Wszystkie", "Tümü")
)


@lru_cache(maxsize=16)
def _territories(language: str) -> dict[str, str]:
    names: dict[str, str] = {}
    for code in (language, "en"):
        for territory, name in Locale.parse(code).territories.items():
            if len(territory) == 2 and territory.isalpha():
                names.setdefault(fold(name), territory)
    return names


def is_all(text: str) -> bool:
    """Return whether a breakdown cell says that the row is not broken down: empty, or "All"."""
    return not text.strip() or fold(text) in _ALL


def breakdown_value(field: str, text: str, language: str) -> str:
    """Return a breakdown cell in the API's spelling: `female`, `18-24`, `DE`, `audience_network`, `feed`.

    Args:
        field: A name of `fields.BREAKDOWNS`.
        text: The cell.
        language: Language of the headers, for country names.
    """
    text = text.strip()
    if field == "age":
        return "Unknown" if _BY_WORD.get(fold(text)) == "unknown" else re.sub(r"\s*[–—-]\s*", "-", text)
    if field == "gender":
        return _BY_WORD.get(fold(text), text)
    if field == "country":
        return text.upper() if re.fullmatch(r"[A-Za-z]{2}", text) else _territories(language).get(fold(text), text)
    return re.sub(r"[^\w]+", "_", text.casefold()).strip("_")
