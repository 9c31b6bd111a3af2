"""The demo's own files."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from orchestration.clients import load_clients
from orchestration.demo import demo_anchor, write_demo_clients


def test_money_of_every_day_of_the_demo_can_be_converted(tmp_path: Path) -> None:
    path = write_demo_clients(tmp_path)
    assert load_clients(path).warnings == ()
    rows = [line.split(",") for line in (tmp_path / "demo_rates.csv").read_text().splitlines()[1:]]
    anchor = demo_anchor(tmp_path)
    for pair in (["USD", "EUR"], ["JPY", "GBP"]):
        days = {row[0] for row in rows if row[1:3] == pair}
        for back in range(-300, 600):
            week = {(anchor - timedelta(days=back + age)).isoformat() for age in range(7)}
            assert days & week, back
