"""Refusals, in the shapes in which Metabase answers them.

A refusal with nothing but a message is plain text; one with more is a JSON object (exceptions middleware).
"""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A refusal: status and body; a string goes out as plain text, a mapping as JSON."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


def bad_request(message: str) -> ApiError:
    """400 with a sentence."""
    return ApiError(400, message)


def invalid_field(name: str, message: str) -> ApiError:
    """400 about one field of a well-formed request."""
    return ApiError(400, {"errors": {name: message}})


def unauthenticated() -> ApiError:
    """401: no session, no key, or a wrong one."""
    return ApiError(401, "Unauthenticated")


def paid_feature(name: str) -> ApiError:
    """402: the open-source edition does not do that."""
    message = (
        f"{name} is a paid feature not currently available to your instance. "
        "Please upgrade to use it. Learn more at metabase.com/upgrade/"
    )
    return ApiError(402, {"message": message, "status": "error-premium-feature-not-available"})


def forbidden(message: str = "You don't have permissions to do that.") -> ApiError:
    """403."""
    return ApiError(403, message)


def not_found() -> ApiError:
    """404: no such object."""
    return ApiError(404, "Not found.")


def no_endpoint() -> ApiError:
    """404: no such path. A JSON string, unlike the 404 of an object."""
    return ApiError(404, '"API endpoint does not exist."')


def archived() -> ApiError:
    """404: the object is in the trash."""
    return ApiError(404, {"message": "The object has been archived.", "error_code": "archived"})


def conflict() -> ApiError:
    """409: a permission graph with a stale revision."""
    return ApiError(
        409,
        "Looks like someone else edited the permissions and your data is out of date. "
        "Please fetch new data and try again.",
    )


def server_error(message: str, kind: str = "class clojure.lang.ExceptionInfo") -> ApiError:
    """500, as from an exception that nobody translated: message, cause and a trace."""
    return ApiError(500, {"message": message, "cause": message, "type": kind, "via": [], "trace": []})
