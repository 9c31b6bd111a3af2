"""Loads Ads Manager exports: the way in for people without an API token.

The road from read files to slices belongs here; reading files is in `ingestion.exports`. The rows take the same road as
API rows, marked as imported.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson

from ingestion.exports import AccountDay, Export, ExportRefused, combine, read_export
from orchestration.declaring import sync_declared
from orchestration.discovery import owned_by
from orchestration.errors import UserError
from orchestration.names import slug
from orchestration.platform import Platform
from warehouse.entities import upsert_entities
from warehouse.loader import replace_slice
from warehouse.ops.runs import running
from warehouse.ops.slices import source_of
from warehouse.provenance import Provenance
from warehouse.query import stored_payloads
from warehouse.tables import PRESETS as TABLES

log = logging.getLogger(__name__)

_OPTIONS = (
    ("account_id", "--account"),
    ("account_name", "--account-name"),
    ("time_zone", "--time-zone"),
    ("date_order=", "--date-order "),
    ("date_order", "--date-order"),
    ("decimal=", "--decimal "),
    ("currency=", "--currency "),
    ("`columns` option", "option --column 'HEADER=FIELD'"),
    ("option columns", "option --column 'HEADER=FIELD'"),
)


class ImportRefused(UserError):
    """A file that cannot be imported."""


@dataclass
class ImportSummary:
    """What an import did.

    Attributes:
        exports: The files, as read.
        slices: Days written.
        rows: Rows in them.
        kept: Rows of earlier imports that stayed beside the new ones.
        skipped: Days left alone because the API had delivered them.
    """

    exports: list[Export]
    slices: int = 0
    rows: int = 0
    kept: int = 0
    skipped: list[tuple[int, date]] = field(default_factory=list)


def import_files(
    platform: Platform,
    paths: Sequence[Path],
    *,
    replace_api: bool = False,
    client_id: str | None = None,
    **options: Any,
) -> ImportSummary:
    """Reads all files first, and loads them only if every one is an export: nothing is half-imported.

    Args:
        platform: Opened.
        paths: CSV or XLSX files.
        replace_api: Also overwrite days that came from the API.
        client_id: Owner of accounts that no clients.yml names; default: made from the account's name.
        options: As `ingestion.exports.read_export` takes them: account_id, account_name, currency, time_zone, decimal,
            date_order, columns.

    Raises:
        ImportRefused: A file is no export, or cannot be understood without an option.
    """
    try:
        with platform.display.task("Reading files", len(paths)) as task:
            exports = []
            for path in paths:
                exports.append(read_export(path, **options))
                task.advance(1, path.name)
    except ExportRefused as refused:
        raise ImportRefused(f"{refused.path}: {as_options(refused.reason)}", as_options(refused.mend)) from None
    summary = ImportSummary(exports)
    arguments = {"files": [path.name for path in paths]}
    with running(platform.warehouse, "import", arguments, None) as run:
        provenance = Provenance(run.run_id, "import", None, (), datetime.fromtimestamp(platform.clock.now(), UTC))
        _entities(platform, exports, provenance, client_id)
        days = sum(len(export.days) for export in exports)
        with platform.display.task("Loading days", days) as task:
            for day in combine(exports):
                _load(platform, day, provenance, summary, replace_api=replace_api)
                task.advance(1, f"{day.report} {day.day}")
        run.finish("succeeded", None)
    return summary


def as_options(text: str) -> str:
    """A message of `ingestion.exports`, which speaks of its parameters, in terms of the command line's options."""
    for parameter, option in _OPTIONS:
        text = text.replace(f"the option {parameter}", f"the option {option}").replace(parameter, option)
    return text


def _load(
    platform: Platform, day: AccountDay, provenance: Provenance, summary: ImportSummary, *, replace_api: bool
) -> None:
    table = TABLES[day.report]
    source = source_of(platform.warehouse, day.account_id, day.report, day.day)
    if source == "api" and not replace_api:
        summary.skipped.append((day.account_id, day.day))
        return
    rows = list(day.payloads)
    if source == "import":
        # Reason: people export one campaign at a time; a second file must not delete what the first one brought.
        key = [name for name in table.primary_key if name not in ("account_id", "day")]
        new = {_key(row, key) for row in rows}
        for payload in stored_payloads(platform.warehouse, table, day.account_id, day.day):
            if orjson.loads(payload).get("_file") not in day.files and _key(payload, key) not in new:
                rows.append(payload)
                summary.kept += 1
    result = replace_slice(platform.warehouse, table, day.account_id, day.day, rows, provenance)
    summary.slices += 1
    summary.rows += result.row_count


def _key(payload: bytes, names: Sequence[str]) -> tuple[Any, ...]:
    row = orjson.loads(payload)
    return tuple(str(row.get(name, "")) for name in names)


def _entities(platform: Platform, exports: Sequence[Export], provenance: Provenance, client_id: str | None) -> None:
    for export in exports:
        account = {
            "id": f"act_{export.account_id}",
            "account_id": str(export.account_id),
            "name": export.account_name,
            "currency": export.currency,
            "timezone_name": export.time_zone or "UTC",
            "_source": "export",
        }
        upsert_entities(platform.warehouse, "accounts", export.account_id, [account], provenance)
        for kind, rows in export.entities.items():
            upsert_entities(platform.warehouse, kind, export.account_id, rows, provenance)
        owner = client_id or slug(export.account_name) or "unassigned"
        sync_declared(
            platform, [owned_by(platform, export.account_id, export.account_name, owner, export.account_name)]
        )
