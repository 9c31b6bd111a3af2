"""What the HTTP side (`simulator.server`) asks of the world (`simulator.world`).

Only data classes and protocols belong here. The server knows parameters, errors, jobs, quotas and cursors and
nothing about numbers; the world knows objects and numbers and nothing about HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, Protocol

Level = Literal["account", "campaign", "adset", "ad"]
NodeKind = Literal[
    "business", "account", "campaign", "adset", "ad", "adcreative", "ad_study", "customconversion", "adspixel", "user"
]


@dataclass(frozen=True)
class Filter:
    """One element of `filtering`, its field already checked by the server: e.g. `ad.effective_status IN [...]`."""

    field: str
    operator: str
    value: Any


@dataclass(frozen=True)
class InsightsQuery:
    """A checked insights request.

    Attributes:
        node_id: The account (digits), campaign, ad set or ad asked.
        level: What a row is.
        ranges: Date ranges, both ends included, in the account's days. One result set per range.
        time_increment: Days per row within a range, `"monthly"`, or None for one row per range (`all_days`).
        fields: Requested fields, in order. `date_start` and `date_stop` are always returned.
        breakdowns: E.g. `("age", "gender")`; empty for none.
        action_breakdowns: Default `("action_type",)`.
        windows: Requested attribution windows; empty means only `value`.
        filters: Conditions on entities (`campaign.id`, `ad.effective_status`) and on metrics (`ad.impressions`).
        sort: `(field, descending)`, where the field may be `actions:link_click`; None for the natural order.
    """

    node_id: str
    level: Level
    ranges: tuple[tuple[date, date], ...]
    time_increment: int | Literal["monthly"] | None
    fields: tuple[str, ...]
    breakdowns: tuple[str, ...] = ()
    action_breakdowns: tuple[str, ...] = ("action_type",)
    windows: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    sort: tuple[str, bool] | None = None


class InsightsResult(Protocol):
    """The rows of a query as Meta would have shown them at one moment. Frozen: reading twice gives the same bytes."""

    def __len__(self) -> int:
        """How many rows."""

    def page(self, offset: int, limit: int) -> Sequence[bytes]:
        """Rows `offset` to `offset + limit`, each a serialised JSON object."""

    def summary(self, fields: Sequence[str]) -> dict[str, Any]:
        """The totals over all rows for these fields, as Meta's `summary` object."""


@dataclass(frozen=True)
class Node:
    """One object of the graph: `data` is what all its fields would return at the moment asked."""

    kind: NodeKind
    id: str
    account_id: str | None
    data: Mapping[str, Any]


class World(Protocol):
    """Objects and numbers. Every method takes `at`, the (time-zone aware) moment of asking."""

    def accounts(self, at: datetime) -> Sequence[Node]:
        """All ad accounts, ids without `act_` in `Node.id`; `data["business"]` names the owner."""

    def businesses(self) -> Sequence[Node]:
        """The owners of accounts (one per client)."""

    def node(self, node_id: str, at: datetime) -> Node | None:
        """Any object by its id (accounts with or without `act_`), deleted ones included; None if unknown as yet."""

    def edge(self, node_id: str, edge: str, at: datetime) -> Sequence[Node] | None:
        """All objects on an edge, whatever their status; None if there is no such edge.

        Edges: `campaigns`, `adsets`, `ads`, `adcreatives`, `ad_studies`, `customconversions`, `adspixels`; of a
        study: `cells`.
        """

    def activities(self, account_id: str, since: datetime, until: datetime) -> Sequence[Mapping[str, Any]]:
        """Change history, newest first.

        Keys: `event_time, event_type, object_id, object_name, object_type, actor_id, actor_name, extra_data`.
        """

    def insights(self, query: InsightsQuery, at: datetime) -> InsightsResult:
        """The rows. The server has checked parameters; the world never raises for a combination, it returns no rows."""

    def active_ads(self, account_id: str, at: datetime) -> int:
        """How many ads are active, for the quota formulas."""

    def spend_so_far_today(self, object_id: str, at: datetime) -> int:
        """Minor units spent by a campaign or ad set since its account's midnight, for the budget rules."""

    def update(self, node_id: str, changes: Mapping[str, Any], at: datetime) -> None:
        """Apply checked changes (`daily_budget`, `status`, `name` ...): they change the future, write an activity."""

    def truth(self, account_id: str) -> Mapping[str, Any]:
        """Response curves, effects of split tests, fatigue, anomalies, what will be withdrawn: for evaluation."""

    def final(self, query: InsightsQuery) -> InsightsResult:
        """The rows when nothing can change any more: after every restatement and withdrawal."""
