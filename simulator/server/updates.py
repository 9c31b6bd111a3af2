"""Writing: budgets, status, names, and Meta's rules about them (section 6.3).

The rules and their errors belong here; what a change does to the future is the world's. Creating objects is refused.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from simulator.contract import Node
from simulator.server.core import Simulator, account_of
from simulator.server.errors import GraphError, budget_error, invalid, make, unsupported
from simulator.server.graph import GraphRequest, Reply, answer
from simulator.server.params import as_int, as_names, epoch, given

WRITABLE = {
    "campaign": frozenset({"name", "status", "daily_budget", "lifetime_budget", "bid_strategy", "spend_cap"}),
    "adset": frozenset({"name", "status", "daily_budget", "lifetime_budget", "bid_amount", "bid_strategy", "end_time"}),
    "ad": frozenset({"name", "status", "bid_amount"}),
    "adcreative": frozenset({"name", "status"}),
    "account": frozenset({"name", "spend_cap"}),
}
STATUSES = ("ACTIVE", "PAUSED", "DELETED", "ARCHIVED")
BUDGETS = ("daily_budget", "lifetime_budget")
CHANGES_PER_HOUR = 4
CAP_CHANGES_PER_DAY = 10
_NO_MINOR_UNIT = frozenset({"CLP", "COP", "CRC", "HUF", "ISK", "IDR", "JPY", "KRW", "PYG", "TWD", "VND"})
_HOUR = 3600.0
_DAY = 86_400.0


def update(sim: Simulator, request: GraphRequest, node: Node) -> Reply:
    """Answers `POST /{node}`: checks every rule, then lets the world change the future."""
    assert request.token is not None
    request.token.need("ads_management")
    writable = WRITABLE.get(node.kind)
    if writable is None:
        raise unsupported(node.id, "post")
    changes = _changes(request, writable)
    validate_only = "validate_only" in as_names(request.params, "execution_options")
    _check_status_rules(node, changes)
    _check_others(sim, request, node, changes)
    budgets = [f for f in BUDGETS if f in changes and node.kind in {"campaign", "adset"}]
    for field in budgets:
        _check_budget(sim, request, node, field, changes[field])
    moving = any(str(changes[f]) != str(node.data.get(f, "0")) for f in budgets)
    now = request.at.timestamp()
    if moving and node.kind == "adset":
        recent = [t for t in sim.budget_changes.get(node.id, []) if t > now - _HOUR]
        if len(recent) >= CHANGES_PER_HOUR:
            raise make("budget_changes")
        if not validate_only:
            sim.budget_changes[node.id] = [*recent, now]
    if changes and not validate_only:
        try:
            sim.world.update(node.id, changes, request.at)
        except KeyError:
            # Reason: the world keeps accounts and creatives as they are.
            raise unsupported(node.id, "post") from None
        sim.updates += 1
        fresh = sim.world.node(node.id, request.at) or node
        sim.webhooks.on_change(account_of(node) or "", node, fresh, changes)
    return answer({"success": True})


def delete(sim: Simulator, request: GraphRequest, node: Node) -> Reply:
    """Answers `DELETE /{node}`, which is the status DELETED."""
    request.params = {**request.params, "status": "DELETED"}
    return update(sim, request, node)


def create_study(request: GraphRequest) -> Reply:
    """Answers `POST /{business}/ad_studies`: checks what is required, then refuses for lack of a permission."""
    assert request.token is not None
    request.token.need("ads_management")
    for name in ("name", "start_time", "end_time", "cells"):
        if not given(request.params, name):
            raise invalid(f"The parameter {name} is required")
    raise make("permission_10")


def _changes(request: GraphRequest, writable: frozenset[str]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for name in sorted(writable & request.params.keys()):
        if name in {*BUDGETS, "bid_amount", "spend_cap"}:
            changes[name] = as_int(request.params, name, low=0)
        elif name == "status":
            if str(request.params[name]) not in STATUSES:
                raise invalid(f"status must be one of the following values: {', '.join(STATUSES)}")
            changes[name] = request.params[name]
        else:
            changes[name] = request.params[name]
    return {k: v for k, v in changes.items() if v is not None}


def _check_status_rules(node: Node, changes: dict[str, Any]) -> None:
    """An archived object takes a name and a status, a deleted one only a name."""
    status = node.data.get("status")
    allowed = {"ARCHIVED": {"name", "status"}, "DELETED": {"name"}}.get(str(status))
    if allowed is not None and (wrong := sorted(changes.keys() - allowed)):
        raise budget_error(
            1487056,
            f"The object is {str(status).lower()}",
            f"You can't change {', '.join(wrong)} of an object that is {str(status).lower()}.",
            wrong[0],
        )


def _check_others(sim: Simulator, request: GraphRequest, node: Node, changes: dict[str, Any]) -> None:
    """Spend caps and end dates."""
    now = request.at.timestamp()
    if node.kind == "account" and "spend_cap" in changes:
        recent = [t for t in sim.budget_changes.get(node.id, []) if t > now - _DAY]
        if len(recent) >= CAP_CHANGES_PER_DAY:
            raise make("spend_cap_changes")
        sim.budget_changes[node.id] = [*recent, now]
    if node.kind == "campaign" and changes.get("spend_cap"):
        account = sim.account(account_of(node) or "", request.at)
        least = int(account.get("min_campaign_group_spend_cap") or 0)
        if changes["spend_cap"] < least:
            text = f"The spend cap must be at least {_money(least, str(account.get('currency')))}."
            raise budget_error(2446307, "Spend cap is too low", text, "spend_cap")
    if "end_time" in changes and (epoch(changes["end_time"]) or now) <= now and str(changes["end_time"]) != "0":
        raise budget_error(1487033, "End date is in the past", "The end date must be in the future.", "end_time")


def _money(minor: int, currency: str) -> str:
    if currency in _NO_MINOR_UNIT:
        return f"{currency}{minor}"
    return f"{currency}{Decimal(minor) / 100:.2f}"


def _check_budget(sim: Simulator, request: GraphRequest, node: Node, field: str, value: int) -> None:
    """Minimum, owner of the budget, what is spent already, schedule."""
    account = sim.account(account_of(node) or "", request.at)
    currency = str(account.get("currency") or "USD")
    noun = "ad set" if node.kind == "adset" else "campaign"
    if _budget_is_elsewhere(sim, request, node):
        raise budget_error(
            1885621,
            "Only one budget is allowed",
            "You can set a budget on the campaign or on its ad sets, but not on both.",
            field,
        )
    least = int(account.get("min_daily_budget") or 100)
    if value < least:
        raise budget_error(
            1885272,
            "Budget is too low",
            f"Your {noun} budget must be more than {_money(least, currency)}.",
            field,
        )
    end = epoch(node.data.get("end_time") or node.data.get("stop_time"))
    if end is not None and end < request.at.timestamp():
        raise budget_error(1487007, "Schedule has ended", f"The schedule of this {noun} has ended.", field)
    spent = sim.world.spend_so_far_today(node.id, request.at)
    if field == "lifetime_budget":
        spent = max(spent, _number(node, field) - _number(node, "budget_remaining"))
    # Reason: a lowered budget must be at least 10 percent above what is spent already.
    if value < _number(node, field) and value * 10 < spent * 11:
        raise budget_error(
            1885650,
            "Your budget is too low",
            f"At least {_money(-(-spent * 11 // 10), currency)} is required to account for spending that occurs "
            "while your budget is updated, which may take up to 15 minutes.",
            field,
        )


def _number(node: Node, field: str) -> int:
    return int(node.data.get(field) or 0)


def _has_budget(node: Node | None) -> bool:
    return node is not None and any(_number(node, f) > 0 for f in BUDGETS)


def _budget_is_elsewhere(sim: Simulator, request: GraphRequest, node: Node) -> bool:
    """Returns whether the campaign holds the budget of this ad set, or the ad sets that of this campaign."""
    if _has_budget(node):
        return False
    if node.kind == "adset":
        return _has_budget(sim.world.node(str(node.data.get("campaign_id")), request.at))
    return any(_has_budget(child) for child in sim.listing(node.id, "adsets", request.at) or ())


def refuse_creation(node: Node) -> GraphError:
    """Returns the answer to creating objects on an edge, which this stand-in does not do."""
    return unsupported(node.id, "post")
