"""Rows per second end to end: `python -m simulator.server.bench [--pages 500,1000] [--size ...]`.

Belongs here: a measurement over real HTTP against a started process. Does not: anything the server needs.
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlencode, urlsplit

FIELDS = (
    "account_id,campaign_id,adset_id,ad_id,ad_name,impressions,reach,clicks,inline_link_clicks,spend,frequency,"
    "actions,action_values,attribution_setting"
)


def start(arguments: Sequence[str]) -> tuple[subprocess.Popen[bytes], int]:
    """Starts a simulator and returns it with its port."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "port"
        process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "simulator", "--port-file", str(file), "--no-limits", *arguments]
        )
        while not file.exists():
            if process.poll() is not None:
                raise RuntimeError(f"the simulator ended with code {process.returncode}")
            time.sleep(0.05)
        return process, int(file.read_text())


def read_all(port: int, account: str, params: dict[str, str]) -> tuple[int, int, int]:
    """Reads every page of a query and returns rows, bytes and pages."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    path = f"/v26.0/act_{account}/insights?{urlencode(params)}"
    rows = size = pages = 0
    while path:
        connection.request("GET", path)
        answer = connection.getresponse()
        raw = answer.read()
        if answer.status != 200:
            raise RuntimeError(raw.decode())
        rows, size, pages = rows + raw.count(b'"date_stop"'), size + len(raw), pages + 1
        # Reason: parsing whole pages here would measure the client; the end of the body is enough.
        tail = json.loads(b"{" + raw[raw.rindex(b'"paging":') :]) if b'"paging":' in raw else {"paging": {}}
        following = tail["paging"].get("next")
        path = "" if following is None else "{0.path}?{0.query}".format(urlsplit(following))
    connection.close()
    return rows, size, pages


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the measurement."""
    p = argparse.ArgumentParser(prog="python -m simulator.server.bench")
    p.add_argument("--size", default="demo")
    p.add_argument("--pages", default="500,1000", help="page sizes to measure")
    p.add_argument("--preset", default="last_90d")
    args = p.parse_args(argv)
    process, port = start(["--size", args.size])
    try:
        accounts = http.client.HTTPConnection("127.0.0.1", port)
        accounts.request("GET", "/_simulator/state")
        account = json.loads(accounts.getresponse().read())["accounts"][0]
        for limit in args.pages.split(","):
            params = {
                "access_token": "SIMULATOR",
                "level": "ad",
                "time_increment": "1",
                "date_preset": args.preset,
                "fields": FIELDS,
                "limit": limit,
            }
            for attempt in ("cold", "warm"):
                began = time.perf_counter()
                rows, size, pages = read_all(port, account, params)
                spent = time.perf_counter() - began
                sys.stdout.write(
                    f"limit={limit} {attempt}: {rows} rows, {size / 1e6:.1f} MB, {pages} pages in {spent:.2f} s = "
                    f"{rows / spent:,.0f} rows/s\n"
                )
    finally:
        process.terminate()
        process.wait(10)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
