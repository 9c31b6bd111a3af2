"""What a benchmark hands back, and the table that people read.

What belongs here: figures with their goals, and how they are shown. What does not: measuring.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rich.console import Console
from rich.markup import escape
from rich.table import Table

HEADINGS = ("What", "Figure", "Goal", "Of goal", "Peers", "")


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    Attributes:
        what: What was measured.
        value: The figure: the median where there were several runs.
        unit: What it is in; may be empty.
        goal: What it should reach; None where there is no goal.
        more_is_better: Whether the goal is a floor; else it is a ceiling.
        peers: What the peers reach with the same work, in words.
        peers_value: The best peer's figure, for the ratio; None where there is none.
        spread: Lowest and highest of the runs.
        digits: Decimals shown.
    """

    what: str
    value: float
    unit: str = ""
    goal: float | None = None
    more_is_better: bool = True
    peers: str = "-"
    peers_value: float | None = None
    spread: tuple[float, float] | None = None
    digits: int = 0

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.more_is_better else self.value <= self.goal

    def cells(self) -> tuple[str, str, str, str, str, str]:
        """The texts of a table's row."""
        figure = f"{self._number(self.value)} {self.unit}".strip()
        if self.spread and self.spread[0] != self.spread[1]:
            figure += f" ({self._number(self.spread[0])} to {self._number(self.spread[1])})"
        peers = self.peers
        if self.peers_value and self.value:
            times = self.value / self.peers_value if self.more_is_better else self.peers_value / self.value
            peers += f"; {times:.1f} times better"
        if self.goal is None:
            return self.what, figure, "-", "-", peers, ""
        goal = f"{'>=' if self.more_is_better else '<='} {self._number(self.goal)} {self.unit}".strip()
        ratio = self.value / self.goal if self.goal else None
        mark = "pass" if self.met else "MISS"
        return self.what, figure, goal, "-" if ratio is None else f"{ratio:.2f}", peers, mark

    def _number(self, value: float) -> str:
        return f"{value:,.{self.digits}f}"


@dataclass
class Report:
    """What one benchmark found.

    Attributes:
        figures: For the table.
        notes: How it was measured, and what the table has no room for.
        columns: Headings of a table of its own, e.g. of the costs per row.
        rows: Its rows.
    """

    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    rows: list[tuple[str, ...]] = field(default_factory=list)


def median_of(
    what: str, values: Sequence[float], *, unit: str = "", goal: float | None = None, more_is_better: bool = True,
    peers: str = "-", peers_value: float | None = None, digits: int = 0,
) -> Figure:  # fmt: skip
    """A figure from several runs."""
    spread = (min(values), max(values)) if len(values) > 1 else None
    middle = statistics.median(values)
    return Figure(what, middle, unit, goal, more_is_better, peers, peers_value, spread, digits)


def as_markdown(machine: Sequence[str], reports: Sequence[Report]) -> str:
    """Everything as markdown, for the README."""
    lines = markdown_table(HEADINGS, [figure.cells() for report in reports for figure in report.figures])
    for report in reports:
        if report.rows:
            lines += ["", *markdown_table(report.columns, report.rows)]
    notes = [note for report in reports for note in report.notes]
    return "\n".join([*lines, "", *(f"- {text}" for text in (*machine, *notes))]) + "\n"


def show(console: Console, machine: Sequence[str], reports: Sequence[Report]) -> None:
    """Everything as rich tables."""
    _rich_table(console, HEADINGS, [figure.cells() for report in reports for figure in report.figures])
    for report in reports:
        if report.rows:
            _rich_table(console, report.columns, report.rows)
    for text in (*machine, *(note for report in reports for note in report.notes)):
        console.print(f"[dim]-[/] {escape(text)}", highlight=False)


def markdown_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table, its first column to the left."""
    sides = ["---" if number == 0 else "---:" for number in range(len(columns))]
    return [f"| {' | '.join(cells)} |" for cells in (columns, sides, *rows)]


def _rich_table(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(*columns)
    colour: Callable[[str], str] = {"pass": "[green]pass[/]", "MISS": "[red]MISS[/]"}.get
    for row in rows:
        table.add_row(*(colour(cell) or escape(cell) for cell in row))
    console.print(table)
