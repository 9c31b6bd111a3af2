"""Report runs: states in simulated time, early reads, failures, expiry, frozen results."""

from __future__ import annotations

import json

import pytest

from .fake_world import A

pytestmark = pytest.mark.integration


def create(server, **params):
    got = server.post(
        f"act_{A}/insights", level="ad", date_preset="yesterday", fields='["ad_id","impressions"]', **params
    )
    assert got.status_code == 200, got.text
    return got.json()["report_run_id"]


def test_states_in_simulated_time(make_server):
    server = make_server(job_seconds=100)
    run = create(server)
    seen = []
    for _ in range(26):
        state = server.get(run).json()
        seen.append((state["async_status"], state["async_percent_completion"]))
        server.advance(4)
    assert list(dict.fromkeys(s for s, _ in seen)) == [
        "Job Not Started",
        "Job Started",
        "Job Running",
        "Job Completed",
    ]
    assert ("Job Running", 100) in seen
    percents = [p for _, p in seen]
    assert percents == sorted(percents)
    state = server.get(run).json()
    assert state["time_completed"] - state["time_ref"] == 100
    assert set(state) == {
        "id", "account_id", "time_ref", "time_completed", "async_status", "async_percent_completion",
    }  # fmt: skip


def test_reading_early_is_2601(server):
    run = create(server)
    got = server.get(f"{run}/insights")
    error = got.json()["error"]
    assert (got.status_code, error["code"], error["error_subcode"], error["is_transient"]) == (400, 2601, 1815107, True)


def test_the_result_is_frozen_at_completion(server):
    run = create(server)
    server.advance(60)
    first = server.get(f"{run}/insights", limit=500).content
    frozen = json.loads(first)["data"][0]["account_name"]
    server.advance(86_400)
    server.sim._results.clear()
    assert server.get(f"{run}/insights", limit=500).content == first
    completed = server.sim.jobs.runs[run].completed_at
    assert frozen == completed.replace(minute=completed.minute // 15 * 15, second=0).isoformat()


def test_expiry_after_thirty_days(server):
    run = create(server)
    server.advance(31 * 86_400)
    assert server.get(run).json()["async_status"] == "Job Skipped"
    assert server.get(f"{run}/insights").json()["error"]["error_subcode"] == 33


@pytest.mark.parametrize(
    ("fault", "status", "percent", "error"),
    [
        ("job_failed", "Job Failed", 60, (-2, 2490547)),
        ("job_failed_at_zero", "Job Failed", 0, (-2, 2490547)),
        ("job_too_large", "Job Failed", 60, (-3, 1504045)),
        ("job_skipped", "Job Skipped", 0, None),
        ("job_stuck", "Job Running", 37, None),
    ],
)
def test_faulty_runs(server, fault, status, percent, error):
    server.admin("faults", {"name": fault, "times": 1})
    run = create(server)
    server.advance(3600)
    state = server.get(run).json()
    assert (state["async_status"], state["async_percent_completion"]) == (status, percent)
    if error:
        assert (state["error_code"], state["error_subcode"]) == error
        assert {"error_message", "error_user_title", "error_user_msg"} <= state.keys()
    assert server.get(f"{run}/insights").status_code == 400
    healthy = create(server)
    server.advance(60)
    assert server.get(healthy).json()["async_status"] == "Job Completed"


def test_hidden_after_creation_and_lost(server):
    server.admin("faults", {"name": "job_hidden_after_create", "times": 1})
    run = create(server)
    got = [server.get(run) for _ in range(3)]
    assert [g.status_code for g in got] == [400, 400, 200]
    assert got[0].json()["error"]["error_subcode"] == 33
    server.admin("faults", {"name": "job_lost", "times": 1})
    run = create(server)
    server.advance(600)
    assert [server.get(run).status_code for _ in range(4)] == [400] * 4


def test_jobs_are_counted_with_fingerprints(server):
    one, two, other = create(server), create(server), create(server, time_increment=1)
    jobs = {j["id"]: j for j in server.admin("state")["jobs"]}
    assert jobs[one]["fingerprint"] == jobs[two]["fingerprint"] != jobs[other]["fingerprint"]
    assert jobs[one]["account_id"] == A
    assert jobs[one]["created_at"] == server.sim.clock.seconds()
    assert "access_token" not in jobs[one]["params"]


def test_another_summary_than_the_runs(server):
    run = create(server)
    server.advance(60)
    assert server.get(f"{run}/insights", summary="impressions").json()["summary"]["impressions"]
    got = server.get(f"{run}/insights", summary="spend")
    assert "weren't there while creating" in got.json()["error"]["message"]


def test_opt_in_breakdowns(make_server):
    server = make_server(opt_in="none")
    params = {"breakdowns": "publisher_platform,impression_device", "level": "ad"}
    assert server.get(f"act_{A}/insights", **params).json() == {"data": []}
    run = server.post(f"act_{A}/insights", **params).json()["report_run_id"]
    server.advance(60)
    assert server.get(f"{run}/insights").json()["data"] == []
    server = make_server()
    # Two listed ad sets and one archived: min(10, ad sets) runs a day.
    codes = [server.post(f"act_{A}/insights", **params).status_code for _ in range(4)]
    assert codes == [200, 200, 200, 403]
    server.advance(86_401)
    assert server.post(f"act_{A}/insights", **params).status_code == 200


def test_reach_beyond_thirteen_months(server):
    old = json.dumps({"since": "2025-01-01", "until": "2025-01-01"})
    params = {"breakdowns": "age", "fields": "reach,impressions", "time_range": old}
    row = server.get(f"act_{A}/insights", **params).json()["data"][0]
    assert "reach" not in row
    got = [server.post(f"act_{A}/insights", **params) for _ in range(11)]
    assert [g.status_code for g in got] == [200] * 10 + [400]
    assert json.loads(got[3].headers["x-Fb-Ads-Insights-Reach-Throttle"])["acc_id_util_pct"] == 40
    assert "rate limit threshold" in got[-1].json()["error"]["message"]
