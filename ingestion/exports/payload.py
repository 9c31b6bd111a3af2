"""What a row says to a JSON document in the shape of Meta's API rows.

What belongs here: the shape, and joining rows of one key. What does not: reading cells (`rows.py`).

The shape is that of an insights row at level ad with a day's increment: numbers are strings, `actions` and the like are
lists of `{action_type, value}`, fields without a value are left out. Added: `_source` = `export`, `_file`,
`_derived_ids`, `_columns` (cells of columns without a place in the API row, as text, under their header), and after
joining `_merged_rows`.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import orjson

from ingestion.exports.fields import METRICS, NOT_ADDITIVE, NOT_ADDITIVE_STATS
from ingestion.exports.headers import metric_of_text
from ingestion.exports.numerals import plain
from ingestion.exports.objects import Objects, Path
from ingestion.exports.rows import Record

_INDICATOR = re.compile(r"^(?:unique_)?actions?:([a-z_0-9.]+)$")
_LISTS = ("actions", "action_values")
_SUMS = ("impressions", "clicks", "inline_link_clicks", "spend")


def _results(record: Record, row: dict[str, Any], lists: dict[str, dict[str, Decimal]]) -> None:
    """Put `Results` where its indicator or type says it belongs, unless the file has that metric as a column."""
    value = record.numbers.get("results")
    if value is None:
        return
    indicator, kind = record.texts.get("result_indicator", ""), record.texts.get("result_type", "")
    match = _INDICATOR.match(indicator)
    if match is not None:
        lists.setdefault("actions", {}).setdefault(match.group(1), value)
    else:
        metric = METRICS.get(metric_of_text(kind or indicator) or "")
        for action in metric.actions if metric else ():
            lists.setdefault("actions", {}).setdefault(action, value)
    row["results"] = [{"indicator": indicator or kind, "values": [{"value": plain(value)}]}]


def build(record: Record, path: Path, objects: Objects, currency: str, file_name: str) -> dict[str, Any]:
    """Return the API row of a record."""
    row: dict[str, Any] = {
        "account_id": str(objects.account_id),
        "account_name": objects.account_name,
        "account_currency": currency,
    }
    for level, own in path.ids.items():
        row[f"{level}_id"] = str(own)
        row[f"{level}_name"] = path.names[level]
    row["date_start"] = row["date_stop"] = record.day.isoformat()
    for name in ("objective", "buying_type", "attribution_setting"):
        if name in record.texts:
            row[name] = record.texts[name]
    lists: dict[str, dict[str, Decimal]] = {}
    for name, number in record.numbers.items():
        metric = METRICS[name]
        if metric.plain is not None:
            row[metric.plain] = plain(number)
        for action in metric.actions:
            lists.setdefault("actions", {})[action] = number
        for action in metric.values:
            lists.setdefault("action_values", {})[action] = number
        for field, action in metric.stats:
            lists.setdefault(field, {})[action] = number
    _results(record, row, lists)
    for field, stats in lists.items():
        # Reason: the API leaves out what did not happen, so a zero in a cell makes no entry.
        entries = [{"action_type": action, "value": plain(number)} for action, number in stats.items() if number]
        if entries:
            row[field] = entries
    _add_breakdowns(record.breakdowns, row)
    row["_source"] = "export"
    row["_file"] = file_name
    row["_derived_ids"] = list(path.derived)
    others = dict(record.others)
    if "results" in record.numbers and record.texts.get("result_type"):
        others["result_type"] = record.texts["result_type"]
    if others:
        row["_columns"] = others
    return row


def _add_breakdowns(found: dict[str, str], row: dict[str, Any]) -> None:
    for field in ("age", "gender", "country"):
        if field in found:
            row[field] = found[field]
    for field, name in (("platform", "publisher_platform"), ("placement", "platform_position")):
        if field in found:
            row[name] = found[field]
    if "device_platform" in found:
        row["device_platform"] = found["device_platform"]
    device = found.get("impression_device") or found.get("device_platform")
    if device is not None:
        row["impression_device"] = device


def join(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one row for several of one day and key: additive metrics summed, reach, frequency and results dropped.

    A metric that only some of the rows have is the sum over those that have it.
    """
    joined = {key: value for key, value in rows[0].items() if key not in NOT_ADDITIVE and key != "_columns"}
    for name in _SUMS:
        numbers = [Decimal(row[name]) for row in rows if name in row]
        if numbers:
            joined[name] = plain(sum(numbers, Decimal(0)))
    fields = [
        key
        for row in rows
        for key, value in row.items()
        if isinstance(value, list) and value and isinstance(value[0], dict) and "action_type" in value[0]
    ]
    for field in dict.fromkeys(fields):
        joined.pop(field, None)
        if field in NOT_ADDITIVE_STATS:
            continue
        sums: dict[str, Decimal] = {}
        for row in rows:
            for entry in row.get(field, ()):
                sums[entry["action_type"]] = sums.get(entry["action_type"], Decimal(0)) + Decimal(entry["value"])
        joined[field] = [{"action_type": action, "value": plain(number)} for action, number in sums.items()]
    joined["_merged_rows"] = sum(int(row.get("_merged_rows", 1)) for row in rows)
    return joined


def encode(row: dict[str, Any]) -> bytes:
    """Return a row as JSON bytes."""
    return orjson.dumps(row)
