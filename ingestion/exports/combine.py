"""Several files of one import to whole days.

What belongs here: putting the rows of different files together by account, report and day. What does not: reading them.

Why: the unit of the warehouse is the slice (account, report, day), replaced whole. Two files of one account that cover
the same day (one per campaign, say) have to become one slice, or the second would delete the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson

from ingestion.exports.model import Export, ExportDay

_KEY = (
    "campaign_id", "adset_id", "ad_id", "age", "gender", "country", "publisher_platform", "platform_position",
    "impression_device",
)  # fmt: skip


@dataclass(frozen=True)
class AccountDay:
    """All rows of an import for one account, report and day.

    Attributes:
        account_id: The account.
        report: E.g. `ad_daily`.
        day: In the account's days.
        files: Names of the files the rows come from.
        repeated: Rows that a later file holds as well; the later file's row is kept.
    """

    account_id: int
    report: str
    day: date
    files: tuple[str, ...]
    payloads: list[bytes]
    repeated: int = 0


def combine(exports: Sequence[Export]) -> Iterator[AccountDay]:
    """Yield each (account, report, day) of an import once, with the rows of all its files, in order.

    A row of one object and day in two files (exports that overlap) is taken from the later file in `exports`. One day
    is in memory at a time.
    """
    parts: dict[tuple[int, str, date], list[tuple[Export, ExportDay]]] = {}
    for export in exports:
        for part in export.days:
            parts.setdefault((export.account_id, export.report, part.day), []).append((export, part))
    for (account_id, report, day), sources in sorted(parts.items(), key=lambda item: item[0]):
        files = tuple(dict.fromkeys(export.path.name for export, _ in sources))
        if len(sources) == 1:
            yield AccountDay(account_id, report, day, files, sources[0][1].payloads)
            continue
        rows: dict[tuple[Any, ...], bytes] = {}
        total = 0
        for _, part in sources:
            for payload in part.payloads:
                row = orjson.loads(payload)
                rows[tuple(row.get(name, "") for name in _KEY)] = payload
                total += 1
        yield AccountDay(account_id, report, day, files, list(rows.values()), total - len(rows))
