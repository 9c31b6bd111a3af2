"""Who asks: sessions and API keys; logging in and out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from uuid import uuid4

from tests.metabase.access.passwords import matches
from tests.metabase.core.call import Call, Reply, route
from tests.metabase.core.errors import ApiError, not_found
from tests.metabase.core.ids import timestamp
from tests.metabase.core.schema import Body, NonBlank
from tests.metabase.core.standin import Standin
from tests.metabase.core.state import Row

COOKIE = "metabase.SESSION"
_WAIT_SECONDS = 15


def identify(standin: Standin, headers: Mapping[str, str], cookies: Mapping[str, str]) -> tuple[str | None, Row | None]:
    """The session's id and the user, from the API key, the session header or the cookie; None for nobody.

    A key that is wrong is nobody, even where a session comes along.
    """
    state = standin.state
    key = headers.get("x-api-key")
    if key is not None:
        for row in state.all("api_key"):
            if matches(key, row["key"]):
                return None, _active(state.get("user", row["user_id"]))
        return None, None
    session = headers.get("X-Metabase-Session") or cookies.get(COOKIE)
    return session, _active(state.get("user", state.sessions.get(session or "")))


def _active(user: Row | None) -> Row | None:
    return user if user is not None and user["is_active"] else None


def open_session(standin: Standin, user: Row) -> Reply:
    """Logs a user in; the answer carries the session's id and sets the cookie."""
    session = str(uuid4())
    standin.state.sessions[session] = user["id"]
    user["last_login"] = timestamp(standin.now())
    return Reply({"id": session}, cookies={COOKIE: session})


class Login(Body):
    """A login."""

    username: NonBlank
    password: NonBlank


@route("POST", "/api/session", access="open", body=Login)
def log_in(call: Call) -> Reply:
    """Refuses with 401 what does not match, and after too many failures everything, the right password too."""
    standin, name = call.standin, call.body.username.lower()
    failed = standin.failed_logins.get(name, 0)
    standin.failed_logins[name] = failed + 1
    if failed >= call.options.throttle:
        wait = _WAIT_SECONDS * math.ceil(1.5 ** (failed - call.options.throttle))
        message = f"Too many attempts! You must wait {wait} seconds before trying again."
        raise ApiError(401, {"errors": {"username": message}})
    user = next((u for u in call.state.all("user") if u["email"].lower() == name), None)
    if user is None or not matches(call.body.password, user["password"]):
        raise ApiError(401, {"errors": {"password": "did not match stored password"}})
    if not user["is_active"]:
        raise ApiError(401, {"errors": {"_error": "Your account is disabled."}})
    del standin.failed_logins[name]
    return open_session(standin, user)


@route("DELETE", "/api/session", access="open")
def log_out(call: Call) -> None:
    """Ends the session."""
    if call.session is None or call.state.sessions.pop(call.session, None) is None:
        raise not_found()
