"""A few lines of Meta's insights protocol, to put each single trouble in its way. The real stand-in is `simulator/`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import orjson

from tests.ingestion.fakes import answer, error


class FakeInsights:
    """Campaigns x ads x days; every knob is one trouble."""

    def __init__(self, campaigns: int = 2, ads: int = 2) -> None:
        self.campaigns = [str(100 + n) for n in range(campaigns)]
        self.ads = {c: [f"{c}{n}" for n in range(ads)] for c in self.campaigns}
        self.runs: dict[str, dict[str, Any]] = {}
        self.posts = 0
        self.too_large: Callable[[dict[str, Any]], bool] = lambda params: False
        self.on_poll: Callable[[str, dict[str, Any]], Any] = lambda run_id, run: None
        self.on_page: Callable[[dict[str, Any]], Any] = lambda params: None
        self.on_post: Callable[[dict[str, Any]], Any] = lambda params: None
        self.empty_middle_page = False
        self.shuffled = False

    def __call__(self, method, path, params):
        if method == "POST" and path.endswith("/insights"):
            decoded = {k: orjson.loads(v) if v[:1] in "[{" else v for k, v in params.items()}
            if (trouble := self.on_post(decoded)) is not None:
                return trouble
            self.posts += 1
            run_id = str(9000 + self.posts)
            self.runs[run_id] = {"params": decoded, "polls": 0}
            return answer({"report_run_id": run_id})
        if path in self.runs:
            run = self.runs[path]
            run["polls"] += 1
            if (trouble := self.on_poll(path, run)) is not None:
                return trouble
            if self.too_large(run["params"]):
                failed = {"async_status": "Job Failed", "async_percent_completion": 0}
                return answer(failed | {"error_code": -3, "error_subcode": 1504045, "error_message": "too large"})
            return answer({"id": path, "async_status": "Job Completed", "async_percent_completion": 100})
        if path.endswith("/insights") and path.split("/")[0] in self.runs:
            return self._page(self.runs[path.split("/")[0]]["params"], params)
        if path.endswith("/insights"):
            decoded = {k: orjson.loads(v) if v[:1] in "[{" else v for k, v in params.items()}
            if self.too_large(decoded):
                return error(100, 1504018, "timed out")
            return self._page(decoded, params)
        if path == "act_1/campaigns":
            return answer({"data": [{"id": c} for c in self.campaigns]})
        for campaign in self.campaigns:
            if path == f"{campaign}/adsets":
                return answer({"data": [{"id": f"{campaign}9"}]})
            if path == f"{campaign}9/ads":
                return answer({"data": [{"id": a} for a in self.ads[campaign]]})
        return error(100, 33, f"Unsupported get request: {path}")

    def rows(self, wanted):
        since, until = (date.fromisoformat(wanted["time_range"][k]) for k in ("since", "until"))
        allowed = {f["field"]: set(f["value"]) for f in wanted.get("filtering", []) if f["field"].endswith(".id")}
        rows = []
        for n in range((until - since).days + 1):
            day = (since + timedelta(days=n)).isoformat()
            for campaign, ads in self.ads.items():
                for ad in ads:
                    ids = {"campaign.id": campaign, "adset.id": f"{campaign}9", "ad.id": ad}
                    if any(ids[field] not in values for field, values in allowed.items()):
                        continue
                    row = {"account_id": "1", "campaign_id": campaign, "adset_id": f"{campaign}9", "ad_id": ad}
                    row |= {"impressions": "10", "spend": "1.25", "clicks": "2", "ad_name": f"Ad {ad}"}
                    kept = {k: v for k, v in row.items() if k in wanted["fields"]}
                    rows.append(kept | {"date_start": day, "date_stop": day})
        return rows[::-1] if self.shuffled else rows

    def _page(self, wanted, params):
        if (trouble := self.on_page(dict(params))) is not None:
            return trouble
        rows, limit = self.rows(wanted), int(params["limit"])
        start = int(params.get("after", "0").split(":")[0])
        skip = self.empty_middle_page and params.get("after", "").count(":") == 0 and start > 0
        page = [] if skip else rows[start : start + limit]
        end = start + len(page)
        after = f"{start}:again" if skip else str(end)
        paging: dict[str, Any] = {"cursors": {"before": "x", "after": after}}
        if skip or end < len(rows):
            paging["next"] = "https://graph.test/next?access_token=SECRET"
        return answer({"data": page, "paging": paging})
