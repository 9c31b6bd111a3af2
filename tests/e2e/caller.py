"""A process that does nothing but call: reads of one account, paced by the budget that it shares with others, or not.

Reads one JSON document from its arguments: `graph_url`, `account_id`, `calls`, `speed`, `warehouse_url` (null: a budget
of its own).
"""

from __future__ import annotations

import json
import sys
from datetime import datetime

import requests

from ingestion.budget import CallBudget
from ingestion.clock import ScaledClock
from ingestion.graph import GraphClient
from warehouse.connect import Warehouse
from warehouse.ops import UsageStore


def main() -> None:
    job = json.loads(sys.argv[1])
    state = requests.get(f"{job['graph_url']}/_simulator/state?jobs=0", timeout=30).json()
    clock = ScaledClock(job["speed"], datetime.fromisoformat(state["now"]))
    warehouse = Warehouse(job["warehouse_url"]) if job["warehouse_url"] else None
    budget = CallBudget(clock, UsageStore(warehouse) if warehouse else None)
    client = GraphClient.connect("SIMULATOR", graph_url=job["graph_url"], clock=clock, budget=budget)
    for _ in range(job["calls"]):
        client.get(f"act_{job['account_id']}", {"fields": "name"}, job["account_id"])
    client.close()


if __name__ == "__main__":
    main()
