"""A script as any user of facebook-business writes it: the SDK's session, cursors, async jobs and batches.

Belongs here: calls of the SDK and adding up what it returns. Nothing of this repository does: neither our client nor
the simulator, since the point is that a program which knows only Meta's SDK runs through. The host is the one thing
that differs from a script for the real API.

    python stock_script.py GRAPH_URL ACCESS_TOKEN SINCE UNTIL    prints totals as JSON
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from decimal import Decimal
from typing import Any

from facebook_business.adobjects.ad import Ad
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adreportrun import AdReportRun
from facebook_business.adobjects.adsinsights import AdsInsights
from facebook_business.adobjects.campaign import Campaign
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi
from facebook_business.session import FacebookSession

FIELDS = [AdsInsights.Field.ad_id, AdsInsights.Field.impressions, AdsInsights.Field.spend, AdsInsights.Field.actions]
ALL_STATUSES = [
    value for name, value in vars(Ad.EffectiveStatus).items() if not name.startswith("_") and isinstance(value, str)
]
PATIENCE_SECONDS = 60


def totals(rows: Any) -> dict[str, dict[str, Any]]:
    """Rows, impressions, spend and link clicks by day."""
    found: dict[str, dict[str, Any]] = defaultdict(
        lambda: {"rows": 0, "impressions": 0, "spend": Decimal(0), "link_clicks": 0}
    )
    for row in rows:
        day = found[row["date_start"]]
        day["rows"] += 1
        day["impressions"] += int(row["impressions"])
        day["spend"] += Decimal(row["spend"])
        day["link_clicks"] += sum(int(a["value"]) for a in row.get("actions", []) if a["action_type"] == "link_click")
    return found


def wait_for(job: AdReportRun) -> list[str]:
    """Polls a report run to its end and returns the states that were seen."""
    states: list[str] = []
    started = time.monotonic()
    while True:
        job.api_get()
        states.append(f"{job['async_status']} {job['async_percent_completion']}")
        if states[-1] == "Job Completed 100":
            return states
        if job["async_status"] in {"Job Failed", "Job Skipped"} or time.monotonic() - started > PATIENCE_SECONDS:
            raise SystemExit(f"The report run ended as {states[-1]}")
        time.sleep(0.02)


def names_by_batch(api: FacebookAdsApi, ads: list[Ad]) -> dict[str, str]:
    """Reads each ad's name, 50 to a request; parts that the API did not finish are asked again."""
    found: dict[str, str] = {}

    def keep(response: Any) -> None:
        found[response.json()["id"]] = response.json()["name"]

    def fail(response: Any) -> None:
        raise response.error()

    for start in range(0, len(ads), 50):
        batch = api.new_batch()
        for ad in ads[start : start + 50]:
            ad.api_get(fields=[Ad.Field.name], batch=batch, success=keep, failure=fail)
        while batch:
            batch = batch.execute()
    return found


def read_account(api: FacebookAdsApi, account: AdAccount, since: str, until: str) -> dict[str, Any]:
    """Everything about one account."""
    campaigns = account.get_campaigns(
        fields=[Campaign.Field.name, Campaign.Field.effective_status],
        params={"limit": 2, "effective_status": ["ACTIVE", "PAUSED", "ARCHIVED", "DELETED"]},
    )
    ads = account.get_ads(fields=[Ad.Field.effective_status], params={"limit": 5})
    listed = list(ads)
    insights = {"level": "ad", "time_range": {"since": since, "until": until}, "time_increment": 1}
    rows = account.get_insights(fields=FIELDS, params=insights | {"limit": 7})
    everything = [{"field": "ad.effective_status", "operator": "IN", "value": ALL_STATUSES}]
    job = account.get_insights(fields=FIELDS, params=insights | {"filtering": everything}, is_async=True)
    states = wait_for(job)
    return {
        "campaigns": len(list(campaigns)),
        "ads": len(listed),
        "ads_total": ads.total(),
        "names": names_by_batch(api, listed),
        "sync": totals(rows),
        "async": totals(job.get_result(params={"limit": 10})),
        "states": states,
    }


def main(url: str, token: str, since: str, until: str) -> None:
    """Prints the totals of every account that the token sees."""
    FacebookSession.GRAPH = url
    api = FacebookAdsApi.init(access_token=token, crash_log=False, timeout=60)
    accounts = User("me", api=api).get_ad_accounts(fields=[AdAccount.Field.account_id], params={"limit": 1})
    found = {account["account_id"]: read_account(api, account, since, until) for account in accounts}
    print(json.dumps(found, default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
