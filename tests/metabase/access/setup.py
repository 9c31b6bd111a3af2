"""Set-up of a fresh instance, and the public properties that tell whether it was done."""

from __future__ import annotations

import re
from typing import Any

from tests.metabase.access.passwords import COMPLEXITY_MESSAGE, complex_enough
from tests.metabase.access.principals import ADMINISTRATORS, add_user
from tests.metabase.access.sessions import open_session
from tests.metabase.access.settings import public_properties
from tests.metabase.content.collections import personal_collection
from tests.metabase.core.call import Call, Reply, route
from tests.metabase.core.errors import ApiError, forbidden
from tests.metabase.core.schema import Body, NonBlank, OpenMap

_ONCE = "The /api/setup route can only be used to create the first user, however a user currently exists."
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class FirstUser(Body):
    """The first administrator."""

    email: str
    password: str
    first_name: NonBlank | None = None
    last_name: NonBlank | None = None
    site_name: str | None = None
    password_confirm: str | None = None


class Preferences(Body):
    """The first settings."""

    site_name: NonBlank
    site_locale: NonBlank | None = None
    allow_tracking: bool | str | None = None


class Setup(Body):
    """A set-up. `database` is taken and ignored."""

    token: NonBlank
    user: FirstUser
    prefs: Preferences
    database: OpenMap | None = None


def check_email(email: str, *path: str) -> None:
    """Refuses what is no address.

    Raises:
        ApiError: 400.
    """
    if not _EMAIL.fullmatch(email):
        raise _nested(path, "value must be a valid email address.")


def check_password(call: Call, password: str, *path: str) -> None:
    """Refuses a password that the instance's complexity does not allow.

    Raises:
        ApiError: 400.
    """
    if not complex_enough(password, call.options.password_complexity):
        raise _nested(path, COMPLEXITY_MESSAGE)


def _nested(path: tuple[str, ...], message: str) -> ApiError:
    errors: Any = message
    for step in reversed(path):
        errors = {step: errors}
    return ApiError(400, {"errors": errors, "specific-errors": errors})


@route("POST", "/api/setup", access="open", body=Setup)
def set_up(call: Call) -> Reply:
    """Creates the first administrator, once."""
    body, state = call.body, call.state
    if state.used_setup_token is not None and body.token == state.used_setup_token:
        raise forbidden(
            "The /api/setup route can only be used to create the first user, however a user currently exists."
        )
    if body.token != state.setup_token:
        raise _nested(("token",), "Token does not match the setup token.")
    check_email(body.user.email, "user", "email")
    check_password(call, body.user.password, "user", "password")
    user = add_user(
        call.standin,
        body.user.email,
        body.user.first_name,
        body.user.last_name,
        body.user.password,
        {ADMINISTRATORS},
    )
    personal_collection(call.standin, user)
    state.settings |= {"site-name": body.prefs.site_name, "admin-email": body.user.email}
    if body.prefs.site_locale:
        state.settings["site-locale"] = body.prefs.site_locale
    state.used_setup_token, state.setup_token = state.setup_token, None
    return open_session(call.standin, user)


@route("GET", "/api/session/properties", access="open")
def properties(call: Call) -> dict[str, Any]:
    """The settings that everybody may read, and those that whoever asks may read."""
    return public_properties(call)
