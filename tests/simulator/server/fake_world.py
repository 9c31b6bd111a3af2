"""A tiny world for the server's tests: two accounts, a handful of objects, numbers that are easy to predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson

from simulator.contract import InsightsQuery, Node

A, B = "1010035716096012", "2020035716096012"
BUSINESS = "555000000000001"
OTHER_BUSINESS = "555000000000002"
CBO, PLAIN = "120210000000010001", "120210000000010002"
ADSET_CBO, ADSET, ADSET_ARCHIVED = "120210000000020001", "120210000000020002", "120210000000020003"
STUDY = "120210000000050001"
FIRST_AD = 120210000000030001
ADS = 12


def stamp(day: str) -> str:
    return f"{day}T10:00:00+0100"


class FakeResult:
    def __init__(self, rows: list[bytes], total: int) -> None:
        self.rows, self.total = rows, total

    def __len__(self) -> int:
        return len(self.rows)

    def page(self, offset: int, limit: int) -> Sequence[bytes]:
        return self.rows[offset : offset + limit]

    def summary(self, fields: Sequence[str]) -> dict[str, Any]:
        return {f: str(self.total) for f in fields if f == "impressions"}


class FakeWorld:
    """Rows: one per (object of the level, increment step); impressions = 100 + index."""

    def __init__(self) -> None:
        self.queries: list[InsightsQuery] = []
        self.nodes: dict[str, Node] = {}
        self.spent = 0
        for number, (aid, currency, zone, owner) in enumerate(
            ((A, "EUR", "Europe/Berlin", BUSINESS), (B, "JPY", "Asia/Tokyo", OTHER_BUSINESS))
        ):
            self.put(
                "account",
                f"act_{aid}",
                aid,
                account_id=aid,
                name=f"Shop {number}",
                currency=currency,
                timezone_name=zone,
                account_status=1,
                min_daily_budget=100,
                min_campaign_group_spend_cap="10000",
                business={"id": owner, "name": f"Group {number}"},
                owner=owner,
                amount_spent="12345",
            )
            self.put("business", owner, None, name=f"Group {number}")
        self.put("campaign", CBO, A, name="CBO", daily_budget="50000", **self.live("2026-10-01"))
        self.put("campaign", PLAIN, A, name="Plain", **self.live("2026-11-10"))
        self.put("adset", ADSET_CBO, A, name="S1", campaign_id=CBO, **self.live("2026-10-01"))
        self.put(
            "adset",
            ADSET,
            A,
            name="S2",
            campaign_id=PLAIN,
            daily_budget="2000",
            lifetime_budget="0",
            **self.live("2026-11-10"),
        )
        self.put("adset", ADSET_ARCHIVED, A, name="S3", campaign_id=PLAIN, **self.live("2026-01-01", "ARCHIVED"))
        for i in range(ADS):
            status = "DELETED" if i == ADS - 1 else "ACTIVE"
            self.put(
                "ad",
                str(FIRST_AD + i),
                A,
                name=f"Ad {i}",
                adset_id=ADSET,
                campaign_id=PLAIN,
                creative={"id": "120210000000040001"},
                **self.live("2026-11-01", status),
            )
        self.put("adcreative", "120210000000040001", A, name="Creative", body="Täglich frisch", status="ACTIVE")
        self.put(
            "ad_study",
            STUDY,
            A,
            name="Test",
            description="d",
            type="SPLIT_TEST",
            start_time=stamp("2026-11-01"),
            end_time=stamp("2026-11-15"),
        )
        for i, adset in enumerate((ADSET_CBO, ADSET)):
            self.put(
                "ad_study",
                str(61 + i),
                A,
                name=f"Group {i}",
                treatment_percentage=50,
                adsets={"data": [{"id": adset}]},
            )

    @staticmethod
    def live(updated: str, status: str = "ACTIVE") -> dict[str, str]:
        return {"status": status, "effective_status": status, "updated_time": stamp(updated)}

    def put(self, kind: Any, node_id: str, account: str | None, **data: Any) -> None:
        if account is not None:
            data.setdefault("account_id", account)
        self.nodes[node_id] = Node(kind, node_id, account, {"id": node_id, **data})

    def of(self, kind: str) -> list[Node]:
        return [n for n in self.nodes.values() if n.kind == kind]

    def accounts(self, at: datetime) -> Sequence[Node]:
        return [Node("account", n.account_id or "", n.account_id, n.data) for n in self.of("account")]

    def businesses(self) -> Sequence[Node]:
        return self.of("business")

    def node(self, node_id: str, at: datetime) -> Node | None:
        return self.nodes.get(node_id) or self.nodes.get(f"act_{node_id}")

    def edge(self, node_id: str, edge: str, at: datetime) -> Sequence[Node] | None:
        node = self.node(node_id, at)
        kind = {
            "campaigns": "campaign",
            "adsets": "adset",
            "ads": "ad",
            "adcreatives": "adcreative",
            "ad_studies": "ad_study",
        }.get(edge)
        if node is None:
            return None
        if edge == "cells" and node_id == STUDY:
            return [self.nodes["61"], self.nodes["62"]]
        if kind is None:
            return [] if edge in {"customconversions", "adspixels", "client_ad_accounts", "objectives"} else None
        if node.kind == "account":
            found = [n for n in self.of(kind) if n.account_id == node.account_id]
            return [n for n in found if edge != "ad_studies" or "type" in n.data]
        return [n for n in self.of(kind) if n.data.get(f"{node.kind}_id") == node.id]

    def activities(self, account_id: str, since: datetime, until: datetime) -> Sequence[Mapping[str, Any]]:
        events = [
            {
                "event_time": (datetime(2026, 11, 20, tzinfo=UTC) - timedelta(hours=i)).isoformat(),
                "event_type": "update_ad_set_budget",
                "object_id": ADSET,
                "extra_data": "{}",
            }
            for i in range(5)
        ]
        return [e for e in events if since <= datetime.fromisoformat(e["event_time"]) <= until]

    def insights(self, query: InsightsQuery, at: datetime) -> FakeResult:
        self.queries.append(query)
        ids = [query.node_id]
        if query.level == "ad":
            ids = [n.id for n in self.of("ad") if n.data["effective_status"] == "ACTIVE"]
        rows, index = [], 0
        for since, until in query.ranges:
            step = query.time_increment if isinstance(query.time_increment, int) else (until - since).days + 1
            day = since
            while day <= until:
                stop = min(until, day + timedelta(days=step - 1))
                for object_id in ids:
                    rows.append(self.row(query, object_id, day, stop, index, at))
                    index += 1
                day = stop + timedelta(days=1)
        return FakeResult(rows, sum(100 + i for i in range(len(rows))))

    @staticmethod
    def row(query: InsightsQuery, object_id: str, day: date, stop: date, index: int, at: datetime) -> bytes:
        data: dict[str, Any] = dict.fromkeys(query.fields, "1")
        data |= {"impressions": str(100 + index), f"{query.level}_id": object_id}
        data |= {"account_name": at.isoformat(), "date_start": day.isoformat(), "date_stop": stop.isoformat()}
        return orjson.dumps(data)

    def active_ads(self, account_id: str, at: datetime) -> int:
        return sum(n.data["effective_status"] == "ACTIVE" for n in self.of("ad") if n.account_id == account_id)

    def spend_so_far_today(self, object_id: str, at: datetime) -> int:
        return self.spent

    def update(self, node_id: str, changes: Mapping[str, Any], at: datetime) -> None:
        node = self.nodes[node_id]
        data = {**node.data, **{k: str(v) for k, v in changes.items()}}
        if "status" in changes:
            data["effective_status"] = changes["status"]
        self.nodes[node_id] = Node(node.kind, node.id, node.account_id, data)

    def truth(self, account_id: str) -> Mapping[str, Any]:
        return {"account": account_id, "curves": {"a": 1.0}}
