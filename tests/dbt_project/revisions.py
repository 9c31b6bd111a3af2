"""A simulated account pulled day after day, as the platform would have: slices with revisions at every age.

What belongs here: filling a warehouse from a world at several settings of its clock, and what the world says in the
end. What does not: HTTP; the world is asked in this process.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import orjson

from ingestion.reports import PRESETS, WINDOWS, Piece
from simulator.contract import Filter, InsightsQuery
from simulator.world import SimulatedWorld
from tests.dbt_project.world import declare, entity
from warehouse.connect import Warehouse
from warehouse.loader import replace_slices
from warehouse.provenance import Provenance
from warehouse.tables import PRESETS as TABLES

RUN = UUID(int=1)


@dataclass(frozen=True)
class Shop:
    """An account of a world, and how it is pulled.

    Attributes:
        world: Where it is.
        account_id: Digits only.
        zone: Its time zone, which cuts its days.
        hour: Hour of its day at which it is pulled.
    """

    world: SimulatedWorld
    account_id: int
    zone: ZoneInfo
    hour: int = 6

    def register(self, warehouse: Warehouse, window: str, action: str = "omni_purchase") -> None:
        """Makes the account known, with the declaration that its conversions are counted by."""
        found = self.world.node(f"act_{self.account_id}", datetime(2026, 11, 1, tzinfo=UTC))
        assert found is not None
        entity(
            warehouse,
            "accounts",
            self.account_id,
            self.account_id,
            str(found.data["name"]),
            currency=str(found.data["currency"]),
            timezone_name=str(found.data["timezone_name"]),
        )
        declare(warehouse, self.account_id, action, action, window)

    def pull(self, warehouse: Warehouse, on: date, since: date, until: date) -> None:
        """One pull of the ads of a range of days, in the morning of a day of the account."""
        at = datetime(on.year, on.month, on.day, self.hour, tzinfo=self.zone).astimezone(UTC)
        rows = self._rows(since, until, at)
        by_day: dict[str, list[bytes]] = {}
        for row in rows:
            by_day.setdefault(row["date_start"], []).append(orjson.dumps(row))
        days = [since + timedelta(days=n) for n in range((until - since).days + 1)]
        origin = Provenance(RUN, "api", "v26.0", WINDOWS, at)
        slices = [(day, by_day.get(day.isoformat(), [])) for day in days]
        replace_slices(warehouse, TABLES["ad_daily"], self.account_id, slices, origin)

    def pull_daily(self, warehouse: Warehouse, first: date, last: date) -> None:
        """A pull every day from `first` to `last`, each of the 28 days before."""
        day = first
        while day <= last:
            self.pull(warehouse, day, day - timedelta(days=28), day - timedelta(days=1))
            day += timedelta(days=1)

    def final(self, since: date, until: date, window: str) -> Iterator[tuple[date, int, float, float]]:
        """What the world shows when nothing changes any more: day, campaign, purchases, their value."""
        key = "value" if window == "default" else window
        for row in self._rows(since, until, None):
            count, value = (
                sum(float(a.get(key, 0)) for a in row.get(name, []) if a["action_type"] == "omni_purchase")
                for name in ("actions", "action_values")
            )
            yield date.fromisoformat(row["date_start"]), int(row["campaign_id"]), count, value

    def _rows(self, since: date, until: date, at: datetime | None) -> list[dict[str, Any]]:
        report = PRESETS["ad_daily"]
        params = Piece(report, since, until).params()
        query = InsightsQuery(
            node_id=str(self.account_id),
            level="ad",
            ranges=((since, until),),
            time_increment=1,
            fields=report.fields,
            windows=report.windows,
            filters=tuple(Filter(f["field"], f["operator"], f["value"]) for f in params["filtering"]),
        )
        result = self.world.final(query) if at is None else self.world.insights(query, at)
        return [orjson.loads(row) for row in result.page(0, len(result))]


def shops(world: SimulatedWorld) -> list[Shop]:
    """Every account of a world."""
    nodes = world.accounts(datetime(2026, 11, 1, tzinfo=UTC))
    return [Shop(world, int(node.id.removeprefix("act_")), ZoneInfo(str(node.data["timezone_name"]))) for node in nodes]
