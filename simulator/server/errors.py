"""The errors of the Graph API: the exception, its envelope, and the catalogue by name.

Everything here is data of sections 3, 4 and 4.4 of the fact sheet. When an error is raised belongs to the module
that owns the rule; when one is injected belongs to `faults`.
"""

from __future__ import annotations

import itertools
from typing import Any

import orjson

_traces = itertools.count(1)

THROTTLE_TEXT = (
    "There have been too many calls from this ad-account. Wait a bit and try again. For more info, please refer to "
    "https://developers.facebook.com/docs/graph-api/overview/rate-limiting."
)


def trace_id() -> str:
    """Returns a fresh `fbtrace_id`, unique within the process."""
    return f"A{next(_traces):07d}SimTrace"


class GraphError(Exception):
    """An error answer of the API.

    Attributes:
        status: HTTP status. Clients must not rely on it: only (code, subcode) are stable.
        code: `error.code`; may be negative in report runs.
        subcode: `error.error_subcode`, or None when the key is absent.
        extra: Further keys of the envelope (`is_transient`, `error_user_title`, `error_data` ...).
    """

    def __init__(
        self,
        code: int,
        message: str,
        *,
        subcode: int | None = None,
        status: int = 400,
        kind: str | None = "OAuthException",
        **extra: Any,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.subcode = subcode
        self.status = status
        self.kind = kind
        self.extra = extra

    def payload(self) -> dict[str, Any]:
        """Returns the envelope `{"error": {...}}` with a fresh trace id."""
        error: dict[str, Any] = {"message": self.message}
        if self.kind:
            error["type"] = self.kind
        error["code"] = self.code
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        error.update(self.extra)
        error["fbtrace_id"] = trace_id()
        return {"error": error}

    def body(self) -> bytes:
        """Returns the serialised envelope."""
        return orjson.dumps(self.payload())


def invalid(message: str, **extra: Any) -> GraphError:
    """Returns code 100 with the text prefixed the way the API does it."""
    return GraphError(100, f"(#100) {message}", **extra)


def unsupported(object_id: str, verb: str = "get") -> GraphError:
    """Returns 100/33: the object is unknown, hidden from the token, or has no such operation."""
    return GraphError(
        100,
        f"Unsupported {verb} request. Object with ID '{object_id}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation. Please read the Graph API documentation at "
        "https://developers.facebook.com/docs/graph-api",
        subcode=33,
        kind="GraphMethodException",
    )


def retired(latest: str) -> GraphError:
    """Returns 2635 for a Marketing API version that is no longer served."""
    return GraphError(
        2635,
        f"(#2635) You are calling a deprecated version of the Ads API. Please update to the latest version: {latest}.",
    )


def budget_error(subcode: int, title: str, text: str, field: str) -> GraphError:
    """Returns a refused write. `error_data` is a JSON string, as it is mostly observed (section 6.3)."""
    return GraphError(
        100,
        "Invalid parameter",
        subcode=subcode,
        is_transient=False,
        error_user_title=title,
        error_user_msg=text,
        error_data=orjson.dumps({"blame_field_specs": [[field]]}).decode(),
    )


_Row = tuple[int, int | None, int, str, str | None, dict[str, Any]]


def _row(
    code: int, subcode: int | None, status: int, text: str, kind: str | None = "OAuthException", **extra: Any
) -> _Row:
    return (code, subcode, status, text, kind, extra)


_AUTH = "Error validating access token: "

CATALOGUE: dict[str, _Row] = {
    # Transient (section 4.4 and the table of section 3).
    "unknown_error": _row(1, None, 500, "An unknown error occurred", is_transient=True),
    "unknown_error_99": _row(1, 99, 500, "An unknown error occurred", is_transient=False),
    "service_unavailable": _row(2, None, 503, "(#2) Service temporarily unavailable", is_transient=True),
    "insights_intermittent": _row(2, 1504043, 500, "(#2) Service temporarily unavailable", is_transient=True),
    "insights_unknown": _row(2, 1504044, 500, "(#2) An unknown error occurred", is_transient=True),
    "account_unknown_error": _row(1150, None, 500, "(#1150) An unknown error occurred."),
    "report_not_ready": _row(2601, 1815107, 400, "(#2601) Error accessing adreport job.", is_transient=True),
    # Too much asked.
    "reduce_data": _row(
        1, None, 500, "Please reduce the amount of data you're asking for, then retry your request", None
    ),
    "timeout_100": _row(100, 1504018, 400, "(#100) Your request timed out. Please try a smaller date range."),
    "timeout_2": _row(2, 1504038, 500, "(#2) Your request timed out. Please try again."),
    "too_many_rows": _row(
        100,
        1487534,
        400,
        "Invalid parameter",
        error_user_title="Too many rows",
        error_user_msg="There are too many rows in this report. Ask for fewer days, levels or breakdowns.",
        is_transient=False,
    ),
    # Throttles (section 4.1).
    "throttle_user": _row(17, 2446079, 400, "(#17) User request limit reached"),
    "throttle_account": _row(613, 1487742, 400, f"(#613) {THROTTLE_TEXT}"),
    "throttle_insights": _row(80000, 2446079, 400, f"(#80000) {THROTTLE_TEXT}"),
    "throttle_management": _row(80004, 2446079, 400, f"(#80004) {THROTTLE_TEXT}"),
    "throttle_audience": _row(80003, 2446079, 400, f"(#80003) {THROTTLE_TEXT}"),
    "throttle_catalog": _row(80009, 2446079, 400, f"(#80009) {THROTTLE_TEXT}"),
    "throttle_catalog_batch": _row(80014, 2446079, 400, f"(#80014) {THROTTLE_TEXT}"),
    "throttle_app": _row(4, None, 403, "(#4) Application request limit reached", is_transient=True),
    "throttle_insights_app": _row(4, 1504022, 403, "(#4) Application request limit reached", is_transient=True),
    "throttle_insights_global": _row(4, 1504039, 403, "(#4) Application request limit reached", is_transient=True),
    "mutation_rate": _row(613, 5044001, 400, "(#613) Calls to this api have exceeded the rate limit."),
    "budget_changes": _row(
        613,
        1487632,
        400,
        "(#613) You can only change your ad set budget 4 times per hour. Please wait to make more changes.",
    ),
    "spend_cap_changes": _row(17, 1885172, 400, "(#17) User request limit reached"),
    "ad_creation_limit": _row(613, 1487225, 400, "(#613) Calls to this api have exceeded the rate limit."),
    "abuse": _row(613, None, 400, "(#613) Calls to this api have exceeded the rate limit."),
    "application_limit": _row(341, None, 400, "(#341) Application limit reached"),
    "policy_blocked": _row(368, None, 400, "(#368) The action attempted has been deemed abusive or is disallowed"),
    # Permanent: the request.
    "invalid_parameter": _row(100, None, 400, "(#100) Invalid parameter"),
    "missing_permissions": _row(100, None, 400, "(#100) Missing permissions"),
    "insufficient_permission": _row(100, 3191001, 400, "(#100) Insufficient permission to load the report"),
    "invalid_breakdowns": _row(2, 1504041, 400, "(#2) Invalid breakdowns"),
    "invalid_metrics": _row(2, 1504042, 400, "(#2) Invalid custom metrics"),
    "delegate_page": _row(1, 2853001, 400, "The profile is not linked to a delegate page", is_transient=False),
    "capability": _row(3, None, 400, "(#3) Application does not have the capability to make this API call."),
    "no_target": _row(275, None, 400, "(#275) Cannot determine the target object for this request."),
    "not_found": _row(
        100,
        33,
        400,
        "Unsupported get request. Object does not exist, cannot be loaded due to missing permissions, or does not "
        "support this operation.",
        "GraphMethodException",
    ),
    "retired_version": _row(
        2635, None, 400, "(#2635) You are calling a deprecated version of the Ads API. Please update to v26.0."
    ),
    "graph_query": _row(2500, None, 400, "Unknown path components: /nonsense"),
    "invalid_cursor": _row(2642, None, 400, "(#2642) Invalid cursors values"),
    "beyond_37_months": _row(
        3018,
        None,
        400,
        "(#3018) The start date of the time range cannot be beyond 37 months from the current date",
    ),
    "summary_mismatch": _row(
        100,
        None,
        400,
        "(#100) Cannot include impressions in summary param because they weren't there while creating the report run.",
    ),
    # Permanent: rights.
    "permission_10": _row(10, None, 403, "(#10) Application does not have permission for this action"),
    "permission_200": _row(
        200, None, 403, "(#200) Ad account owner has NOT grant ads_management or ads_read permission"
    ),
    "business_permission": _row(200, None, 403, "(#200) Requires business_management permission to manage the object"),
    "development_only": _row(
        270, None, 400, "(#270) This Ads API request is not allowed for apps with development access level."
    ),
    "allow_list": _row(
        294, None, 400, "(#294) Managing advertisements requires ads_management and an app on the allow list"
    ),
    # Permanent: the credential.
    "session_invalid": _row(102, None, 400, "Session key invalid or no longer valid"),
    "bad_signature": _row(104, None, 400, "Incorrect signature"),
    "bad_proof": _row(100, None, 400, "Invalid appsecret_proof provided in the API argument", "GraphMethodException"),
    "token_invalid": _row(190, None, 400, "Invalid OAuth 2.0 Access Token"),
    "token_app_removed": _row(190, 458, 400, _AUTH + "The user has not authorized the application."),
    "token_checkpoint": _row(190, 459, 400, _AUTH + "The user is checkpointed and must log in."),
    "token_password": _row(190, 460, 400, _AUTH + "The session is invalid because the password was changed."),
    "token_expired": _row(190, 463, 400, _AUTH + "Session has expired."),
    "token_unconfirmed": _row(190, 464, 400, _AUTH + "The user is not confirmed."),
    "token_revoked": _row(190, 467, 400, _AUTH + "The access token is invalid because the user logged out."),
    "token_session": _row(190, 492, 400, _AUTH + "The session is invalid."),
}
"""Every injectable error by name: code, subcode, HTTP status, text, type, further keys."""


def make(name: str) -> GraphError:
    """Returns a fresh error of the catalogue.

    Raises:
        KeyError: No such name.
    """
    code, subcode, status, text, kind, extra = CATALOGUE[name]
    return GraphError(code, text, subcode=subcode, status=status, kind=kind, **extra)
