"""Prints how fast rows come and how much memory they take: `python -m simulator.world.bench [size] [level] [days]`.

What belongs here: measuring by hand. What does not: tests with limits on time.
"""

from __future__ import annotations

import resource
import sys
import time
from datetime import UTC, date, datetime, timedelta

from simulator.contract import InsightsQuery
from simulator.world.world import build_world

FIELDS = (
    "account_id",
    "campaign_id",
    "campaign_name",
    "adset_id",
    "adset_name",
    "ad_id",
    "ad_name",
    "attribution_setting",
    "impressions",
    "reach",
    "frequency",
    "clicks",
    "spend",
    "cpm",
    "ctr",
    "inline_link_clicks",
    "actions",
    "action_values",
)
WINDOWS = ("1d_click", "7d_click", "28d_click")


def main(arguments: list[str]) -> None:
    """Read all rows of the first account in pages of 500 and print the rate and the peak memory."""
    size = arguments[0] if arguments else "accounts=1,ads=500,history=400"
    days = int(arguments[1]) if len(arguments) > 1 else 400
    breakdowns = tuple(arguments[2].split("+")) if len(arguments) > 2 else ()
    anchor = date(2026, 11, 20)
    world = build_world(1, size, anchor)
    at = datetime(2026, 11, 21, 12, tzinfo=UTC)
    account = world.accounts(at)[0].id
    ranges = ((anchor - timedelta(days=days - 1), anchor),)
    query = InsightsQuery(account, "ad", ranges, 1, FIELDS, breakdowns, windows=WINDOWS)
    begin = time.perf_counter()
    result = world.insights(query, at)
    count, counted = len(result), time.perf_counter()
    size_bytes = sum(len(row) for offset in range(0, count, 500) for row in result.page(offset, 500))
    end = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines = [
        f"size {size}, {days} days, breakdowns {breakdowns or 'none'}",
        f"{count} rows, {size_bytes / max(count, 1):.0f} bytes each",
        f"counting {counted - begin:.2f} s, reading {end - counted:.2f} s",
        f"{count / (end - begin):,.0f} rows/s in all, {count / max(end - counted, 1e-9):,.0f} rows/s reading",
        f"peak resident memory {peak:.0f} MB",
        "",
    ]
    sys.stdout.write("\n".join(lines))


if __name__ == "__main__":
    main(sys.argv[1:])
