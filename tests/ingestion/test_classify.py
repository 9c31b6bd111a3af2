from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion import errors
from ingestion.classify import blamed_fields, classify, error_in
from ingestion.scrub import scrub
from ingestion.usage import read_usage, wait_seconds

CATALOGUE = [
    # code, subcode, status, message, expected type
    (1, None, 500, "An unknown error occurred", errors.TransientError),
    (1, 99, 500, "An unknown error occurred", errors.TransientError),
    (1, None, 500, "Please reduce the amount of data you're asking for, then retry", errors.PageTooLarge),
    (1, 2853001, 400, "profile is not linked", errors.TerminalError),
    (2, None, 503, "(#2) Service temporarily unavailable", errors.TransientError),
    (2, 1504038, 400, "timed out", errors.TooMuchData),
    (2, 1504041, 400, "Invalid Breakdowns", errors.TerminalError),
    (2, 1504042, 400, "Invalid custom metrics", errors.TerminalError),
    (2, 1504043, 400, "intermittent", errors.TransientError),
    (2, 1504044, 400, "unknown", errors.TransientError),
    (-2, 2490547, 200, "report failed", errors.TransientError),
    (-3, 1504045, 200, "too large", errors.TooMuchData),
    (3, None, 400, "capability", errors.AccountUnavailable),
    (4, None, 403, "Application request limit reached", errors.Throttled),
    (4, 1504022, 400, "too many calls from this app", errors.Throttled),
    (10, None, 403, "no permission", errors.AccountUnavailable),
    (17, 2446079, 400, "User request limit reached", errors.Throttled),
    (100, None, 400, "Invalid parameter", errors.TerminalError),
    (100, None, 400, "(#100) Missing permissions", errors.AccountUnavailable),
    (100, None, 400, "(#100) Tried accessing nonexisting field (foo) on node type (Ad)", errors.InvalidField),
    (100, None, 400, "(#100) foo is not valid for fields param. please check", errors.InvalidField),
    (100, None, 400, "(#100) Cannot include spend in summary param because they weren't there", errors.TransientError),
    (100, 33, 400, "Unsupported get request. Object with ID '1' does not exist", errors.ObjectNotFound),
    (100, 1487534, 400, "Invalid parameter", errors.TooMuchData),
    (100, 1504018, 400, "timed out", errors.TooMuchData),
    (100, 3191001, 400, "permission", errors.AccountUnavailable),
    (102, None, 400, "session", errors.CredentialError),
    (104, None, 400, "incorrect signature", errors.CredentialError),
    (190, 463, 400, "expired", errors.CredentialError),
    (190, None, 400, "Invalid OAuth 2.0 Access Token", errors.CredentialError),
    (200, None, 403, "(#200) Ad account owner has NOT grant ads_read", errors.AccountUnavailable),
    (294, None, 400, "needs ads_management", errors.AccountUnavailable),
    (613, 1487742, 400, "too many calls from this ad-account", errors.Throttled),
    (613, 1487632, 400, "You can only change your ad set budget 4 times per hour", errors.Throttled),
    (1150, None, 400, "unknown", errors.TransientError),
    (2500, None, 400, "unknown path", errors.TerminalError),
    (2601, 1815107, 400, "Error accessing adreport job.", errors.ReportNotReady),
    (2635, None, 400, "deprecated version", errors.VersionRetired),
    (2642, None, 400, "Invalid cursors values", errors.InvalidCursor),
    (3018, None, 400, "beyond 37 months", errors.RangeTooOld),
    (80000, 2446079, 400, "too many calls", errors.Throttled),
    (80004, 2446079, 400, "too many calls", errors.Throttled),
    (80014, None, 400, "too many calls", errors.Throttled),
]


@pytest.mark.parametrize(("code", "subcode", "status", "message", "expected"), CATALOGUE)
def test_catalogue(code, subcode, status, message, expected):
    found = classify(status, {"code": code, "error_subcode": subcode, "message": message}, {}, "1")
    assert type(found) is expected
    assert found.code == code
    assert str(found).startswith("act_1: ")


def test_throttle_scopes():
    assert classify(400, {"code": 4}, {}).scope == "app"
    assert classify(400, {"code": 80000}, {}).scope == "account"
    assert classify(400, {"code": 613, "error_subcode": 1487632}, {}).scope == "object"


def test_wait_is_minutes_in_one_header_and_seconds_in_the_other():
    business = '{"1":[{"type":"ads_insights","call_count":100,"total_time":3,"estimated_time_to_regain_access":4}]}'
    assert wait_seconds({"x-business-use-case-usage": business}) == 240.0
    assert wait_seconds({"X-Ad-Account-Usage": '{"acc_id_util_pct":100,"reset_time_duration":100}'}) == 100.0
    assert wait_seconds({"X-Ad-Account-Usage": '{"acc_id_util_pct":99,"reset_time_duration":100}'}) is None
    assert wait_seconds({}) is None


@given(st.dictionaries(st.sampled_from(["x-app-usage", "x-ad-account-usage", "x-business-use-case-usage"]), st.text()))
def test_malformed_usage_headers_never_fail(headers):
    list(read_usage(headers))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, {"error": {"code": 1}}),
        (500, None),
        (502, None),
        (200, None),
        (500, {"data": []}),
        (200, {"success": False}),
    ],
)
def test_disguised_failures_are_failures(status, body):
    assert error_in(status, body) is not None


@pytest.mark.parametrize("body", [{"data": []}, {"success": True}, [None]])
def test_successes(body):
    assert error_in(200, body) is None


def test_html_502_is_transient():
    assert type(classify(502, error_in(502, None), {})) is errors.TransientError


def test_blame_as_json_string_and_as_object():
    for data in ('{"blame_field_specs":[["daily_budget"]]}', {"blame_field_specs": [["daily_budget"]]}):
        found = classify(400, {"code": 100, "error_data": data}, {})
        assert blamed_fields(found) == ["daily_budget"]
    assert blamed_fields(classify(400, {"code": 100, "error_data": "not json"}, {})) == []


@given(st.text(alphabet=st.characters(min_codepoint=48, max_codepoint=122, categories=["L", "N"]), min_size=12))
def test_no_token_survives(token):
    for text in (
        f"https://x/v26.0/act_1?access_token={token}&limit=5",
        f'{{"next":"https://x/?limit=1&access_token={token}"}}',
        f"Authorization: Bearer {token}",
        f"appsecret_proof: {token}",
    ):
        assert token not in scrub(text)
        assert token not in str(errors.GraphError(text))
