"""Runs every card of a Metabase that was just filled; exit code 1 if one fails. For the workflow beside it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import httpx


def main() -> int:
    """Asks each card and prints what became of it."""
    home = Path(os.environ.get("META_ADS_HOME", ".meta-ads"))
    kept = json.loads((home / "metabase.key").read_text(encoding="utf-8"))
    failed = 0
    with httpx.Client(base_url=f"{kept['url']}/api/", headers={"x-api-key": kept["key"]}, timeout=120) as client:
        cards = client.get("card").raise_for_status().json()
        for card in cards:
            answer = client.post(f"card/{card['id']}/query", json={}).raise_for_status().json()
            is_good = answer.get("status") == "completed"
            failed += not is_good
            said = f"{answer.get('row_count')} rows" if is_good else answer.get("error")
            sys.stdout.write(f"{'ok' if is_good else 'FAILED':7}{card['name']}: {said}\n")
    return int(failed > 0 or not cards)


if __name__ == "__main__":
    sys.exit(main())
