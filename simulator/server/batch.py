"""Batches: up to 50 calls in one request (section 5).

Taking a batch apart and putting the answers together belongs here; each part goes through the router like any call.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

from simulator.server.core import Simulator
from simulator.server.errors import CATALOGUE, GraphError, invalid
from simulator.server.faults import PART, TRANSPORT
from simulator.server.graph import GraphRequest, Reply
from simulator.server.params import as_bool, as_list
from simulator.server.router import dispatch, failed, faulted

MAX_PARTS = 50


def split_version(path: str) -> tuple[str, tuple[str, ...]]:
    """Returns the version (or an empty string) and the other components of a path; empty ones are dropped."""
    parts = tuple(p for p in path.split("/") if p)
    if parts and parts[0][:1] == "v" and parts[0][1:].replace(".", "", 1).isdigit():
        return parts[0], parts[1:]
    return "", parts


async def answer_batch(sim: Simulator, request: GraphRequest) -> Reply:
    """Answers a batch; the outer status is 200 even if parts fail."""
    request.kind = "batch"
    rule = sim.pick(TRANSPORT | frozenset(CATALOGUE), request)
    try:
        if rule is not None and rule.name not in {"cut_middle", "slow"}:
            return faulted(sim, request, rule)
        parts = as_list(request.params, "batch")
        if len(parts) > MAX_PARTS:
            # Reason: this error has a type of its own and no code.
            text = f"Too many requests in batch message. Maximum batch size is {MAX_PARTS}"
            body = {"error": {"message": text, "type": "GraphBatchException"}}
            return Reply(orjson.dumps(body), 400)
        if not parts or not all(isinstance(p, dict) and "relative_url" in p for p in parts):
            raise invalid("Param batch must be a non-empty array of objects with method and relative_url.")
    except GraphError as error:
        sim.stats.count(request, 0, error)
        return failed(error)
    with_headers = as_bool(request.params, "include_headers", default=True)
    answers: list[dict[str, Any] | None] = []
    rows, delay = 0, 0.0
    for part in parts:
        reply = await _part(sim, request, part)
        omitted = part.get("omit_response_on_success") is True and reply is not None and reply.status == 200
        if reply is None or omitted:
            answers.append(None)
            continue
        rows, delay = rows + reply.rows, max(delay, reply.delay)
        entry: dict[str, Any] = {"code": reply.status}
        if with_headers:
            all_headers = {"Content-Type": reply.content_type, **reply.headers}
            entry["headers"] = [{"name": k, "value": v} for k, v in all_headers.items()]
        entry["body"] = reply.body.decode()
        answers.append(entry)
    whole = Reply(orjson.dumps(answers), rows=rows, delay=delay)
    if rule is not None:
        whole.transport = "cut_middle" if rule.name == "cut_middle" else None
        whole.delay = max(delay, rule.seconds) if rule.name == "slow" else delay
    return whole


async def _part(sim: Simulator, request: GraphRequest, part: dict[str, Any]) -> Reply | None:
    """Answers one part; None for a part that was not finished in time."""
    url = urlsplit(str(part["relative_url"]))
    version, components = split_version(url.path)
    shared = {k: v for k, v in request.params.items() if k in {"access_token", "appsecret_proof"}}
    own = dict(parse_qsl(url.query, keep_blank_values=True)) | dict(
        parse_qsl(str(part.get("body") or ""), keep_blank_values=True)
    )
    if "access_token" in own:
        shared = {}
    child = request.child(components, shared | own, str(part.get("method") or "GET").upper())
    child.version = version or request.version
    child.kind = "batch"
    if sim.pick(PART, child) is not None:
        sim.stats.count(child, 0, None)
        return None
    reply = await dispatch(sim, child)
    # Reason: inside a batch a broken connection can only show as an unfinished part.
    return None if reply.transport is not None else reply
