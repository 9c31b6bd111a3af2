"""The state of one simulator process, and what several handlers share.

Belongs here: the parts wired together, results kept for paging, access checks. Does not: any rule that has a module
of its own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from simulator.contract import InsightsQuery, InsightsResult, Node, World
from simulator.server.clock import SimClock
from simulator.server.config import Settings
from simulator.server.errors import make, unsupported
from simulator.server.faults import Faults, Profile, Rule, scenario
from simulator.server.graph import GraphRequest
from simulator.server.jobs import JobStore
from simulator.server.limits import Limits
from simulator.server.stats import Stats
from simulator.server.tokens import TokenStore
from simulator.server.webhooks import Webhooks

_RESULTS_KEPT = 48
_LISTINGS_KEPT = 64
LISTING_SECONDS = 60
REFRESH_SECONDS = 900


class Simulator:
    """Everything a handler may need."""

    def __init__(self, world: World, settings: Settings, clock: SimClock) -> None:
        self.world = world
        self.settings = settings
        self.clock = clock
        self.tokens = TokenStore(settings)
        self.limits = Limits(settings, lambda a, t: world.active_ads(a, datetime.fromtimestamp(t, UTC)))
        self.faults = Faults(settings.seed, self.account_ids)
        self.stats = Stats()
        self.jobs = JobStore(settings)
        self.webhooks = Webhooks(settings, clock)
        self.updates = 0
        self.budget_changes: dict[str, list[float]] = {}
        self._results: OrderedDict[tuple[str, datetime], InsightsResult] = OrderedDict()
        self._listings: OrderedDict[tuple[str, str, int, int], Sequence[Node]] = OrderedDict()
        self.apply(scenario(settings.faults))

    def account_ids(self) -> list[str]:
        """Returns the digits of all accounts, in the world's order."""
        return [node.id.removeprefix("act_") for node in self.world.accounts(self.clock.now())]

    def apply(self, profile: Profile) -> None:
        """Puts a fault profile in force, in addition to the rules that are there."""
        self.faults.add(replace(rule) for rule in profile.rules)
        for name, value in (profile.limits or {}).items():
            setattr(self.settings, name, value)

    def result(self, query: InsightsQuery, at: datetime) -> InsightsResult:
        """Returns the rows of a query at a moment; kept for a while, and recomputed when asked again later."""
        # Reason: insights refresh every 15 minutes (section 2.7), so calls in between share one result.
        moment = int(at.timestamp())
        at = datetime.fromtimestamp(moment - moment % REFRESH_SECONDS, UTC)
        # Reason: a filter's value may be a list, so queries are told apart by their text.
        key = (repr(query), at)
        found = self._results.get(key)
        if found is None:
            found = self._results[key] = self.world.insights(query, at)
            if len(self._results) > _RESULTS_KEPT:
                self._results.popitem(last=False)
        else:
            self._results.move_to_end(key)
        return found

    def listing(self, node_id: str, edge: str, at: datetime) -> Sequence[Node] | None:
        """Returns the objects on an edge; the same list serves all its pages within a simulated minute."""
        minute = int(at.timestamp()) // LISTING_SECONDS
        key = (node_id, edge, minute, self.updates)
        found = self._listings.get(key)
        if found is None:
            found = self.world.edge(node_id, edge, at)
            if found is None:
                return None
            self._listings[key] = found
            if len(self._listings) > _LISTINGS_KEPT:
                self._listings.popitem(last=False)
        return found

    def node(self, request: GraphRequest, node_id: str) -> Node:
        """Returns an object that the token may see.

        Raises:
            GraphError: 100/33 when unknown or hidden; 200 for a foreign account.
        """
        node = self.world.node(node_id, request.at)
        if node is None:
            raise unsupported(node_id, request.method.lower())
        request.account_id = account_of(node)
        if request.token is not None and not request.token.sees(request.account_id):
            raise make("permission_200") if node.kind == "account" else unsupported(node_id, request.method.lower())
        return node

    def account(self, account_id: str, at: datetime) -> Mapping[str, Any]:
        """Returns the data of an account; empty if the world does not know it."""
        node = self.world.node(f"act_{account_id}", at)
        return {} if node is None else node.data

    def pick(self, names: frozenset[str], request: GraphRequest) -> Rule | None:
        """Returns the fault among `names` that fires for this call."""
        if not self.faults.rules:
            return None
        return self.faults.pick(
            names, kind=request.kind, method=request.method, path=request.path, account_id=request.account_id
        )


def account_of(node: Node) -> str | None:
    """Returns the digits of the account a node belongs to, or None (businesses)."""
    if node.kind == "account":
        return node.id.removeprefix("act_")
    return None if node.account_id is None else node.account_id.removeprefix("act_")
