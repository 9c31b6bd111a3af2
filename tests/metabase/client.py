"""A plain client for tests: requests and control paths, no knowledge of what is asked.

The product has its own client, which shares nothing with this one.
"""

from __future__ import annotations

from typing import Any

import requests

ADMIN = {"email": "ada@example.com", "password": "right-horse-7", "first_name": "Ada", "last_name": "Admin"}
_SECONDS = 30


class Metabase:
    """A stand-in to talk to.

    Attributes:
        headers: Sent with every request; `log_in` and `use_key` set them.
        token: The setup token of the last reset.
    """

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        self.url = url
        self.headers = headers or {}
        self.token = ""

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> requests.Response:
        """Any request to `/api/...`, whatever is answered."""
        return requests.request(
            method, f"{self.url}/api/{path}", json=body, params=query, headers=self.headers, timeout=_SECONDS
        )

    def get(self, path: str, **query: Any) -> Any:
        """The body of a GET that must succeed."""
        return self._good("GET", path, None, **query)

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """The body of a POST that must succeed."""
        return self._good("POST", path, body, **query)

    def put(self, path: str, body: Any = None, **query: Any) -> Any:
        """The body of a PUT that must succeed."""
        return self._good("PUT", path, body, **query)

    def delete(self, path: str, body: Any = None) -> Any:
        """The body of a DELETE that must succeed."""
        return self._good("DELETE", path, body)

    def _good(self, method: str, path: str, body: Any, **query: Any) -> Any:
        answer = self.ask(method, path, body, **query)
        assert answer.ok, f"{method} {path}: {answer.status_code} {answer.text}"
        if not answer.content:
            return None
        return answer.json() if "json" in answer.headers["Content-Type"] else answer.text

    def status(self, method: str, path: str, body: Any = None, **query: Any) -> int:
        """The status of any request."""
        return self.ask(method, path, body, **query).status_code

    def anonymous(self) -> Metabase:
        """The same instance, seen by nobody."""
        return Metabase(self.url)

    def as_session(self, session: str) -> Metabase:
        """The same instance, seen in a session."""
        return Metabase(self.url, {"X-Metabase-Session": session})

    def as_key(self, key: str) -> Metabase:
        """The same instance, seen with an API key."""
        return Metabase(self.url, {"x-api-key": key})

    def member(self, email: str = "max@example.com", *groups: int) -> Metabase:
        """The same instance, seen by a new user in these groups."""
        memberships = [{"id": group} for group in groups]
        user = self.post("user", {"email": email, "first_name": "Max", "user_group_memberships": memberships})
        self.put(f"user/{user['id']}/password", {"password": "blue-chair-9"})
        return self.as_session(self.post("session", {"username": email, "password": "blue-chair-9"})["id"])

    def reset(self, **body: Any) -> Metabase:
        """A fresh instance (or less, with `keep`); nobody is logged in."""
        self.headers = {}
        self.token = self.control("POST", "reset", body)["setup_token"]
        return self

    def set_up(self) -> Metabase:
        """Sets the instance up; from now on requests are the first administrator's."""
        body = {"token": self.token, "user": ADMIN, "prefs": {"site_name": "Ads"}}
        self.headers = {"X-Metabase-Session": self.post("setup", body)["id"]}
        return self

    def options(self, **changes: Any) -> Any:
        """Changes options while it runs."""
        return self.control("POST", "options", changes)

    def faults(self, *rules: dict[str, Any]) -> Any:
        """Adds faults; none takes all back."""
        return self.control("POST", "faults", list(rules))

    def log(self, **query: Any) -> Any:
        """The log of requests."""
        return self.control("GET", "requests", None, **query)

    def control(self, method: str, path: str, body: Any = None, /, **query: Any) -> Any:
        """A control path; it must succeed."""
        answer = requests.request(method, f"{self.url}/_standin/{path}", json=body, params=query, timeout=_SECONDS)
        assert answer.ok, answer.text
        return answer.json()
