"""Reading one Ads Manager export: the front door of this folder.

What belongs here: the order of the steps, and what a person is told about the import. What does not: any step itself.

A file is read twice: once to learn how its numbers and dates are written, once to make rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from zoneinfo import available_timezones

import orjson

from ingestion.exports.dates import ORDERS, DateOrder
from ingestion.exports.errors import ExportRefused
from ingestion.exports.headers import match_columns, unknown_fields
from ingestion.exports.identity import derive_id
from ingestion.exports.layout import (
    Layout,
    account_of,
    check_columns,
    currency_of,
    date_order,
    decimal_signs,
    report_of,
)
from ingestion.exports.model import Export, RejectedRow
from ingestion.exports.numerals import SIGNS, DecimalSign
from ingestion.exports.objects import Objects
from ingestion.exports.payload import build, encode, join
from ingestion.exports.rows import BrokenRow, NotDaily, RowReader
from ingestion.exports.sources import Row, Source, open_source
from ingestion.exports.spool import Spool, row_key

MAX_REJECTED = 1000
_NAMED = 5


def read_export(
    path: Path,
    *,
    account_id: int | None = None,
    account_name: str | None = None,
    currency: str | None = None,
    time_zone: str | None = None,
    decimal: DecimalSign | None = None,
    date_order: DateOrder | None = None,
    columns: Mapping[str, str] | None = None,
) -> Export:
    """Read an Ads Manager export (CSV in any encoding and separator, or XLSX) into rows shaped like the API's.

    Args:
        path: The file.
        account_id: The account's id, digits without `act_`, if the file has no column for it.
        account_name: The account's name; without any id the account's id is derived from it. If the file and the
            caller name none, the account is `Imported <currency>`, so that files of one account meet in one account.
        currency: ISO 4217 code, if neither a header nor a column names it.
        time_zone: IANA name of the account's zone; passed through, the days are not converted.
        decimal: Decimal sign, for files whose numbers can be read in two ways.
        date_order: `dmy` or `mdy`, for files whose dates can be read in two ways.
        columns: Meaning of headers that are not known: header -> name in `fields.FIELDS`.

    Returns:
        The rows by day, the objects, the rows not loaded and the warnings. Money in major units of `currency`.

    Raises:
        ExportRefused: The file as a whole cannot be imported; says why and how to mend it.
    """
    _check_options(path, time_zone, decimal, date_order, columns or {})
    source = open_source(path)
    matched, language = match_columns(source.header, columns or {})
    layout = Layout(path, matched, language, source.separator)
    check_columns(layout)
    report, breakdowns = report_of(layout)
    for row in _data_rows(source):
        layout.observe(row)
    money = currency_of(layout, currency)
    known_id, name = account_of(layout, account_id, account_name, money)
    reading = _Reading(
        layout,
        RowReader(layout, decimal_signs(layout, decimal), _order(layout, date_order)),
        Objects(
            derive_id("account", 0, 0, name) if known_id is None else known_id, known_id is None, name, layout.level
        ),
        money,
        breakdowns,
    )
    for row in _data_rows(source):
        reading.take(row)
    reading.finish()
    return Export(
        path=path,
        level=layout.level,
        account_id=reading.objects.account_id,
        account_derived=known_id is None,
        account_name=name,
        currency=money,
        time_zone=time_zone,
        report=report,
        breakdowns=breakdowns,
        days=reading.spool.days(),
        entities=reading.objects.rows(),
        rejected=reading.rejected,
        rejected_total=reading.left["broken"],
        dropped_totals=reading.left["total"],
        warnings=[*source.notes, *_file_warnings(layout, report, known_id is None, name), *reading.warnings],
        language=language,
    )


_order = date_order


def _check_options(
    path: Path, time_zone: str | None, decimal: str | None, order: str | None, columns: Mapping[str, str]
) -> None:
    wrong = unknown_fields(columns)
    if wrong:
        raise ExportRefused(
            path, f"the option columns names unknown fields: {', '.join(wrong)}.", "See `fields.FIELDS`."
        )
    if decimal is not None and decimal not in SIGNS:
        raise ExportRefused(path, f"the option decimal is {decimal!r}.", 'It can be "." or ",".')
    if order is not None and order not in ORDERS:
        raise ExportRefused(path, f"the option date_order is {order!r}.", 'It can be "dmy" or "mdy".')
    if time_zone is not None and time_zone not in available_timezones():
        raise ExportRefused(path, f"{time_zone!r} is not a time zone.", "Pass a name such as Europe/Berlin.")


def _data_rows(source: Source) -> Iterator[Row]:
    return (row for row in source.open_rows() if row.line > source.header_line)


class _Reading:
    """The second pass: rows in, spool, objects and reports out."""

    def __init__(
        self, layout: Layout, reader: RowReader, objects: Objects, currency: str, breakdowns: tuple[str, ...]
    ) -> None:
        self.layout = layout
        self.reader = reader
        self.objects = objects
        self.currency = currency
        self.breakdowns = breakdowns
        self.spool = Spool()
        self.rejected: list[RejectedRow] = []
        self.warnings: list[str] = []
        self.left: Counter[str] = Counter()
        self._damaged: Counter[str] = Counter()
        self._merged: Counter[str] = Counter()
        self._same = 0

    def take(self, row: Row) -> None:
        """Read one row of the file."""
        try:
            record = self.reader.read(row)
        except BrokenRow as problem:
            self.left["broken"] += 1
            if len(self.rejected) < MAX_REJECTED:
                text = " | ".join("" if cell is None else str(cell) for cell in row.cells)
                self.rejected.append(RejectedRow(row.line, str(problem), text[:200]))
            return
        except NotDaily as problem:
            raise self.layout.refuse(
                f"it is not daily: line {row.line}, {problem}.", "Export again with Breakdown > By time > Day."
            ) from problem
        if isinstance(record, str):
            self.left[record] += 1
            return
        self._damaged.update(record.damaged_ids)
        path = self.objects.resolve(record.ids, record.names)
        payload = build(record, path, self.objects, self.currency, self.layout.path.name)
        key = row_key(*path.ids.values(), *(payload.get(name, "") for name in self.breakdowns))
        self.spool.add(record.day, key, encode(payload))

    def _join(self, day: date, payloads: list[bytes]) -> bytes:
        rows = [orjson.loads(payload) for payload in payloads]
        level = self.layout.level
        own = f"{'campaign' if level == 'account' else level}_id"
        name = f"{rows[0][own.replace('_id', '_name')]!r}"
        if own in rows[0]["_derived_ids"]:
            self._merged[name] += 1
            return encode(join(rows))
        if all(row == rows[0] for row in rows):
            self._same += len(rows) - 1
            return payloads[0]
        unknown = [c.header for c in self.layout.columns if c.field is None and c.header]
        raise self.layout.refuse(
            f"it has {len(rows)} different rows for one object ({level} {rows[0][own]}, {name}) on {day}.",
            "It is probably broken down by something that is not known here"
            + (f" ({', '.join(unknown[:_NAMED])})" if unknown else "")
            + ": export again without that breakdown.",
        )

    def finish(self) -> None:
        """Join repeated rows and write the warnings.

        Raises:
            ExportRefused: No row could be loaded, or rows contradict each other.
        """
        self.spool.merge(self._join)
        if not self.spool.days():
            first = (
                f" The first of them, line {self.rejected[0].line}: {self.rejected[0].reason}." if self.rejected else ""
            )
            raise self.layout.refuse(
                f"none of its rows could be loaded ({self.left['broken']} broken, {self.left['total']} totals, "
                f"{self.left['no delivery']} without delivery).{first}",
                "Export again, and do not change the file in between.",
            )
        if self.left["no delivery"]:
            self.warnings.append(
                f"{self.left['no delivery']} rows without any delivery were left out, as the API does."
            )
        if self.left["broken"] > len(self.rejected):
            self.warnings.append(
                f"{self.left['broken']} rows were rejected; the first {len(self.rejected)} are listed."
            )
        for header, count in self._damaged.items():
            self.warnings.append(
                f"{header}: {count} ids are damaged (a spreadsheet program rounds long numbers); ids derived from the "
                "names are used instead."
            )
        if self._same:
            self.warnings.append(f"{self._same} rows that stood in the file twice were loaded once.")
        if self._merged:
            shown = ", ".join(name for name, _ in self._merged.most_common(_NAMED))
            self.warnings.append(
                f"Several rows of one day have the same name and no id, and were added up without reach and frequency: "
                f"{shown}{' and more' if len(self._merged) > _NAMED else ''}. Export with ids to keep them apart."
            )


def _file_warnings(layout: Layout, report: str, derived: bool, name: str) -> list[str]:
    found: list[str] = []
    if derived:
        found.append(
            f"The file has no account id; its rows go to the account {name!r} with an id made from that name. "
            "Pass account_id, or account_name if you import more than one account."
        )
    level = layout.level
    missing = [] if level == "account" or layout.column(f"{level}_id") else [level]
    if missing:
        found.append(f"The file has no {level} ids; ids were made from the names. A renamed {level} is a new one.")
    if level != "ad":
        found.append(f"The file is at {level} level; a stand-in ad carries the numbers of each {level}.")
    if report != "ad_daily":
        found.append(
            "Rows broken down do not give totals (reach is not additive, some conversions have no breakdown): import "
            "an export without breakdown for the same days as well."
        )
    if layout.column("device_platform") and not layout.column("impression_device"):
        found.append("The device platform stands in for the impression device, which the file does not have.")
    unknown = [c.header for c in layout.columns if c.header and (c.field is None or c.repeated)]
    if unknown:
        found.append(
            f"Columns that are not understood were kept as text: {', '.join(unknown)}. "
            "The option columns can say what they are."
        )
    return found
