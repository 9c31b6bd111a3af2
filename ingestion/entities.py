"""Objects rather than numbers: accounts, campaigns, ad sets, ads, creatives, studies, pixels, and the change history.

Listing and fetching them belongs here; insights do not. Facts: fact sheet, sections 6.1 to 6.5.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from ingestion.errors import AccountUnavailable, InvalidField, ObjectNotFound, TerminalError
from ingestion.graph import GraphClient
from ingestion.paging import PageSize, read_pages
from ingestion.reports import ALL_STATUSES

log = logging.getLogger(__name__)

IDS_PER_CALL = 50


@dataclass(frozen=True)
class EntityKind:
    """A kind of object.

    Attributes:
        name: Table in `raw`, and the kind's name everywhere.
        edge: Edge on the account.
        fields: What is asked. Few, because one restricted field can fail the whole call.
        filter_prefix: Prefix for `updated_time` filters; None where Meta has no such time.
        page_size: Objects asked for at first.
    """

    name: str
    edge: str
    fields: tuple[str, ...]
    filter_prefix: str | None = None
    page_size: int = 200


ACCOUNT_FIELDS = (
    "id",
    "account_id",
    "name",
    "account_status",
    "disable_reason",
    "currency",
    "timezone_name",
    "timezone_offset_hours_utc",
    "spend_cap",
    "amount_spent",
    "balance",
    "min_daily_budget",
    "business",
    "created_time",
)
_SHARED = (
    "id",
    "account_id",
    "name",
    "status",
    "configured_status",
    "effective_status",
    "created_time",
    "updated_time",
)

KINDS: dict[str, EntityKind] = {
    kind.name: kind
    for kind in (
        EntityKind(
            "campaigns",
            "campaigns",
            (
                *_SHARED,
                "objective",
                "buying_type",
                "bid_strategy",
                "daily_budget",
                "lifetime_budget",
                "budget_remaining",
                "spend_cap",
                "special_ad_categories",
                "start_time",
                "stop_time",
            ),
            "campaign",
        ),
        EntityKind(
            "adsets",
            "adsets",
            (
                *_SHARED,
                "campaign_id",
                "daily_budget",
                "lifetime_budget",
                "budget_remaining",
                "billing_event",
                "optimization_goal",
                "bid_strategy",
                "bid_amount",
                "destination_type",
                "promoted_object",
                "attribution_spec",
                "learning_stage_info",
                "targeting",
                "start_time",
                "end_time",
            ),
            "adset",
            100,
        ),
        EntityKind(
            "ads", "ads", (*_SHARED, "campaign_id", "adset_id", "creative{id}", "bid_amount", "tracking_specs"), "ad"
        ),
        EntityKind(
            "adcreatives",
            "adcreatives",
            (
                "id",
                "account_id",
                "name",
                "status",
                "title",
                "body",
                "object_type",
                "thumbnail_url",
                "image_url",
                "video_id",
                "call_to_action_type",
                "link_url",
                "url_tags",
                "object_story_spec",
                "asset_feed_spec",
                "effective_object_story_id",
            ),
            None,
            50,
        ),
        EntityKind(
            "ad_studies",
            "ad_studies",
            (
                "id",
                "name",
                "description",
                "type",
                "start_time",
                "end_time",
                "created_time",
                "updated_time",
                "canceled_time",
                "cells{id,name,treatment_percentage,control_percentage,campaigns{id},adsets{id}}",
            ),
            None,
            25,
        ),
        EntityKind(
            "custom_conversions",
            "customconversions",
            (
                "id",
                "account_id",
                "name",
                "custom_event_type",
                "rule",
                "creation_time",
                "last_fired_time",
                "is_archived",
            ),
        ),
        EntityKind("pixels", "adspixels", ("id", "name", "creation_time", "last_fired_time", "is_unavailable")),
    )
}


def discover_accounts(client: GraphClient) -> list[dict[str, Any]]:
    """All ad accounts that the token can see, each once, with `ACCOUNT_FIELDS`.

    Both the user's own listing and the businesses' edges are read: an agency's token sees some accounts only there.
    """
    found: dict[str, dict[str, Any]] = {}
    for account in _listing(client, "me/adaccounts", ACCOUNT_FIELDS, None, 100):
        found[str(account["account_id"])] = account
    try:
        businesses = list(_listing(client, "me/businesses", ("id", "name"), None, 100))
    except (AccountUnavailable, ObjectNotFound) as refused:
        # Reason: business edges need business_management, which a reporting token need not have.
        log.info("businesses are not listed: %s", refused.message)
        businesses = []
    for business in businesses:
        for edge in ("owned_ad_accounts", "client_ad_accounts"):
            try:
                accounts = list(_listing(client, f"{business['id']}/{edge}", ACCOUNT_FIELDS, None, 100))
            except (AccountUnavailable, ObjectNotFound) as refused:
                log.info("%s of business %s is not listed: %s", edge, business["id"], refused.message)
                continue
            for account in accounts:
                found.setdefault(str(account["account_id"]), account)
    return [found[key] for key in sorted(found, key=int)]


def read_account(client: GraphClient, account_id: str) -> dict[str, Any]:
    """One account's data.

    Raises:
        AccountUnavailable: The token may not read it.
        ObjectNotFound: There is no such account.
    """
    account: dict[str, Any] = client.get(f"act_{account_id}", {"fields": ",".join(ACCOUNT_FIELDS)}, account_id)
    return account


def list_entities(
    client: GraphClient, kind: EntityKind, account_id: str, updated_since: datetime | None = None
) -> Iterator[list[dict[str, Any]]]:
    """Yields pages of an account's objects of one kind, whatever their status, deleted and archived included.

    Args:
        client: Calls Meta.
        kind: What.
        account_id: Digits.
        updated_since: Only what changed after this moment (where Meta keeps such a time), else everything.
    """
    params: dict[str, Any] = {}
    filtering: list[dict[str, Any]] = []
    if kind.filter_prefix:
        params["effective_status"] = list(ALL_STATUSES[kind.filter_prefix])
        if updated_since is not None:
            moment = int(updated_since.timestamp())
            filtering.append(
                {"field": f"{kind.filter_prefix}.updated_time", "operator": "GREATER_THAN", "value": moment}
            )
    if filtering:
        params["filtering"] = filtering
    fields = list(kind.fields)
    size = PageSize(kind.page_size, 2 * kind.page_size)
    while True:
        query = {**params, "fields": ",".join(fields)}
        try:
            for page in read_pages(client, f"act_{account_id}/{kind.edge}", query, account_id, size):
                yield [{**row, "account_id": account_id} for row in page]
        except InvalidField as refused:
            if refused.field not in fields:
                raise
            fields.remove(refused.field)
            log.warning("act_%s %s: Meta refuses the field %s; it is left out", account_id, kind.name, refused.field)
            continue
        return


def list_ids(client: GraphClient, parent: str, edge: str, account_id: str) -> list[str]:
    """The ids of all objects on an edge (`campaigns`, `adsets`, `ads`), whatever their status."""
    params = {"effective_status": list(ALL_STATUSES[edge.removesuffix("s")]), "fields": "id"}
    pages = read_pages(client, f"{parent}/{edge}", params, account_id, PageSize(500, 1000))
    return [str(row["id"]) for page in pages for row in page]


def fetch_by_id(
    client: GraphClient, kind: EntityKind, account_id: str, ids: Sequence[str]
) -> Iterator[list[dict[str, Any]]]:
    """Yields objects by id, 50 a call: those that insights name but listings left out.

    Ids that Meta does not give out are logged, not raised: their insights stay, named from the insight rows.
    """
    for start in range(0, len(ids), IDS_PER_CALL):
        yield list(_by_ids(client, kind, account_id, ids[start : start + IDS_PER_CALL]))


def _by_ids(client: GraphClient, kind: EntityKind, account_id: str, ids: Sequence[str]) -> Iterable[dict[str, Any]]:
    params = {"ids": ",".join(ids), "fields": ",".join(kind.fields)}
    try:
        answer: Mapping[str, Any] = client.get("", params, account_id, points=len(ids))
    except TerminalError as refused:
        if len(ids) == 1:
            log.warning("act_%s: %s %s is not given out: %s", account_id, kind.name, ids[0], refused.message)
            return []
        if isinstance(refused, AccountUnavailable | ObjectNotFound) or refused.code == 100:
            # Reason: one id that cannot be loaded fails all fifty.
            middle = len(ids) // 2
            return [
                *_by_ids(client, kind, account_id, ids[:middle]),
                *_by_ids(client, kind, account_id, ids[middle:]),
            ]
        raise
    return [{**row, "account_id": account_id} for row in answer.values() if isinstance(row, dict) and "id" in row]


def list_activities(
    client: GraphClient, account_id: str, since: datetime, until: datetime
) -> Iterator[list[dict[str, Any]]]:
    """Yields pages of the change history, each event with an `event_key` that identifies it.

    Args:
        client: Calls Meta.
        account_id: Digits.
        since: From this moment (UTC).
        until: To this moment (UTC).
    """
    fields = (
        "event_time,event_type,translated_event_type,object_id,object_name,object_type,actor_id,actor_name,extra_data"
    )
    params = {"since": int(since.timestamp()), "until": int(until.timestamp()), "fields": fields}
    for page in read_pages(client, f"act_{account_id}/activities", params, account_id, PageSize(200, 500)):
        for event in page:
            # Reason: events carry no id of their own.
            event["event_key"] = hashlib.sha256(orjson.dumps(event, option=orjson.OPT_SORT_KEYS)).hexdigest()[:32]
        yield page


def inspect_token(client: GraphClient, token: str) -> dict[str, Any]:
    """What `debug_token` says of a token: validity, expiry (epoch, 0 = never), scopes, the accounts it may see.

    Raises:
        CredentialError: The token is not even good for asking.
    """
    answer = client.get("debug_token", {"input_token": token})
    data = answer.get("data") if isinstance(answer, dict) else None
    return data if isinstance(data, dict) else {}


def token_end(data: Mapping[str, Any]) -> float | None:
    """When a token, or its access to data, ends: epoch seconds; None for never.

    Args:
        data: From `inspect_token`.
    """
    # Source: fact sheet, tokens: 0 means never, in both.
    moments = [float(data.get(name) or 0) for name in ("expires_at", "data_access_expires_at")]
    return min((moment for moment in moments if moment > 0), default=None)


def _listing(
    client: GraphClient, path: str, fields: Sequence[str], account_id: str | None, page_size: int
) -> Iterator[dict[str, Any]]:
    for page in read_pages(client, path, {"fields": ",".join(fields)}, account_id, PageSize(page_size, page_size)):
        yield from page
