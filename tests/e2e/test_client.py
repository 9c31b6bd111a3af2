"""The Graph client as others use it: SDK objects, batches, budget changes, signed calls; and custom reports."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adset import AdSet

from ingestion.errors import CredentialError, TerminalError, Throttled
from ingestion.graph import GraphClient
from ingestion.paging import PageSize, read_pages
from tests.e2e.harness import account_ids, running_simulator, scalar

pytestmark = pytest.mark.integration

LARGE = PageSize(500, 500)


@pytest.fixture
def client(simulator):
    opened = GraphClient.connect("SIMULATOR", graph_url=simulator.url)
    yield opened
    opened.close()


def ad_sets_with_a_budget(client, account_id):
    fields = {"fields": "id,daily_budget", "effective_status": ["ACTIVE"]}
    pages = read_pages(client, f"act_{account_id}/adsets", fields, str(account_id), LARGE)
    return [row for page in pages for row in page if int(row.get("daily_budget") or 0)]


def test_sdk_objects_work_on_it_and_are_paced(client, simulator):
    account_id = account_ids(simulator)[0]
    before = client.calls
    campaigns = list(AdAccount(f"act_{account_id}", api=client).get_campaigns(fields=["name", "status"]))
    assert campaigns
    assert all(campaign["name"] for campaign in campaigns)
    assert client.calls > before


def test_a_batch_of_the_sdk(client, simulator):
    names, batch = [], client.new_batch()
    for account_id in account_ids(simulator):
        AdAccount(f"act_{account_id}", api=client).api_get(
            fields=["name"], batch=batch, success=lambda answer: names.append(answer.json()["name"])
        )
    batch.execute()
    assert len(names) == len(account_ids(simulator))


def test_a_budget_changes_through_the_sdk_and_a_refusal_is_typed_and_not_repeated(client, simulator):
    found = [(a, row) for a in account_ids(simulator) for row in ad_sets_with_a_budget(client, a)]
    _, ad_set = found[0]
    for step in range(1, 5):
        budget = int(ad_set["daily_budget"]) + 100 * step
        AdSet(ad_set["id"], api=client).api_update(params={"daily_budget": budget})
    assert client.get(ad_set["id"], {"fields": "daily_budget"})["daily_budget"] == str(budget)
    calls = client.calls
    with pytest.raises(Throttled) as fifth:  # Meta allows four changes an hour
        AdSet(ad_set["id"], api=client).api_update(params={"daily_budget": budget + 100})
    assert fifth.value.scope == "object"
    with pytest.raises(TerminalError):
        client.post(found[-1][1]["id"], {"daily_budget": 1}, repeat=False)
    assert client.calls == calls + 2


def test_calls_are_signed_where_the_app_demands_it(tmp_path):
    with running_simulator(
        tmp_path, "--require-proof", "--app-id", "42", "--app-secret", "s3cret-of-the-app"
    ) as simulator:
        signed = GraphClient.connect("SIMULATOR", graph_url=simulator.url, app_id="42", app_secret="s3cret-of-the-app")
        assert signed.get("me/adaccounts")["data"]
        for secret in (None, "another"):
            unsigned = GraphClient.connect("SIMULATOR", graph_url=simulator.url, app_id="42", app_secret=secret)
            with pytest.raises(CredentialError) as refused:
                unsigned.get("me/adaccounts")
            assert "META_APP_SECRET" in refused.value.mend
            unsigned.close()
        signed.close()


def test_a_custom_report_has_a_table_of_its_own(plain_bench):
    bench = plain_bench
    bench.use_clients(
        "version: 1\n"
        "custom_reports:\n"
        "  - {name: adset_daily__region, level: adset, fields: [clicks], breakdowns: [region], history_days: 3}\n"
    )
    day = date(2026, 9, 10)
    summary = bench.pull(reports=("adset_daily__region",), since=day - timedelta(days=1), until=day, entities=False)
    assert summary.status == "succeeded", [outcome.problems for outcome in summary.outcomes]
    rows = scalar(bench.warehouse, "SELECT count(*) FROM raw.insights_adset_daily__region WHERE region <> ''")
    assert rows > 0
    spend = "SELECT sum(spend) FROM raw.insights_adset_daily"
    by_region = scalar(bench.warehouse, "SELECT sum(spend) FROM raw.insights_adset_daily__region")
    bench.pull(reports=("adset_daily",), since=day - timedelta(days=1), until=day, entities=False)
    assert by_region == scalar(bench.warehouse, spend)
