"""Measures the slice loader: `python -m tests.warehouse.measure_loader [URL]`. Not a test.

Without a URL it uses the embedded server of `.meta-ads`; give it a database that may be filled with invented rows.
"""

from __future__ import annotations

import random
import sys
import time
from datetime import date, timedelta

import orjson

from tests.warehouse.rows import ACCOUNT, provenance
from warehouse.connect import connect
from warehouse.loader import replace_slices
from warehouse.migrations import upgrade
from warehouse.tables import AD_DAILY

TYPES = ("link_click", "landing_page_view", "omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
WINDOWS = ("value", "1d_click", "7d_click")


def payload(ad: int, day: date) -> bytes:
    """A row of about 1.4 kB: 18 fields, five action types by three windows."""
    chance = random.Random(ad)
    row = {
        "account_id": str(ACCOUNT),
        "account_currency": "EUR",
        "account_name": "Shop EU",
        "campaign_id": str(120210000000010000 + ad // 50),
        "campaign_name": "Prospecting",
        "objective": "OUTCOME_SALES",
        "adset_id": str(120210000000020000 + ad // 10),
        "adset_name": "DE 25-44",
        "ad_id": str(120210000000030000 + ad),
        "ad_name": "Video A with a name as long as agencies like them",
        "attribution_setting": "7d_click_1d_view",
        "impressions": str(chance.randint(1, 99999)),
        "reach": str(chance.randint(1, 9999)),
        "frequency": "1.173226",
        "clicks": str(chance.randint(1, 999)),
        "inline_link_clicks": str(chance.randint(1, 99)),
        "spend": str(chance.randint(1, 99999) / 100),
        "date_start": day.isoformat(),
        "date_stop": day.isoformat(),
    }
    for name in ("actions", "action_values"):
        cells = [{window: str(chance.randint(1, 900)) for window in WINDOWS} for _ in TYPES]
        row[name] = [{"action_type": kind} | cell for kind, cell in zip(TYPES, cells, strict=True)]
    return orjson.dumps(row)


def main() -> None:
    """Prints microseconds a row: client CPU, and wall time to committed."""
    warehouse = connect(sys.argv[1] if len(sys.argv) > 1 else None)
    upgrade(warehouse)
    for rows, days in ((1500, 20), (20000, 3)):
        slices = {}
        for back in range(days):
            day = date(2026, 9, 1) + timedelta(days=back)
            slices[day] = [payload(ad + back, day) for ad in range(rows)]
        for what in ("first load", "replaced", "unchanged"):
            if what == "replaced":
                slices = {day: [row.replace(b"Video A", b"Video B") for row in found] for day, found in slices.items()}
            wall, cpu = time.perf_counter(), time.process_time()
            replace_slices(warehouse, AD_DAILY, ACCOUNT, slices.items(), provenance())
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            total = rows * days
            print(
                f"{rows:>6} rows a slice, {what:<10}: client {cpu / total * 1e6:5.1f} us/row, "
                f"{total / wall:7.0f} rows/s, {wall / days * 1e3:6.1f} ms a slice"
            )


if __name__ == "__main__":
    main()
