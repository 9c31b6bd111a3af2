"""Documents that no database is needed for.

What belongs here: documents with what is hard to show. What does not: tests.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from dashboards.reports.document import Cell, Column, Document, Figure, Figures, Lines, Message, Part, Table

EVIL = '<script>alert(1)</script> *b* $x$ #panic("no") "quoted" & =1+1'


def table(rows: int, title: str = "Campaigns", name: str = "Campaign") -> Table:
    """A table of money; its first rows have names that mean something to some program."""
    names = [EVIL, "=cmd|' /C calc'!A0", "+1", "-2+3", "@SUM(A1)", "\tTab", "夏セール・新規顧客向け", "a" * 90]
    cells = tuple(
        (
            Cell(*[names[place] if place < len(names) else f"{name} {place}"] * 2),
            Cell(f"€{place}.50", Decimal(f"{place}.5"), "EUR"),
            Cell("–", None),
            Cell("1.5%", 0.015),
            Cell("Jun 1, 2026", date(2026, 6, 1)),
        )
        for place in range(rows)
    )
    columns = (
        Column(name, "text", False),
        Column("Spend", "money", True),
        Column("CPA", "money", True),
        Column("CTR", "percent", True),
        Column("Day", "date", False),
    )
    return Table(title, columns, cells)


def document(*tables: Table, language: str = "en") -> Document:
    """A report with these tables."""
    figure = Figure(
        "Spend",
        Cell("€12,345", Decimal("12345.67"), "EUR"),
        Cell("€10,000", Decimal(10000), "EUR"),
        Cell("+23.5%", Decimal("0.2346")),
        "good",
        "money",
    )
    share = Figure("CTR", Cell("1.50%", Decimal("0.015")), None, None, "neither", "percent")
    return Document(
        language=language,
        subject="Acme – week: ROAS 3.20",
        title="Weekly report",
        client="Acme & Sons",
        days="Jun 1 – 7, 2026",
        compared="May 25 – 31, 2026",
        greeting=("Hello,", EVIL),
        figures=(Figures("At a glance", (figure, share)),),
        changes=(Lines("What changed", (f"It came from “{EVIL}”.",)),),
        events=Lines("What happened", ("Nothing.",)),
        notes=("7 days are not final.",),
        details=(),
        parts=(Part("Campaigns", (*tables, Message("Broken", "No answer."))),),
        facts=(("Days", "Jun 1 – 7, 2026"), ("Currency", "EUR")),
        problems=("One card had no answer.",),
        footer="Written now.",
        link="https://ads.example/?a=1&b=2",
    )


def with_names(found: Document, names: list[str]) -> Document:
    """The same with a small table of each of these titles."""
    return replace(found, parts=(Part("All", tuple(table(2, title) for title in names)),))
