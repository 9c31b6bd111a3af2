"""A stock facebook-business script against the server: nothing patched but the host."""

from __future__ import annotations

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adset import AdSet
from facebook_business.adobjects.adstudy import AdStudy
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from .fake_world import ADSET, CBO, FIRST_AD, PLAIN, STUDY, A, B

pytestmark = pytest.mark.integration


@pytest.fixture
def api(server):
    session = FacebookSession("138483919580948", "simulator-app-secret", "SIMULATOR", timeout=20)
    session.GRAPH = server.url
    return FacebookAdsApi(session, api_version="v26.0")


def test_accounts_of_me(api):
    found = User("me", api=api).get_ad_accounts(fields=["name", "currency"])
    assert [(a["id"], a["currency"]) for a in found] == [(f"act_{A}", "EUR"), (f"act_{B}", "JPY")]


def test_synchronous_insights_over_several_pages(api):
    params = {
        "level": "ad",
        "time_range": {"since": "2026-11-18", "until": "2026-11-19"},
        "time_increment": 1,
        "limit": 4,
    }
    rows = list(AdAccount(f"act_{A}", api=api).get_insights(fields=["ad_id", "impressions"], params=params))
    assert [int(r["impressions"]) for r in rows] == list(range(100, 122))


def test_asynchronous_insights(api, server):
    account = AdAccount(f"act_{A}", api=api)
    job = account.get_insights(
        fields=["ad_id", "impressions"], params={"level": "ad", "date_preset": "yesterday"}, is_async=True
    )
    assert job["id"].isdigit()
    seen = []
    for _ in range(30):
        job.api_get()
        seen.append((job["async_status"], job["async_percent_completion"]))
        if seen[-1] == ("Job Completed", 100):
            break
        server.advance(1)
    assert ("Job Running", 100) in seen
    assert {s for s, _ in seen} == {"Job Not Started", "Job Started", "Job Running", "Job Completed"}
    rows = list(job.get_result(params={"limit": 5}))
    assert len(rows) == 11
    assert {r["ad_id"] for r in rows} == {str(FIRST_AD + i) for i in range(11)}


def test_entities(api):
    account = AdAccount(f"act_{A}", api=api)
    campaigns = account.get_campaigns(fields=["name"], params={"limit": 1})
    assert [c["name"] for c in campaigns] == ["CBO", "Plain"]
    assert campaigns.total() == 2
    assert [s["name"] for s in account.get_ad_sets(fields=["name"])] == ["S1", "S2"]
    archived = account.get_ad_sets(fields=["name"], params={"effective_status": ["ARCHIVED"]})
    assert [s["name"] for s in archived] == ["S3"]
    ads = list(account.get_ads(fields=["name", "creative{id,body}"], params={"limit": 5}))
    assert len(ads) == 11
    assert ads[0]["creative"]["body"] == "Täglich frisch"


def test_node_reads_and_updates(api):
    adset = AdSet(ADSET, api=api).api_get(fields=["daily_budget", "campaign_id"])
    assert adset["campaign_id"] == PLAIN
    AdSet(ADSET, api=api).api_update(params={"daily_budget": 2500})
    assert AdSet(ADSET, api=api).api_get(fields=["daily_budget"])["daily_budget"] == "2500"
    both = AdSet.get_by_ids(ids=[ADSET, CBO], fields=["name"], api=api)
    assert sorted(b["name"] for b in both) == ["CBO", "S2"]


def test_study_cells(api):
    cells = AdStudy(STUDY, api=api).get_cells(fields=["name", "treatment_percentage"])
    assert [c["name"] for c in cells] == ["Group 0", "Group 1"]


def test_an_error_has_all_the_accessors_need(api):
    with pytest.raises(FacebookRequestError) as caught:
        AdSet("999", api=api).api_get(fields=["name"])
    assert (caught.value.api_error_code(), caught.value.api_error_subcode()) == (100, 33)
    assert caught.value.api_error_type() == "GraphMethodException"
    with pytest.raises(FacebookRequestError) as caught:
        AdSet(ADSET, api=api).api_update(params={"daily_budget": 1})
    assert caught.value.api_error_subcode() == 1885272
    assert caught.value.api_blame_field_specs() == [["daily_budget"]]


def test_batch_retries_null_parts(api, server):
    server.admin("faults", {"name": "batch_null", "times": 1, "path": CBO})
    good, bad = [], []
    batch = api.new_batch()
    for object_id in (ADSET, CBO, "999"):
        AdSet(object_id, api=api).api_get(
            fields=["name"], batch=batch, success=lambda r: good.append(r.json()["name"]), failure=bad.append
        )
    rest = batch.execute()
    assert (good, len(bad), len(rest)) == (["S2"], 1, 1)
    assert rest.execute() is None
    assert good == ["S2", "CBO"]
