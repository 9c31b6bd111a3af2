"""A process that imports everything once and then forks children that pull, to be killed: a start costs milliseconds.

Reads one JSON line per pull from standard input (`reports`, `since`, `until`, `kill_after` in seconds or null) and
answers with one line (`killed`, `code`, `seconds`). Configuration comes with the first line.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any

from ingestion.insights import PullOptions
from ingestion.report_run import Patience
from orchestration.clients import ClientsFile
from orchestration.platform import Platform
from orchestration.progress import Display
from orchestration.pull import run_pull
from orchestration.pull_model import PullRequest
from orchestration.settings import load_settings
from warehouse.connect import Warehouse


def pull(config: dict[str, Any], request: PullRequest) -> None:
    settings = load_settings(
        None,
        meta_access_token="SIMULATOR",
        meta_graph_url=config["graph_url"],
        meta_ads_home=Path(config["home"]),
        meta_timeout_seconds=5,
    )
    with Warehouse(config["warehouse_url"]) as warehouse:
        options = PullOptions(patience=Patience(first_poll_seconds=0.05), page_size=20, largest_page=20, sync_rows=0)
        platform = Platform(settings, ClientsFile(version=1), warehouse, Display(), options=options)
        summary = run_pull(platform, request)
        assert summary.status == "succeeded", [outcome.problems for outcome in summary.outcomes]


def main() -> None:
    config = json.loads(sys.stdin.readline())
    for line in sys.stdin:
        order = json.loads(line)
        request = PullRequest(
            reports=tuple(order["reports"]),
            since=date.fromisoformat(order["since"]),
            until=date.fromisoformat(order["until"]),
            entities=False,
        )
        started = time.monotonic()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                pull(config, request)
                code = 0
            finally:
                os._exit(code)
        killed, status = False, 0
        if order["kill_after"] is not None:
            deadline = started + order["kill_after"]
            while time.monotonic() < deadline:
                done, status = os.waitpid(child, os.WNOHANG)
                if done:
                    break
                time.sleep(0.001)
            else:
                os.kill(child, signal.SIGKILL)
                killed = True
                _, status = os.waitpid(child, 0)
        else:
            _, status = os.waitpid(child, 0)
        answer = {"killed": killed, "code": os.waitstatus_to_exitcode(status), "seconds": time.monotonic() - started}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
