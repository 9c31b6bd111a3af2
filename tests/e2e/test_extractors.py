"""Programs that we did not write, pointed at the simulator: Meta's SDK as its users use it, and three extractors.

They read the protocol in their own ways, so a misreading that the simulator and our client share shows here. Belongs
here: that they run through and what they bring equals the world. What our own client does is tested in `test_pull`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests

from simulator.contract import Filter, InsightsQuery
from tests.e2e.extractors.foreign import Airbyte, Meltano, Rows, Singer, rows_of
from tests.e2e.harness import NOW, Simulator, account_ids, running_simulator

pytestmark = pytest.mark.integration

SIZE = "accounts=2,ads=24,campaigns=4,adsets=2"
# Days whose numbers are final, in which ads delivered that have been archived or deleted since.
SINCE, UNTIL = date(2026, 4, 10), date(2026, 4, 12)
STOCK_SCRIPT = Path(__file__).parent / "extractors" / "stock_script.py"


@pytest.fixture(scope="module")
def world_of_extractors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """Reports ready at once, since most extractors sleep for 10 or 30 seconds otherwise; old versions upgraded."""
    folder = tmp_path_factory.mktemp("simulator")
    options = ("--job-seconds", "0", "--retired", "upgrade")
    with running_simulator(folder, *options, size=SIZE) as simulator:
        yield simulator


@pytest.fixture
def simulator(world_of_extractors: Simulator) -> Simulator:
    world_of_extractors.reset()
    return world_of_extractors


@pytest.fixture(scope="module")
def simulator_with_slow_reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    folder = tmp_path_factory.mktemp("slow")
    with running_simulator(folder, "--job-seconds", "100", size=SIZE) as simulator:
        yield simulator


def world_rows(
    simulator: Simulator, account_id: str, since: date, until: date, *, all_statuses: bool
) -> list[dict[str, Any]]:
    """Insights by ad and day from the world itself, untouched by HTTP."""
    status = Filter("ad.effective_status", "IN", list(Airbyte.ad_statuses))
    query = InsightsQuery(
        node_id=account_id,
        level="ad",
        ranges=((since, until),),
        time_increment=1,
        fields=("ad_id", "impressions", "spend", "actions"),
        filters=(status,) if all_statuses else (),
    )
    result = simulator.world().insights(query, NOW)
    return [orjson.loads(row) for row in result.page(0, len(result))]


def world_nodes(simulator: Simulator, account_id: str, edge: str) -> dict[str, str]:
    """Effective status by id."""
    return {n.id: n.data["effective_status"] for n in simulator.world().edge(account_id, edge, NOW) or ()}


def expected_totals(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    spend: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        clicks = sum(int(a["value"]) for a in row.get("actions", ()) if a["action_type"] == "link_click")
        found[row["date_start"]].update(rows=1, impressions=int(row["impressions"]), link_clicks=clicks)
        spend[row["date_start"]] += Decimal(row["spend"])
    return {day: dict(counts) | {"spend": str(spend[day])} for day, counts in found.items()}


def test_a_stock_script_of_the_sdk_runs_through(simulator_with_slow_reports):
    simulator = simulator_with_slow_reports
    command = [sys.executable, str(STOCK_SCRIPT), simulator.url, "SIMULATOR", SINCE.isoformat(), UNTIL.isoformat()]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr[-3000:]
    found = json.loads(result.stdout)
    assert list(found) == [str(i) for i in account_ids(simulator)]
    for account_id, got in found.items():
        ads = world_nodes(simulator, account_id, "ads")
        live = {i for i, status in ads.items() if status not in {"ARCHIVED", "DELETED"}}
        assert got["campaigns"] == len(world_nodes(simulator, account_id, "campaigns"))
        assert got["ads"] == got["ads_total"] == len(live) < len(ads)
        assert set(got["names"]) == live
        shown = world_rows(simulator, account_id, SINCE, UNTIL, all_statuses=False)
        whole = world_rows(simulator, account_id, SINCE, UNTIL, all_statuses=True)
        assert got["sync"] == expected_totals(shown)
        assert got["async"] == expected_totals(whole)
        assert len(shown) < len(whole), "deleted and archived ads should make a difference on these days"
        assert len(set(got["states"])) > 2, "the report should be seen on its way"
        assert got["states"][-1] == "Job Completed 100"
    state = simulator.get("state")
    assert not state["errors"]
    assert {kind for kind, calls in state["calls_by_kind"].items() if calls} >= {
        "edge", "insights", "insights_async", "report_run", "report_insights", "node"
    }  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("extractor", "report", "others"),
    [
        pytest.param(Singer, "ads_insights", ("campaigns", "adsets", "ads", "adcreative"), id="singer"),
        pytest.param(Meltano, "adsinsights_default", ("images", "customconversions"), id="meltano"),
        pytest.param(Airbyte, "ads_insights", ("ad_account", "custom_audiences", "activities"), id="airbyte"),
    ],
)
def test_what_an_extractor_brings_equals_the_world(simulator, tmp_path, extractor, report, others):
    account_id = str(account_ids(simulator)[0])
    program = extractor(simulator.url, account_id, SINCE, UNTIL, tmp_path)
    records = program.read(report, *others)
    found = rows_of(records[report])
    since, until = SINCE - timedelta(days=program.before), UNTIL + timedelta(days=program.after)
    truth: Rows = rows_of(world_rows(simulator, account_id, since, until, all_statuses=program.all_statuses))
    assert found == truth
    assert truth
    # Reason: MeltanoLabs asks for most days twice; nobody else should.
    assert program.after or len(records[report]) == len(found)
    state = simulator.get("state")
    assert not state["errors"]
    assert not state["calls_while_blocked"]
    assert state["jobs_created"] == (UNTIL - SINCE).days + 1 + program.before

    if extractor is Singer:
        for stream, edge in (("campaigns", "campaigns"), ("adsets", "adsets"), ("ads", "ads")):
            assert {r["id"]: r["effective_status"] for r in records[stream]} == world_nodes(
                simulator, account_id, edge
            ), "its sweep over delivery_info should bring every object, paused, archived and deleted ones too"
        assert len(records["adcreative"]) == len(simulator.world().edge(account_id, "adcreatives", NOW) or ())
    if extractor is Airbyte:
        assert [r["account_id"] for r in records["ad_account"]] == [account_id]


def get(simulator: Simulator, path: str, **params: str) -> requests.Response:
    answer = requests.get(f"{simulator.url}/v26.0/{path}", params={"access_token": "SIMULATOR", **params}, timeout=30)
    assert answer.ok, answer.text
    return answer


def ask(simulator: Simulator, path: str, **params: str) -> Any:
    return get(simulator, path, **params).json()["data"]


def test_requests_that_only_extractors_make_are_understood(simulator):
    """What they taught the simulator, so that it stays learnt where none of them can be installed."""
    account = f"act_{account_ids(simulator)[0]}"
    assert "X-FB-Ads-Insights-Throttle" in get(simulator, f"{account}/insights").headers, "on the very first call"
    quoted = ask(simulator, f"{account}/ads", fields="['id', 'name', 'effective_status']", limit="3")
    assert [set(row) for row in quoted] == [{"id", "name", "effective_status"}] * 3

    words = "active archived completed limited not_delivering deleted not_published pending_review "
    words += "permanently_deleted recently_completed recently_rejected rejected scheduled inactive"
    swept: list[str] = []
    for start in range(0, 14, 3):
        some = words.split()[start : start + 3]
        condition = [{"field": "ad.delivery_info", "operator": "IN", "value": some}]
        swept += [r["id"] for r in ask(simulator, f"{account}/ads", filtering=json.dumps(condition), limit="100")]
    assert sorted(swept) == sorted(world_nodes(simulator, account.removeprefix("act_"), "ads"))

    day = json.dumps({"since": SINCE.isoformat(), "until": SINCE.isoformat()})
    common = {"level": "ad", "fields": "ad_id,spend", "time_range": day, "limit": "500"}
    whole = sum(Decimal(r["spend"]) for r in ask(simulator, f"{account}/insights", **common))
    parts = ask(simulator, f"{account}/insights", **common, breakdowns="publisher_platform,device_platform")
    assert sum(Decimal(r["spend"]) for r in parts) == whole
    assert len({(r["publisher_platform"], r["device_platform"]) for r in parts}) > 3

    some_ad = quoted[0]["id"]
    empty = ("me/business_users", f"{account}/adimages", f"{account}/advideos", f"{account}/customaudiences")
    for path in (*empty, f"{account}/adlabels", f"{some_ad}/leads"):
        assert ask(simulator, path, summary="true") == []
    studies = ask(simulator, f"{account}/ad_studies")
    assert ask(simulator, f"{account}/impacting_ad_studies") == studies
    assert studies
