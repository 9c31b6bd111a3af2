"""The change history of an account: `/act_x/activities` (section 6.5).

Only this edge belongs here: its elements are events, not objects, so they have no id to page by.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from simulator.contract import Node
from simulator.server import paging
from simulator.server.core import Simulator, account_of
from simulator.server.errors import invalid
from simulator.server.graph import GraphRequest, Reply, answer
from simulator.server.insights_params import parse_limit
from simulator.server.node_fields import ACTIVITY_FIELDS, DEFAULTS
from simulator.server.params import as_moment
from simulator.server.selection import parse

DEFAULT_DAYS = 7
"""Without `since` the history goes back a week."""


def read(sim: Simulator, request: GraphRequest, node: Node) -> Reply:
    """Answers one page of the change history, newest first."""
    limit = parse_limit(request.params)
    digest = paging.digest_of(request)
    after = request.params.get("after")
    cursor = paging.decode(after, digest) if after else None
    # Reason: without `until` every page would ask another window, so the cursor carries the first page's moment.
    moment = cursor.at if cursor else int(request.at.timestamp())
    since, until = _window(request, moment)
    events = sim.world.activities(account_of(node) or "", since, min(until, request.at))
    events = [e for e in events if _wanted(e, request.params)]
    fields = [f.name for f in parse(request.params.get("fields"))] or list(DEFAULTS["activity"])
    for name in fields:
        if name not in ACTIVITY_FIELDS:
            raise invalid(f"Tried accessing nonexisting field ({name}) on node type (AdActivity)")
    start = cursor.position + 1 if cursor else 0
    page = events[start : start + limit]
    payload: dict[str, Any] = {"data": [{n: e[n] for n in fields if n in e} for e in page]}
    if page:
        first, last = (paging.Cursor(digest, p, moment) for p in (start, start + len(page) - 1))
        more = start + limit < len(events)
        payload["paging"] = paging.links(request, limit, first, last, more=more, earlier=False)
    return answer(payload, rows=len(page))


def _window(request: GraphRequest, moment: int) -> tuple[datetime, datetime]:
    until = as_moment(request.params, "until")
    text = str(request.params.get("until") or "")
    if until is not None and len(text) == 10 and "-" in text:
        # Reason: a day given as `until` means the whole day, as in the activity log of Ads Manager.
        until += 86_400
    until = moment if until is None else until
    since = as_moment(request.params, "since")
    end = datetime.fromtimestamp(until, UTC)
    return (end - timedelta(days=DEFAULT_DAYS) if since is None else datetime.fromtimestamp(since, UTC)), end


def _wanted(event: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    object_id = params.get("oid")
    if object_id and str(event.get("object_id")) != str(object_id):
        return False
    kind = str(event.get("event_type", ""))
    words = {"BUDGET": "budget", "STATUS": "status", "BID": "bid", "CAMPAIGN": "campaign", "AD_SET": "ad_set"}
    return words.get(str(params.get("category") or "").upper(), "") in kind
