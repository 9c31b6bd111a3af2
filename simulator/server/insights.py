"""The insights edge: `GET /{node}/insights`, `POST` that creates a report run, and a run's own rows.

Pages, summaries and row limits belong here. What a parameter means is in `insights_params`; the life of a run is in
`jobs`; the numbers are the world's.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from simulator.contract import InsightsResult, Node
from simulator.server import insights_params, jobs, paging
from simulator.server.breakdowns import OPT_IN
from simulator.server.core import Simulator, account_of
from simulator.server.errors import GraphError, invalid, make, unsupported
from simulator.server.faults import PAGE
from simulator.server.graph import GraphRequest, Reply, answer

REACH_REQUESTS_PER_DAY = 10
_DAY = 86_400.0


def parse(sim: Simulator, request: GraphRequest, node: Node, *, asynchronous: bool) -> insights_params.InsightsCall:
    """Returns the checked call of a request on a node that has insights."""
    if node.kind not in insights_params.LEVELS:
        raise unsupported(node.id, request.method.lower())
    account = node.data if node.kind == "account" else sim.account(account_of(node) or "", request.at)
    return insights_params.parse(
        request.params, node, account, request.at, asynchronous=asynchronous, keep_old_reach=asynchronous
    )


def opted_in(sim: Simulator, account_id: str) -> bool:
    """Returns whether the account's administrator opted in to the restricted breakdowns."""
    allowed = sim.settings.opt_in
    return allowed == "all" or (allowed != "none" and account_id in allowed)


def read(sim: Simulator, request: GraphRequest, node: Node) -> Reply:
    """Answers a synchronous call."""
    call = parse(sim, request, node, asynchronous=False)
    digest = paging.digest_of(request)
    now = int(request.at.timestamp())
    cursor = None
    if (text := request.params.get("after") or request.params.get("before")) is not None:
        cursor = paging.decode(text, digest)
    at = datetime.fromtimestamp(cursor.at if cursor else now, UTC)
    if call.opt_in and not opted_in(sim, account_of(node) or ""):
        return answer({"data": []})
    result = sim.result(call.query, at)
    size = len(result)
    if size > sim.settings.total_row_limit:
        raise make("too_many_rows")
    if size > sim.settings.sync_row_limit:
        # Reason: both time-outs are documented for the same cause; the query decides which one it gets.
        raise make("timeout_100" if digest[0] % 2 else "timeout_2")
    return page(sim, request, result, digest, at, call.limit, call.summary)


def page(
    sim: Simulator,
    request: GraphRequest,
    result: InsightsResult,
    digest: bytes,
    at: datetime,
    limit: int,
    summary: tuple[str, ...] | None,
) -> Reply:
    """Returns one page of a result.

    Raises:
        GraphError: 2642 for a bad cursor, 1 when the page would be too large.
    """
    total = len(result)
    params = request.params
    start, end = 0, min(limit, total)
    if params.get("after"):
        start = paging.decode(params["after"], digest).position + 1
        end = min(start + limit, total)
    elif params.get("before"):
        end = min(paging.decode(params["before"], digest).position, total)
        start = max(0, end - limit)
    if end - start > sim.settings.page_limit_max:
        raise make("reduce_data")
    moment = int(at.timestamp())
    if start > 0 and end < total and sim.pick(PAGE, request) is not None:
        # Reason: the API sometimes gives an empty page in the middle, with a next link (section 9).
        here = paging.Cursor(digest, start - 1, moment)
        return answer({"data": [], "paging": paging.links(request, limit, here, here, more=True, earlier=False)})
    rows = result.page(start, end - start) if end > start else ()
    body = [b'{"data":[', b",".join(rows), b"]"]
    if rows:
        first, last = paging.Cursor(digest, start, moment), paging.Cursor(digest, end - 1, moment)
        links = paging.links(request, limit, first, last, more=end < total, earlier=start > 0)
        body += [b',"paging":', orjson.dumps(links)]
    if summary is not None and total:
        body += [b',"summary":', orjson.dumps(result.summary(summary))]
    body.append(b"}")
    return Reply(b"".join(body), rows=len(rows))


def create_run(sim: Simulator, request: GraphRequest, node: Node) -> Reply:
    """Answers `POST /{node}/insights`: a report run starts."""
    call = parse(sim, request, node, asynchronous=True)
    account_id = account_of(node) or ""
    now = request.at.timestamp()
    headers = {}
    if call.old_reach:
        used = sim.jobs.spend(("reach", account_id), now, _DAY)
        percent = 100 * used / REACH_REQUESTS_PER_DAY
        headers["x-Fb-Ads-Insights-Reach-Throttle"] = orjson.dumps({"acc_id_util_pct": percent}).decode()
        if used > REACH_REQUESTS_PER_DAY:
            raise invalid("Reach-related metric breakdowns are unavailable due to rate limit threshold.")
    if call.opt_in and sim.settings.opt_in_quota:
        adsets = len(sim.listing(node.id, "adsets", request.at) or ()) if node.kind == "account" else 1
        quota = max(1, min(sim.settings.opt_in_quota, adsets))
        if sim.jobs.spend(("opt_in", account_id), now, _DAY) > quota:
            raise make("throttle_insights_app")
    rule = sim.pick(jobs.FAULTS, request)
    run = sim.jobs.create(request, call, account_id, None if rule is None else rule.name)
    reply = answer({"report_run_id": run.id})
    reply.headers |= headers
    return reply


def read_run(sim: Simulator, request: GraphRequest, run: jobs.Run) -> Reply:
    """Answers `GET /{report_run}/insights`.

    Raises:
        GraphError: 2601 before completion, 100/33 after expiry, 100 for another summary than the run's.
    """
    now = request.at.timestamp()
    state = run.state(now)
    if state.expired:
        raise unsupported(run.id)
    if state.status != "Job Completed":
        raise make("report_not_ready")
    result = run_result(sim, run)
    if len(result) > min(sim.settings.job_row_limit, sim.settings.total_row_limit):
        raise make("report_not_ready")
    summary = insights_params.parse_summary(request.params, run.call.query.fields) or run.call.summary
    if summary is not None and (missing := [f for f in summary if f not in run.call.query.fields]):
        raise invalid(
            f"Cannot include {', '.join(missing)} in summary param because they weren't there while creating the "
            "report run."
        )
    limit = insights_params.parse_limit(request.params)
    digest = int(run.id).to_bytes(8)
    return page(sim, request, result, digest, run.completed_at, limit, summary)


class _Empty:
    """Rows of a run whose account did not opt in."""

    def __len__(self) -> int:
        return 0

    def page(self, offset: int, limit: int) -> list[bytes]:  # noqa: ARG002 - the protocol's signature
        """Returns no rows."""
        return []

    def summary(self, fields: Any) -> dict[str, Any]:  # noqa: ARG002 - the protocol's signature
        """Returns no totals."""
        return {}


def run_result(sim: Simulator, run: jobs.Run) -> InsightsResult:
    """Returns a run's rows as they stood at the moment it completed."""
    if OPT_IN & set(run.call.query.breakdowns) and not opted_in(sim, run.account_id):
        return _Empty()
    return sim.result(run.call.query, run.completed_at)


def settle_run(sim: Simulator, run: jobs.Run, now: float) -> None:
    """Lets a run fail that has completed with more rows than a report may have."""
    if run.failure is not None or run.checked or run.state(now).status != "Job Completed":
        return
    run.checked = True
    rows = len(run_result(sim, run))
    run.rows = rows
    if rows > sim.settings.total_row_limit:
        run.fail(GraphError(100, "Invalid parameter", subcode=1487534))
    elif rows > sim.settings.job_row_limit:
        run.fail(jobs.TOO_LARGE)
