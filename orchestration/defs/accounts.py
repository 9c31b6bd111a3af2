"""Accounts as partitions: new ones appear, retired ones go; their data stays.

What belongs here: keeping the dynamic partitions equal to the accounts to work on. What does not: finding accounts
(`orchestration.discovery`).
"""

import dagster as dg

from ingestion.errors import IngestionError
from orchestration.defs.partitions import ACCOUNTS, account_key
from orchestration.defs.resources import PlatformSource
from orchestration.discovery import accounts_to_work_on
from orchestration.errors import UserError

CHECK_EVERY_SECONDS = 900


@dg.sensor(
    minimum_interval_seconds=CHECK_EVERY_SECONDS,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Adds a partition for each new account, and retires those that are gone.",
)
def new_accounts(
    context: dg.SensorEvaluationContext, platform: dg.ResourceParam[PlatformSource]
) -> dg.SensorResult | dg.SkipReason:
    """Compares partitions with accounts; a refusal of Meta changes nothing."""
    try:
        with platform.opened() as opened:
            wanted = {account_key(account_id) for account_id in accounts_to_work_on(opened)}
    except UserError as problem:
        return dg.SkipReason(f"{problem.message} Mend: {problem.mend}")
    except IngestionError as problem:
        return dg.SkipReason(str(problem))
    present = set(context.instance.get_dynamic_partitions(ACCOUNTS.name or ""))
    requests: list[dg.AddDynamicPartitionsRequest | dg.DeleteDynamicPartitionsRequest] = []
    if wanted - present:
        requests.append(ACCOUNTS.build_add_request(sorted(wanted - present)))
    if present - wanted:
        requests.append(ACCOUNTS.build_delete_request(sorted(present - wanted)))
    return dg.SensorResult(dynamic_partitions_requests=requests)
