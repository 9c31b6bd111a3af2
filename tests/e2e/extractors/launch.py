"""Runs a Python program that we did not write with its calls to the Graph API sent to another host.

No extractor has a setting for the host, so every request that leaves through `requests` has it replaced here, and a
request to any other host is refused: nothing of a test run reaches the internet. Belongs here: that, and starting the
program by its own script. No knowledge of any extractor does; the program itself runs as it was published. It runs in
the extractor's environment, so only the standard library and `requests` are at hand.

    GRAPH_URL=http://127.0.0.1:8080 PYTHON launch.py SCRIPT [ARGUMENT...]
"""

from __future__ import annotations

import os
import runpy
import sys
from typing import Any
from urllib.parse import urlsplit

import requests

GRAPH = "https://graph.facebook.com"


def redirect(target: str) -> None:
    """Sends what would go to the Graph API to `target`."""
    send = requests.Session.send

    def elsewhere(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        url = request.url or ""
        if url.startswith(f"{GRAPH}/"):
            url = target + url.removeprefix(GRAPH)
        if not url.startswith(f"{target}/"):
            raise RuntimeError(f"A request to {urlsplit(url).netloc} was held back")
        request.url = url
        return send(session, request, **options)

    requests.Session.send = elsewhere


def main() -> None:
    """Redirects, then is the other program."""
    redirect(os.environ["GRAPH_URL"].rstrip("/"))
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
