"""Runs a Python program that we did not write with its calls to the Graph API sent to another host.

No extractor has a setting for the host, so every request that leaves through `requests` has it replaced here. Belongs
here: that, and starting the program by its own script. No knowledge of any extractor does, and nothing of a program
is changed otherwise. It runs in the extractor's environment, so only the standard library and `requests` are at hand.

    GRAPH_URL=http://127.0.0.1:8080 PYTHON launch.py SCRIPT [ARGUMENT...]
"""

from __future__ import annotations

import os
import runpy
import sys
from typing import Any

import requests

GRAPH = "https://graph.facebook.com"


def redirect(target: str) -> None:
    """Sends what would go to the Graph API to `target`."""
    send = requests.Session.send

    def elsewhere(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if request.url and request.url.startswith(f"{GRAPH}/"):
            request.url = target + request.url.removeprefix(GRAPH)
        return send(session, request, **options)

    requests.Session.send = elsewhere  # type: ignore[method-assign]


def main() -> None:
    """Redirects, then is the other program."""
    redirect(os.environ["GRAPH_URL"].rstrip("/"))
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")


if __name__ == "__main__":
    main()
