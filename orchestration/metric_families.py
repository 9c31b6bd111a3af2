"""The metrics: their names, labels and meaning (docs/reference/metrics.md), made from what the database says.

What belongs here: turning a state into metrics. What does not: reading it (`warehouse.ops.metrics`), serving them
(`orchestration.metrics`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from orchestration.due import account_today
from warehouse.ops import counters
from warehouse.ops.metrics import Newest, State

#: Meta's meters are rolling hours: what was seen longer ago has emptied since.
_USAGE_SECONDS = 3600.0
_TOTALS = {
    counters.SLICES: ("slices_written", "Slices (account, report, day) written or confirmed.", ("report",)),
    counters.ROWS: ("rows_written", "Rows of insights in these slices.", ("report",)),
    counters.CALLS: ("api_calls", "Calls to Meta; account is empty for calls that concern none.", ("account",)),
    counters.WAITS: ("throttle_waits", "Calls that waited for Meta's quota.", ("account",)),
    counters.WAIT_SECONDS: ("throttle_wait_seconds", "Time that calls waited for Meta's quota.", ("account",)),
    counters.REFUSALS: ("throttle_refusals", "Calls that Meta refused for the quota.", ("account",)),
    counters.RUNS: ("runs", "Pulls and imports that ended.", ("kind", "status")),
    counters.BUILDS: ("builds", "Builds of the marts that ended.", ("status",)),
}

Expected = Callable[[int, str], bool]


def lag_seconds(newest: Newest, now: datetime) -> float:
    """How far an account's report lags behind what Meta could have told.

    Where the newest due day (the account's yesterday) is held: the time since it was last pulled. Where it is not: the
    time since the first day that is missing was over. So it grows from each midnight of the account until the day is
    pulled, and without end if it never is.

    Args:
        newest: The newest slice.
        now: With a time zone.
    """
    try:
        zone = ZoneInfo(newest.time_zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    due = account_today(now, str(zone)) - timedelta(days=1)
    if newest.day >= due:
        return max(0.0, (now - newest.pulled_at).total_seconds())
    was_over = datetime.combine(newest.day + timedelta(days=2), time_of_day(), zone)
    return (now - was_over).total_seconds()


def families(state: State, is_expected: Expected) -> Iterator[Metric]:
    """The metrics of a state.

    Args:
        state: As read.
        is_expected: Whether an account's report is one that is still pulled: lag means nothing for others.
    """
    for name, (metric, text, labels) in _TOTALS.items():
        total = CounterMetricFamily(f"meta_ads_{metric}", text, labels=labels)
        for found, values, value in state.counters:
            if found == name:
                total.add_metric([values.get(label, "") for label in labels], value)
        yield total

    lag = gauge("account_lag_seconds", "How far a report lags behind what Meta could have told.", ("account", "report"))
    for one in state.newest:
        if one.source == "api" and is_expected(one.account_id, one.report):
            lag.add_metric([f"act_{one.account_id}", one.report], lag_seconds(one, state.now))
    yield lag

    failures = gauge(
        "quality_check_failures", "What failed in the newest check of each account.", ("severity", "report")
    )
    for report, (errors, warnings) in state.failures.items():
        failures.add_metric(["error", report], errors)
        failures.add_metric(["warn", report], warnings)
    yield failures

    accounts = sorted({one.account_id for one in state.newest})
    held = gauge("held_days", "Days that a failed check keeps out of the marts.", ("account",))
    for account_id in accounts:
        held.add_metric([f"act_{account_id}"], state.held.get(account_id, 0))
    yield held

    usage = gauge("api_usage_ratio", "Used share of a limit of Meta's, as last seen.", ("account", "bucket"))
    for meter in state.usage:
        account = f"act_{meter.account_id}" if meter.account_id else ""
        if meter.bucket == "block":
            is_over = meter.regain_at is None or meter.regain_at <= state.now
        else:
            is_over = (state.now - meter.observed_at).total_seconds() > _USAGE_SECONDS
        usage.add_metric([account, meter.bucket], 0.0 if is_over else meter.ratio)
    yield usage

    running = gauge("runs_running", "Runs under way.", ("kind",))
    for kind in sorted({"pull", *state.running}):
        running.add_metric([kind], state.running.get(kind, 0))
    yield running
    yield gauge("due_slices", "Slices that the next build of the marts takes in.", value=state.due_slices)
    if state.last_build is not None:
        ended, seconds = state.last_build
        yield gauge("build_seconds", "How long the last build that succeeded took.", value=seconds)
        yield gauge(
            "last_build_timestamp_seconds", "When the last build that succeeded ended.", value=ended.timestamp()
        )
    if state.mismatches is not None:
        mismatches = gauge(
            "reconciliation_mismatch_days",
            "Days of the last 92 whose ads do not add up to Meta's account total.",
            ("account",),
        )
        for account_id, days in state.mismatches.items():
            mismatches.add_metric([f"act_{account_id}"], days)
        yield mismatches


def gauge(name: str, text: str, labels: tuple[str, ...] = (), *, value: float | None = None) -> GaugeMetricFamily:
    """A gauge of ours: with a value, or with labels and values to be added."""
    return GaugeMetricFamily(f"meta_ads_{name}", text, value=value, labels=labels or None)
