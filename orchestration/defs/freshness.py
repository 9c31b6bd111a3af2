"""Freshness of each account, as a check by account on the table of accounts.

What belongs here: the check, and how few of its outcomes are told. What does not: what is fresh
(`orchestration.alerts.causes`), who hears of it (`orchestration.defs.alerts`).
"""

from collections.abc import Collection, Iterator
from datetime import UTC, datetime

import dagster as dg

from orchestration.alerts.causes import stale_accounts, stale_today
from orchestration.alerts.facts import account_pulls, known_accounts
from orchestration.defs.partitions import ACCOUNTS, account_key, account_of
from orchestration.defs.raw import entity_key
from orchestration.defs.resources import PlatformSource
from orchestration.platform import Platform

FRESH = dg.AssetCheckKey(entity_key("accounts"), "fresh")


@dg.multi_asset_check(
    name="account_checks",
    specs=[
        dg.AssetCheckSpec(
            FRESH.name,
            asset=FRESH.asset_key,
            description="The account's yesterday is held as it was after its end and, where ads deliver, the hours of "
            "its current day are at most an hour old. Each tick looks, and tells what is new.",
            partitions_def=ACCOUNTS,
        )
    ],
)
def account_checks(
    context: dg.AssetCheckExecutionContext, platform: dg.ResourceParam[PlatformSource]
) -> Iterator[dg.AssetCheckResult]:
    """The chosen accounts, as somebody looks again from the page."""
    with platform.opened() as opened:
        found = _stale(opened, {account_of(key) for key in context.partition_keys})
    texts = [text for several in found.values() for text in several]
    yield dg.AssetCheckResult(
        asset_key=FRESH.asset_key,
        check_name=FRESH.name,
        passed=not texts,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(texts[:10]) or None,
    )


def freshness_events(
    instance: dg.DagsterInstance, platform: Platform, account_ids: Collection[int]
) -> Iterator[dg.AssetCheckEvaluation]:
    """An evaluation for each account whose freshness is another than when it was last told."""
    found = _stale(platform, set(account_ids))
    keys = [account_key(account_id) for account_id in sorted(account_ids)]
    states = {
        info.partition_key: info.latest_execution_status.value
        for info in instance.event_log_storage.get_asset_check_partition_info([FRESH], partition_keys=keys)
    }
    for account_id in sorted(account_ids):
        texts = found.get(account_id, [])
        if states.get(account_key(account_id)) == ("FAILED" if texts else "SUCCEEDED"):
            continue
        yield dg.AssetCheckEvaluation(
            FRESH.asset_key,
            FRESH.name,
            passed=not texts,
            severity=dg.AssetCheckSeverity.WARN,
            description="; ".join(texts) or None,
            partition=account_key(account_id),
        )


def _stale(platform: Platform, account_ids: set[int]) -> dict[int, list[str]]:
    """What is stale of each account, in words."""
    now = datetime.fromtimestamp(platform.clock.now(), UTC)
    known, _ = known_accounts(platform)
    pulls = account_pulls(platform, known, account_ids, now, is_today_pulled=True)
    found: dict[int, list[str]] = {}
    for cause in (*stale_accounts(pulls, now), *stale_today(pulls, now)):
        if cause.account_id is not None:
            found.setdefault(cause.account_id, []).append(f"{cause.title}. {cause.detail} Mend: {cause.mend}.")
    return found
