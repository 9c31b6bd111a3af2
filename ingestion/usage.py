"""Reads the usage headers that Meta puts on its answers (fact sheet, section 4.2).

Only parsing belongs here. What follows from the numbers is decided in `ingestion.budget`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True)
class Usage:
    """One meter as Meta reports it.

    Attributes:
        scope: `account` or `app`.
        meter: `score` (API-level points), `buc:<type>`, `insights` (backend capacity) or `app`.
        utilisation: Percent of the limit.
        regain_seconds: How long until access comes back; 0 when not blocked.
        reset_seconds: How long until the meter is empty again; None when not said.
        tier: `development_access`, `standard_access` or None.
    """

    scope: str
    meter: str
    utilisation: float
    regain_seconds: float = 0.0
    reset_seconds: float | None = None
    tier: str | None = None


def read_usage(headers: Mapping[str, str]) -> Iterator[Usage]:
    """Yields every meter in an answer's headers. Absent or malformed headers yield nothing.

    Args:
        headers: Any mapping; names are compared without case, since their case varies.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    if app := _parse(lower.get("x-app-usage")):
        yield Usage("app", "app", _highest(app, "call_count", "total_time", "total_cputime"))
    if account := _parse(lower.get("x-ad-account-usage")):
        reset = account.get("reset_time_duration")
        yield Usage(
            "account",
            "score",
            _number(account.get("acc_id_util_pct")),
            reset_seconds=None if reset is None else _number(reset),
            tier=account.get("ads_api_access_tier"),
        )
    if insights := _parse(lower.get("x-fb-ads-insights-throttle")):
        tier = insights.get("ads_api_access_tier")
        yield Usage("app", "insights", _number(insights.get("app_id_util_pct")), tier=tier)
        yield Usage("account", "insights", _number(insights.get("acc_id_util_pct")), tier=tier)
    business = _parse(lower.get("x-business-use-case-usage"))
    # Reason: the key is described as a business id but seen as the account id, so values are read, keys are not.
    for entries in (business or {}).values():
        for entry in entries if isinstance(entries, list) else []:
            yield Usage(
                "account",
                f"buc:{entry.get('type', 'unknown')}",
                _highest(entry, "call_count", "total_time", "total_cputime"),
                # Reason: this one is in minutes, `reset_time_duration` in seconds.
                regain_seconds=60.0 * _number(entry.get("estimated_time_to_regain_access")),
                tier=entry.get("ads_api_access_tier"),
            )


def wait_seconds(headers: Mapping[str, str]) -> float | None:
    """How long the headers of a refusal say to wait; None if they do not say."""
    meters = list(read_usage(headers))
    waits = [meter.regain_seconds for meter in meters if meter.regain_seconds > 0]
    waits += [meter.reset_seconds for meter in meters if meter.reset_seconds and meter.utilisation >= 100]
    return max(waits) if waits else None


def _parse(value: str | None) -> dict[str, Any] | None:
    if not value:
        return None
    try:
        parsed = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _highest(entry: Mapping[str, Any], *names: str) -> float:
    return max(_number(entry.get(name)) for name in names)


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return 0.0
