"""Every row of the fact sheet's catalogue, one at a time, in the way of a real pull over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from orchestration.pull_model import PullFailed
from tests.e2e.harness import NOW, account_ids, scalar, stored, truth

pytestmark = pytest.mark.integration

SINCE, UNTIL = date(2026, 9, 1), date(2026, 9, 4)
REPORTS = ("ad_daily", "account_daily")

ANYWHERE = [
    "unknown_error",
    "unknown_error_99",
    "service_unavailable",
    "account_unknown_error",
    "throttle_user",
    "throttle_account",
    "throttle_insights",
    "throttle_management",
    "throttle_audience",
    "throttle_catalog",
    "throttle_catalog_batch",
    "throttle_app",
    "throttle_insights_app",
    "throttle_insights_global",
    "mutation_rate",
    "abuse",
    "application_limit",
    "policy_blocked",
    "html_502",
    "html_503",
    "html_504",
    "empty_500",
    "ok_with_error",
    "cut_before",
    "cut_middle",
]
INSIGHTS = ["insights_intermittent", "insights_unknown", "timeout_100", "timeout_2", "too_many_rows", "reduce_data"]
PAGES = ["report_not_ready", "invalid_cursor", "empty_middle_page"]
JOBS = [
    "job_failed",
    "job_too_large",
    "job_failed_at_zero",
    "job_skipped",
    "job_stuck",
    "job_lost",
    "job_hidden_after_create",
]
ONE_ACCOUNT = [
    "missing_permissions",
    "insufficient_permission",
    "invalid_breakdowns",
    "invalid_metrics",
    "delegate_page",
    "capability",
    "no_target",
    "graph_query",
    "invalid_parameter",
    "permission_10",
    "permission_200",
    "development_only",
    "allow_list",
]
EVERYTHING = [
    "token_expired",
    "token_invalid",
    "token_password",
    "token_revoked",
    "token_app_removed",
    "token_checkpoint",
    "token_unconfirmed",
    "token_session",
    "session_invalid",
    "bad_signature",
    "bad_proof",
    "retired_version",
]


def check_against_truth(bench, accounts):
    for account_id in accounts:
        for report in REPORTS:
            expected = truth(bench.simulator, account_id, report, SINCE, UNTIL, NOW + timedelta(days=1))
            assert stored(bench.warehouse, account_id, report) == expected


def cases():
    yield from ((name, {"times": 3}) for name in ANYWHERE)
    yield from ((name, {"times": 1, "kind": "insights_async"}) for name in (*INSIGHTS, *JOBS))
    yield from ((name, {"times": 1, "kind": "insights"}) for name in INSIGHTS)
    yield from ((name, {"times": 1, "kind": "report_insights"}) for name in (*INSIGHTS, *PAGES))
    yield "slow", {"times": 1, "seconds": 7.0, "kind": "report_insights"}
    yield "job_stuck", {"times": 2, "kind": "insights_async"}


@pytest.mark.parametrize(
    ("name", "where"), list(cases()), ids=lambda v: v if isinstance(v, str) else v.get("kind", "any")
)
def test_what_passes_passes(plain_bench, name, where):
    bench = plain_bench
    bench.options = replace(bench.options, page_size=3, largest_page=6)  # several pages, so that there is a middle
    bench.simulator.inject(name, **where)
    summary = bench.pull(since=SINCE, until=UNTIL, reports=REPORTS, entities=False)
    assert summary.status == "succeeded", [o.problems for o in summary.outcomes]
    check_against_truth(bench, account_ids(bench.simulator))
    state = bench.simulator.get("state?jobs=0")
    assert state["faults_fired"].get(name, 0) >= 1
    assert not state["calls_while_blocked"]


@pytest.mark.parametrize("name", ONE_ACCOUNT)
def test_one_account_fails_and_the_others_finish(plain_bench, name):
    bench = plain_bench
    *good, bad = account_ids(bench.simulator)
    bench.simulator.inject(name, account=str(bad))
    summary = bench.pull(since=SINCE, until=UNTIL, reports=REPORTS)
    assert summary.status == "partial"
    problems = {o.account.account_id: o.problems for o in summary.outcomes}
    assert f"act_{bad}" in problems[bad][0]
    assert all(not problems[account] for account in good)
    check_against_truth(bench, good)
    assert scalar(bench.warehouse, "SELECT count(*) FROM ops.slice WHERE account_id = %s", bad) == 0
    assert scalar(bench.warehouse, "SELECT status FROM ops.run") == "partial"
    assert str(bad) in scalar(bench.warehouse, "SELECT message FROM ops.run")


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_refused_token_stops_everything_and_says_how_to_mend_it(plain_bench, name):
    bench = plain_bench
    bench.simulator.inject(name, after=8)
    with pytest.raises(PullFailed) as refused:
        bench.pull(since=SINCE, until=UNTIL, reports=REPORTS)
    assert refused.value.mend
    assert "SIMULATOR" not in str(refused.value)
    done = scalar(bench.warehouse, "SELECT count(*) FROM ops.slice")
    bench.simulator.reset()
    summary = bench.pull(since=SINCE, until=UNTIL, reports=REPORTS)
    assert summary.status == "succeeded"
    assert scalar(bench.warehouse, "SELECT count(*) FROM ops.slice") >= done
    check_against_truth(bench, account_ids(bench.simulator))


def test_everything_too_large_is_split_until_it_fits(plain_bench):
    bench = plain_bench
    bench.simulator.post(
        "faults",
        {"limits": {"page_limit_max": 50, "sync_row_limit": 3, "job_row_limit": 4, "total_row_limit": 100_000}},
    )
    try:
        summary = bench.pull(since=SINCE, until=UNTIL, reports=("ad_daily", "account_daily"), entities=False)
    finally:
        bench.simulator.post(
            "faults",
            {
                "limits": {
                    "page_limit_max": 5000,
                    "sync_row_limit": 10_000,
                    "job_row_limit": 2_000_000,
                    "total_row_limit": 5_000_000,
                }
            },
        )
    assert summary.status == "succeeded", [o.problems for o in summary.outcomes]
    check_against_truth(bench, account_ids(bench.simulator))
    assert scalar(bench.warehouse, "SELECT count(*) FROM ops.report_job WHERE state = 'split'") > 0
