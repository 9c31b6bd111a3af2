"""The world as the server sees it: objects and numbers at a moment of asking.

What belongs here: finding the account behind an id, planning queries, taking updates. What does not: numbers
themselves (`delivery`, `metrics`) and HTTP (`simulator.server`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from simulator.contract import InsightsQuery, InsightsResult, Node
from simulator.world.account import AccountWorld
from simulator.world.activities import list_activities
from simulator.world.clock import epoch, quantise
from simulator.world.entities import business_data
from simulator.world.ids import Place, account_id, business_id, resolve
from simulator.world.insights import answer
from simulator.world.size import WorldSize

_OBJECTS = ("campaign", "adset", "ad")


class SimulatedWorld:
    """Implements `simulator.contract.World`. Accounts are drawn when first asked for; rows are never stored."""

    def __init__(self, seed: int, size: WorldSize, anchor: date) -> None:
        self.seed, self.size, self.anchor = seed, size, anchor
        self._accounts: dict[int, AccountWorld] = {}
        self._index = {account_id(seed, index): index for index in range(size.accounts)}
        owners = sorted({size.business_of(index) for index in range(size.accounts)})
        self._businesses = {business_id(seed, index): index for index in owners}

    # Objects

    def accounts(self, at: datetime) -> Sequence[Node]:
        """All ad accounts."""
        return [self._account(index).account_node(epoch(at)) for index in range(self.size.accounts)]

    def businesses(self) -> Sequence[Node]:
        """The owners of accounts, one per client."""
        return [
            Node("business", name, None, business_data(self.seed, index)) for name, index in self._businesses.items()
        ]

    def node(self, node_id: str, at: datetime) -> Node | None:
        """Any object by its id, or None if unknown or not yet created."""
        moment, bare = epoch(at), node_id.removeprefix("act_")
        if bare in self._index:
            return self._account(self._index[bare]).account_node(moment)
        if node_id in self._businesses:
            return Node("business", node_id, None, business_data(self.seed, self._businesses[node_id]))
        place = self._place(node_id)
        return None if place is None else self._account(place.account).node(place.kind, place.number, moment)

    def edge(self, node_id: str, edge: str, at: datetime) -> Sequence[Node] | None:
        """All objects on an edge whatever their status; None if there is no such edge."""
        moment, bare = epoch(at), node_id.removeprefix("act_")
        if bare in self._index:
            return self._account(self._index[bare]).edge("account", 0, edge, moment)
        if node_id in self._businesses:
            return self._business_edge(self._businesses[node_id], edge, at)
        place = self._place(node_id)
        return None if place is None else self._account(place.account).edge(place.kind, place.number, edge, moment)

    def activities(self, account_id: str, since: datetime, until: datetime) -> Sequence[Mapping[str, Any]]:
        """Change history of an account, newest first."""
        index = self._index.get(account_id.removeprefix("act_"))
        if index is None:
            return []
        account = self._account(index)
        return list_activities(account.model, account.timeline, epoch(since), epoch(until))

    # Numbers

    def insights(self, query: InsightsQuery, at: datetime) -> InsightsResult:
        """The rows of a query as of the last 15-minute refresh before `at`."""
        bare = query.node_id.removeprefix("act_")
        place = Place(self._index[bare], "account", 0) if bare in self._index else self._place(query.node_id)
        account = None if place is None else self._account(place.account)
        return answer(account, place, query, epoch(at), quantise(at), self.size.shuffle)

    def final(self, query: InsightsQuery) -> InsightsResult:
        """The rows as they will be when nothing changes any more: asked 60 days after the last range."""
        last = max(last for _, last in query.ranges)
        zone = self._any_zone(query.node_id)
        return self.insights(query, datetime.combine(last + timedelta(days=60), datetime.min.time(), zone))

    def active_ads(self, account_id: str, at: datetime) -> int:
        """How many ads are active, for the quota formulas."""
        index = self._index.get(account_id.removeprefix("act_"))
        return 0 if index is None else self._account(index).active_ads(epoch(at))

    def spend_so_far_today(self, object_id: str, at: datetime) -> int:
        """Minor units spent by a campaign or ad set since its account's midnight."""
        place = self._place(object_id)
        if place is None or place.kind not in _OBJECTS:
            return 0
        return self._account(place.account).spend_today(place.kind, place.number, quantise(at))

    # Changes

    def update(self, node_id: str, changes: Mapping[str, Any], at: datetime) -> None:
        """Apply checked changes from this moment on; unchanged values leave no trace.

        Raises:
            KeyError: The object is no campaign, ad set or ad of this world.
        """
        place = self._place(node_id)
        if place is None or place.kind not in _OBJECTS:
            raise KeyError(f"{node_id} is no campaign, ad set or ad of this world")
        self._account(place.account).update(place.kind, place.number, changes, epoch(at))

    def truth(self, account_id: str) -> Mapping[str, Any]:
        """What is true about an account (see `truth.account_truth`); empty for an unknown account."""
        index = self._index.get(account_id.removeprefix("act_"))
        return {} if index is None else self._account(index).truth()

    # Inside

    def _account(self, index: int) -> AccountWorld:
        found = self._accounts.get(index)
        if found is None:
            found = self._accounts[index] = AccountWorld(self.seed, self.size, index, self.anchor.toordinal())
        return found

    def _place(self, node_id: str) -> Place | None:
        place = resolve(self.seed, node_id)
        return place if place is not None and place.account < self.size.accounts else None

    def _business_edge(self, business: int, edge: str, at: datetime) -> Sequence[Node] | None:
        owned = [index for index in range(self.size.accounts) if self.size.business_of(index) == business]
        if edge == "owned_ad_accounts":
            return [self._account(index).account_node(epoch(at)) for index in owned]
        if edge == "client_ad_accounts":
            return []
        if edge == "ad_studies":
            return [node for index in owned for node in self._account(index).edge("account", 0, edge, epoch(at)) or ()]
        return None

    def _any_zone(self, node_id: str) -> Any:
        bare = node_id.removeprefix("act_")
        place = self._place(node_id)
        index = self._index.get(bare, place.account if place else 0)
        return self._account(index).model.clock.zone


def build_world(seed: int, size: WorldSize | str, anchor: date) -> SimulatedWorld:
    """A world that is a function of its arguments.

    Args:
        seed: Any integer; account ids depend on it alone.
        size: A `WorldSize`, a preset (`demo`, `small`, `large`) or a list such as `accounts=20,ads=500,history=400`.
        anchor: The day that history leads up to. The world goes on after it.

    Raises:
        ValueError: The size cannot be read.
    """
    return SimulatedWorld(seed, WorldSize.parse(size) if isinstance(size, str) else size, anchor)
