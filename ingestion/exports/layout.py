"""What a file is as a whole: its level, report, account, currency and formats.

What belongs here: decisions taken once per file from its columns and from a first pass over its cells. What does not:
single rows (`rows.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from babel.numbers import get_decimal_symbol

from ingestion.exports.dates import DateOrder, OrderEvidence
from ingestion.exports.errors import ExportRefused
from ingestion.exports.fields import BREAKDOWNS, DATES, METRICS, REPORTS
from ingestion.exports.headers import Column, currencies
from ingestion.exports.identity import clean_name, read_id
from ingestion.exports.model import Level
from ingestion.exports.numerals import DecimalSign, Evidence
from ingestion.exports.sources import Row

_REGIONAL = frozenset({"es", "en"})
"""Languages whose countries differ in the decimal sign or the order of dates, so that the language settles less."""


@dataclass
class Layout:
    """Columns of a file and what a first pass found in their cells."""

    path: Path
    columns: list[Column]
    language: str
    separator: str | None
    numbers: dict[int, Evidence] = field(default_factory=dict)
    dates: OrderEvidence = field(default_factory=OrderEvidence)
    accounts: dict[str, set[str]] = field(default_factory=lambda: {"account_id": set(), "account_name": set()})
    currency_cells: set[str] = field(default_factory=set)

    def column(self, name: str) -> Column | None:
        """Return the column of a field, or None."""
        return next((c for c in self.columns if c.field == name and not c.repeated), None)

    def refuse(self, reason: str, mend: str) -> ExportRefused:
        """Return the refusal of this file."""
        return ExportRefused(self.path, reason, mend)

    @property
    def level(self) -> Level:
        """The deepest object that the file names."""
        for level in ("ad", "adset", "campaign"):
            if self.column(f"{level}_name") or self.column(f"{level}_id"):
                return level
        return "account"

    def metric_columns(self) -> Iterator[tuple[Column, str]]:
        """Yield the columns that hold numbers, with their metric."""
        for column in self.columns:
            if column.field in METRICS and not column.repeated:
                yield column, column.field

    def observe(self, row: Row) -> None:
        """Take the cells of one row into account."""
        cells = row.cells
        for column in self.columns:
            cell = cells[column.index] if column.index < len(cells) else None
            if cell is None or cell == "" or column.repeated:
                continue
            if column.field in METRICS:
                self.numbers.setdefault(column.index, Evidence()).add(cell, METRICS[column.field].kind)
            elif column.field in DATES:
                self.dates.add(cell)
            elif column.field in self.accounts and len(self.accounts[column.field]) < 50:
                self.accounts[column.field].add(clean_name(str(cell)))
            elif column.field == "currency" and len(self.currency_cells) < 50:
                self.currency_cells.add(str(cell).strip().upper())


def check_columns(layout: Layout) -> None:
    """Refuse a file whose columns cannot make daily rows.

    Raises:
        ExportRefused: No spend, no impressions, no usable date column, or a breakdown the warehouse has no table for.
    """
    if layout.column("spend") is None:
        raise layout.refuse("it has no column with the amount spent.", 'Export again with the column "Amount spent".')
    if layout.column("impressions") is None:
        raise layout.refuse(
            "it has no column with impressions, so its spend cannot be checked.",
            'Export again with the column "Impressions".',
        )
    starts, ends = layout.column("reporting_starts"), layout.column("reporting_ends")
    if layout.column("day") is None and (starts is None or ends is None):
        raise layout.refuse(
            "it does not say which day a row is for (no Day column, and not both Reporting starts and ends).",
            "Export again with Breakdown > By time > Day.",
        )
    foreign = [c.header for c in layout.columns if c.field == "unsupported_breakdown"]
    if foreign:
        raise layout.refuse(
            f"it is broken down by {', '.join(foreign)}, which cannot be imported.",
            "Export again without that breakdown, or by age and gender, country, or placement.",
        )


def report_of(layout: Layout) -> tuple[str, tuple[str, ...]]:
    """Return the report and the key columns that the file's breakdown columns stand for.

    Raises:
        ExportRefused: The combination has no report.
    """
    present = {c.field for c in layout.columns if c.field in BREAKDOWNS}
    if not present:
        return "ad_daily", ()
    for family, (report, keys) in REPORTS.items():
        if present <= family:
            if report != "ad_daily__age_gender":
                return report, keys
            return report, tuple(key for key in keys if key in present)
    named = ", ".join(c.header for c in layout.columns if c.field in BREAKDOWNS)
    raise layout.refuse(
        f"it is broken down by {named} together, which has no report of its own.",
        "Export one file by age and gender, one by country and one by placement.",
    )


def decimal_signs(layout: Layout, option: DecimalSign | None) -> dict[int, DecimalSign]:
    """Return the decimal sign of each column of numbers.

    A column's own proof comes first, then the proof of the other columns if they agree, then language and separator if
    they agree (Spanish differs by country and settles nothing). What is left is refused where it would matter.

    Raises:
        ExportRefused: A value can be read in two ways and nothing settles which, or a column proves both.
    """
    proofs = {sign for evidence in layout.numbers.values() for sign in evidence.proof}
    common = next(iter(proofs)) if len(proofs) == 1 else None
    hints: set[str] = {get_decimal_symbol(layout.language)} if layout.language != "es" else set()
    hints |= {",": {"."}, ";": {","}}.get(layout.separator or "", set())
    hint = hints.pop() if len(hints) == 1 else None
    signs: dict[int, DecimalSign] = {}
    for column, _ in layout.metric_columns():
        evidence = layout.numbers.get(column.index, Evidence())
        own = next(iter(evidence.proof)) if len(evidence.proof) == 1 else None
        sign: DecimalSign | None = option or own or (None if len(evidence.proof) > 1 else common)
        if sign is None and not proofs and hint in (".", ","):
            sign = "," if hint == "," else "."
        if sign is None and (evidence.doubt is not None or len(evidence.proof) > 1):
            values = " and ".join(repr(text) for text in evidence.proof.values()) or repr(evidence.doubt)
            raise layout.refuse(
                f"in column {column.header!r}, {values} can be read in two ways (decimal point or decimal comma).",
                'Say which with the option decimal="." or decimal=",".',
            )
        signs[column.index] = sign or "."
    return signs


def date_order(layout: Layout, option: DateOrder | None) -> DateOrder | None:
    """Return the order of day and month in dates such as `01/08/2019`; None if the file has no such date.

    Raises:
        ExportRefused: The columns use both orders, or nothing settles the order.
    """
    seen = layout.dates
    if option is not None:
        return option
    if seen.day_first and seen.month_first:
        raise layout.refuse(
            f"its dates use two orders: {seen.day_first} and {seen.month_first}.",
            "Export again, or make the dates alike (2019-08-31).",
        )
    if seen.day_first or seen.month_first:
        return "dmy" if seen.day_first else "mdy"
    if seen.doubt is None:
        return "dmy"
    if layout.language not in (*_REGIONAL, "ja") or layout.language == "es":
        return "dmy"
    raise layout.refuse(
        f"the date {seen.doubt} can be read in two ways (day or month first) and no date of the file settles which.",
        'Say which with the option date_order="dmy" or date_order="mdy".',
    )


def currency_of(layout: Layout, option: str | None) -> str:
    """Return the ISO code of the file's money.

    Raises:
        ExportRefused: None is named anywhere, more than one is, or it is not a currency.
    """
    found = {c.currency for c in layout.columns if c.currency and c.field is not None}
    found |= {code for code in layout.currency_cells if code in currencies()}
    if option is not None:
        found.add(option.strip().upper())
    if len(found) > 1:
        raise layout.refuse(
            f"it names more than one currency ({', '.join(sorted(found))}), and an account has one.",
            "Export each account by itself, and pass no other currency than the file's.",
        )
    if not found:
        raise layout.refuse(
            "it does not say in which currency its money is.",
            'Pass it with the option currency, for example currency="EUR".',
        )
    code = found.pop()
    if code not in currencies():
        raise layout.refuse(f"{code} is not a currency.", "Pass an ISO 4217 code such as EUR.")
    return code


def account_of(layout: Layout, option_id: int | None, option_name: str | None, currency: str) -> tuple[int | None, str]:
    """Return the account's id, None if it has to be derived, and its name.

    Raises:
        ExportRefused: The file holds several accounts, or another one than the id passed.
    """
    names = layout.accounts["account_name"]
    try:
        ids = {read_id(text) for text in layout.accounts["account_id"]} - {None}
    except ValueError as error:
        raise layout.refuse(
            f"its account id is damaged: {error}.", "Format the id columns as text, or export as .csv."
        ) from error
    if len(ids) > 1 or (not ids and len(names) > 1):
        raise layout.refuse("it holds more than one ad account.", "Export each account into a file of its own.")
    own = next(iter(ids), None)
    if option_id is not None and own is not None and option_id != own:
        raise layout.refuse(
            f"it belongs to account {own}, not to account {option_id}.", "Pass the right account id, or none."
        )
    name = option_name or (next(iter(names)) if len(names) == 1 else None)
    chosen = option_id if option_id is not None else own
    return chosen, clean_name(name) if name else (f"Imported {currency}" if chosen is None else f"Account {chosen}")
