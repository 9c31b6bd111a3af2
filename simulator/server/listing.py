"""What an entity edge lists: status rules, `filtering`, `updated_since` (section 6.2).

Conditions on entities belong here; cursors and fields do not. Conditions on insights are the world's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulator.contract import Filter, Node
from simulator.server.errors import invalid
from simulator.server.node_fields import FIELDS
from simulator.server.params import Params, as_bool, as_filters, as_moment, as_names, epoch, given
from simulator.server.selection import HIDDEN


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


PREFIX = {"campaigns": "campaign", "adsets": "adset", "ads": "ad", "adcreatives": "adcreative"}
STATUS_EDGES = frozenset({"campaigns", "adsets", "ads", "adcreatives"})
STATUSES = {
    "campaigns": _names("ACTIVE PAUSED DELETED ARCHIVED IN_PROCESS WITH_ISSUES"),
    "adsets": _names("ACTIVE PAUSED DELETED ARCHIVED IN_PROCESS WITH_ISSUES CAMPAIGN_PAUSED"),
    "ads": _names(
        "ACTIVE PAUSED DELETED ARCHIVED IN_PROCESS WITH_ISSUES CAMPAIGN_PAUSED ADSET_PAUSED PENDING_REVIEW "
        "DISAPPROVED PREAPPROVED PENDING_BILLING_INFO"
    ),
}
DELIVERY = {
    "PAUSED": "inactive",
    "CAMPAIGN_PAUSED": "inactive",
    "ADSET_PAUSED": "inactive",
    "DISAPPROVED": "rejected",
    "WITH_ISSUES": "not_delivering",
    "PENDING_BILLING_INFO": "not_delivering",
    "IN_PROCESS": "pending_review",
    "PREAPPROVED": "scheduled",
}
"""`delivery_info` by `effective_status` where it is another word; its values, taken together, list every object."""
UNFILTERABLE = frozenset({"ad.adset_id", "ad.campaign_id", "ad.creative_id"})


def checked_filters(edge: str, params: Params) -> tuple[Filter, ...]:
    """Returns the conditions of an entity listing, with their fields checked.

    Raises:
        GraphError: 100 naming a field that cannot be filtered.
    """
    prefix = PREFIX.get(edge)
    filters = as_filters(params)
    for condition in filters:
        owner, _, name = condition.field.rpartition(".")
        known = FIELDS.get(owner or prefix or "", frozenset())
        wrong = prefix is not None and owner and owner not in {"campaign", "adset", "ad"}
        if wrong or condition.field in UNFILTERABLE or name not in known | {"delivery_info", "id"}:
            raise invalid(
                f"Filtering field '{condition.field}' with operation '{condition.operator.lower()}' is not supported"
            )
        if name == "delivery_info" and len(condition.value) > 3:
            raise invalid("Filtering field 'delivery_info' takes at most 3 values")
    return filters


def select(edge: str, nodes: Sequence[Node], params: Params, now: float) -> list[Node]:
    """Returns the nodes that the listing shows, in the given order."""
    filters = checked_filters(edge, params)
    statuses = as_names(params, "effective_status")
    allowed = STATUSES.get(edge)
    if allowed is not None and (unknown := [s for s in statuses if s not in allowed]):
        names = ", ".join(sorted(allowed))
        raise invalid(f"effective_status[0] must be one of the following values: {names} (got {unknown[0]})")
    since = as_moment(params, "updated_since")
    by_status = any(f.field.rpartition(".")[2] in {"effective_status", "status", "delivery_info"} for f in filters)
    # Reason: deleted and archived objects are listed only when a status is asked for.
    hide = edge in STATUS_EDGES and not statuses and not by_status
    completed = as_bool(params, "is_completed") if given(params, "is_completed") else None
    found = []
    for node in nodes:
        data = node.data
        status = data.get("effective_status", data.get("status"))
        if (hide and status in HIDDEN) or (statuses and status not in statuses):
            continue
        if since is not None and (epoch(data.get("updated_time")) or 0) < since:
            continue
        if completed is not None and _is_completed(data, now) != completed:
            continue
        if all(matches(_field_value(data, f.field), f) for f in filters):
            found.append(node)
    return found


def _is_completed(data: Any, now: float) -> bool:
    end = epoch(data.get("end_time") or data.get("stop_time"))
    return end is not None and end < now


def _field_value(data: Any, field: str) -> Any:
    owner, _, name = field.rpartition(".")
    if owner and name == "id" and f"{owner}_id" in data:
        return data[f"{owner}_id"]
    if name == "delivery_info":
        status = str(data.get("effective_status", ""))
        return DELIVERY.get(status, status.lower())
    return data.get(name)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return epoch(value)


def matches(value: Any, condition: Filter) -> bool:
    """Returns whether a value meets a condition; times compare as epoch seconds, numeric strings as numbers."""
    operator, wanted = condition.operator, condition.value
    if operator in {"EQUAL", "NOT_EQUAL", "IN", "NOT_IN", "ANY", "NONE", "CONTAINS_ANY", "NOT_CONTAINS_ANY"}:
        options = wanted if isinstance(wanted, list) else [wanted]
        hit = str(value) in {str(o) for o in options}
        return not hit if operator in {"NOT_EQUAL", "NOT_IN", "NONE", "NOT_CONTAINS_ANY"} else hit
    if operator in {"CONTAIN", "NOT_CONTAIN", "STARTS_WITH", "ENDS_WITH", "STEM_MATCH", "CONTAINS_ALL", "ALL"}:
        text = str(value or "").lower()
        pieces = [str(p).lower() for p in (wanted if isinstance(wanted, list) else [wanted])]
        if operator == "STARTS_WITH":
            return text.startswith(pieces[0])
        if operator == "ENDS_WITH":
            return text.endswith(pieces[0])
        return all(p in text for p in pieces) != (operator == "NOT_CONTAIN")
    left = _number(value)
    if left is None:
        return False
    if operator in {"IN_RANGE", "NOT_IN_RANGE"}:
        low, high = (_number(w) for w in wanted)
        return (low is not None and high is not None and low <= left <= high) == (operator == "IN_RANGE")
    right = _number(wanted)
    if right is None:
        return False
    return {
        "GREATER_THAN": left > right,
        "AFTER": left > right,
        "GREATER_THAN_OR_EQUAL": left >= right,
        "ON_OR_AFTER": left >= right,
        "LESS_THAN": left < right,
        "BEFORE": left < right,
        "LESS_THAN_OR_EQUAL": left <= right,
        "ON_OR_BEFORE": left <= right,
    }.get(operator, True)
