"""Rows that add up other rows of the file.

What belongs here: recognising them. What does not: dropping and counting them (`reader.py`).

A row is a total if it is labelled so, if the name (and id) of the file's own level is empty, if the file has a day
column and the day is empty, or if the file has breakdown columns and all of them are empty. Each such row would be
counted twice. A row with an id at the file's level is an object whatever its name is: a campaign may be called "Total".
"""

from __future__ import annotations

import re

from ingestion.exports.headers import fold

_LABELS = frozenset(
    fold(label)
    for label in (
        "Total", "Totals", "Grand total", "Gesamt", "Gesamtsumme", "Gesamtergebnis", "Insgesamt", "Total general",
        "Total général", "Totale", "Totale complessivo", "Total geral", "Totaal", "Eindtotaal", "合計", "総計",
        "Suma", "Suma końcowa", "Toplam", "Genel Toplam",
    )
)  # fmt: skip
_RESULTS_FROM = re.compile(r"^(total\s+)?results?\s+(from|of)\s+[\d.,\s]+(campaigns?|ad sets?|ads?)\b", re.IGNORECASE)


def is_total_label(text: str) -> bool:
    """Return whether a cell is the label of a total line in one of the known languages."""
    return fold(text) in _LABELS or _RESULTS_FROM.match(text.strip()) is not None
