"""Extractors of others: which version, how each is configured and started, and how its rows read.

Belongs here: one class per extractor, as its own documentation tells a user to run it. What their rows should be is the
tests' business. None of their code is in this repository; `install` fetches them and `launch` redirects them.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.e2e.extractors.install import environment_with

LAUNCHER = Path(__file__).with_name("launch.py")
Rows = dict[tuple[str, str], tuple[int, Decimal]]
"""Impressions and spend by ad and day."""


class Extractor:
    """An installed extractor with one account and a range of days to read.

    Attributes:
        package, version, script: What is installed, and the script that it brings.
        before, after: Days that it reads beyond those asked, by its own rules.
        all_statuses: Whether it asks for deleted and archived ads as well.
    """

    package: str
    version: str
    script: str
    before = 0
    after = 0
    all_statuses = False

    def __init__(self, url: str, account_id: str, since: date, until: date, folder: Path) -> None:
        self.environment = environment_with(self.package, self.version)
        self.url, self.account_id, self.since, self.until, self.folder = url, account_id, since, until, folder

    def run(self, *arguments: str) -> str:
        """What it prints."""
        bin_folder = self.environment / "bin"
        result = subprocess.run(
            [str(bin_folder / "python"), str(LAUNCHER), str(bin_folder / self.script), *arguments],
            # Reason: neither tokens nor proxies nor settings of whoever runs the tests.
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "GRAPH_URL": self.url, "DO_NOT_TRACK": "1"},
            capture_output=True,
            text=True,
            timeout=150,
            cwd=self.folder,
        )
        assert result.returncode == 0, (result.stderr + result.stdout)[-3000:]
        return result.stdout

    def file(self, name: str, content: Any) -> str:
        """A JSON file for its command line."""
        path = self.folder / name
        path.write_text(json.dumps(content))
        return str(path)

    def day(self, value: date) -> str:
        return f"{value.isoformat()}T00:00:00Z"

    def read(self, *streams: str) -> dict[str, list[dict[str, Any]]]:
        """The records of each stream, in the order they were emitted."""
        raise NotImplementedError


def parse(lines: str) -> Iterator[dict[str, Any]]:
    """The messages among the lines of an output."""
    for line in lines.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def rows_of(records: list[dict[str, Any]]) -> Rows:
    """What matters of insights, whatever types an extractor gives them."""
    return {
        (r["ad_id"], r["date_start"][:10]): (int(r["impressions"]), Decimal(str(r["spend"])).normalize())
        for r in records
    }


class Singer(Extractor):
    """Stitch's tap: SDK 25, a job for each day, result pages of 25, each entity read again by its id."""

    package, version, script = "tap-facebook", "1.26.0", "tap-facebook"
    before = 1

    def read(self, *streams: str) -> dict[str, list[dict[str, Any]]]:
        config = {
            "account_id": self.account_id,
            "access_token": "SIMULATOR",
            "start_date": self.day(self.since),
            "end_date": self.day(self.until),
            "insights_buffer_days": "1",
            "include_deleted": "true",
        }
        path = self.file("config.json", config)
        catalog = json.loads(self.run("--config", path, "--discover"))
        for stream in catalog["streams"]:
            for entry in stream["metadata"]:
                entry["metadata"]["selected"] = stream["tap_stream_id"] in streams
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in streams}
        for message in parse(self.run("--config", path, "--properties", self.file("catalog.json", catalog))):
            if message["type"] == "RECORD":
                found[message["stream"]].append(message["record"])
        return found


class Meltano(Extractor):
    """MeltanoLabs's tap: SDK 21 and the retired v22.0, overlapping jobs; entities over REST without the SDK."""

    package, version, script = "meltano-tap-facebook", "0.9.0", "tap-facebook"
    after = 1
    fields = frozenset({"date_start", "account_id", "ad_id", "impressions", "spend", "reach", "actions"})

    def read(self, *streams: str) -> dict[str, list[dict[str, Any]]]:
        config = {
            "account_id": self.account_id,
            "access_token": "SIMULATOR",
            "start_date": self.day(self.since),
            "end_date": self.day(self.until),
        }
        path = self.file("config.json", config)
        catalog = json.loads(self.run("--config", path, "--discover"))
        for stream in catalog["streams"]:
            reports = stream["tap_stream_id"] == "adsinsights_default"
            for entry in stream["metadata"]:
                wanted = not reports or not entry["breadcrumb"] or entry["breadcrumb"][-1] in self.fields
                entry["metadata"]["selected"] = stream["tap_stream_id"] in streams and wanted
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in streams}
        for message in parse(self.run("--config", path, "--catalog", self.file("catalog.json", catalog))):
            if message["type"] == "RECORD":
                found[message["stream"]].append(message["record"])
        return found


class Airbyte(Extractor):
    """Airbyte's connector: SDK 25, jobs of a day in parallel, polled in batches, paced by the throttle header."""

    package, version, script = "airbyte-source-facebook-marketing", "6.1.9", "source-facebook-marketing"
    all_statuses = True
    statuses = ("ACTIVE", "ARCHIVED", "DELETED", "IN_PROCESS", "PAUSED", "WITH_ISSUES")
    adset_statuses = (*statuses, "CAMPAIGN_PAUSED")
    ad_statuses = (
        *adset_statuses,
        "ADSET_PAUSED",
        "DISAPPROVED",
        "PENDING_BILLING_INFO",
        "PENDING_REVIEW",
        "PREAPPROVED",
    )

    def read(self, *streams: str) -> dict[str, list[dict[str, Any]]]:
        config = {
            "account_ids": [self.account_id],
            "credentials": {"auth_type": "Service", "access_token": "SIMULATOR"},
            "start_date": self.day(self.since),
            "end_date": self.day(self.until),
            "insights_lookback_window": 1,
            "campaign_statuses": self.statuses,
            "adset_statuses": self.adset_statuses,
            "ad_statuses": self.ad_statuses,
        }
        catalog = {
            "streams": [
                {
                    "stream": {"name": name, "json_schema": {}, "supported_sync_modes": ["full_refresh"]},
                    "sync_mode": "full_refresh",
                    "destination_sync_mode": "append",
                }
                for name in streams
            ]
        }
        path = self.file("config.json", config)
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in streams}
        for message in parse(self.run("read", "--config", path, "--catalog", self.file("catalog.json", catalog))):
            if message["type"] == "RECORD":
                found[message["record"]["stream"]].append(message["record"]["data"])
        return found
